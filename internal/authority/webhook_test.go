package authority_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/webhook"
)

const endpoint = "https://hooks.example.com/claviger?token=not-for-audit"

func (w *world) webhook(events ...string) authority.IssuedWebhook {
	w.Helper()
	h, err := w.a.CreateWebhook(w.Context(), w.super, authority.CreateWebhookInput{Name: "ours", URL: endpoint, Events: events})
	w.must(err)
	return h
}

func webhookInput(w *world) any { return authority.WebhookInput{ID: w.webhook().ID} }

// webhookRows are the operations on webhooks; see TestWalk.
var webhookRows = map[string]row{
	"CreateWebhook": {action: "webhook.create", input: func(w *world) any {
		return authority.CreateWebhookInput{Tenant: w.acme.ID, Name: "new", URL: endpoint}
	}},
	"ChangeWebhook": {action: "webhook.change", input: func(w *world) any {
		return authority.ChangeWebhookInput{ID: w.webhook().ID, Name: ptr("renamed")}
	}},
	"RotateWebhookSecret": {action: "webhook.rotate_secret", input: func(w *world) any { return authority.RotateWebhookInput{ID: w.webhook().ID} }},
	"SuspendWebhook":      {action: "webhook.suspend", input: webhookInput},
	"ResumeWebhook": {action: "webhook.resume", input: func(w *world) any {
		in := authority.WebhookInput{ID: w.webhook().ID}
		_, err := w.a.SuspendWebhook(w.Context(), w.super, in)
		w.must(err)
		return in
	}},
	"DeleteWebhook": {action: "webhook.delete", input: webhookInput},
	"TestWebhook":   {action: "webhook.test", input: webhookInput},
	"ReplayWebhook": {action: "webhook.replay", input: func(w *world) any {
		return authority.ReplayWebhookInput{ID: w.webhook().ID, Since: w.clock.Now().Add(-time.Hour)}
	}},
	"ReplayWebhookDelivery": {action: "webhook.replay_delivery", input: func(w *world) any {
		h := w.webhook()
		return authority.WebhookDeliveryInput{ID: h.ID, Delivery: w.ended(w.tested(h.ID), store.DeliveryDead)}
	}},
	"Webhook":           {input: webhookInput},
	"Webhooks":          {input: func(w *world) any { return authority.WebhooksInput{Tenant: w.acme.ID} }},
	"WebhookDeliveries": {input: func(w *world) any { return authority.WebhookDeliveriesInput{ID: w.webhook().ID} }},
	"WebhookDelivery": {input: func(w *world) any {
		h := w.webhook()
		return authority.WebhookDeliveryInput{ID: h.ID, Delivery: w.tested(h.ID).ID}
	}},
}

func (w *world) tested(id string) store.Delivery {
	w.Helper()
	d, err := w.a.TestWebhook(w.Context(), w.super, authority.WebhookInput{ID: id})
	w.must(err)
	return d
}

// ended is a delivery after one attempt.
func (w *world) ended(d store.Delivery, state store.DeliveryState) string {
	w.Helper()
	_, err := w.store.Write(w.Context(), "", func(tx *store.Tx) error {
		claimed, err := tx.AllTenantsClaimDeliveries([]store.DeliveryKind{store.DeliveryWebhook}, "test", w.clock.Now(), time.Minute, 1000)
		if err != nil {
			return err
		}
		for _, c := range claimed {
			if c.ID == d.ID {
				_, err = tx.AllTenantsFinishDelivery(c.ID, c.Fence, store.DeliveryOutcome{State: state, At: w.clock.Now(), Status: 500})
			}
		}
		return err
	})
	w.must(err)
	return d.ID
}

// told is a message as a receiver reads it.
type told struct {
	delivery store.Delivery
	id       string
	Type     string
	Data     struct {
		TenantID   string `json:"tenant_id"`
		Sequence   int64
		Credential struct {
			ID, Kind, Name string
			AppID          string `json:"app_id"`
		}
		Actor   struct{ Type, ID string }
		Days    *int64
		Changes struct{ Before, After map[string]any }
	}
}

