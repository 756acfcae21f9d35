package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Orders by what owners and organizations are called are put together from many of them
// where much matches: every key once, in order, those of one name as they were made, in
// both directions and backwards.
func TestPagingByGroups(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, f, _ storetest.Fixture) {
		t.Helper()
		keys, called := manyOwned(t, s, f)
		for sort, name := range called {
			for _, filter := range []store.CredentialFilter{
				{},
				{Kinds: []credential.Kind{credential.UserKey, credential.OrganizationKey}, States: []credential.State{credential.Active}},
			} {
				want := slices.DeleteFunc(slices.Clone(keys), func(c credential.Credential) bool { return filter.States != nil && c.State != credential.Active })
				slices.SortStableFunc(want, func(a, b credential.Credential) int { return strings.Compare(name(a), name(b)) })
				for _, desc := range []bool{false, true} {
					if desc {
						slices.Reverse(want)
					}
					walkBothWays(t, s, f, filter, store.Page{Limit: 700, Sort: sort, Desc: desc}, want)
				}
			}
		}
	})
}

// walkBothWays reads all pages forth and the one before the last again.
func walkBothWays(t *testing.T, s *store.Store, f storetest.Fixture, filter store.CredentialFilter, page store.Page, want []credential.Credential) {
	t.Helper()
	var got []credential.ID
	var last store.List[credential.Credential]
	var pages [][]credential.ID
	for {
		last = mustList(t, s, f, filter, page)
		pages = append(pages, idsOf(last.Items))
		got = append(got, pages[len(pages)-1]...)
		if last.Next == "" {
			break
		}
		page.Cursor = last.Next
	}
	if d := cmp.Diff(idsOf(want), got); d != "" {
		t.Errorf("%s, descending %v, %v: not in order:\n%.2000s", page.Sort, page.Desc, filter.States, d)
	}
	if len(pages) == 1 {
		return
	}
	page.Cursor = last.Previous
	if d := cmp.Diff(pages[len(pages)-2], idsOf(mustList(t, s, f, filter, page).Items)); d != "" {
		t.Errorf("%s, descending %v, %v: back:\n%.2000s", page.Sort, page.Desc, filter.States, d)
	}
}

func idsOf(list []credential.Credential) (ids []credential.ID) {
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids
}

// manyOwned makes 5,500 keys of 130 people, some of one name, and of organizations, and
// tells by which names.
func manyOwned(t *testing.T, s *store.Store, f storetest.Fixture) (keys []credential.Credential, called map[string]func(credential.Credential) string) {
	t.Helper()
	people := map[string]string{}
	places := map[tenancy.OrgID]string{f.Root.ID: strings.ToLower(f.Root.Name), f.Below.ID: strings.ToLower(f.Below.Name)}
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for i := range 130 {
			u := f.User
			u.ID, u.Username, u.DisplayName = tenancy.UserID(fmt.Sprintf("usr_g%d", i)), fmt.Sprintf("g%03d", i*37%130), ""
			if i%3 == 0 {
				u.DisplayName = fmt.Sprintf("Someone %d", i%5)
			}
			if err := tx.InsertUser(u, u.Username); err != nil {
				return err
			}
			people[string(u.ID)] = u.Username
			if u.DisplayName != "" {
				people[string(u.ID)] = strings.ToLower(u.DisplayName)
			}
		}
		for i := range 5500 {
			c, m := f.Key(i, "key")
			c.Principal = access.Principal{Type: access.PrincipalUser, ID: fmt.Sprintf("usr_g%d", i*7%130)}
			if i%2 == 0 {
				c.OrganizationID = f.Below.ID
			}
			if i%11 == 0 {
				c.Kind, c.Principal = credential.OrganizationKey, access.Principal{Type: access.PrincipalOrganization, ID: string(f.Below.ID)}
			}
			if i%13 == 0 {
				c.State = credential.Suspended
			}
			if err := tx.InsertCredential(c, m); err != nil {
				return err
			}
			keys = append(keys, c)
		}
		return nil
	})
	return keys, map[string]func(credential.Credential) string{
		"organization": func(c credential.Credential) string { return places[c.OrganizationID] },
		"owner":        func(c credential.Credential) string { return people[c.Principal.ID] },
	}
}

// A few keys of one organization among many of others are found in every order, by its own
// index where there is one: every key once, in order, in both directions and backwards.
func TestPagingWithinAnOrganization(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, f, _ storetest.Fixture) {
		t.Helper()
		keys := scattered(t, s, f)
		for _, all := range []bool{false, true} {
			want := slices.DeleteFunc(slices.Clone(keys), func(c credential.Credential) bool { return !all && !c.DeletedAt.IsZero() })
			walkOrders(t, s, f, store.CredentialFilter{At: f.Below.ID, IncludeDeleted: all}, want)
		}
	})
}

// scattered makes 3,000 keys, a hundred of them at the organization below and in the middle
// of every order, and returns those.
func scattered(t *testing.T, s *store.Store, f storetest.Fixture) (below []credential.Credential) {
	t.Helper()
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for i := range 3000 {
			c, m := f.Key(i, "key")
			n := (i * 1_009) % 3_000
			c.Name = fmt.Sprintf("key %04d", n/2)
			c.ExpiresAt = storetest.Epoch.AddDate(1, 0, 0).Add(time.Duration(n/3) * time.Hour)
			c.LastUsedAt = storetest.Epoch.Add(time.Duration(n/3) * time.Minute)
			if n >= 1_450 && n < 1_550 {
				c.OrganizationID = f.Below.ID
				if n%10 == 0 {
					c.State, c.EndedAt, c.DeletedAt = credential.Revoked, storetest.Epoch, storetest.Epoch
				}
				below = append(below, c)
			}
			if err := tx.InsertCredential(c, m); err != nil {
				return err
			}
		}
		return nil
	})
	return below
}

// What is searched for comes in the order of creation, from all columns that show it, though
// none of it is near: every key once, in both directions and backwards.
func TestPagingOfSearches(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, f, _ storetest.Fixture) {
		t.Helper()
		var want []credential.Credential
		storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
			for i := range 4000 {
				c, m := f.Key(i, "key")
				at := i > 1000 && i <= 1800 // at the organization that is called so
				if at {
					c.OrganizationID = f.Below.ID
				}
				if i > 1700 && i < 3000 && i%2 == 0 {
					c.Name = fmt.Sprintf("presales %d", i)
				}
				if at || strings.HasPrefix(c.Name, "presales") {
					want = append(want, c)
				}
				if err := tx.InsertCredential(c, m); err != nil {
					return err
				}
			}
			return nil
		})
		for _, desc := range []bool{false, true} {
			if desc {
				slices.Reverse(want)
			}
			walkBothWays(t, s, f, store.CredentialFilter{Search: "sales"}, store.Page{Limit: 90, Sort: "created_at", Desc: desc}, want)
		}
		// Without an order the latest come first.
		if d := cmp.Diff(idsOf(want[:50]), idsOf(mustList(t, s, f, store.CredentialFilter{Search: "sales"}, store.Page{}).Items)); d != "" {
			t.Errorf("without an order:\n%.2000s", d)
		}
	})
}
