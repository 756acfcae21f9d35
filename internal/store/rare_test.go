package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// Words that many keys have are searched for among the few that are revoked, or of another
// kind, and near an expiry: whatever index is walked, every key comes once, in order, in both
// directions and backwards, and the total is true.
func TestPagingAmongFew(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, f, _ storetest.Fixture) {
		t.Helper()
		keys := mixed(t, s, f)
		soon := storetest.Epoch.AddDate(1, 0, 12)
		for name, c := range map[string]struct {
			filter store.CredentialFilter
			keeps  func(credential.Credential) bool
		}{
			"revoked": {store.CredentialFilter{Search: "sales", States: []credential.State{credential.Revoked}}, func(k credential.Credential) bool {
				return called(f, k) && k.State == credential.Revoked && k.DeletedAt.IsZero()
			}},
			"revoked or deleted": {store.CredentialFilter{Search: "sales", States: []credential.State{credential.Revoked}, IncludeDeleted: true}, func(k credential.Credential) bool {
				return called(f, k) && k.State == credential.Revoked
			}},
			"all that are revoked or deleted": {store.CredentialFilter{States: []credential.State{credential.Revoked}, IncludeDeleted: true}, func(k credential.Credential) bool {
				return k.State == credential.Revoked
			}},
			"of the organization": {store.CredentialFilter{Search: "sales", Kinds: []credential.Kind{credential.OrganizationKey}}, func(k credential.Credential) bool {
				return called(f, k) && k.Kind == credential.OrganizationKey && k.DeletedAt.IsZero()
			}},
			"a word no revoked key has": {store.CredentialFilter{Search: "retail", States: []credential.State{credential.Revoked}}, func(credential.Credential) bool { return false }},
			"much":                      {store.CredentialFilter{Search: "sales"}, func(k credential.Credential) bool { return called(f, k) && k.DeletedAt.IsZero() }},
			"expiring soon": {store.CredentialFilter{ExpiringBefore: soon, States: []credential.State{credential.Active}}, func(k credential.Credential) bool {
				return k.ExpiresAt.Before(soon) && k.State == credential.Active
			}},
		} {
			want := slices.DeleteFunc(slices.Clone(keys), func(k credential.Credential) bool { return !c.keeps(k) })
			if len(want) == 0 != strings.HasPrefix(name, "a word") {
				t.Fatalf("%s: %d keys", name, len(want))
			}
			total := int64(min(len(want), store.CountLimit+1))
			if l := mustList(t, s, f, c.filter, store.Page{Limit: 1}); l.Total != total {
				t.Errorf("%s: the total is %d, want %d", name, l.Total, total)
			}
			walkOrders(t, s, f, c.filter, want)
		}
	})
}

// walkOrders walks through all that is wanted in every order that the table has itself.
func walkOrders(t *testing.T, s *store.Store, f storetest.Fixture, filter store.CredentialFilter, want []credential.Credential) {
	t.Helper()
	created := slices.Clone(want)
	walkIDs(t, s, f, filter, created)
	for sort, compare := range map[string]func(a, b credential.Credential) int{
		"name":         func(a, b credential.Credential) int { return strings.Compare(a.Name, b.Name) },
		"created_at":   func(credential.Credential, credential.Credential) int { return 0 },
		"expires_at":   func(a, b credential.Credential) int { return a.ExpiresAt.Compare(b.ExpiresAt) },
		"last_used_at": func(a, b credential.Credential) int { return a.LastUsedAt.Compare(b.LastUsedAt) },
	} {
		want := slices.Clone(created)
		slices.SortStableFunc(want, compare)
		for _, desc := range []bool{false, true} {
			if desc {
				slices.Reverse(want)
			}
			walkBothWays(t, s, f, filter, store.Page{Limit: min(len(want)/3+2, store.MaxLimit), Sort: sort, Desc: desc}, want)
		}
	}
}

// walkIDs walks through the IDs of all that is wanted.
func walkIDs(t *testing.T, s *store.Store, f storetest.Fixture, filter store.CredentialFilter, want []credential.Credential) {
	t.Helper()
	var got, ids []credential.ID
	for _, k := range want {
		ids = append(ids, k.ID)
	}
	for cursor, more := "", true; more; more = cursor != "" {
		storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
			some, next, err := tx.CredentialIDs(filter, cursor, min(len(want)/3+2, store.MaxLimit))
			got, cursor = append(got, some...), next
			return err
		})
	}
	if !slices.Equal(got, ids) {
		t.Errorf("%+v: %d IDs, want the %d by creation", filter, len(got), len(ids))
	}
}

// called reports whether a key or its organization is called after sales.
func called(f storetest.Fixture, k credential.Credential) bool {
	return strings.Contains(k.Name, "sales") || k.OrganizationID == f.Below.ID
}

// mixed makes 6,000 keys, of which two in three are about sales by their own name or their
// organization's, some by both; one in ten is revoked, but none that is about retail.
func mixed(t *testing.T, s *store.Store, f storetest.Fixture) (keys []credential.Credential) {
	t.Helper()
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for i := range 6000 {
			n := (i * 1_009) % 6_000 // comes once, scattered over all i
			c, m := f.Key(i, fmt.Sprintf("%s %04d", []string{"presales", "retail", "wholesale"}[n%3], n/2))
			c.ExpiresAt = storetest.Epoch.AddDate(1, 0, 0).Add(time.Duration(n/3) * time.Hour)
			c.LastUsedAt = storetest.Epoch.Add(time.Duration(n/5) * time.Minute)
			if n%7 < 3 {
				c.OrganizationID = f.Below.ID
			}
			if n%12 == 0 {
				c.Kind, c.Principal = credential.OrganizationKey, access.Principal{Type: access.PrincipalOrganization, ID: string(c.OrganizationID)}
			}
			if n%3 != 1 && n%10 == 0 {
				c.State, c.EndedAt = credential.Revoked, storetest.Epoch
				if n%4 == 0 {
					c.DeletedAt = storetest.Epoch
				}
			}
			if err := tx.InsertCredential(c, m); err != nil {
				return err
			}
			keys = append(keys, c)
		}
		return nil
	})
	return keys
}
