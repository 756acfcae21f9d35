package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// DeliveryKind says how something is delivered.
type DeliveryKind string

// The kinds of deliveries.
const (
	DeliveryMail    DeliveryKind = "mail"
	DeliveryWebhook DeliveryKind = "webhook"
)

// DeliveryState says what has become of a delivery.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"   // waits for its turn, or is on its way
	DeliveryDelivered DeliveryState = "delivered" // or there was nothing left to say
	DeliveryDead      DeliveryState = "dead"      // given up; somebody may have it tried again
)

// Delivery is one message to somebody outside: a mail, a call of a webhook.
type Delivery struct {
	ID        string // "dlv_…", a UUIDv7
	TenantID  tenancy.TenantID
	Kind      DeliveryKind
	Lane      string // deliveries of one lane go one after another, in the order of making; empty: no order
	Once      string // unique per tenant and kind: a second one is not made; empty: none
	Recipient string // whom it is for: a user's ID, a webhook's ID
	About     string // what about, for lists: an event type, "notice"
	Payload   []byte // JSON, its maker's own; no secrets; nil means {}

	State    DeliveryState // of a new one: empty, which is pending
	Attempts int           // since it was made, or last tried again by somebody; one under way counts
	FirstAt  time.Time     // of the first of those attempts; zero before it
	NextAt   time.Time     // not before; zero of a new one means at once
	// FinishedAt is when it was delivered or given up; zero while pending.
	CreatedAt, FinishedAt time.Time
	LastStatus            int    // what the other side answered last: SMTP's code, HTTP's status; 0: nothing
	LastError             string // of the last attempt, safe to show; empty: there was none
	// Fence is of the present lease: a holder with an older one changes nothing. LeasedUntil is
	// when it ends; zero without one.
	Fence       int64
	LeasedUntil time.Time
}

// DeliveryOutcome is what an attempt came to.
type DeliveryOutcome struct {
	State  DeliveryState // pending: try again at NextAt
	NextAt time.Time     // of a pending one
	At     time.Time     // when the attempt ended
	Status int           // what the other side answered; 0: nothing
	Error  string        // safe to show; empty: delivered
}

type deliveryRow struct {
	bun.BaseModel `bun:"table:deliveries,alias:d"`

	RowID       int64
	ID          string
	TenantID    string
	Kind        string
	Lane        string
	Once        string
	Recipient   string
	About       string
	Payload     []byte
	State       string
	Attempts    int64
	FirstAt     int64
	NextAt      int64
	CreatedAt   int64
	FinishedAt  int64
	LastStatus  int64
	LastError   string
	Fence       int64
	LeasedUntil int64
}

func (r *deliveryRow) delivery() (Delivery, error) {
	return Delivery{
		ID: r.ID, TenantID: tenancy.TenantID(r.TenantID), Kind: DeliveryKind(r.Kind), Lane: r.Lane, Once: r.Once,
		Recipient: r.Recipient, About: r.About, Payload: r.Payload, State: DeliveryState(r.State), Attempts: int(r.Attempts),
		FirstAt: moment(r.FirstAt), NextAt: moment(r.NextAt), CreatedAt: moment(r.CreatedAt), FinishedAt: moment(r.FinishedAt),
		LastStatus: int(r.LastStatus), LastError: r.LastError, Fence: r.Fence, LeasedUntil: moment(r.LeasedUntil),
	}, nil
}

var deliveryTaken = problem.New(problem.Conflict, "delivery_exists", "Another delivery has this ID.")

