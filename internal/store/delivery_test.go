package store_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const testLease = time.Minute

// newDelivery is a mail of a tenant's.
func newDelivery(tenant tenancy.TenantID, id string) store.Delivery {
	return store.Delivery{
		ID: "dlv_" + id, TenantID: tenant, Kind: store.DeliveryMail, Recipient: "usr_a", About: "notice",
		Payload: []byte(`{"n":1}`), CreatedAt: storetest.Epoch,
	}
}

func mustInsertDeliveries(tb testing.TB, s *store.Store, list ...store.Delivery) {
	tb.Helper()
	for _, d := range list {
		storetest.MustWrite(tb, s, d.TenantID, func(tx *store.Tx) error {
			inserted, err := tx.InsertDelivery(d)
			if err == nil && !inserted {
				return errors.New("not inserted")
			}
			return err
		})
	}
}

// mustClaim claims as holder and returns the IDs.
func mustClaim(tb testing.TB, s *store.Store, holder string, now time.Time, limit int, kinds ...store.DeliveryKind) []store.Delivery {
	tb.Helper()
	var claimed []store.Delivery
	storetest.MustWrite(tb, s, "", func(tx *store.Tx) (err error) {
		claimed, err = tx.AllTenantsClaimDeliveries(kinds, holder, now, testLease, limit)
		return err
	})
	return claimed
}

func mustFinish(tb testing.TB, s *store.Store, d store.Delivery, o store.DeliveryOutcome) (held bool) {
	tb.Helper()
	storetest.MustWrite(tb, s, "", func(tx *store.Tx) (err error) {
		held, err = tx.AllTenantsFinishDelivery(d.ID, d.Fence, o)
		return err
	})
	return held
}

func deliveryIDs(list []store.Delivery) []string {
	ids := []string{}
	for _, d := range list {
		ids = append(ids, strings.TrimPrefix(d.ID, "dlv_"))
	}
	return ids
}

// A delivery is claimed once, ended by whoever holds it, and nobody else.
func TestDeliveryLease(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			now := storetest.Epoch
			mustInsertDeliveries(t, s, newDelivery(f.Tenant.ID, "1"))

			first := mustClaim(t, s, "one", now, 10, store.DeliveryMail)
			want := newDelivery(f.Tenant.ID, "1")
			want.State, want.Attempts, want.Fence = store.DeliveryPending, 1, 1
			want.NextAt, want.FirstAt, want.LeasedUntil = now, now, now.Add(testLease)
			if d := cmp.Diff([]store.Delivery{want}, first); d != "" {
				t.Fatal(d)
			}
			if got := mustClaim(t, s, "two", now.Add(testLease-1), 10, store.DeliveryMail); len(got) != 0 {
				t.Errorf("claimed twice: %v", deliveryIDs(got))
			}
			// The lease ends; another takes over; the first comes back too late.
			second := mustClaim(t, s, "two", now.Add(testLease), 10, store.DeliveryMail)
			if len(second) != 1 || second[0].Fence != 2 || second[0].Attempts != 2 || !second[0].FirstAt.Equal(now) {
				t.Fatalf("taken over: %+v", second)
			}
			over := store.DeliveryOutcome{State: store.DeliveryDead, At: now.Add(testLease), Status: 550, Error: "late"}
			if mustFinish(t, s, first[0], over) {
				t.Error("a late holder ended the delivery")
			}
			over = store.DeliveryOutcome{State: store.DeliveryDelivered, At: now.Add(testLease), Status: 250}
			if !mustFinish(t, s, second[0], over) || mustFinish(t, s, second[0], over) {
				t.Error("the holder could not end the delivery, or could twice")
			}
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.Delivery("dlv_1")
				if got.State != store.DeliveryDelivered || got.LastStatus != 250 || got.LastError != "" || !got.FinishedAt.Equal(now.Add(testLease)) || !got.LeasedUntil.IsZero() {
					t.Errorf("delivered: %+v", got)
				}
				return err
			})
			if got := mustClaim(t, s, "one", now.Add(time.Hour), 10, store.DeliveryMail); len(got) != 0 {
				t.Errorf("claimed after it was delivered: %v", deliveryIDs(got))
			}
		})
	}
}

