package store_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// TestPaging walks every order forth and back, while keys are added and renamed between
// pages: what was there all the time comes exactly once.
func TestPaging(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			const n = 57
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for i := range n {
					c, m := f.Key(i, fmt.Sprintf("%s %d", words[i%len(words)], i/16)) // names repeat
					if i%3 > 0 {
						c.ExpiresAt = storetest.Epoch.Add(time.Duration(i%7) * time.Hour)
					}
					c.LastUsedAt = storetest.Epoch.Add(time.Duration(i%5) * time.Minute)
					if err := tx.InsertCredential(c, m); err != nil {
						return err
					}
				}
				return nil
			})
			added := 1000
			for _, sort := range []string{"", "name", "created_at", "expires_at", "last_used_at"} {
				for _, desc := range []bool{false, true} {
					page := store.Page{Limit: 10, Sort: sort, Desc: desc}
					walk(t, s, f, page, n, func() {
						added++
						c, m := f.Key(added, "aaa added")
						storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(c, m) })
					})
				}
			}
		})
	}
}

func walk(t *testing.T, s *store.Store, f storetest.Fixture, page store.Page, n int, between func()) {
	t.Helper()
	seen := map[credential.ID]int{}
	var pages [][]credential.Credential
	for {
		list := mustList(t, s, f, store.CredentialFilter{}, page)
		pages = append(pages, list.Items)
		for _, c := range list.Items {
			seen[c.ID]++
		}
		if !slices.IsSortedFunc(list.Items, order(page)) {
			t.Errorf("%v: a page is out of order", page)
		}
		if list.Next == "" {
			break
		}
		page.Cursor = list.Next
		between()
	}
	for i := range n {
		if seen[storetest.KeyID(i)] != 1 {
			t.Errorf("%v: key %d came %d times", page, i, seen[storetest.KeyID(i)])
		}
	}
	back(t, s, f, page, pages)
}

// back returns to the page before the last and finds there what was there, but for what was
// added since.
func back(t *testing.T, s *store.Store, f storetest.Fixture, page store.Page, pages [][]credential.Credential) {
	t.Helper()
	last := mustList(t, s, f, store.CredentialFilter{}, page)
	if last.Previous == "" {
		t.Fatalf("%v: no way back from the last page", page)
	}
	page.Cursor = last.Previous
	before := mustList(t, s, f, store.CredentialFilter{}, page)
	if !slices.IsSortedFunc(before.Items, order(page)) || before.Next == "" {
		t.Errorf("%v: the page before the last is out of order or has no next", page)
	}
	want := pages[len(pages)-2]
	if got := before.Items[len(before.Items)-1].ID; got != want[len(want)-1].ID {
		t.Errorf("%v: the page before the last ends differently", page)
	}
}

func order(p store.Page) func(a, b credential.Credential) int {
	never := time.Unix(1<<40, 0)
	expiry := func(c credential.Credential) time.Time {
		if c.ExpiresAt.IsZero() {
			return never
		}
		return c.ExpiresAt
	}
	return func(a, b credential.Credential) int {
		var n int
		switch p.Sort {
		case "", "name":
			n = cmp.Compare(a.Name, b.Name)
		case "expires_at":
			n = expiry(a).Compare(expiry(b))
		case "last_used_at":
			n = a.LastUsedAt.Compare(b.LastUsedAt)
		}
		if p.Desc {
			return -n
		}
		return n
	}
}

// TestPagingByNames walks the orders by what other things are called, with a filter and
// without: pages together are all keys in that order, on the way back too.
func TestPagingByNames(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			named := manyNamed(t, s, f)
			for sort, want := range named {
				for _, desc := range []bool{false, true} {
					for _, filter := range []store.CredentialFilter{{}, {Search: "key"}, {At: f.Root.ID}} {
						page := store.Page{Limit: 10, Sort: sort, Desc: desc}
						var got []string
						var last store.List[credential.Credential]
						for {
							last = mustList(t, s, f, filter, page)
							for _, c := range last.Items {
								got = append(got, want(c))
							}
							if last.Next == "" {
								break
							}
							page.Cursor = last.Next
						}
						order := strings.Compare
						if desc {
							order = func(a, b string) int { return strings.Compare(b, a) }
						}
						if len(got) != 40 || !slices.IsSortedFunc(got, order) {
							t.Errorf("%s, %v, %v: %d keys: %q", sort, desc, filter, len(got), got)
						}
						page.Cursor = last.Previous
						before := mustList(t, s, f, filter, page)
						var again []string
						for _, c := range before.Items {
							again = append(again, want(c))
						}
						if !slices.Equal(again, got[20:30]) {
							t.Errorf("%s, %v: back are %q, not %q", sort, desc, again, got[20:30])
						}
					}
				}
			}
		})
	}
}