// Writers come one after another, so the highest number and one is nobody else's, and whether
// another of the lane goes first can't change in between.
const (
	insertDelivery = "INSERT INTO deliveries (row_id, id, tenant_id, kind, lane, once, recipient, about, payload, state, attempts, " +
		"first_at, next_at, created_at, finished_at, last_status, last_error, fence, holder, leased_until, waits) " +
		"VALUES ((SELECT COALESCE(MAX(row_id), 0) + 1 FROM deliveries), ?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0, 0, ?, ?, 0, 0, '', 0, '', 0, " +
		"CASE WHEN EXISTS (" + sameLane + ") THEN 1 ELSE 0 END)"
	sameLane = "SELECT 1 FROM deliveries AS other WHERE other.tenant_id = ? AND other.kind = ? AND other.lane = ? AND other.lane <> '' " +
		"AND other.state = 'pending'"
	nextInLane = "UPDATE deliveries SET waits = 0 WHERE row_id = (SELECT MIN(other.row_id) FROM deliveries AS other " +
		"WHERE other.tenant_id = ? AND other.kind = ? AND other.lane = ? AND other.lane <> '' AND other.state = 'pending')"
	leaseDelivery = "UPDATE deliveries SET fence = ?, holder = ?, leased_until = ?, attempts = ?, first_at = ? WHERE id = ?"
	endDelivery   = "UPDATE deliveries SET state = ?, next_at = ?, finished_at = ?, last_status = ?, last_error = ?, holder = '', leased_until = 0 " +
		"WHERE id = ? AND fence = ? AND state = 'pending'"
	wakeDeliveries = "UPDATE deliveries SET attempts = 0, first_at = 0, next_at = ? WHERE tenant_id = ? AND kind = ? AND state = 'pending' AND waits = 0 AND next_at > ?"
	retryDelivery  = "UPDATE deliveries SET state = 'pending', attempts = 0, first_at = 0, next_at = ?, finished_at = 0, " +
		"waits = CASE WHEN state = 'pending' THEN waits WHEN EXISTS (" + sameLane + " AND other.id <> ?) THEN 1 ELSE 0 END WHERE id = ? AND tenant_id = ?"
)

// maxDeliveryError is how much of an error is kept, in bytes.
const maxDeliveryError = 1000

// InsertDelivery makes a delivery in the caller's transaction: it goes out if and only if
// that commits. inserted is false when there is one with the same Once already.
func (tx *Tx) InsertDelivery(d Delivery) (inserted bool, err error) {
	if err := tx.own(d.TenantID); err != nil {
		return false, err
	}
	if d.Payload == nil {
		d.Payload = []byte("{}")
	}
	if d.ID == "" || d.Kind == "" || d.CreatedAt.IsZero() || !json.Valid(d.Payload) {
		return false, fmt.Errorf("store: a delivery needs an ID, a kind, a time and a payload of JSON: %q", d.ID)
	}
	if d.Once != "" {
		_, err := find[deliveryRow](tx, "delivery", "tenant_id = ? AND kind = ? AND once = ?", string(tx.tenant), string(d.Kind), d.Once)
		if !problem.Is(err, problem.NotFound) {
			return false, err
		}
	}
	next := d.NextAt
	if next.IsZero() {
		next = d.CreatedAt
	}
	return true, tx.write(statement{text: insertDelivery, taken: deliveryTaken, args: []any{
		d.ID, string(d.TenantID), string(d.Kind), d.Lane, d.Once, d.Recipient, d.About, d.Payload, micros(next), micros(d.CreatedAt),
		string(d.TenantID), string(d.Kind), d.Lane,
	}})
}

// Delivery is one delivery of the tenant.
func (tx *Tx) Delivery(id string) (Delivery, error) {
	row, err := find[deliveryRow](tx, "delivery", "id = ? AND tenant_id = ?", id, string(tx.tenant))
	if err != nil {
		return Delivery{}, err
	}
	return row.delivery()
}

// AllTenantsDeliveryTenant finds the tenant of a delivery.
func (tx *Tx) AllTenantsDeliveryTenant(id string) (tenancy.TenantID, error) {
	return tenantOf[deliveryRow](tx, "delivery", id)
}

// DueDelivery is one that could be claimed.
type DueDelivery struct {
	ID, Recipient string
	TenantID      tenancy.TenantID
}

// DeliveryExcept are those whose deliveries are left out for now.
type DeliveryExcept struct {
	Recipients []string
	Tenants    []tenancy.TenantID
}

// AllTenantsDueDeliveries finds what could be claimed now, what has waited longest first, at
// most limit of them and none that are left out. Of a lane only the first that is
// not finished is due, and none while that one is leased or waits to be tried again.
func (tx *Tx) AllTenantsDueDeliveries(kinds []DeliveryKind, now time.Time, except DeliveryExcept, limit int) ([]DueDelivery, error) {
	rows, err := all[deliveryRow](tx, "deliveries", func(q *bun.SelectQuery) *bun.SelectQuery {
		q = dueDeliveries(q, kinds, now).Column("id", "recipient", "tenant_id").Limit(int64(limit))
		if len(except.Recipients) > 0 {
			q = q.Where("recipient NOT IN (?)", bun.List(except.Recipients))
		}
		if len(except.Tenants) > 0 {
			q = q.Where("tenant_id NOT IN (?)", bun.List(except.Tenants))
		}
		return q
	})
	out := make([]DueDelivery, len(rows))
	for i := range rows {
		out[i] = DueDelivery{ID: rows[i].ID, Recipient: rows[i].Recipient, TenantID: tenancy.TenantID(rows[i].TenantID)}
	}
	return out, err
}

