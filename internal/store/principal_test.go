package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// TestAppsAndServiceAccounts: what is written is read again, also after changes (EE3, VX1).
func TestAppsAndServiceAccounts(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			app, account := f.App(), f.ServiceAccount()
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				return errors.Join(tx.InsertApp(app), tx.InsertServiceAccount(account))
			})
			check := func() {
				t.Helper()
				storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					a, err := tx.App(app.ID)
					if d := cmp.Diff(app, a); d != "" || err != nil {
						t.Errorf("app: %v %s", err, d)
					}
					b, err := tx.ServiceAccount(account.ID)
					if d := cmp.Diff(account, b); d != "" || err != nil {
						t.Errorf("service account: %v %s", err, d)
					}
					return nil
				})
			}
			check()
			app.Name, app.APIs, app.OrganizationID, app.State, app.Labels = "Renamed", nil, f.Root.ID, tenancy.Suspended, tenancy.Labels{}
			account.Description, account.State, account.OrganizationID = "", tenancy.Deleted, f.Below.ID
			account.Labels = tenancy.Labels{ExternalID: "x", Metadata: map[string]string{"k": "v"}}
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				before := tx.RightsRevision()
				err := errors.Join(tx.UpdateApp(app), tx.UpdateServiceAccount(account))
				if tx.RightsRevision() <= before {
					t.Error("what was resolved from rights would not be resolved anew")
				}
				return err
			})
			check()
			// The e-mail address of what is deleted is free again.
			account.ID, account.State, account.Labels = "sva_second", tenancy.Active, tenancy.Labels{}
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.InsertServiceAccount(account) })
		})
	}
}

// TestListsOfAppsAndServiceAccounts filters, searches (NV6), sorts and pages both alike.
func TestListsOfAppsAndServiceAccounts(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			const n = 5
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for i := range n {
					app, account := f.App(), f.ServiceAccount()
					app.ID, account.ID = tenancy.AppID(fmt.Sprint("app_", i)), tenancy.ServiceAccountID(fmt.Sprint("sva_", i))
					app.Name, account.Email = fmt.Sprintf("%d Größe", n-i), fmt.Sprintf("%d-größe@example", n-i)
					app.Labels.ExternalID, account.Labels.ExternalID = fmt.Sprint("ext-", i), fmt.Sprint("ext-", i)
					app.OrganizationID, account.OrganizationID = f.Root.ID, f.Root.ID
					switch i {
					case 1:
						app.OrganizationID, account.OrganizationID = f.Below.ID, f.Below.ID
					case 2:
						app.State, account.State = tenancy.Suspended, tenancy.Suspended
					case 3:
						app.State, account.State = tenancy.Deleted, tenancy.Deleted
					case 4:
						app.CreatedByName, account.CreatedByName = "Zoë", "Zoë"
					}
					if err := errors.Join(tx.InsertApp(app), tx.InsertServiceAccount(account)); err != nil {
						return err
					}
				}
				return nil
			})
			for name, c := range map[string]struct {
				filter store.AppFilter
				page   store.Page
				want   string
			}{
				"by name":          {want: "4 2 1 0"},
				"by name, turned":  {page: store.Page{Desc: true}, want: "0 1 2 4"},
				"by creation":      {page: store.Page{Sort: "created_at"}, want: "0 1 2 4"},
				"deleted ones too": {filter: store.AppFilter{IncludeDeleted: true}, want: "4 3 2 1 0"},
				"at and below":     {filter: store.AppFilter{At: f.Root.ID}, want: "4 2 1 0"},
				"below":            {filter: store.AppFilter{At: f.Below.ID}, want: "1"},
				"suspended":        {filter: store.AppFilter{States: []tenancy.State{tenancy.Suspended}}, want: "2"},
				"two states":       {filter: store.AppFilter{States: []tenancy.State{tenancy.Suspended, tenancy.Active}}, want: "4 2 1 0"},
				"name":             {filter: store.AppFilter{Search: "GRÖSSE"}, want: "4 2 1 0"},
				"external ID":      {filter: store.AppFilter{Search: "ext-2"}, want: "2"},
				"organization":     {filter: store.AppFilter{Search: "sales"}, want: "1"},
				"creator":          {filter: store.AppFilter{Search: "zoë"}, want: "4"},
				"state's name":     {filter: store.AppFilter{Search: "suspended"}, want: ""},
			} {
				t.Run(name, func(t *testing.T) {
					if got := walkApps(t, s, f, c.filter, c.page); got != c.want {
						t.Errorf("apps %q, want %q", got, c.want)
					}
					if got := walkServiceAccounts(t, s, f, store.ServiceAccountFilter(c.filter), c.page); got != c.want {
						t.Errorf("service accounts %q, want %q", got, c.want)
					}
				})
			}
		})
	}
}

