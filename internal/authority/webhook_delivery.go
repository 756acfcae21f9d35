package authority

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/webhook"
)

// MaxReplay is how far back events can be sent again.
const MaxReplay = 30 * 24 * time.Hour

const (
	// webhookBatch is how many audit events are read for a webhook at once, and so how many
	// deliveries are made in one transaction at most.
	webhookBatch = 100
	// dueWebhooks is how many webhooks are looked at in one go.
	dueWebhooks = 200
	// readAhead and readAheadFor are how far, and for how long, events that are nothing to a
	// webhook are read past without noting it.
	readAhead    = 1000
	readAheadFor = time.Minute
)

// ReplayWebhookInput asks for everything since a time to be sent again.
type ReplayWebhookInput struct {
	Tenant tenancy.TenantID
	ID     string
	Since  time.Time // at most MaxReplay ago
	Idempotency
}

// WebhookDeliveriesInput filters a webhook's deliveries.
type WebhookDeliveriesInput struct {
	Tenant tenancy.TenantID
	ID     string
	State  store.DeliveryState // empty means any
	Event  string              // type of event; empty means any
	Page   store.Page
}

// WebhookDeliveryInput names one delivery of a webhook.
type WebhookDeliveryInput struct {
	Tenant   tenancy.TenantID
	ID       string // the webhook's
	Delivery string
	Idempotency
}

// lanes keep the messages about one credential in order, for each webhook.
func webhookLane(webhookID, about string) string { return webhookID + ":" + about }

// insertMessage makes the delivery of a message.
func insertMessage(tx *store.Tx, w store.Webhook, id, lane string, t webhook.Type, m webhook.Message, now time.Time) (store.Delivery, error) {
	payload, err := json.Marshal(m)
	if err != nil {
		return store.Delivery{}, fmt.Errorf("encoding a message: %w", err)
	}
	d := store.Delivery{
		ID: id, TenantID: w.TenantID, Kind: store.DeliveryWebhook, Lane: lane, Recipient: w.ID, About: string(t), Payload: payload,
		State: store.DeliveryPending, CreatedAt: now,
	}
	_, err = tx.InsertDelivery(d)
	return d, err
}

// TestWebhook sends a webhook a message of type webhook.test. What comes of it shows in the
// delivery. Rights as CreateWebhook; audited as webhook.test.
func (a *Authority) TestWebhook(ctx context.Context, caller access.Caller, in WebhookInput) (out store.Delivery, err error) {
	id, err := newID("dlv_")
	if err != nil {
		return out, err
	}
	err = a.changeWebhook(ctx, caller, in.Tenant, in.ID, func(c *change, w store.Webhook) error {
		if w.State != tenancy.Active {
			return problem.New(problem.Conflict, "webhook_suspended", "The webhook is suspended. Resume it first.")
		}
		out, err = once(c, "webhook.test/"+w.ID, in.Idempotency, func() (store.Delivery, string, error) {
			m, err := webhook.OfTest(id, w.ID, string(w.TenantID), c.now)
			if err != nil {
				return store.Delivery{}, "", err
			}
			d, err := insertMessage(c.tx, w, id, "", webhook.Test, m, c.now)
			if err != nil {
				return d, "", err
			}
			return d, id, c.record("webhook.test", webhookTarget(w), nil, fields{"delivery_id": id})
		}, c.tx.Delivery)
		return err
	})
	return out, err
}

// ReplayWebhook sends a webhook once more everything since a time, and then goes on with what
// happens. Messages have the IDs that they had. Rights as CreateWebhook; audited as
// webhook.replay.
func (a *Authority) ReplayWebhook(ctx context.Context, caller access.Caller, in ReplayWebhookInput) (out Webhook, err error) {
	now := a.now()
	if in.Since.IsZero() || in.Since.After(now) || in.Since.Before(now.Add(-MaxReplay)) {
		return out, problem.InvalidField("/since", "Choose a time in the last 30 days.")
	}
	from, err := a.eventsBefore(ctx, caller, WebhookInput{Tenant: in.Tenant, ID: in.ID}, in.Since)
	if err != nil {
		return out, err
	}
	err = a.changeWebhook(ctx, caller, in.Tenant, in.ID, func(c *change, w store.Webhook) error {
		out, err = once(c, "webhook.replay/"+w.ID, in.Idempotency, func() (Webhook, string, error) {
			w.Position, w.ModifiedAt = min(w.Position, from), c.now
			if err := c.tx.UpdateWebhook(w); err != nil {
				return Webhook{}, "", err
			}
			if err := c.record("webhook.replay", webhookTarget(w), nil, fields{"since": in.Since.UTC()}); err != nil {
				return Webhook{}, "", err
			}
			shown, err := c.showWebhook(w)
			return shown, w.ID, err
		}, func(string) (Webhook, error) { return c.showWebhook(w) })
		return err
	})
	return out, err
}

