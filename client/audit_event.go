package client

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/claviger-io/claviger/api"
)

const auditEvents = "audit-events"

// AuditEventFilter narrows a list of audit events. The zero filter is every event of the
// caller's tenant.
type AuditEventFilter struct {
	Action     string    // such as "api_key.revoke"
	ActorID    string    // who did it
	TargetType string    // such as "credential"
	TargetID   string    // what was changed
	From, To   time.Time // From inclusive, To exclusive; zero means open
}

func (f AuditEventFilter) values() url.Values {
	v := url.Values{}
	set(v, "action", f.Action)
	set(v, "actor_id", f.ActorID)
	set(v, "target_type", f.TargetType)
	set(v, "target_id", f.TargetID)
	setTime(v, "from", f.From)
	setTime(v, "to", f.To)
	return v
}

// AuditEvents lists audit events, page after page, as the loop asks for them. After an
// error nothing follows.
func (c *Client) AuditEvents(ctx context.Context, f AuditEventFilter) iter.Seq2[api.AuditEvent, error] {
	return each[api.AuditEvent](ctx, c, at("v1", auditEvents), f.values)
}

// AuditEventPage lists one page of audit events.
func (c *Client) AuditEventPage(ctx context.Context, f AuditEventFilter, p Page) (*api.List[api.AuditEvent], error) {
	return page[api.AuditEvent](ctx, c, at("v1", auditEvents), f.values(), p)
}