// What is due comes oldest first, of the kinds asked for, and no more than asked for.
func TestDeliveriesDue(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a", "b")
			now := storetest.Epoch
			later, hook, foreign := newDelivery(f[0].Tenant.ID, "later"), newDelivery(f[0].Tenant.ID, "hook"), newDelivery(f[1].Tenant.ID, "foreign")
			later.NextAt, hook.Kind, foreign.CreatedAt = now.Add(time.Second), store.DeliveryWebhook, now.Add(-time.Second)
			mustInsertDeliveries(t, s, later, hook, newDelivery(f[0].Tenant.ID, "1"), newDelivery(f[0].Tenant.ID, "2"), foreign)
			for _, step := range []struct {
				at    time.Time
				limit int
				kinds []store.DeliveryKind
				want  []string
			}{
				{now, 10, nil, []string{}},
				{now, 0, []store.DeliveryKind{store.DeliveryMail}, []string{}},
				{now, 2, []store.DeliveryKind{store.DeliveryMail}, []string{"foreign", "1"}},
				{now, 2, []store.DeliveryKind{store.DeliveryMail}, []string{"2"}},
				{now.Add(time.Second), 9, []store.DeliveryKind{store.DeliveryMail, store.DeliveryWebhook}, []string{"hook", "later"}},
			} {
				if d := cmp.Diff(step.want, deliveryIDs(mustClaim(t, s, "one", step.at, step.limit, step.kinds...))); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// Of a lane only the first is due, also while it waits to be tried again, and until it ends
// one way or the other. Lanes of other tenants and kinds are others.
func TestDeliveryLanes(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a", "b")
			now := storetest.Epoch
			var list []store.Delivery
			for i, tenant := range []tenancy.TenantID{f[0].Tenant.ID, f[0].Tenant.ID, f[0].Tenant.ID, f[1].Tenant.ID} {
				d := newDelivery(tenant, strconv.Itoa(i))
				d.Lane = "lane"
				list = append(list, d)
			}
			list[1].CreatedAt = now.Add(-time.Hour) // the order is that of making, whatever clocks say
			mustInsertDeliveries(t, s, list...)
			claim := func(at time.Time, want ...string) []store.Delivery {
				t.Helper()
				got := mustClaim(t, s, "one", at, 10, store.DeliveryMail)
				if !slices.Equal(deliveryIDs(got), want) {
					t.Fatalf("claimed %v, want %v", deliveryIDs(got), want)
				}
				return got
			}
			got := claim(now, "0", "3")
			claim(now)
			mustFinish(t, s, got[0], store.DeliveryOutcome{State: store.DeliveryPending, NextAt: now.Add(time.Hour), At: now, Error: "busy"})
			// Asking for the first once more doesn't let the others pass it.
			storetest.MustWrite(t, s, f[0].Tenant.ID, func(tx *store.Tx) error {
				d, err := tx.Delivery("dlv_0")
				return errors.Join(err, tx.RetryDelivery(d, now.Add(time.Hour)))
			})
			claim(now.Add(time.Hour-1), "3") // whose lease ended
			got = claim(now.Add(time.Hour), "0")
			mustFinish(t, s, got[0], store.DeliveryOutcome{State: store.DeliveryDead, At: now, Error: "no"})
			got = claim(now.Add(time.Hour), "1")
			// The dead one is asked for again: it is the first once more.
			storetest.MustWrite(t, s, f[0].Tenant.ID, func(tx *store.Tx) error { return tx.RetryDelivery(list[0], now.Add(time.Hour)) })
			mustFinish(t, s, got[0], store.DeliveryOutcome{State: store.DeliveryDelivered, At: now})
			got = claim(now.Add(time.Hour), "0")
			if got[0].Attempts != 1 || !got[0].FirstAt.Equal(now.Add(time.Hour)) || got[0].Fence != 3 {
				t.Errorf("tried again: %+v", got[0])
			}
			mustFinish(t, s, got[0], store.DeliveryOutcome{State: store.DeliveryDelivered, At: now})
			claim(now.Add(time.Hour), "2")
		})
	}
}

// Once is once, of one tenant and kind, also after the delivery.
func TestDeliveryOnce(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a", "b")
			insert := func(tenant tenancy.TenantID, id string, kind store.DeliveryKind) (inserted bool) {
				t.Helper()
				d := newDelivery(tenant, id)
				d.Kind, d.Once = kind, "digest/usr_a"
				storetest.MustWrite(t, s, tenant, func(tx *store.Tx) (err error) {
					inserted, err = tx.InsertDelivery(d)
					return err
				})
				return inserted
			}
			for _, step := range []struct {
				tenant tenancy.TenantID
				id     string
				kind   store.DeliveryKind
				want   bool
			}{
				{f[0].Tenant.ID, "1", store.DeliveryMail, true},
				{f[0].Tenant.ID, "2", store.DeliveryMail, false},
				{f[0].Tenant.ID, "3", store.DeliveryWebhook, true},
				{f[1].Tenant.ID, "4", store.DeliveryMail, true},
			} {
				if got := insert(step.tenant, step.id, step.kind); got != step.want {
					t.Errorf("%s: inserted %t", step.id, got)
				}
			}
			for _, d := range mustClaim(t, s, "one", storetest.Epoch, 10, store.DeliveryMail) {
				mustFinish(t, s, d, store.DeliveryOutcome{State: store.DeliveryDelivered, At: storetest.Epoch})
			}
			if insert(f[0].Tenant.ID, "5", store.DeliveryMail) {
				t.Error("made again after it was delivered")
			}
			_, err := s.Write(t.Context(), f[0].Tenant.ID, func(tx *store.Tx) error {
				_, err := tx.InsertDelivery(newDelivery(f[1].Tenant.ID, "6"))
				return err
			})
			if err == nil {
				t.Error("a delivery of another tenant was made")
			}
		})
	}
}

