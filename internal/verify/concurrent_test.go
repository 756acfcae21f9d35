package verify

import (
	"sync"
	"sync/atomic"
	"testing"

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