// manyNamed makes 40 keys of people and organizations, and tells what each order is by.
func manyNamed(t *testing.T, s *store.Store, f storetest.Fixture) map[string]func(credential.Credential) string {
	t.Helper()
	people := map[string]string{string(f.User.ID): "user a"}
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for i, display := range []string{"zoë", "Ärger", "", "Bob"} {
			u := f.User
			u.ID, u.Username, u.DisplayName = tenancy.UserID(fmt.Sprintf("usr_n%d", i)), fmt.Sprintf("M%d", i), display
			if err := tx.InsertUser(u, strings.ToLower(u.Username)); err != nil {
				return err
			}
			people[string(u.ID)] = strings.ToLower(cmp.Or(display, u.Username))
		}
		for i := range 40 {
			c, m := f.Key(i, fmt.Sprintf("key %d", i%9))
			person := access.Principal{Type: access.PrincipalUser, ID: fmt.Sprintf("usr_n%d", i*7%4)}
			c.CreatedBy, c.CreatedByName = person, "what they were called"
			if i%3 == 0 {
				c.OrganizationID = f.Below.ID
				c.Principal = access.Principal{Type: access.PrincipalOrganization, ID: string(f.Below.ID)}
			} else {
				c.OrganizationID, c.Principal = f.Root.ID, person
			}
			if i%5 == 0 {
				c.CreatedBy, c.CreatedByName = access.Principal{Type: access.PrincipalSystem, ID: "ten_system"}, "Claviger"
			}
			if err := tx.InsertCredential(c, m); err != nil {
				return err
			}
		}
		return nil
	})
	return map[string]func(credential.Credential) string{
		"organization": func(c credential.Credential) string {
			if c.OrganizationID == f.Below.ID {
				return strings.ToLower(f.Below.Name)
			}
			return strings.ToLower(f.Root.Name)
		},
		"owner": func(c credential.Credential) string { return people[c.Principal.ID] },
		"created_by": func(c credential.Credential) string {
			return cmp.Or(people[c.CreatedBy.ID], strings.ToLower(c.CreatedByName))
		},
	}
}

func mustList(t *testing.T, s *store.Store, f storetest.Fixture, filter store.CredentialFilter, p store.Page) (list store.List[credential.Credential]) {
	t.Helper()
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) (err error) {
		list, err = tx.Credentials(filter, p)
		return err
	})
	return list
}