// ReplayWebhookDelivery sends one message once more, under its ID, as a delivery of its own.
// Rights as CreateWebhook; problems: still_pending. Audited as webhook.replay_delivery.
func (a *Authority) ReplayWebhookDelivery(ctx context.Context, caller access.Caller, in WebhookDeliveryInput) (out store.Delivery, err error) {
	id, err := newID("dlv_")
	if err != nil {
		return out, err
	}
	err = a.changeWebhook(ctx, caller, in.Tenant, in.ID, func(c *change, w store.Webhook) error {
		old, err := c.webhookDelivery(w, in.Delivery)
		if err != nil {
			return err
		}
		out, err = once(c, "webhook.replay_delivery/"+old.ID, in.Idempotency, func() (store.Delivery, string, error) {
			if old.State == store.DeliveryPending {
				return store.Delivery{}, "", problem.New(problem.Conflict, "still_pending", "This delivery is still on its way. It can be sent again when it has ended.")
			}
			d := store.Delivery{
				ID: id, TenantID: old.TenantID, Kind: old.Kind, Lane: old.Lane, Recipient: old.Recipient, About: old.About, Payload: old.Payload,
				State: store.DeliveryPending, CreatedAt: c.now,
			}
			if _, err := c.tx.InsertDelivery(d); err != nil {
				return d, "", err
			}
			return d, id, c.record("webhook.replay_delivery", webhookTarget(w), nil, fields{"delivery_id": id, "again": old.ID})
		}, c.tx.Delivery)
		return err
	})
	return out, err
}

func (s *scope) webhookDelivery(w store.Webhook, id string) (store.Delivery, error) {
	d, err := s.tx.Delivery(id)
	if err == nil && (d.Kind != store.DeliveryWebhook || d.Recipient != w.ID) {
		err = problem.Missing("delivery")
	}
	return d, err
}

// WebhookDeliveries lists a webhook's deliveries, in the order of making. Rights as
// CreateWebhook.
func (a *Authority) WebhookDeliveries(ctx context.Context, caller access.Caller, in WebhookDeliveriesInput) (out store.List[store.Delivery], err error) {
	err = a.viewWebhook(ctx, caller, in.Tenant, in.ID, func(s *scope, w store.Webhook) (err error) {
		out, err = s.tx.Deliveries(store.DeliveryFilter{Kind: store.DeliveryWebhook, Recipient: w.ID, State: in.State, About: in.Event}, in.Page)
		return err
	})
	return out, err
}

// WebhookDelivery answers one delivery of a webhook. Rights as CreateWebhook.
func (a *Authority) WebhookDelivery(ctx context.Context, caller access.Caller, in WebhookDeliveryInput) (out store.Delivery, err error) {
	err = a.viewWebhook(ctx, caller, in.Tenant, in.ID, func(s *scope, w store.Webhook) (err error) {
		out, err = s.webhookDelivery(w, in.Delivery)
		return err
	})
	return out, err
}

// passed is how far a webhook's events were read, none of which it wants, without noting it.
type passed struct {
	position int64     // as it is noted
	modified time.Time // of the webhook: another choice of events may want them
	read     int64
	since    time.Time
}

// DispatchWebhooks turns audit events into deliveries for the webhooks that want them, and
// returns how many it made. The webhooks take turns, so that one of which much is to be told
// keeps no other waiting. Any number of nodes may do it at the same time: deliveries and
// the position behind them are written in one transaction, and only by who read from there.
func (a *Authority) DispatchWebhooks(ctx context.Context) (made int, err error) {
	a.dispatching.Lock()
	defer a.dispatching.Unlock()
	for more := true; more && err == nil; {
		var n int
		n, more, err = a.dispatchTurn(ctx)
		made += n
	}
	return made, err
}

