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
	Who        string        // part of a word of the actor's name
	Credential string        // "crd_…": what was done to it, and what was done with it
	At         tenancy.OrgID // about things at and below
	From, To   time.Time     // From inclusive, To exclusive; zero means open
	UpTo       int64         // the last event's number; 0 means no bound
	Page       store.Page
}

func (in AuditEventsInput) filter() store.AuditFilter {
	return store.AuditFilter{
		Action: in.Action, ActorID: in.ActorID, Who: in.Who, TargetType: in.TargetType, TargetID: in.TargetID, About: in.Credential,
		At: in.At, From: in.From, Until: in.To, UpTo: in.UpTo,
	}
}

// AuditEvent is an event with what its organization is called now.
type AuditEvent struct {
	audit.Event
	OrganizationName string
}

func (s *scope) showEvents(list []audit.Event) ([]AuditEvent, error) {
	places := make([]tenancy.OrgID, len(list))
	for i, e := range list {
		places[i] = e.OrganizationID
	}
	names, err := s.tx.OrganizationNames(places)
	if err != nil {
		return nil, err
	}
	out := make([]AuditEvent, len(list))
	for i, e := range list {
		out[i] = AuditEvent{Event: e, OrganizationName: names[e.OrganizationID]}
	}
	return out, nil
}

// AuditEvents lists a tenant's audit events. It needs claviger.audit_events:read at the
// tenant's root.
func (a *Authority) AuditEvents(ctx context.Context, caller access.Caller, in AuditEventsInput) (out store.List[AuditEvent], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.require(access.AuditEventsRead, s.rootPath()); err != nil {
			return err
		}
		list, err := s.tx.AuditEvents(in.filter(), in.Page)
		if err != nil {
			return err
		}
		out, err = pageOf(list, s.showEvents)
		return err
	})
	return out, err
}

// ExportAuditEvents hands out every event that the filter finds at this moment, in its
// order, page by page in constant memory; Page.Limit and Page.Cursor count for nothing.
// begin is told how many there are, before the first. What begin or row return ends the
// export. It needs claviger.audit_events:read at the tenant's root. Audited as
// audit_event.export, before any of it is answered.
func (a *Authority) ExportAuditEvents(ctx context.Context, caller access.Caller, in AuditEventsInput, begin func(total int64) error, row func(AuditEvent) error) error {
	f := in.filter()
	var total int64
	_, err := a.change(ctx, caller, in.Tenant, func(c *change) error {
		if err := c.require(access.AuditEventsRead, c.rootPath()); err != nil {
			return err
		}
		head, err := c.tx.AuditHead()
		if err != nil {
			return err
		}
		if f.UpTo == 0 || f.UpTo > head.Sequence {
			f.UpTo = head.Sequence
		}
		if f.UpTo == 0 {
			f.UpTo = -1 // none: zero would mean all
		}
		// What is wrong with the order must be found before anything is written.
		if _, err = c.tx.AuditEvents(f, store.Page{Limit: 1, Sort: in.Page.Sort, Desc: in.Page.Desc}); err != nil {
			return err
		}
		if total, err = c.tx.CountAuditEvents(f); err != nil {
			return err
		}
		return c.record("audit_event.export", target{kind: "tenant", id: string(c.tenant.ID), name: c.tenant.Name, org: in.At}, nil,
			fields{"filter": f, "count": total})
	})
	if err != nil {
		return err
	}
	if err := begin(total); err != nil {
		return err
	}
	page := store.Page{Limit: store.MaxLimit, Sort: in.Page.Sort, Desc: in.Page.Desc, Uncounted: true}
	for {
		list, err := a.auditPage(ctx, caller, in.Tenant, f, page)
		if err != nil {
			return err
		}
		for _, e := range list.Items {
			if err := row(e); err != nil {
				return err
			}
		}
		if page.Cursor = list.Next; page.Cursor == "" {
			return nil
		}
	}
}

func (a *Authority) auditPage(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, f store.AuditFilter, page store.Page) (out store.List[AuditEvent], err error) {
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		if err := s.require(access.AuditEventsRead, s.rootPath()); err != nil {
			return err
		}
		list, err := s.tx.AuditEvents(f, page)
		if err != nil {
			return err
		}
		out, err = pageOf(list, s.showEvents)
		return err
	})
	return out, err
}
