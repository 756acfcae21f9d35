package authority_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/webhook"
)

// B9: a webhook of which much is to be told keeps no other waiting until all of it is.
func TestB9WebhooksTakeTurns(t *testing.T) {
	engines(t, func(w *world) {
		hooks := []authority.IssuedWebhook{w.webhook(), w.webhook()}
		for range 130 {
			w.key(w.super)
		}
		_, err := w.a.DispatchWebhooks(w.Context())
		w.must(err)
		for i, h := range hooks {
			first := w.count(fmt.Sprintf("SELECT MIN(row_id) FROM deliveries WHERE recipient = '%s'", h.ID))
			last := w.count(fmt.Sprintf("SELECT MAX(row_id) FROM deliveries WHERE recipient = '%s'", hooks[1-i].ID))
			if n := w.count(fmt.Sprintf("SELECT COUNT(*) FROM deliveries WHERE recipient = '%s'", h.ID)); n != 130 || first > last {
				w.Errorf("webhook %d was told %d things, the first after all that the other was told: %t", i, n, first > last)
			}
		}
	})
}

// B9: while a webhook or its tenant is suspended, what is on its way is looked at ever more
// seldom; when it is resumed that goes out at once.
func TestB9ResumedWebhookGoesOnAtOnce(t *testing.T) {
	engines(t, func(w *world) {
		ctx, h := w.Context(), w.webhook()
		w.key(w.super)
		w.wantTypes("before", w.dispatched(h.ID), "issued")
		kinds := []store.DeliveryKind{store.DeliveryWebhook}
		putOff := func() {
			w.Helper()
			_, err := w.store.Write(ctx, w.acme.ID, func(tx *store.Tx) error {
				list, err := tx.AllTenantsClaimDeliveries(kinds, "node", w.clock.Now(), time.Minute, 10)
				if err != nil || len(list) != 1 {
					return fmt.Errorf("%d are due: %w", len(list), err)
				}
				_, err = tx.AllTenantsFinishDelivery(list[0].ID, list[0].Fence, store.DeliveryOutcome{
					State: store.DeliveryPending, NextAt: w.clock.Now().Add(6 * time.Hour), At: w.clock.Now(), Error: webhook.ErrWaits.Error(),
				})
				return err
			})
			w.must(err)
		}
		wantDue := func(what string, want int) {
			w.Helper()
			w.must(w.store.Read(ctx, w.acme.ID, func(tx *store.Tx) error {
				due, err := tx.AllTenantsDueDeliveries(kinds, w.clock.Now(), store.DeliveryExcept{}, 10)
				if len(due) != want {
					w.Errorf("%s: %d are due, want %d", what, len(due), want)
				}
				return err
			}))
		}
		in := authority.WebhookInput{ID: h.ID}
		_, err := w.a.SuspendWebhook(ctx, w.super, in)
		w.must(err)
		putOff()
		wantDue("suspended", 0)
		_, err = w.a.ResumeWebhook(ctx, w.super, in)
		w.must(err)
		wantDue("resumed", 1)

		tenant := authority.TenantInput{ID: w.acme.ID}
		_, err = w.a.SuspendTenant(ctx, w.system, tenant)
		w.must(err)
		putOff()
		wantDue("with its tenant suspended", 0)
		_, err = w.a.ResumeTenant(ctx, w.system, tenant)
		w.must(err)
		wantDue("with its tenant resumed", 1)
	})
}