// walkApps lists the last characters of the IDs, two apps to a page.
func walkApps(t *testing.T, s *store.Store, f storetest.Fixture, filter store.AppFilter, p store.Page) string {
	t.Helper()
	var ids []string
	p.Limit = 2
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for {
			l, err := tx.Apps(filter, p)
			if err != nil {
				return err
			}
			for _, a := range l.Items {
				ids = append(ids, string(a.ID[4:]))
			}
			if p.Cursor = l.Next; p.Cursor == "" {
				return nil
			}
		}
	})
	return strings.Join(ids, " ")
}

func walkServiceAccounts(t *testing.T, s *store.Store, f storetest.Fixture, filter store.ServiceAccountFilter, p store.Page) string {
	t.Helper()
	var ids []string
	p.Limit = 2
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for {
			l, err := tx.ServiceAccounts(filter, p)
			if err != nil {
				return err
			}
			for _, a := range l.Items {
				ids = append(ids, string(a.ID[4:]))
			}
			if p.Cursor = l.Next; p.Cursor == "" {
				return nil
			}
		}
	})
	return strings.Join(ids, " ")
}

// TestCatalog: there is none at first; each change has its revision, and every process sees
// the last at once.
func TestCatalog(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			other := storetest.MustOpen(t, url)
			read := func(s *store.Store) (c catalog.Catalog) {
				storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) (err error) {
					c, err = tx.AllTenantsCatalog()
					return err
				})
				return c
			}
			if d := cmp.Diff(catalog.Catalog{}, read(s)); d != "" {
				t.Error(d)
			}
			var last int64
			for _, licences := range []int{3, 1, 0} {
				want := catalog.Demo()
				want.Licences = want.Licences[:licences]
				storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					set, err := tx.AllTenantsSetCatalog(want)
					want.Revision = set.Revision
					return err
				})
				if want.Revision <= last {
					t.Errorf("revision %d after %d", want.Revision, last)
				}
				last = want.Revision
				for _, s := range []*store.Store{s, other} {
					if d := cmp.Diff(want, read(s)); d != "" {
						t.Error(d)
					}
				}
			}
			_, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
				_, err := tx.AllTenantsSetCatalog(catalog.Demo())
				return errors.Join(err, errOurs)
			})
			if !errors.Is(err, errOurs) || read(s).Revision != last {
				t.Errorf("a change that was rolled back shows: %v", err)
			}
		})
	}
}

// TestOperations: work goes on where it was, oldest first, until it is done.
func TestOperations(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			first, second := f.Operation(), f.Operation()
			second.ID, second.CreatedAt = "opn_second", storetest.Epoch.Add(-time.Second)
			head := storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.InsertOperation(first) })
			if got := storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.InsertOperation(second) }); got != head {
				t.Errorf("an operation moved the feed from %d to %d", head, got)
			}
			due := func() (ids []string) {
				storetest.MustRead(t, s, "", func(tx *store.Tx) error {
					list, err := tx.AllTenantsDueOperations()
					for _, o := range list {
						ids = append(ids, o.ID)
					}
					return err
				})
				return ids
			}
			if got := due(); !slices.Equal(got, []string{"opn_second", "opn_a"}) {
				t.Errorf("due: %v", got)
			}
			first.State, first.Done, first.Position = store.OperationRunning, 2, "after 2"
			first.Failed = []store.OperationFailure{{ID: "crd_1", Code: "not_found", Message: "There is no such credential."}}
			second.State, second.FinishedAt = store.OperationDone, storetest.Epoch
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				return errors.Join(tx.UpdateOperation(first), tx.UpdateOperation(second))
			})
			if got := due(); !slices.Equal(got, []string{"opn_a"}) {
				t.Errorf("due: %v", got)
			}
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for _, want := range []store.Operation{first, second} {
					got, err := tx.Operation(want.ID)
					if d := cmp.Diff(want, got); d != "" || err != nil {
						t.Errorf("%v %s", err, d)
					}
				}
				return nil
			})
		})
	}
}

