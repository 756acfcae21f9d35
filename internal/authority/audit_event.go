package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// AuditEventsInput filters the list of audit events.
type AuditEventsInput struct {
	Tenant     tenancy.TenantID
	Action     string
	TargetType string
	TargetID   string
	ActorID    string
	From, To   time.Time // From inclusive, To exclusive; zero means open
	Page       store.Page
}

// AuditEvents lists a tenant's audit events. It needs claviger.audit_events:read at the
// tenant's root.
func (a *Authority) AuditEvents(ctx context.Context, caller access.Caller, in AuditEventsInput) (out store.List[audit.Event], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.require(access.AuditEventsRead, s.rootPath()); err != nil {
			return err
		}
		out, err = s.tx.AuditEvents(store.AuditFilter{
			Action: in.Action, ActorID: in.ActorID, TargetType: in.TargetType, TargetID: in.TargetID, From: in.From, Until: in.To,
		}, in.Page)
		return err
	})
	return out, err
}