// dispatchTurn makes one batch of deliveries for each webhook. more says that for some there
// are further ones.
func (a *Authority) dispatchTurn(ctx context.Context) (made int, more bool, err error) {
	var failed []error
	still := map[string]passed{}
	for after := ""; ctx.Err() == nil; {
		var due []store.Webhook
		err := a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
			due, err = tx.AllTenantsDueWebhooks(after, dueWebhooks)
			return err
		})
		if err != nil {
			return made, false, errors.Join(append(failed, err)...)
		}
		for _, w := range due {
			n, p, further, err := a.dispatch(ctx, w, a.passed[w.ID])
			made, more = made+n, more || further
			if err != nil {
				failed = append(failed, fmt.Errorf("webhook %s: %w", w.ID, err))
			}
			if p.read > p.position {
				still[w.ID] = p
			}
			after = w.ID
		}
		if len(due) < dueWebhooks {
			break
		}
	}
	a.passed = still
	return made, more, errors.Join(append(failed, ctx.Err())...)
}

// dispatch makes the next deliveries of one webhook, of a batch of events.
func (a *Authority) dispatch(ctx context.Context, w store.Webhook, p passed) (made int, _ passed, more bool, err error) {
	if p.position != w.Position || !p.modified.Equal(w.ModifiedAt) {
		p = passed{position: w.Position, modified: w.ModifiedAt, read: w.Position, since: a.now()}
	}
	events, apps, err := a.eventsFor(ctx, w, p.read)
	if err != nil || len(events) == 0 {
		return 0, p, false, err
	}
	p.read, more = events[len(events)-1].Sequence, len(events) == webhookBatch
	wanted := wantedBy(w, events)
	if len(wanted) == 0 && p.read-p.position < readAhead && a.now().Sub(p.since) < readAheadFor {
		return 0, p, more, nil
	}
	moved, err := a.makeMessages(ctx, w, p.read, wanted, apps)
	if err != nil || !moved {
		return 0, passed{}, false, err // another node was faster, or somebody changed the webhook
	}
	return len(wanted), passed{}, more, nil
}

// eventsFor reads the next events, and the credentials of the apps among them.
func (a *Authority) eventsFor(ctx context.Context, w store.Webhook, after int64) (events []audit.Event, apps map[string]string, err error) {
	err = a.store.Read(ctx, w.TenantID, func(tx *store.Tx) error {
		events, err = tx.AuditEventsAfter(after, webhookBatch)
		if err != nil {
			return err
		}
		var ids []string
		for i := range events {
			if id := webhook.OfApp(&events[i]); id != "" {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		found, err := tx.LatestCredentials(access.PrincipalApp, ids)
		apps = make(map[string]string, len(found))
		for id, k := range found {
			apps[id] = k.ID.String()
		}
		return err
	})
	return events, apps, err
}

func wantedBy(w store.Webhook, events []audit.Event) (list []*audit.Event) {
	for i := range events {
		if t, ok := webhook.TypeOf(&events[i]); ok && webhook.Wants(w.Events, t) {
			list = append(list, &events[i])
		}
	}
	return list
}

// makeMessages makes the deliveries of events and notes that they were read up to there,
// unless the webhook is no longer as it was when they were. It is bookkeeping: that the
// events are to be delivered was decided when they were written.
func (a *Authority) makeMessages(ctx context.Context, w store.Webhook, upTo int64, events []*audit.Event, apps map[string]string) (moved bool, err error) {
	ids := make([]string, len(events))
	for i := range ids {
		if ids[i], err = newID("dlv_"); err != nil {
			return false, err
		}
	}
	_, err = a.store.Write(ctx, w.TenantID, func(tx *store.Tx) error {
		moved = false
		now, err := tx.Webhook(w.ID)
		if err != nil || now.Position != w.Position || now.State != tenancy.Active || !now.ModifiedAt.Equal(w.ModifiedAt) {
			return err
		}
		for i, e := range events {
			t, _ := webhook.TypeOf(e)
			about := e.TargetID
			if app := webhook.OfApp(e); app != "" {
				about = apps[app]
			}
			m, err := webhook.Of(w.ID, t, e, about)
			if err != nil {
				return err
			}
			if _, err := insertMessage(tx, w, ids[i], webhookLane(w.ID, about), t, m, a.now()); err != nil {
				return err
			}
		}
		moved = true
		return tx.MoveWebhook(w.ID, upTo)
	})
	return moved, err
}