// TestCredentialsOfOtherKinds keeps what theirs have besides a digest: public IDs, public
// keys, two sealed secrets (EE2, VX3, VC1).
func TestCredentialsOfOtherKinds(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			robot := access.Principal{Type: access.PrincipalServiceAccount, ID: string(f.ServiceAccount().ID)}
			app := access.Principal{Type: access.PrincipalApp, ID: string(f.App().ID)}
			key, pair := f.Key(1, "pair")
			key.Kind, key.Principal, key.PublicID = credential.ServiceAccountKey, robot, "9b2d7a80-aaaa-4000-8000-000000000001"
			pair.Digest, pair.PepperVersion, pair.PublicKey = [32]byte{}, 0, []byte("DER")
			both, first := f.Key(2, "both")
			both.Kind, both.Principal = credential.App, app
			second := first
			first.Sealed, second.Field, second.Sealed = []byte("sealed key"), credential.FieldSecret, []byte("sealed secret")
			ended, last := f.Key(3, "ended")
			ended.Principal, ended.State = robot, credential.Revoked
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				return errors.Join(tx.InsertApp(f.App()), tx.InsertServiceAccount(f.ServiceAccount()),
					tx.InsertCredential(key, pair), tx.InsertCredential(both, first, second), tx.InsertCredential(ended, last))
			})
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.CredentialByPublicID(key.PublicID)
				if d := cmp.Diff(key, got); d != "" || err != nil {
					t.Errorf("by public ID: %v %s", err, d)
				}
				if _, err := tx.CredentialByPublicID(""); !problem.Is(err, problem.NotFound) {
					t.Errorf("no public ID finds something: %v", err)
				}
				living, err := tx.CredentialsOf(robot)
				if d := cmp.Diff([]credential.Credential{key}, living); d != "" || err != nil {
					t.Errorf("of a principal: %v %s", err, d)
				}
				for id, want := range map[credential.ID][]credential.Material{key.ID: {pair}, both.ID: {first, second}} {
					got, err := tx.Material(id)
					if d := cmp.Diff(want, got); d != "" || err != nil {
						t.Errorf("material: %v %s", err, d)
					}
				}
				return nil
			})
			for search, want := range map[string]int{"aaaa-4000": 1, "robot@": 2, "app a": 1, "nightly": 2} {
				if got := mustList(t, s, f, store.CredentialFilter{Search: search, IncludeDeleted: true}, store.Page{}); len(got.Items) != want {
					t.Errorf("search %q: %d, want %d", search, len(got.Items), want)
				}
			}
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				key.PublicID = "another"
				return errors.Join(tx.DestroyMaterial(key.ID), tx.DestroyMaterial(both.ID), tx.UpdateCredential(key))
			})
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				kept, err := tx.Material(key.ID)
				gone, err2 := tx.Material(both.ID)
				if len(kept) != 1 || string(kept[0].PublicKey) != "DER" {
					t.Errorf("a public key is no secret, and was destroyed: %v", kept)
				}
				for _, m := range gone {
					if m.Sealed != nil {
						t.Errorf("the %s can still be recovered", m.Field)
					}
				}
				_, err3 := tx.CredentialByPublicID("another")
				return errors.Join(err, err2, err3)
			})
		})
	}
}
