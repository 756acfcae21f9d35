package verify

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// PV9, B2: while everything around changes and others verify, a key is refused from the
// moment Applied returned, and never VALID for more than it holds.
func TestRevocationIsSeenAtOnce(t *testing.T) {
	w := newWorld(t)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for !stop.Load() {
				res, err := w.index.Verify(&Request{Credential: w.text, Permissions: "calls:read"})
				if err != nil || res.Code == NotFound {
					t.Error(res.Code, err)
					return
				}
				if res.Valid && !res.Permissions.Set.Allows("calls:read") {
					t.Error("VALID without the permission")
					return
				}
			}
		})
	}
	wg.Go(func() { // changes of everything that the key stands on
		for n := 0; !stop.Load(); n++ {
			tenant, north, ann := w.tenant, w.north, w.ann
			role := w.caller
			if n%2 == 0 {
				tenant.State, north.State, ann.State = tenancy.Suspended, tenancy.Suspended, tenancy.Suspended
				role.Permissions = []access.Grant{"other:read"}
			}
			w.source.put(Item{Tenant: &tenant}, Item{Organization: &north}, Item{User: &ann}, Item{Role: &role})
			if err := w.index.DrainUsage(func(Usage) error { return nil }); err != nil {
				t.Error(err)
			}
		}
	})
	for range 300 {
		c, text := w.issue(t, secret.UserKey, w.clock.Now())
		c.TenantID, c.OrganizationID = tenancy.SystemTenantID, tenancy.SystemRootOrg
		c.Principal = access.Principal{Type: access.PrincipalSystem, ID: "system"}
		w.apply(t, Item{Credential: &c})
		if res := w.verify(t, Request{Credential: text}); !res.Valid {
			t.Fatal(res.Code)
		}
		c.State = credential.Revoked
		w.apply(t, Item{Credential: &c})
		if res := w.verify(t, Request{Credential: text}); res.Code != Revoked {
			t.Fatalf("after Applied returned: %s", res.Code)
		}
	}
	stop.Store(true)
	wg.Wait()
}

// However many wait for their revisions, the feed is read about once for all of them.
func TestAppliedIsShared(t *testing.T) {
	w := newWorld(t)
	before := w.source.reads.Load()
	revision := w.source.put(Item{User: &w.ann})
	for range 100 {
		if err := w.index.Applied(t.Context(), revision); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.source.reads.Load() - before; n != 1 {
		t.Errorf("%d readings for one revision", n)
	}
}

// A role that 100,000 people hold changes: when the change is applied, which takes no longer
// than a second, each of them has it, and until then each has what they had.
func TestRoleOfManyPeople(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 100,000 keys")
	}
	w := newWorld(t)
	const people = 100_000
	texts := make([]string, people)
	items := make([]Item, 0, 3*people)
	for i := range texts {
		u := tenancy.User{ID: tenancy.UserID(fmt.Sprintf("usr_%06d", i)), TenantID: "ten_a", OrganizationID: "org_north", State: tenancy.Active}
		var c Credential
		c, texts[i] = w.issue(t, secret.UserKey, w.clock.Now())
		c.TenantID, c.OrganizationID, c.Principal = "ten_a", "org_north", userOf(string(u.ID))
		items = append(items, Item{User: &u}, assignItem("ten_a", string(u.ID), "rol_caller", "org_root"), Item{Credential: &c})
	}
	w.apply(t, items...)
	var stop atomic.Bool
	var asking sync.WaitGroup
	asking.Go(func() {
		for n := 0; !stop.Load(); n++ {
			res, err := w.index.Verify(&Request{Credential: texts[n%people], DryRun: true})
			if got := string(res.Permissions.JSON); err != nil || got != `["calls:*"]` && got != `["recordings:read"]` {
				t.Error(res.Code, got, err)
				return
			}
		}
	})
	w.caller.Permissions = []access.Grant{"recordings:read"}
	began := time.Now()
	w.apply(t, Item{Role: &w.caller})
	took := time.Since(began)
	stop.Store(true)
	asking.Wait()
	if took > time.Second {
		t.Errorf("applied after %v", took)
	}
	for _, text := range texts {
		if got := string(w.verify(t, Request{Credential: text}).Permissions.JSON); got != `["recordings:read"]` {
			t.Fatal(got)
		}
	}
	t.Logf("applied after %v", took)
}
