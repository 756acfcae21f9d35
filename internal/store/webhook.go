package store

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Webhook is an address of a tenant's own that is told what happens to its credentials.
type Webhook struct {
	ID       string // "whk_…"
	TenantID tenancy.TenantID
	Name     string
	URL      string
	Events   []string // types of events; empty means all
	State    tenancy.State
	// Sealed is the secret that signs, SecretVersion counts them from 1. SealedBefore is the
	// one before, which signs beside it until BeforeUntil; both are nil once it is deleted.
	Sealed        []byte
	SecretVersion int
	SealedBefore  []byte
	BeforeUntil   time.Time
	// Position is how far the tenant's audit chain has been read for it.
	Position      int64
	CreatedAt     time.Time
	CreatedBy     access.Principal
	CreatedByName string
	ModifiedAt    time.Time
}

type webhookRow struct {
	bun.BaseModel `bun:"table:webhooks,alias:w"`

	ID            string
	TenantID      string
	Name          string
	URL           string
	Events        string
	State         string
	Sealed        []byte
	SecretVersion int64
	SealedBefore  []byte
	BeforeUntil   int64
	Position      int64
	CreatedAt     int64
	CreatedByType string
	CreatedByID   string
	CreatedByName string
	ModifiedAt    int64
}

func (r *webhookRow) webhook() (Webhook, error) {
	events, err := fromText[[]string](r.Events)
	return Webhook{
		ID: r.ID, TenantID: tenancy.TenantID(r.TenantID), Name: r.Name, URL: r.URL, Events: events, State: tenancy.State(r.State),
		Sealed: r.Sealed, SecretVersion: int(r.SecretVersion), SealedBefore: r.SealedBefore, BeforeUntil: moment(r.BeforeUntil),
		Position: r.Position, CreatedAt: moment(r.CreatedAt),
		CreatedBy:     access.Principal{Type: access.PrincipalType(r.CreatedByType), ID: r.CreatedByID},
		CreatedByName: r.CreatedByName, ModifiedAt: moment(r.ModifiedAt),
	}, err
}

var (
	insertWebhook = insertInto("webhooks", "id", "tenant_id", "created_at", "created_by_type", "created_by_id", "created_by_name",
		"name", "url", "events", "state", "sealed", "secret_version", "sealed_before", "before_until", "position", "modified_at")
	updateWebhook = update("webhooks",
		"name", "url", "events", "state", "sealed", "secret_version", "sealed_before", "before_until", "position", "modified_at")
	webhookTaken = problem.New(problem.Conflict, "webhook_exists", "Another webhook has this ID.")
)

// webhookArgs are the columns that may change, in the order of updateWebhook.
func webhookArgs(w Webhook) ([]any, error) {
	events, err := listText(w.Events)
	return []any{
		w.Name, w.URL, events, string(w.State), orNull(w.Sealed), int64(w.SecretVersion), orNull(w.SealedBefore), micros(w.BeforeUntil),
		w.Position, micros(w.ModifiedAt),
	}, err
}

// Webhook is one webhook of the tenant, also a deleted one.
func (tx *Tx) Webhook(id string) (Webhook, error) {
	row, err := find[webhookRow](tx, "webhook", "id = ? AND tenant_id = ?", id, string(tx.tenant))
	if err != nil {
		return Webhook{}, err
	}
	return row.webhook()
}

// Webhooks lists the tenant's webhooks, but deleted ones, oldest first; there are few.
func (tx *Tx) Webhooks() ([]Webhook, error) {
	rows, err := all[webhookRow](tx, "webhooks", func(q *bun.SelectQuery) *bun.SelectQuery {
		return tx.scope(q).Where("state <> 'deleted'").Order("created_at", "id")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*webhookRow).webhook)
}

// InsertWebhook adds a webhook. Verification knows nothing of webhooks.
func (tx *Tx) InsertWebhook(w Webhook) error {
	if err := tx.own(w.TenantID); err != nil {
		return err
	}
	args, err := webhookArgs(w)
	if err != nil {
		return err
	}
	return tx.write(statement{text: insertWebhook, taken: webhookTaken, args: append([]any{
		w.ID, string(w.TenantID), micros(w.CreatedAt), string(w.CreatedBy.Type), w.CreatedBy.ID, w.CreatedByName,
	}, args...)})
}

// UpdateWebhook changes all but ID and making.
func (tx *Tx) UpdateWebhook(w Webhook) error {
	if err := tx.own(w.TenantID); err != nil {
		return err
	}
	args, err := webhookArgs(w)
	if err != nil {
		return err
	}
	return tx.write(statement{text: updateWebhook, one: "webhook", args: append(args, w.ID, string(tx.tenant))})
}

// MoveWebhook notes how far the audit chain has been read for a webhook.
func (tx *Tx) MoveWebhook(id string, position int64) error {
	return tx.write(statement{
		text: "UPDATE webhooks SET position = ? WHERE id = ? AND tenant_id = ?", args: []any{position, id, string(tx.tenant)}, one: "webhook",
	})
}

// AllTenantsDueWebhooks lists at most limit of the active webhooks of active tenants whose
// audit chain has grown since it was read for them, by ID, after one.
func (tx *Tx) AllTenantsDueWebhooks(after string, limit int) ([]Webhook, error) {
	rows, err := all[webhookRow](tx, "webhooks", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("w.state = 'active'").Where("w.id > ?", after).
			Where("EXISTS (SELECT 1 FROM audit_heads AS h WHERE h.tenant_id = w.tenant_id AND h.sequence > w.position)").
			Where("EXISTS (SELECT 1 FROM tenants AS t WHERE t.id = w.tenant_id AND t.state = 'active')").
			Order("w.id").Limit(int64(limit))
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*webhookRow).webhook)
}

// AllTenantsReplacedWebhookSecrets lists at most limit of the webhooks that still have a
// secret which was replaced and signs no longer.
func (tx *Tx) AllTenantsReplacedWebhookSecrets(now time.Time, limit int) ([]Webhook, error) {
	rows, err := all[webhookRow](tx, "webhooks", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("before_until <> 0").Where("before_until <= ?", micros(now)).Order("before_until", "id").Limit(int64(limit))
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*webhookRow).webhook)
}

// AllTenantsWebhookTenant finds the tenant of a webhook.
func (tx *Tx) AllTenantsWebhookTenant(id string) (tenancy.TenantID, error) {
	return tenantOf[webhookRow](tx, "webhook", id)
}

// AuditSequenceBefore is the last event of the tenant's chain that is older than a time, as
// far as events are in the order of time; 0 when there is none. It is for a Read: events of
// the very transaction are not found.
func (tx *Tx) AuditSequenceBefore(t time.Time) (int64, error) {
	head, err := tx.AuditHead()
	if err != nil {
		return 0, err
	}
	// A chain has no gaps, so its middle is there: twenty look-ups in a million events.
	older, end := int64(0), head.Sequence+1
	for end-older > 1 {
		middle := older + (end-older)/2
		row, err := find[eventRow](tx, "audit event", "tenant_id = ? AND sequence = ?", string(tx.tenant), middle)
		if err != nil {
			return 0, err
		}
		if row.At < micros(t) {
			older = middle
		} else {
			end = middle
		}
	}
	return older, nil
}
