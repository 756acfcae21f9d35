package server

import (
	"context"
	"net/http"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/authority"
)

func (s *Server) auditEventRoutes() {
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/audit-events", Operation: "AuditEvents", Permission: access.AuditEventsRead, tag: "Audit log",
		summary: "Who changed what, with which credential, from where",
	}, s.auditEvents)
}

type auditEventsInput struct {
	TenantInput
	PageInput
	Action     string    `query:"action" maxLength:"64" doc:"Such as api_key.revoke."`
	TargetType string    `query:"target_type" maxLength:"64"`
	TargetID   string    `query:"target_id" maxLength:"64"`
	ActorID    string    `query:"actor_id" maxLength:"64"`
	From       time.Time `query:"from" doc:"Inclusive."`
	To         time.Time `query:"to" doc:"Exclusive."`
}

func (s *Server) auditEvents(ctx context.Context, c *call, in *auditEventsInput) (*body[api.List[api.AuditEvent]], error) {
	list, err := s.authority.AuditEvents(ctx, c.caller, authority.AuditEventsInput{
		Tenant: in.tenant(), Action: in.Action, TargetType: in.TargetType, TargetID: in.TargetID, ActorID: in.ActorID,
		From: in.From, To: in.To, Page: in.page(),
	})
	return listAnswer(list, err, auditEventOf)
}

func auditEventOf(e audit.Event) api.AuditEvent {
	return api.AuditEvent{
		Sequence: e.Sequence, TenantID: string(e.TenantID), At: e.At, Action: e.Action,
		Actor: principalOf(e.Actor, e.ActorName), ActorTenantID: string(e.ActorTenant), Via: string(e.Via),
		CredentialID: e.CredentialID, SessionID: e.SessionID, Source: e.Source, UserAgent: e.UserAgent, RequestID: e.RequestID,
		Target:         api.Principal{Type: e.TargetType, ID: e.TargetID, Name: e.TargetName},
		OrganizationID: string(e.OrganizationID), Before: e.Before, After: e.After,
		Previous: e.Previous.String(), Hash: e.Hash.String(),
	}
}
