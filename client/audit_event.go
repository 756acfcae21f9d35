package client

import (
	"context"
	"io"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/claviger-io/claviger/api"
)

const auditEvents = "audit-events"

// AuditEventFilter narrows a list of audit events. The zero filter is every event of the
// caller's tenant.
type AuditEventFilter struct {
	Action         string    // such as "api_key.revoke"
	ActorID        string    // who did it
	Who            string    // part of a word of their name
	TargetType     string    // such as "credential"
	TargetID       string    // what was changed
	CredentialID   string    // what was done to it, and what was done with it
	OrganizationID string    // about things there and below
	From, To       time.Time // From inclusive, To exclusive; zero means open
	UpTo           int64     // no event after the one with this number; 0 means no bound
}

func (f AuditEventFilter) values() url.Values {
	v := url.Values{}
	set(v, "action", f.Action)
	set(v, "actor_id", f.ActorID)
	set(v, "who", f.Who)
	set(v, "credential_id", f.CredentialID)
	set(v, "organization_id", f.OrganizationID)
	set(v, "target_type", f.TargetType)
	set(v, "target_id", f.TargetID)
	setTime(v, "from", f.From)
	setTime(v, "to", f.To)
	if f.UpTo > 0 {
		set(v, "up_to", strconv.FormatInt(f.UpTo, 10))
	}
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

// ExportAuditEvents writes the events that the filter finds to w as CSV and returns how
// many rows it wrote after the header. The context bounds how long it may take, not
// WithTimeout. When it returns an error, what was written is not all of it.
func (c *Client) ExportAuditEvents(ctx context.Context, f AuditEventFilter, w io.Writer) (rows int64, err error) {
	return c.export(ctx, read(at("v1", auditEvents, "export"), f.values(), nil), w)
}

// LatestAuditCheckpoint shows the last signed checkpoint, and for how much of the tenant's
// log it vouches.
func (c *Client) LatestAuditCheckpoint(ctx context.Context) (*api.AuditCheckpoint, error) {
	return one[api.AuditCheckpoint](ctx, c, read(at("v1", "audit-checkpoints", "latest"), nil, nil))
}

// CheckAudit recomputes the tenant's log and compares it with the last signed checkpoint.
func (c *Client) CheckAudit(ctx context.Context) (*api.AuditCheck, error) {
	return one[api.AuditCheck](ctx, c, change(at("v1", "audit-checkpoints", "check"), nil))
}