func TestBadPages(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			list := storetest.MustInsert(t, s, "a", "b")
			f := list[0]
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for i := range 5 {
					c, m := f.Key(i, "k")
					if err := tx.InsertCredential(c, m); err != nil {
						return err
					}
				}
				return nil
			})
			good := mustList(t, s, f, store.CredentialFilter{}, store.Page{Limit: 2}).Next
			raw, err := base64.RawURLEncoding.DecodeString(good)
			if err != nil {
				t.Fatal(err)
			}
			for name, c := range map[string]struct {
				tenant tenancy.TenantID
				filter store.CredentialFilter
				page   store.Page
			}{
				"not base64":     {page: store.Page{Cursor: "%%%"}},
				"not a cursor":   {page: store.Page{Cursor: base64.RawURLEncoding.EncodeToString([]byte("{}"))}},
				"cut off":        {page: store.Page{Cursor: good[:len(good)-3]}},
				"NUL in the key": {page: store.Page{Cursor: base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), `"k"`, `"\u0000"`, 1)))}},
				"other sort":     {page: store.Page{Cursor: good, Sort: "expires_at"}},
				"other way":      {page: store.Page{Cursor: good, Desc: true}},
				"other filter":   {page: store.Page{Cursor: good}, filter: store.CredentialFilter{Search: "k"}},
				"other tenant":   {page: store.Page{Cursor: good}, tenant: list[1].Tenant.ID},
				"unknown sort":   {page: store.Page{Sort: "digest"}},
				"too many":       {page: store.Page{Limit: store.MaxLimit + 1}},
				"negative":       {page: store.Page{Limit: -1}},
				"long search":    {filter: store.CredentialFilter{Search: strings.Repeat("x", 201)}},
				"bad search":     {filter: store.CredentialFilter{Search: "a\x00b"}},
				"not UTF-8":      {filter: store.CredentialFilter{Search: "a\xff"}},
			} {
				tenant := cmp.Or(c.tenant, f.Tenant.ID)
				err := s.Read(t.Context(), tenant, func(tx *store.Tx) error {
					_, err := tx.Credentials(c.filter, c.page)
					return err
				})
				if !problem.Is(err, problem.Invalid) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestSearch covers NV6: part of a word in any visible column, never hidden characters.
func TestSearch(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			names := []string{"Billing export", "billing-nightly", "100% sure", "under_score", `back\slash`, "STRASSE 9", "Ünïcode", "it's", `say "hi"`, "x"}
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for i, name := range names {
					c, m := f.Key(i, name)
					c.Hint = fmt.Sprintf("clv_uk_Ab%d…9xYz", i)
					c.CreatedBy, c.CreatedByName = access.Principal{Type: access.PrincipalSystem, ID: "system"}, "system"
					c.Principal = access.Principal{Type: access.PrincipalUser, ID: "usr_nobody"}
					if i == 5 {
						c.ExpiresAt = time.Date(2027, 3, 9, 0, 0, 0, 0, time.UTC)
						c.OrganizationID = f.Below.ID
					}
					if i == 6 {
						c.Principal = f.Principal()
					}
					if err := tx.InsertCredential(c, m); err != nil {
						return err
					}
				}
				return nil
			})
			for search, want := range map[string][]int{
				"":             {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
				"illin":        {0, 1},
				"BILLING":      {0, 1},
				"billing  exp": {0},
				"b":            {0, 1, 4},
				"bi":           {0, 1},
				"ni":           {1}, // the beginning of a word within a word
				"il":           {},  // one or two characters are the beginning of a word
				"0% s":         {2},
				"%":            {}, // not the beginning of a word
				"100%":         {2},
				"_sc":          {3},
				"r_s":          {3},
				`\sl`:          {4},
				"straße":       {5},
				"ünï":          {6},
				"ÜNÏCODE":      {6},
				"it's":         {7},
				`"hi"`:         {8},
				"x":            {9},
				"ab3":          {3}, // shown characters of the key
				"2027-03":      {5}, // the expiry date as shown
				"sales":        {5}, // the organization's name
				"user a":       {6}, // the owner's name
				"000000":       {},  // the key's digest and ID are not searched
				// But the whole ID is found, which is what is left of a key that somebody pasted.
				storetest.KeyID(3).String():                       {3},
				strings.ToLower(storetest.KeyID(5).String()[:15]): {},
				"nothing":       {},
				"' OR 1=1 --":   {},
				`" OR "a":"b"`:  {},
				"billing OR no": {},
			} {
				list := mustList(t, s, f, store.CredentialFilter{Search: search}, store.Page{})
				got := []int{}
				for _, c := range list.Items {
					got = append(got, slices.Index(names, c.Name))
				}
				slices.Sort(got)
				if d := gocmp.Diff(want, got); d != "" {
					t.Errorf("search %q:\n%s", search, d)
				}
				if list.Total != int64(len(want)) {
					t.Errorf("search %q: total %d, want %d", search, list.Total, len(want))
				}
			}
		})
	}
}

// TestSearchFarAway finds what lies beyond the part of the order that is looked through
// first, after renames too: this is the text index's work.
func TestSearchFarAway(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			const n, others = 2600, 3000 // more than are counted without an index that finds few
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for i := range others {
					c, m := f.Key(n+i, fmt.Sprintf("other %d", i))
					if err := tx.InsertCredential(c, m); err != nil {
						return err
					}
				}
				for i := range n {
					c, m := f.Key(i, fmt.Sprintf("key %04d", i))
					if i == n-1 {
						c.Name = "zebra crossing"
					}
					if err := tx.InsertCredential(c, m); err != nil {
						return err
					}
				}
				// Renamed in the transaction that made it.
				c, _ := f.Key(n-2, "zanzibar")
				return tx.UpdateCredential(c)
			})
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				c, _ := f.Key(n-3, "zulu time")
				return tx.UpdateCredential(c)
			})
			for search, want := range map[string]int{"ebra cross": 1, "z": 3, "za": 1, "anzib": 1, "ulu": 1, "key 2597": 0, "key 2598": 0, "key 2599": 0, "key 2596": 1, "account": store.CountLimit + 1, "key": n - 3} {
				list := mustList(t, s, f, store.CredentialFilter{Search: search}, store.Page{Limit: 1000})
				if list.Total != int64(want) || len(list.Items) != min(want, 1000) {
					t.Errorf("search %q: %d items, total %d, want %d", search, len(list.Items), list.Total, want)
				}
			}
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.CountCredentials(store.CredentialFilter{Search: "key"})
				if got != n-3 {
					t.Errorf("counted %d, want %d", got, n-3)
				}
				return err
			})
		})
	}
}

