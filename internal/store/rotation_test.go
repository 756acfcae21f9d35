package store_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// What is known of a rotation is its tenant's.
func TestRotations(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		c, m := a.Key(1, "k")
		storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(c, m) })
		read := func(f storetest.Fixture) (r store.Rotation) {
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) (err error) {
				r, err = tx.Rotation(c.ID)
				return err
			})
			return r
		}
		if r := read(a); r != (store.Rotation{}) {
			t.Errorf("before any: %+v", r)
		}
		for _, r := range []store.Rotation{{Latest: 2, PreviousHint: "clv_uk_Ab3d…9xYz"}, {Latest: 3}} {
			storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error { return tx.PutRotation(c.ID, r) })
			if got := read(a); got != r {
				t.Errorf("got %+v, want %+v", got, r)
			}
		}
		storetest.MustWrite(t, s, b.Tenant.ID, func(tx *store.Tx) error { return tx.PutRotation(c.ID, store.Rotation{Latest: 9}) })
		if r := read(a); r.Latest != 3 {
			t.Errorf("another tenant made it %+v", r)
		}
		if r := read(b); r != (store.Rotation{}) {
			t.Errorf("another tenant sees %+v", r)
		}
	})
}

// Uses are added up by place, the latest first, and bounded.
func TestPreviousUses(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		c, _ := a.Key(1, "k")
		second, _ := a.Key(2, "l")
		use := func(k credential.Credential, version int, source, agent string, at time.Duration, calls int64) store.PreviousUse {
			u := store.PreviousUse{CredentialID: k.ID, TenantID: a.Tenant.ID, Version: version, UserAgent: agent, LastAt: noon.Add(at), Calls: calls}
			if source != "" {
				u.Source = netip.MustParseAddr(source)
			}
			return u
		}
		others := use(c, 1, "", "", time.Second, 7)
		others.Others = true
		add := func(list ...store.PreviousUse) {
			if done, err := s.AddPreviousUses(t.Context(), list); err != nil || done != len(list) {
				t.Fatalf("%d of %d added: %v", done, len(list), err)
			}
		}
		read := func(f storetest.Fixture, k credential.Credential, version int) (list []store.PreviousUse) {
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) (err error) {
				list, err = tx.PreviousUses(k.ID, version)
				return err
			})
			for i := range list {
				list[i].TenantID = f.Tenant.ID
			}
			return list
		}
		add()
		add(use(second, 1, "", "", 0, 1), use(c, 1, "192.0.2.7", "old/1", time.Minute, 2), use(c, 2, "192.0.2.7", "old/1", 0, 1), others, use(c, 1, "", "", 2*time.Second, 1))
		add(use(c, 1, "192.0.2.7", "old/1", time.Second, 3), use(c, 1, "2001:db8::7", "old/1", time.Hour, 1))
		want := []store.PreviousUse{
			use(c, 1, "2001:db8::7", "old/1", time.Hour, 1), use(c, 1, "192.0.2.7", "old/1", time.Minute, 5), use(c, 1, "", "", 2*time.Second, 1), others,
		}
		same := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
		if d := cmp.Diff(want, read(a, c, 1), same); d != "" {
			t.Error(d)
		}
		if list := read(b, c, 1); len(list) > 0 {
			t.Errorf("another tenant sees %+v", list)
		}

		var many []store.PreviousUse
		for i := range 600 {
			many = append(many, use(second, 2, "192.0.2.7", fmt.Sprint("agent/", i), 0, 1))
		}
		add(many...)
		add(many...)
		list := read(a, second, 2)
		var calls, other int64
		for _, u := range list {
			calls += u.Calls
			if u.Others {
				other = u.Calls
			}
		}
		if len(list) != 501 || calls != 1200 || other != 200 {
			t.Errorf("%d rows, %d calls, %d of others", len(list), calls, other)
		}

		storetest.MustWrite(t, s, b.Tenant.ID, func(tx *store.Tx) error { return tx.DropPreviousUses(c.ID) })
		storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error { return tx.AllTenantsPrunePreviousUses(noon.Add(time.Minute)) })
		if list := read(a, c, 1); len(list) != 2 {
			t.Errorf("left: %+v", list)
		}
		storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error { return tx.DropPreviousUses(c.ID) })
		if list := read(a, c, 1); len(list) != 0 {
			t.Errorf("dropped, and left: %+v", list)
		}
	})
}