// dispatched is all that a webhook is told, in the order of making.
func (w *world) dispatched(id string) (list []told) {
	w.Helper()
	_, err := w.a.DispatchWebhooks(w.Context())
	w.must(err)
	return w.deliveries(id)
}

func (w *world) deliveries(id string) (list []told) {
	w.Helper()
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		var found store.List[store.Delivery]
		w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) (err error) {
			found, err = tx.Deliveries(store.DeliveryFilter{Kind: store.DeliveryWebhook, Recipient: id}, page)
			return err
		}))
		for _, d := range found.Items {
			var m webhook.Message
			w.must(json.Unmarshal(d.Payload, &m))
			t := told{delivery: d, id: m.ID}
			w.must(json.Unmarshal(m.Body, &t))
			if t.Type != d.About {
				w.Errorf("a delivery about %q says %q", d.About, t.Type)
			}
			list = append(list, t)
		}
		if page.Cursor = found.Next; page.Cursor == "" {
			return list
		}
	}
}

func typesOf(list []told) (types []string) {
	for _, t := range list {
		types = append(types, strings.TrimPrefix(t.Type, "credential."))
	}
	return types
}

func (w *world) wantTypes(what string, list []told, want ...string) {
	w.Helper()
	if got := typesOf(list); !slices.Equal(got, want) {
		w.Errorf("%s: told %v, want %v", what, got, want)
	}
}

// B9: every step of a credential's life is told, in its order, to the webhooks that want it.
func TestB9WebhooksAreToldOfEveryStep(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		before := w.key(w.super)
		every, some := w.webhook(), w.webhook(string(webhook.Revoked), string(webhook.Issued))
		k := w.key(w.super)
		in := authority.KeyInput{ID: k.ID}
		for _, err := range []error{
			second(w.a.RenameAPIKey(ctx, w.super, authority.RenameKeyInput{ID: k.ID, Name: "Renamed"})),
			second(w.a.SuspendAPIKey(ctx, w.super, in)),
			second(w.a.ResumeAPIKey(ctx, w.super, in)),
			second(w.a.RotateAPIKey(ctx, w.super, authority.RotateKeyInput{ID: k.ID, Grace: time.Hour})),
			second(w.a.RevokeAPIKey(ctx, w.super, in)),
			second(w.a.DeleteAPIKey(ctx, w.super, authority.KeyInput{ID: before.ID})),
		} {
			w.must(err)
		}
		o := w.organizationKey(w.north.ID)
		_, err := w.a.ChangeOrganizationKey(ctx, w.super, authority.ChangeKeyInput{ID: o.ID, Networks: ptr([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})})
		w.must(err)
		_, err = w.a.RevealKey(ctx, w.confirmed(w.super), authority.KeyInput{ID: o.ID})
		w.must(err)
		app := w.app()
		_, err = w.a.DeleteApp(ctx, w.super, authority.AppInput{ID: app.ID})
		w.must(err)
		w.clock.Add(366 * 24 * time.Hour)
		_, err = w.a.ExpireDue(ctx)
		w.must(err)

		list := w.dispatched(every.ID)
		of := map[string][]told{}
		for _, m := range list {
			of[m.Data.Credential.ID] = append(of[m.Data.Credential.ID], m)
			if m.delivery.Lane != every.ID+":"+m.Data.Credential.ID || m.Data.TenantID != string(w.acme.ID) || m.id == "" {
				w.Errorf("message %+v in lane %q", m, m.delivery.Lane)
			}
		}
		w.wantTypes("a user's key", of[k.ID.String()], "issued", "renamed", "suspended", "resumed", "rotated", "revoked")
		w.wantTypes("one from before the webhook", of[before.ID.String()], "deleted")
		w.wantTypes("an organization's key", of[o.ID.String()], "issued", "changed", "revealed", "expired")
		w.wantTypes("an app's", of[app.Credential.ID.String()], "issued", "deleted")
		if m := of[k.ID.String()][1]; m.Data.Credential.Kind != "user_key" || m.Data.Actor.ID != w.super.Principal.ID ||
			m.Data.Changes.Before["name"] != "key" || m.Data.Changes.After["name"] != "Renamed" {
			w.Errorf("what is said of a rename: %+v", m.Data)
		}
		if m := of[app.Credential.ID.String()][0]; m.Data.Credential.AppID != string(app.ID) || m.Data.Credential.Kind != "app" {
			w.Errorf("what is said of an app: %+v", m.Data)
		}
		w.wantTypes("a webhook for two types", w.deliveries(some.ID), "issued", "revoked", "issued", "issued")
		for _, m := range list {
			for _, hidden := range []string{k.Secret.Reveal(), o.Secret.Reveal(), app.Secret.Reveal(), app.Key.Reveal()} {
				if bytes.Contains(m.delivery.Payload, []byte(hidden[len(hidden)-20:])) {
					w.Error("a message holds a secret")
				}
			}
		}
		if again := w.dispatched(every.ID); len(again) != len(list) {
			w.Errorf("dispatching once more made %d deliveries", len(again)-len(list))
		}
	})
}

