//go:build !race

package verify

import (
	"fmt"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Without limits a verification allocates nothing, whatever the verdict.
func TestVerifyAllocatesNothing(t *testing.T) {
	w, _ := importWorld(t)
	_, unknown := w.issue(t, secret.UserKey, w.clock.Now())
	w.apply(t, Item{Catalog: &catalog.Catalog{Groups: []catalog.Group{{APIs: []catalog.API{
		{Key: "old", Permissions: []access.Permission{"statistics:read"}, Legacy: true},
	}}}}})
	for name, r := range map[string]Request{
		"valid":                 {Credential: w.text},
		"valid, permissions":    {Credential: w.text, Permissions: "calls:read AND (recordings:read OR a:b)"},
		"valid, ID and secret":  {ID: "usr_ann", Secret: w.text},
		"not found, no tenant":  {Credential: w.text, OnlyTenant: "ten_b"},
		"not found, unknown":    {Credential: unknown},
		"not found, malformed":  {Credential: "hello"},
		"valid, imported":       {Credential: oldKey},
		"valid, imported, pair": {ID: "usr_ann", Secret: oldKey},
		"wrong kind":            {Credential: w.text, Permissions: "statistics:read"},
		"valid, dry run, costs": {Credential: w.text, DryRun: true, Cost: 5},
	} {
		t.Run(name, func(t *testing.T) {
			n := testing.AllocsPerRun(100, func() {
				if _, err := w.index.Verify(&r); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
	t.Run("undecided", func(t *testing.T) {
		w.index.MarkUndecided()
		if n := testing.AllocsPerRun(100, func() { _, _ = w.index.Verify(&Request{Credential: w.text}) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// A role's change allocates nothing for each of those who hold it: garbage would be collected
// while others verify.
func TestRoleChangeAllocates(t *testing.T) {
	w := newWorld(t)
	const people = 5_000
	var items []Item
	for i := range people {
		u := tenancy.User{ID: tenancy.UserID(fmt.Sprintf("usr_%06d", i)), TenantID: "ten_a", OrganizationID: "org_north", State: tenancy.Active}
		c, _ := w.issue(t, secret.UserKey, w.clock.Now())
		c.TenantID, c.OrganizationID, c.Principal = "ten_a", "org_north", userOf(string(u.ID))
		items = append(items, Item{User: &u}, assignItem("ten_a", string(u.ID), "rol_caller", "org_root"), Item{Credential: &c})
	}
	w.apply(t, items...)
	grants := [][]access.Grant{{"recordings:read"}, {"calls:*"}}
	edits := 0
	n := testing.AllocsPerRun(10, func() {
		w.caller.Permissions = grants[edits%2]
		edits++
		w.apply(t, Item{Role: &w.caller})
	})
	if n > people/10 {
		t.Errorf("%v allocations for %d people", n, people)
	}
}