// Lists are filtered and paged; of another tenant nothing is seen; counts tell what is left.
func TestDeliveryLists(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a", "b")
			now := storetest.Epoch
			one, two, three := newDelivery(f[0].Tenant.ID, "1"), newDelivery(f[0].Tenant.ID, "2"), newDelivery(f[1].Tenant.ID, "3")
			two.Kind, two.Recipient, two.About, two.CreatedAt = store.DeliveryWebhook, "whk_a", "credential.issued", now.Add(time.Minute)
			mustInsertDeliveries(t, s, one, two, three)
			for _, d := range mustClaim(t, s, "one", now, 1, store.DeliveryMail) {
				mustFinish(t, s, d, store.DeliveryOutcome{State: store.DeliveryDead, At: now, Status: 550, Error: "no such user\x00\xff" + strings.Repeat("é", 1000)})
			}
			for _, step := range []struct {
				tenant tenancy.TenantID
				filter store.DeliveryFilter
				want   []string
			}{
				{f[0].Tenant.ID, store.DeliveryFilter{}, []string{"1", "2"}},
				{f[1].Tenant.ID, store.DeliveryFilter{}, []string{"3"}},
				{"", store.DeliveryFilter{}, []string{"1", "2", "3"}},
				{"", store.DeliveryFilter{State: store.DeliveryDead}, []string{"1"}},
				{"", store.DeliveryFilter{Kind: store.DeliveryWebhook}, []string{"2"}},
				{"", store.DeliveryFilter{Recipient: "usr_a"}, []string{"1", "3"}},
				{f[0].Tenant.ID, store.DeliveryFilter{About: "credential.issued"}, []string{"2"}},
			} {
				storetest.MustRead(t, s, "", func(tx *store.Tx) error {
					list, err := tx.AllTenantsDeliveries(step.tenant, step.filter, store.Page{})
					if d := cmp.Diff(step.want, deliveryIDs(list.Items)); d != "" {
						t.Error(step.filter, d)
					}
					return err
				})
			}
			storetest.MustRead(t, s, f[1].Tenant.ID, func(tx *store.Tx) error {
				if _, err := tx.Delivery("dlv_1"); !problem.Is(err, problem.NotFound) {
					t.Errorf("another tenant's: %v", err)
				}
				d, err := tx.AllTenantsIn(f[0].Tenant.ID).Delivery("dlv_1")
				if len(d.LastError) > 1000 || !strings.HasPrefix(d.LastError, "no such user\uFFFDé") {
					t.Errorf("kept of an error: %q", d.LastError)
				}
				counts, err2 := tx.AllTenantsDeliveryCounts()
				want := []store.DeliveryCount{
					{Kind: store.DeliveryMail, State: store.DeliveryDead, Count: 1, Oldest: now},
					{Kind: store.DeliveryMail, State: store.DeliveryPending, Count: 1, Oldest: now},
					{Kind: store.DeliveryWebhook, State: store.DeliveryPending, Count: 1, Oldest: now.Add(time.Minute)},
				}
				if d := cmp.Diff(want, counts); d != "" {
					t.Error(d)
				}
				return errors.Join(err, err2)
			})
			for _, step := range []struct{ before, left int }{{0, 3}, {1, 2}} {
				storetest.MustWrite(t, s, "", func(tx *store.Tx) error {
					_, err := tx.AllTenantsPruneDeliveries(now.Add(time.Duration(step.before)*time.Microsecond), 100)
					return err
				})
				storetest.MustRead(t, s, "", func(tx *store.Tx) error {
					list, err := tx.AllTenantsDeliveries("", store.DeliveryFilter{}, store.Page{})
					if len(list.Items) != step.left {
						t.Errorf("%d are left, want %d", len(list.Items), step.left)
					}
					return err
				})
			}
		})
	}
}