func second[T any](_ T, err error) error { return err }

// B9: an event about expiry says how many days are left. The event is written by whoever
// sends the notices.
func TestB9ExpiringSaysTheDays(t *testing.T) {
	e := event("organization_key.expiring", `{"days":7,"expires_at":"2026-03-08T12:00:00Z"}`)
	kind, ok := webhook.TypeOf(&e)
	if !ok || kind != webhook.Expiring {
		t.Fatalf("an expiry notice is %q, %v", kind, ok)
	}
	m, err := webhook.Of("whk_1", kind, &e, e.TargetID)
	if err != nil {
		t.Fatal(err)
	}
	var said told
	if err := json.Unmarshal(m.Body, &said); err != nil || said.Data.Days == nil || *said.Data.Days != 7 {
		t.Errorf("%s %v", m.Body, err)
	}
}

// B9: several nodes make each message once, in the order of each credential's life, also
// when they all look at once and credentials change meanwhile.
func TestB9SeveralNodesDispatch(t *testing.T) {
	engines(t, func(w *world) {
		h := w.webhook()
		nodes := []*authority.Authority{w.a, w.another(), w.another()}
		var changing, looking sync.WaitGroup
		done := make(chan struct{})
		for _, node := range nodes {
			looking.Go(func() {
				for {
					if _, err := node.DispatchWebhooks(w.Context()); err != nil {
						w.Error(err)
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		const keys = 40
		for range 4 {
			changing.Go(func() {
				for range keys {
					k, err := w.a.IssueAPIKey(w.Context(), w.super, authority.IssueAPIKeyInput{Name: "key"})
					if err == nil {
						_, err = w.a.RevokeAPIKey(w.Context(), w.super, authority.KeyInput{ID: k.ID})
					}
					if err != nil {
						w.Error(err)
					}
				}
			})
		}
		changing.Wait()
		close(done)
		looking.Wait()
		list := w.dispatched(h.ID)
		last, ids := int64(0), map[string]bool{}
		for _, m := range list {
			if m.Data.Sequence <= last {
				w.Errorf("event %d comes after %d", m.Data.Sequence, last)
			}
			last, ids[m.id] = m.Data.Sequence, true
		}
		if len(list) != 4*keys*2 || len(ids) != len(list) {
			w.Errorf("%d messages with %d IDs, want %d", len(list), len(ids), 4*keys*2)
		}
	})
}

// B9: a webhook that was suspended is told what it missed, as far as 3 days back.
func TestB9SuspendedWebhookCatchesUp(t *testing.T) {
	engines(t, func(w *world) {
		ctx, h := w.Context(), w.webhook()
		in := authority.WebhookInput{ID: h.ID}
		_, err := w.a.SuspendWebhook(ctx, w.super, in)
		w.must(err)
		if _, err := w.a.OpenWebhook(ctx, store.Delivery{TenantID: w.acme.ID, Recipient: h.ID}); !errors.Is(err, webhook.ErrWaits) {
			w.Errorf("a suspended webhook's delivery goes out: %v", err)
		}
		w.refused("testing a suspended webhook", problem.Conflict, "webhook_suspended", func() error {
			return second(w.a.TestWebhook(ctx, w.super, in))
		})
		old := w.key(w.super)
		w.clock.Add(3*24*time.Hour + time.Minute)
		late := w.key(w.super)
		w.wantTypes("while it is suspended", w.dispatched(h.ID))
		_, err = w.a.ResumeWebhook(ctx, w.super, in)
		w.must(err)
		list := w.dispatched(h.ID)
		w.wantTypes("after it was resumed", list, "issued")
		if list[0].Data.Credential.ID != late.ID.String() {
			w.Errorf("told of %s, want %s and not %s", list[0].Data.Credential.ID, late.ID, old.ID)
		}
		_, err = w.a.DeleteWebhook(ctx, w.super, in)
		w.must(err)
		if _, err := w.a.OpenWebhook(ctx, list[0].delivery); !errors.Is(err, webhook.ErrGone) {
			w.Errorf("a deleted webhook's delivery goes out: %v", err)
		}
		w.refused("a deleted webhook", problem.NotFound, "", func() error { return second(w.a.Webhook(ctx, w.super, in)) })
	})
}

// B9: what happened since a time is sent again, under the same IDs; and single messages are.
func TestB9Replay(t *testing.T) {
	engines(t, func(w *world) {
		ctx, h := w.Context(), w.webhook()
		w.key(w.super)
		w.clock.Add(time.Hour)
		since := w.clock.Now()
		w.clock.Add(time.Second)
		w.key(w.super)
		w.key(w.super)
		first := w.dispatched(h.ID)
		_, err := w.a.ReplayWebhook(ctx, w.super, authority.ReplayWebhookInput{ID: h.ID, Since: since})
		w.must(err)
		w.key(w.super)
		list := w.dispatched(h.ID)
		if len(first) != 3 || len(list) != 6 || list[3].id != first[1].id || list[4].id != first[2].id || !bytes.Equal(list[3].delivery.Payload, first[1].delivery.Payload) {
			w.Errorf("%d messages, then %d: %v", len(first), len(list), typesOf(list))
		}
		for _, wrong := range []time.Time{{}, w.clock.Now().Add(time.Minute), w.clock.Now().Add(-31 * 24 * time.Hour)} {
			w.refused("since "+wrong.String(), problem.Invalid, "", func() error {
				return second(w.a.ReplayWebhook(ctx, w.super, authority.ReplayWebhookInput{ID: h.ID, Since: wrong}))
			})
		}
		one := authority.WebhookDeliveryInput{ID: h.ID, Delivery: first[0].delivery.ID}
		w.refused("one that is on its way", problem.Conflict, "still_pending", func() error { return second(w.a.ReplayWebhookDelivery(ctx, w.super, one)) })
		w.ended(first[0].delivery, store.DeliveryDelivered)
		again, err := w.a.ReplayWebhookDelivery(ctx, w.super, one)
		w.must(err)
		list = w.deliveries(h.ID)
		if last := list[len(list)-1]; again.ID == one.Delivery || last.delivery.ID != again.ID || last.id != first[0].id || last.delivery.Lane != first[0].delivery.Lane {
			w.Errorf("sent again as %+v", last)
		}
		other := w.webhook()
		w.refused("another webhook's delivery", problem.NotFound, "", func() error {
			return second(w.a.ReplayWebhookDelivery(ctx, w.super, authority.WebhookDeliveryInput{ID: other.ID, Delivery: one.Delivery}))
		})
	})
}

// B9: the secret is shown once and sealed; a new one signs beside it for a while, and then
// the one before is destroyed.
func TestB9WebhookSecrets(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		in := authority.CreateWebhookInput{Name: "ours", URL: endpoint, Idempotency: authority.Idempotency{Key: "once"}}
		h, err := w.a.CreateWebhook(ctx, w.super, in)
		w.must(err)
		again, err := w.a.CreateWebhook(ctx, w.super, in)
		w.must(err)
		if again.ID != h.ID || again.SecretAvailable || !again.Secret.IsZero() || !strings.HasPrefix(h.Secret.Reveal(), "whsec_") || len(h.Secret.Reveal()) != 50 {
			w.Errorf("a repeated request: %+v", again)
		}
		d := store.Delivery{TenantID: w.acme.ID, Recipient: h.ID}
		w.wantSigning(d, h.Secret)
		if e := w.lastEvent(w.acme.ID); strings.Contains(string(e.After), "not-for-audit") || !strings.Contains(string(e.After), "https://hooks.example.com") {
			w.Errorf("audit says %s", e.After)
		}
		second, err := w.a.RotateWebhookSecret(ctx, w.super, authority.RotateWebhookInput{ID: h.ID, Grace: time.Hour})
		w.must(err)
		w.wantSigning(d, second.Secret, h.Secret)
		w.must(w.a.ForgetWebhookSecrets(ctx))
		w.wantSigning(d, second.Secret, h.Secret)
		w.clock.Add(time.Hour)
		w.wantSigning(d, second.Secret)
		w.must(w.a.ForgetWebhookSecrets(ctx))
		if w.count("SELECT count(*) FROM webhooks WHERE sealed_before IS NOT NULL") != 0 {
			w.Error("the replaced secret is still there")
		}
		third, err := w.a.RotateWebhookSecret(ctx, w.super, authority.RotateWebhookInput{ID: h.ID})
		w.must(err)
		w.wantSigning(d, third.Secret)
		_, err = w.a.RotateWebhookSecret(ctx, w.super, authority.RotateWebhookInput{ID: h.ID, Grace: time.Hour})
		w.must(err)
		_, err = w.a.DeleteTenant(ctx, w.system, authority.TenantInput{ID: w.acme.ID})
		w.must(err)
		w.clock.Add(2 * time.Hour)
		w.must(w.a.ForgetWebhookSecrets(ctx))
		if w.count("SELECT count(*) FROM webhooks WHERE sealed_before IS NOT NULL") != 0 {
			w.Error("a deleted tenant's replaced secret is still there")
		}
		if _, err := w.a.OpenWebhook(ctx, d); !errors.Is(err, webhook.ErrGone) {
			w.Errorf("a deleted tenant's webhook: %v", err)
		}
	})
}

func (w *world) wantSigning(d store.Delivery, want ...secret.Secret) {
	w.Helper()
	to, err := w.a.OpenWebhook(w.Context(), d)
	w.must(err)
	if to.URL != endpoint || !slices.EqualFunc(to.Secrets, want, secret.Secret.Equal) {
		w.Errorf("%d secrets sign for %s, want %d", len(to.Secrets), to.URL, len(want))
	}
}

func (w *world) count(query string) (n int) {
	w.Helper()
	w.must(w.raw.QueryRowContext(w.Context(), query).Scan(&n))
	return n
}

// What is wrong with a webhook is said of its field.
func TestWebhookRules(t *testing.T) {
	engines(t, func(w *world) {
		good := authority.CreateWebhookInput{Name: "ours", URL: endpoint}
		for what, spoil := range map[string]func(*authority.CreateWebhookInput){
			"no name":           func(in *authority.CreateWebhookInput) { in.Name = "" },
			"http":              func(in *authority.CreateWebhookInput) { in.URL = "http://hooks.example.com/" },
			"a private address": func(in *authority.CreateWebhookInput) { in.URL = "https://10.0.0.1/" },
			"a made-up event":   func(in *authority.CreateWebhookInput) { in.Events = []string{"credential.issued", "credential.stolen"} },
			"the test's event":  func(in *authority.CreateWebhookInput) { in.Events = []string{"webhook.test"} },
		} {
			in := good
			spoil(&in)
			w.refused(what, problem.Invalid, "", func() error { return second(w.a.CreateWebhook(w.Context(), w.super, in)) })
		}
		key := with(w.super, w.key(w.super))
		w.refused("by a credential", problem.Denied, "", func() error { return second(w.a.CreateWebhook(w.Context(), key, good)) })
		w.refused("by an administrator of a branch", problem.Denied, "", func() error { return second(w.a.CreateWebhook(w.Context(), w.northern, good)) })
		for range authority.MaxWebhooks {
			w.webhook()
		}
		w.refused("one too many", problem.Conflict, "too_many_webhooks", func() error { return second(w.a.CreateWebhook(w.Context(), w.super, good)) })
		list, err := w.a.Webhooks(w.Context(), w.super, authority.WebhooksInput{})
		if err != nil || len(list) != authority.MaxWebhooks {
			w.Errorf("%d webhooks, %v", len(list), err)
		}
	})
}

// Events that a webhook doesn't want are passed over, and the next it wants is found.
func TestB9WebhookPassesOverWhatItDoesNotWant(t *testing.T) {
	engines(t, func(w *world) {
		h := w.webhook(string(webhook.Revoked))
		for range 3 {
			w.key(w.super)
			w.wantTypes("before", w.dispatched(h.ID))
		}
		k := w.key(w.super)
		_, err := w.a.RevokeAPIKey(w.Context(), w.super, authority.KeyInput{ID: k.ID})
		w.must(err)
		w.wantTypes("after", w.dispatched(h.ID), "revoked")
		// What it chose later counts for what it was not told yet.
		w.key(w.super)
		_, err = w.a.ChangeWebhook(w.Context(), w.super, authority.ChangeWebhookInput{ID: h.ID, Events: &[]string{}})
		w.must(err)
		w.wantTypes("after it wants all", w.dispatched(h.ID), "revoked", "issued")
		// However many there are, they are not read for ever.
		_, err = w.a.ChangeWebhook(w.Context(), w.super, authority.ChangeWebhookInput{ID: h.ID, Events: &[]string{string(webhook.Expired)}})
		w.must(err)
		w.key(w.super)
		w.dispatched(h.ID)
		position := fmt.Sprintf("SELECT position FROM webhooks WHERE id = '%s'", h.ID)
		before := w.count(position)
		w.clock.Add(2 * time.Minute)
		w.key(w.super)
		w.dispatched(h.ID)
		if after := w.count(position); after <= before {
			w.Errorf("the position stays at %d", after)
		}
	})
}

// A suspended tenant's webhooks wait.
func TestB9SuspendedTenant(t *testing.T) {
	engines(t, func(w *world) {
		h := w.webhook()
		w.key(w.super)
		_, err := w.a.SuspendTenant(w.Context(), w.system, authority.TenantInput{ID: w.acme.ID})
		w.must(err)
		w.wantTypes("while the tenant is suspended", w.dispatched(h.ID))
		if _, err := w.a.OpenWebhook(w.Context(), store.Delivery{TenantID: w.acme.ID, Recipient: h.ID}); !errors.Is(err, webhook.ErrWaits) {
			w.Errorf("it goes out: %v", err)
		}
		_, err = w.a.ResumeTenant(w.Context(), w.system, authority.TenantInput{ID: w.acme.ID})
		w.must(err)
		w.wantTypes("afterwards", w.dispatched(h.ID), "issued")
	})
}

func event(action, after string) audit.Event {
	return audit.Event{TenantID: "ten_1", Sequence: 3, Action: action, TargetType: "credential", TargetID: "crd_0123456789ab", After: json.RawMessage(after)}
}
