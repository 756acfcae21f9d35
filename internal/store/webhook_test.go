package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func newWebhook(f storetest.Fixture, id string) store.Webhook {
	return store.Webhook{
		ID: "whk_" + id, TenantID: f.Tenant.ID, Name: "Ours", URL: "https://hooks.example.com/?a=b", Events: []string{"credential.issued"},
		State: tenancy.Active, Sealed: []byte{0, 1, 2}, SecretVersion: 1, CreatedAt: storetest.Epoch, CreatedBy: f.Principal(),
		CreatedByName: "User a", ModifiedAt: storetest.Epoch,
	}
}

// TestWebhooks: what is written is read again, in its own tenant alone.
func TestWebhooks(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			list := storetest.MustInsert(t, s, "a", "b")
			f, other := list[0], list[1]
			w, bare := newWebhook(f, "1"), newWebhook(f, "2")
			bare.Events, bare.Sealed, bare.State, bare.CreatedAt = nil, nil, tenancy.Suspended, storetest.Epoch.Add(time.Second)
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				return errors.Join(tx.InsertWebhook(bare), tx.InsertWebhook(w))
			})
			check := func(want ...store.Webhook) {
				t.Helper()
				storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					got, err := tx.Webhooks()
					if d := cmp.Diff(want, got); d != "" || err != nil {
						t.Errorf("%v %s", err, d)
					}
					tenant, err := tx.AllTenantsWebhookTenant(w.ID)
					if tenant != f.Tenant.ID || err != nil {
						t.Errorf("it belongs to %q, %v", tenant, err)
					}
					return nil
				})
			}
			check(w, bare)
			w.Name, w.URL, w.Events, w.SecretVersion, w.Position = "Theirs", "https://x.example/", nil, 2, 7
			w.SealedBefore, w.BeforeUntil, w.Sealed = w.Sealed, storetest.Epoch.Add(time.Hour), []byte{3}
			bare.State = tenancy.Deleted
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				return errors.Join(tx.UpdateWebhook(w), tx.UpdateWebhook(bare), tx.MoveWebhook(bare.ID, 3))
			})
			check(w)
			storetest.MustRead(t, s, other.Tenant.ID, func(tx *store.Tx) error {
				if _, err := tx.Webhook(w.ID); !problem.Is(err, problem.NotFound) {
					t.Errorf("another tenant's webhook: %v", err)
				}
				for at, want := range map[time.Duration]int{59 * time.Minute: 0, time.Hour: 1} {
					due, err := tx.AllTenantsReplacedWebhookSecrets(storetest.Epoch.Add(at), 10)
					if len(due) != want || err != nil {
						t.Errorf("after %v %d secrets are replaced, want %d: %v", at, len(due), want, err)
					}
				}
				return nil
			})
			_, err := s.Write(t.Context(), other.Tenant.ID, func(tx *store.Tx) error { return tx.UpdateWebhook(w) })
			if err == nil {
				t.Error("another tenant's webhook was changed")
			}
			_, err = s.Write(t.Context(), other.Tenant.ID, func(tx *store.Tx) error { return tx.MoveWebhook(w.ID, 9) })
			if !problem.Is(err, problem.NotFound) {
				t.Errorf("another tenant's webhook was moved: %v", err)
			}
		})
	}
}