func dueDeliveries(q *bun.SelectQuery, kinds []DeliveryKind, now time.Time) *bun.SelectQuery {
	return q.Where("state = 'pending' AND waits = 0").Where("kind IN (?)", bun.List(kinds)).
		Where("next_at <= ?", micros(now)).Where("leased_until <= ?", micros(now)).Order("next_at", "row_id")
}

// AllTenantsClaimDeliveries leases what is due to the holder, as AllTenantsDueDeliveries finds
// it, or those of only that still are: nobody else gets them until the lease ends. The attempt
// is counted, also should the holder never come back.
func (tx *Tx) AllTenantsClaimDeliveries(kinds []DeliveryKind, holder string, now time.Time, lease time.Duration, limit int, only ...string) ([]Delivery, error) {
	if len(kinds) == 0 || limit <= 0 {
		return nil, nil
	}
	rows, err := all[deliveryRow](tx, "deliveries", func(q *bun.SelectQuery) *bun.SelectQuery {
		if len(only) > 0 {
			q = q.Where("id IN (?)", bun.List(only))
		}
		return dueDeliveries(q, kinds, now).Limit(int64(limit))
	})
	if err != nil {
		return nil, err
	}
	claimed, err := convert(rows, (*deliveryRow).delivery)
	if err != nil {
		return nil, err
	}
	for i := range claimed {
		d := &claimed[i]
		d.Fence, d.LeasedUntil, d.Attempts = d.Fence+1, now.Add(lease), d.Attempts+1
		if d.FirstAt.IsZero() {
			d.FirstAt = now
		}
		if err := tx.exec(leaseDelivery, d.Fence, holder, micros(d.LeasedUntil), int64(d.Attempts), micros(d.FirstAt), d.ID); err != nil {
			return nil, err
		}
	}
	return claimed, nil
}

// AllTenantsFinishDelivery ends an attempt. held is false, and nothing is changed, when the
// lease with this fence is no longer the delivery's: somebody else has taken it over.
func (tx *Tx) AllTenantsFinishDelivery(id string, fence int64, o DeliveryOutcome) (held bool, err error) {
	row, err := find[deliveryRow](tx, "delivery", "id = ?", id)
	if problem.Is(err, problem.NotFound) {
		return false, nil
	}
	if err != nil || row.Fence != fence || row.State != string(DeliveryPending) {
		return false, err
	}
	next, finished := o.NextAt, o.At
	switch o.State {
	case DeliveryPending:
		finished = time.Time{}
	case DeliveryDelivered, DeliveryDead:
		next = moment(row.NextAt)
	default:
		return false, errors.New("store: an outcome needs a state")
	}
	if err := tx.exec(endDelivery, string(o.State), micros(next), micros(finished), int64(o.Status), shownError(o.Error), id, fence); err != nil {
		return false, err
	}
	if o.State == DeliveryPending || row.Lane == "" {
		return true, nil
	}
	return true, tx.exec(nextInLane, row.TenantID, row.Kind, row.Lane)
}

// shownError is an error's text as it can be stored, whatever the other side sent.
func shownError(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
	if len(text) > maxDeliveryError {
		text = strings.ToValidUTF8(text[:maxDeliveryError], "")
	}
	return text
}

// RetryDelivery has a delivery of the tenant tried again, from now on, as if it were new: one
// that was given up, or one that waits for its next attempt.
func (tx *Tx) RetryDelivery(d Delivery, now time.Time) error {
	return tx.write(statement{text: retryDelivery, one: "delivery", args: []any{
		micros(now), string(tx.tenant), string(d.Kind), d.Lane, d.ID, d.ID, string(tx.tenant),
	}})
}

// WakeDeliveries has what waits for its next attempt tried again, from now on, as if it were
// new: what is for a recipient, or all of the kind when that is empty.
func (tx *Tx) WakeDeliveries(kind DeliveryKind, recipient string, now time.Time) error {
	if tx.tenant == "" {
		return errNoTenant
	}
	text, args := wakeDeliveries, []any{micros(now), string(tx.tenant), string(kind), micros(now)}
	if recipient != "" {
		text, args = text+" AND recipient = ?", append(args, recipient)
	}
	return tx.exec(text, args...)
}
