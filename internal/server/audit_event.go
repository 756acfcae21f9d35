package server

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) auditEventRoutes() {
	const tag, need = "Audit log", access.AuditEventsRead
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/audit-events", Operation: "AuditEvents", Permission: need, tag: tag,
		summary: "Who changed what, with which credential, from where",
	}, s.auditEvents)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/audit-events/export", Operation: "ExportAuditEvents", Permission: need, tag: tag,
		summary: "The events that a filter finds, as CSV", csv: true,
	}, s.exportAuditEvents)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/audit-checkpoints/latest", Operation: "LatestAuditCheckpoint", Permission: need, tag: tag,
		summary: "The last signed checkpoint, and how much of your log it vouches for",
	}, s.latestAuditCheckpoint)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/audit-checkpoints/check", Operation: "CheckAudit", Permission: need, tag: tag,
		summary: "Recompute your log and compare it with the last signed checkpoint; 20 seconds at most",
	}, s.checkAudit)
}

// AuditFilter narrows a list of audit events.
type AuditFilter struct {
	TenantInput
	Action         string    `query:"action" maxLength:"64" doc:"Such as api_key.revoke."`
	TargetType     string    `query:"target_type" maxLength:"64"`
	TargetID       string    `query:"target_id" maxLength:"64"`
	ActorID        string    `query:"actor_id" maxLength:"64"`
	Who            string    `query:"who" maxLength:"200" doc:"Part of a word of the actor's name."`
	CredentialID   string    `query:"credential_id" maxLength:"64" doc:"What was done to this credential, and what was done with it."`
	OrganizationID string    `query:"organization_id" maxLength:"64" doc:"About things at this organization and all below it."`
	From           time.Time `query:"from" doc:"Inclusive."`
	To             time.Time `query:"to" doc:"Exclusive."`
	UpTo           int64     `query:"up_to" minimum:"0" doc:"No event after the one with this number; 0 means no bound."`
}

func (in AuditFilter) ask() authority.AuditEventsInput {
	return authority.AuditEventsInput{
		Tenant: in.tenant(), Action: in.Action, TargetType: in.TargetType, TargetID: in.TargetID, ActorID: in.ActorID, Who: in.Who,
		Credential: in.CredentialID, At: tenancy.OrgID(in.OrganizationID), From: in.From, To: in.To, UpTo: in.UpTo,
	}
}

type auditEventsInput struct {
	AuditFilter
	PageInput
}

func (s *Server) auditEvents(ctx context.Context, c *call, in *auditEventsInput) (*body[api.List[api.AuditEvent]], error) {
	ask := in.ask()
	ask.Page = in.page()
	list, err := s.authority.AuditEvents(ctx, c.caller, ask)
	return listAnswer(list, err, auditEventOf)
}

func auditEventOf(e authority.AuditEvent) api.AuditEvent {
	return api.AuditEvent{
		Sequence: e.Sequence, TenantID: string(e.TenantID), At: e.At, Action: e.Action,
		Actor: principalOf(e.Actor, e.ActorName), ActorTenantID: string(e.ActorTenant), Via: string(e.Via),
		CredentialID: e.CredentialID, SessionID: e.SessionID, Source: e.Source, UserAgent: e.UserAgent, RequestID: e.RequestID,
		Target:         api.Principal{Type: e.TargetType, ID: e.TargetID, Name: e.TargetName},
		OrganizationID: string(e.OrganizationID), OrganizationName: e.OrganizationName, Before: e.Before, After: e.After,
		Previous: e.Previous.String(), Hash: e.Hash.String(),
	}
}

type exportEventsInput struct {
	AuditFilter
	SortInput
	Site string `header:"Sec-Fetch-Site" maxLength:"32" hidden:"true"`
}

// exportAuditEvents answers every event that the filter finds, as CSV, as exportAPIKeys
// does with keys.
func (s *Server) exportAuditEvents(ctx context.Context, c *call, in *exportEventsInput) (*huma.StreamResponse, error) {
	if err := ownPage(in.Site); err != nil {
		return nil, err
	}
	ask := in.ask()
	ask.Page.Sort, ask.Page.Desc = in.Sort, in.Order == "desc"
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		out := &csvAnswer{w: w, name: "audit-log", day: s.now(), columns: []string{
			"Time", "Who", "What", "Of what", "Of what: type", "Of what: ID", "Organization", "Before", "After", "From address",
			"With credential", "Program", "Who: type", "Who: ID", "How", "Session", "Request", "Number", "Hash",
		}}
		err := s.authority.ExportAuditEvents(ctx, c.caller, ask, func(total int64) error {
			out.total = total
			return nil
		}, out.event)
		s.endExport(ctx, c, out, err)
	}}, nil
}

func (a *csvAnswer) event(e authority.AuditEvent) error {
	place := e.OrganizationName
	if place == "" {
		place = string(e.OrganizationID)
	}
	return a.row(csvTime(e.At), e.ActorName, e.Action, e.TargetName, e.TargetType, e.TargetID, place, string(e.Before), string(e.After), e.Source,
		e.CredentialID, e.UserAgent, string(e.Actor.Type), e.Actor.ID, string(e.Via), e.SessionID, e.RequestID,
		strconv.FormatInt(e.Sequence, 10), e.Hash.String())
}

// endExport finishes an export, or says why it failed: as a problem while nothing is
// written, else by breaking off, so that nobody takes a part for the whole.
func (s *Server) endExport(ctx context.Context, c *call, out *csvAnswer, err error) {
	if err == nil {
		err = out.end()
	}
	if err == nil {
		return
	}
	s.logCause(ctx, err, c.id)
	if !out.began {
		answerOf(err, c.id).write(out.w)
		return
	}
	s.log.WarnContext(ctx, "export broken off", slog.String("request_id", c.id), slog.Int64("rows", out.rows))
	panic(http.ErrAbortHandler)
}

func (s *Server) latestAuditCheckpoint(ctx context.Context, c *call, in *TenantInput) (*body[api.AuditCheckpoint], error) {
	last, err := s.authority.LatestAuditCheckpoint(ctx, c.caller, authority.AuditCheckpointInput{Tenant: in.tenant()})
	return answerWith(last, err, auditCheckpointOf)
}

func (s *Server) checkAudit(ctx context.Context, c *call, in *TenantInput) (*body[api.AuditCheck], error) {
	found, err := s.authority.CheckAudit(ctx, c.caller, authority.AuditCheckInput{Tenant: in.tenant()})
	return answerWith(found, err, func(f authority.AuditCheck) api.AuditCheck {
		return api.AuditCheck{AuditCheckpoint: auditCheckpointOf(f.AuditCheckpoint), OK: f.OK, Problem: f.Problem, Broken: f.Broken}
	})
}

func auditCheckpointOf(c authority.AuditCheckpoint) api.AuditCheckpoint {
	return api.AuditCheckpoint{Sequence: c.Sequence, At: optional(c.At), Events: c.Events, Sealed: c.Sealed}
}