// TestFilters covers NV7, VC2 and the other filters of a list of credentials.
func TestFilters(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			change := []func(*credential.Credential){
				func(*credential.Credential) {},
				func(c *credential.Credential) { c.OrganizationID = f.Below.ID },
				func(c *credential.Credential) { c.Kind = credential.OrganizationKey },
				func(c *credential.Credential) { c.State = credential.Revoked },
				func(c *credential.Credential) { c.State, c.DeletedAt = credential.Revoked, storetest.Epoch },
				func(c *credential.Credential) { c.State, c.DeletedAt = credential.Expired, storetest.Epoch },
				func(c *credential.Credential) { c.ExpiresAt = storetest.Epoch.Add(time.Hour) },
				func(c *credential.Credential) {
					c.Principal = access.Principal{Type: access.PrincipalOrganization, ID: string(f.Root.ID)}
				},
				func(c *credential.Credential) {
					c.Kind, c.Principal = credential.ClientCredential, access.Principal{Type: access.PrincipalTenant, ID: string(f.Tenant.ID)}
				},
				func(c *credential.Credential) { c.Kind = credential.ClientCredential },
			}
			var half uint64
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for i, change := range change {
					c, m := f.Key(i, fmt.Sprint(i))
					change(&c)
					if err := tx.InsertCredential(c, m); err != nil {
						return err
					}
					if i == 2 {
						half = tx.Head()
					}
				}
				return nil
			})
			clientCredentials := []credential.Kind{credential.ClientCredential}
			owner := access.Principal{Type: access.PrincipalOrganization, ID: string(f.Root.ID)}
			for name, c := range map[string]struct {
				filter store.CredentialFilter
				want   string
			}{
				"all":           {store.CredentialFilter{}, "0 1 2 3 6 7 8 9"},
				"with deleted":  {store.CredentialFilter{IncludeDeleted: true}, "0 1 2 3 4 5 6 7 8 9"},
				"at the root":   {store.CredentialFilter{At: f.Root.ID}, "0 1 2 3 6 7 8 9"},
				"below":         {store.CredentialFilter{At: f.Below.ID}, "1"},
				"kind":          {store.CredentialFilter{Kinds: []credential.Kind{credential.OrganizationKey}}, "2"},
				"revoked":       {store.CredentialFilter{States: []credential.State{credential.Revoked}}, "3"},
				"expiring":      {store.CredentialFilter{ExpiringBefore: storetest.Epoch.Add(2 * time.Hour)}, "6"},
				"owner":         {store.CredentialFilter{Owner: &owner}, "7"},
				"as of":         {store.CredentialFilter{AsOf: half}, "0 1 2"},
				"users' own":    {store.CredentialFilter{Kinds: clientCredentials, Level: access.PrincipalUser}, "9"},
				"the account's": {store.CredentialFilter{Kinds: clientCredentials, Level: access.PrincipalTenant}, "8"},
				"both levels":   {store.CredentialFilter{Kinds: clientCredentials}, "8 9"},
				"two kinds": {store.CredentialFilter{
					Kinds: []credential.Kind{credential.ClientCredential, credential.OrganizationKey}, At: f.Root.ID,
				}, "2 8 9"},
			} {
				var got []string
				for _, c := range mustList(t, s, f, c.filter, store.Page{}).Items {
					got = append(got, c.Name)
				}
				if strings.Join(got, " ") != c.want {
					t.Errorf("%s: %v, want %s", name, got, c.want)
				}
			}
			err := s.Read(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
				_, err := tx.Credentials(store.CredentialFilter{At: "org_b0"}, store.Page{})
				return err
			})
			if !problem.Is(err, problem.NotFound) {
				t.Errorf("a filter by another tenant's organization: %v", err)
			}
		})
	}
}
