package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// What is searched for is found in whichever columns show it, though thousands of keys that don't
// come before it in either direction: every key once, in order, and the total is true.
func TestPagingOfSearchesFarAway(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, f, _ storetest.Fixture) {
		t.Helper()
		keys := buried(t, s, f)
		for name, c := range map[string]struct {
			filter store.CredentialFilter
			keeps  func(i int, k credential.Credential) bool
		}{
			"names, owners, creators and an organization": {store.CredentialFilter{Search: "sales"}, func(int, credential.Credential) bool { return true }},
			"of which few are revoked": {store.CredentialFilter{Search: "sales", States: []credential.State{credential.Revoked}}, func(_ int, k credential.Credential) bool {
				return k.State == credential.Revoked
			}},
			"an organization alone": {store.CredentialFilter{Search: "Sales a"}, func(_ int, k credential.Credential) bool { return k.OrganizationID == f.Below.ID }},
			"people alone": {store.CredentialFilter{Search: "salesman"}, func(_ int, k credential.Credential) bool {
				return k.Principal.ID != f.Principal().ID || k.CreatedBy.ID != f.Principal().ID
			}},
			"one of them": {store.CredentialFilter{Search: "salesman 1"}, func(_ int, k credential.Credential) bool {
				return k.Principal.ID == "usr_salesman1" || k.CreatedBy.ID == "usr_salesman1"
			}},
			"nobody and nothing": {store.CredentialFilter{Search: "salesforce"}, func(int, credential.Credential) bool { return false }},
		} {
			var want []credential.Credential
			for i, k := range keys {
				if c.keeps(i, k) {
					want = append(want, k)
				}
			}
			if l := mustList(t, s, f, c.filter, store.Page{Limit: 1}); l.Total != int64(len(want)) {
				t.Errorf("%s: the total is %d, want %d", name, l.Total, len(want))
			}
			for _, desc := range []bool{false, true} {
				if desc {
					slices.Reverse(want)
				}
				walkBothWays(t, s, f, c.filter, store.Page{Limit: len(want)/3 + 2, Sort: "created_at", Desc: desc}, want)
			}
		}
	})
}

// buried makes keys that are about sales in one way or several, between thousands that are not.
func buried(t *testing.T, s *store.Store, f storetest.Fixture) (keys []credential.Credential) {
	t.Helper()
	const about, before, all = 1400, 6500, 14_500
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		var people []access.Principal
		for i := range 3 {
			u := f.User
			u.ID, u.Username, u.DisplayName = tenancy.UserID(fmt.Sprintf("usr_salesman%d", i)), fmt.Sprintf("s%d", i), fmt.Sprintf("Salesman %d", i)
			if err := tx.InsertUser(u, u.Username); err != nil {
				return err
			}
			people = append(people, access.Principal{Type: access.PrincipalUser, ID: string(u.ID)})
		}
		for i := range all {
			c, m := f.Key(i, "key")
			if n := i - before; n >= 0 && n < about {
				if n%5 == 0 || n%5 == 4 {
					c.Name = fmt.Sprintf("presales %d", n)
				}
				if n%5 == 1 || n%10 == 4 {
					c.OrganizationID = f.Below.ID
				}
				if n%5 == 2 {
					c.Principal = people[n%3]
				}
				if n%5 == 3 || n%20 == 4 {
					c.CreatedBy = people[n%2]
				}
				if n%9 == 0 {
					c.State, c.EndedAt = credential.Revoked, storetest.Epoch
				}
				keys = append(keys, c)
			}
			if err := tx.InsertCredential(c, m); err != nil {
				return err
			}
		}
		return nil
	})
	return keys
}
