package authority_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

var deliveryRows = map[string]row{
	"Deliveries": {input: func(w *world) any { return authority.DeliveriesInput{Tenant: w.acme.ID} }},
	"RetryDelivery": {action: "delivery.retry", input: func(w *world) any {
		return authority.DeliveryInput{ID: w.delivery(w.acme.ID, store.DeliveryDead, 550, "no such user").ID}
	}},
}

// delivery is a mail of a tenant's that has come to a state.
func (w *world) delivery(tenant tenancy.TenantID, state store.DeliveryState, status int, says string) store.Delivery {
	w.Helper()
	d := store.Delivery{
		ID: "dlv_" + uuid.NewString(), TenantID: tenant, Kind: store.DeliveryMail, Recipient: "usr_ada", About: "notice",
		Payload: []byte(`{"digest":"dig_1"}`), CreatedAt: w.clock.Now(),
	}
	_, err := w.store.Write(w.Context(), tenant, func(tx *store.Tx) error {
		if _, err := tx.InsertDelivery(d); err != nil {
			return err
		}
		claimed, err := tx.AllTenantsClaimDeliveries([]store.DeliveryKind{d.Kind}, "test", w.clock.Now(), time.Minute, 1, d.ID)
		if err != nil {
			return err
		}
		_, err = tx.AllTenantsFinishDelivery(d.ID, claimed[0].Fence, store.DeliveryOutcome{
			State: state, At: w.clock.Now(), NextAt: w.clock.Now().Add(time.Hour), Status: status, Error: says,
		})
		return err
	})
	w.must(err)
	return d
}

// Operators see what goes out of all tenants, a tenant's administrators that of their own, and
// nothing of the operators' mail server.
func TestDeliveries(t *testing.T) {
	engines(t, func(w *world) {
		const unreachable = "the mail server could not be reached: dial tcp 10.0.0.5:25"
		dead := w.delivery(w.acme.ID, store.DeliveryDead, 550, "the mail server refused the recipient: no such user")
		waits := w.delivery(w.acme.ID, store.DeliveryPending, 0, unreachable)
		foreign := w.delivery(w.foreign.Tenant, store.DeliveryDelivered, 0, "")
		for _, tc := range []struct {
			who  access.Caller
			in   authority.DeliveriesInput
			want []string
		}{
			{w.super, authority.DeliveriesInput{}, []string{dead.ID, waits.ID}},
			{w.foreign, authority.DeliveriesInput{}, []string{foreign.ID}},
			{w.system, authority.DeliveriesInput{}, []string{dead.ID, waits.ID, foreign.ID}},
			{w.system, authority.DeliveriesInput{Tenant: w.acme.ID, State: store.DeliveryDead}, []string{dead.ID}},
		} {
			list, err := w.a.Deliveries(w.Context(), tc.who, tc.in)
			w.must(err)
			var got []string
			for _, d := range list.Items {
				got = append(got, d.ID)
				if d.Payload != nil {
					w.Errorf("%s shows its payload", d.ID)
				}
				shown := strings.Contains(d.LastError, "10.0.0.5")
				if d.ID == waits.ID && shown != (tc.who.Tenant == tenancy.SystemTenantID) || d.ID == dead.ID && !strings.Contains(d.LastError, "no such user") {
					w.Errorf("%s sees of %s: %q", tc.who.Principal.ID, d.ID, d.LastError)
				}
			}
			if strings.Join(got, " ") != strings.Join(tc.want, " ") {
				w.Errorf("%s sees %v, want %v", tc.who.Principal.ID, got, tc.want)
			}
		}
	})
}

// What is dead or waits is tried again when somebody says so; what was delivered isn't.
func TestRetryDelivery(t *testing.T) {
	engines(t, func(w *world) {
		for _, state := range []store.DeliveryState{store.DeliveryDead, store.DeliveryPending} {
			d := w.delivery(w.acme.ID, state, 550, "no")
			w.clock.Add(time.Minute)
			for _, who := range []access.Caller{w.super, w.system} {
				got, err := w.a.RetryDelivery(w.Context(), who, authority.DeliveryInput{ID: d.ID})
				w.must(err)
				if got.State != store.DeliveryPending || got.Attempts != 0 || !got.FirstAt.IsZero() || !got.NextAt.Equal(w.clock.Now()) || !got.FinishedAt.IsZero() {
					w.Errorf("%s: %+v", state, got)
				}
			}
		}
		over := w.delivery(w.acme.ID, store.DeliveryDelivered, 250, "")
		if _, err := w.a.RetryDelivery(w.Context(), w.super, authority.DeliveryInput{ID: over.ID}); !problem.HasCode(err, "already_delivered") {
			w.Errorf("delivered: %v", err)
		}
		if _, err := w.a.RetryDelivery(w.Context(), w.foreign, authority.DeliveryInput{ID: over.ID}); !problem.Is(err, problem.NotFound) {
			w.Errorf("another tenant's: %v", err)
		}
	})
}
