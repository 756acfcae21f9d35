package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// everything is what a tenant can have, one of each.
func everything(t *testing.T, s *store.Store, letter string, key int) storetest.Fixture {
	t.Helper()
	f := storetest.MustInsert(t, s, letter)[0]
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		c, m := f.Key(key, "key")
		c.PublicID = "public-" + letter
		return errors.Join(
			issue(tx, f, key+1),
			tx.InsertCredential(c, m),
			tx.SetPassword(f.User.ID, "hash", storetest.Epoch),
			tx.InsertOneTimeLink(store.OneTimeLink{TokenHash: []byte("link-" + letter), Purpose: "invitation", UserID: f.User.ID, ExpiresAt: storetest.Epoch.Add(time.Hour)}),
			tx.AllTenantsPutSession(store.Session{TokenHash: []byte("session-" + letter), PublicID: "ses_" + letter, TenantID: f.Tenant.ID, UserID: f.User.ID, IdleExpiresAt: storetest.Epoch, ExpiresAt: storetest.Epoch}),
			tx.PutIdempotency(store.IdempotencyRecord{Scope: "scope", Key: "key", RequestHash: []byte("h"), Status: 201, ExpiresAt: time.Now().Add(time.Hour)}),
			tx.PutTenantKeyset([]byte("wrapped-"+letter), storetest.Epoch),
			tx.InsertApp(f.App()),
			tx.InsertServiceAccount(f.ServiceAccount()),
			tx.InsertOperation(f.Operation()),
		)
	})
	err := s.AddUsage(t.Context(), []store.UsageRow{{CredentialID: storetest.KeyID(key), TenantID: f.Tenant.ID, Hour: storetest.Epoch, Valid: 3, LastUsedAt: storetest.Epoch}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestTenantIsolation reads and changes everything of tenant b in a transaction of tenant a:
// nothing of it is there.
func TestTenantIsolation(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			a, b := everything(t, s, "a", 10), everything(t, s, "b", 20)
			storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				for name, get := range gets(tx, b, 20) {
					if err := get(); !problem.Is(err, problem.NotFound) {
						t.Errorf("%s of another tenant: %v", name, err)
					}
				}
				for name, get := range gets(tx, a, 10) {
					if err := get(); err != nil {
						t.Errorf("%s of one's own: %v", name, err)
					}
				}
				for name, count := range counts(tx, b, 20) {
					if n, err := count(); n != 0 || err != nil {
						t.Errorf("%s of another tenant: %d items, %v", name, n, err)
					}
				}
				for name, count := range counts(tx, a, 10) {
					if n, err := count(); n == 0 || err != nil {
						t.Errorf("%s of one's own: %d items, %v", name, n, err)
					}
				}
				return nil
			})
			before := everythingOf(t, s, b)
			for name, change := range changes(b, 20) {
				_, err := s.Write(t.Context(), a.Tenant.ID, change)
				if err == nil && name != "ending sessions" && name != "ending links" && name != "destroying material" {
					t.Errorf("%s of another tenant was not refused", name)
				}
			}
			if d := cmp.Diff(before, everythingOf(t, s, b)); d != "" {
				t.Errorf("another tenant was changed:\n%s", d)
			}
		})
	}
}

func gets(tx *store.Tx, f storetest.Fixture, key int) map[string]func() error {
	return map[string]func() error{
		"organization":    func() error { _, err := tx.Organization(f.Root.ID); return err },
		"user":            func() error { _, err := tx.User(f.User.ID); return err },
		"user by name":    func() error { _, err := tx.UserByFolded("user." + f.Tenant.Slug[5:]); return err },
		"role":            func() error { _, err := tx.Role(f.Role.ID); return err },
		"role's holders":  func() error { _, err := tx.RoleHolders(f.Role.ID, store.Page{}); return err },
		"assignment":      func() error { _, err := tx.Assignment(f.Assignment.ID); return err },
		"credential":      func() error { _, err := tx.Credential(storetest.KeyID(key)); return err },
		"password":        func() error { _, err := tx.Password(f.User.ID); return err },
		"app":             func() error { _, err := tx.App(f.App().ID); return err },
		"service account": func() error { _, err := tx.ServiceAccount(f.ServiceAccount().ID); return err },
		"operation":       func() error { _, err := tx.Operation(f.Operation().ID); return err },
		"keyset":          func() error { return keyset(tx, f) },
		"credential by public ID": func() error {
			_, err := tx.CredentialByPublicID("public-" + f.Tenant.Slug[5:])
			return err
		},
		"apps at": func() error { _, err := tx.Apps(store.AppFilter{At: f.Root.ID}, store.Page{}); return err },
		"service accounts at": func() error {
			_, err := tx.ServiceAccounts(store.ServiceAccountFilter{At: f.Root.ID}, store.Page{})
			return err
		},
		"organizations at": func() error {
			_, err := tx.Organizations(store.OrganizationFilter{At: f.Root.ID}, store.Page{})
			return err
		},
		"users at": func() error { _, err := tx.Users(store.UserFilter{At: f.Root.ID}, store.Page{}); return err },
		"assignments at": func() error {
			_, err := tx.AssignmentsOf(store.AssignmentFilter{At: f.Root.ID}, store.Page{})
			return err
		},
		"credentials at": func() error {
			_, err := tx.Credentials(store.CredentialFilter{At: f.Root.ID}, store.Page{})
			return err
		},
	}
}

// keyset tells another tenant's keyset from one's own.
func keyset(tx *store.Tx, f storetest.Fixture) error {
	wrapped, err := tx.TenantKeyset()
	if err == nil && string(wrapped) != "wrapped-"+f.Tenant.Slug[5:] {
		return problem.Missing("keyset")
	}
	return err
}

func counts(tx *store.Tx, f storetest.Fixture, key int) map[string]func() (int, error) {
	owner := f.Principal()
	id := storetest.KeyID(key)
	return map[string]func() (int, error){
		"assignments": func() (int, error) { l, err := tx.Assignments(owner); return len(l), err },
		"assignments by principal": func() (int, error) {
			l, err := tx.AssignmentsOf(store.AssignmentFilter{Principal: &owner}, store.Page{})
			return len(l.Items), err
		},
		"users by search": func() (int, error) {
			l, err := tx.Users(store.UserFilter{Search: f.User.DisplayName}, store.Page{})
			return len(l.Items), err
		},
		"organizations by search": func() (int, error) {
			l, err := tx.Organizations(store.OrganizationFilter{Search: f.Below.Name}, store.Page{})
			return len(l.Items), err
		},
		"credentials by owner": func() (int, error) {
			l, err := tx.Credentials(store.CredentialFilter{Owner: &owner}, store.Page{})
			return len(l.Items), err
		},
		"credentials by search": func() (int, error) {
			l, err := tx.Credentials(store.CredentialFilter{Search: f.User.DisplayName}, store.Page{})
			return len(l.Items), err
		},
		"credentials of a principal": func() (int, error) { l, err := tx.CredentialsOf(owner); return len(l), err },
		"apps by search": func() (int, error) {
			l, err := tx.Apps(store.AppFilter{Search: f.App().Name}, store.Page{})
			return len(l.Items), err
		},
		"service accounts by search": func() (int, error) {
			l, err := tx.ServiceAccounts(store.ServiceAccountFilter{Search: f.ServiceAccount().Email}, store.Page{})
			return len(l.Items), err
		},
		"material": func() (int, error) { l, err := tx.Material(id); return len(l), err },
		"sessions": func() (int, error) { l, err := tx.SessionsOf(f.User.ID); return len(l), err },
		"audit events": func() (int, error) {
			l, err := tx.AuditEvents(store.AuditFilter{ActorID: string(f.User.ID)}, store.Page{})
			return len(l.Items), err
		},
		"usage": func() (int, error) {
			l, err := tx.Usage(id, storetest.Epoch, storetest.Epoch.Add(time.Hour))
			return len(l), err
		},
	}
}

// changes are attempts at everything of a tenant.
func changes(f storetest.Fixture, key int) map[string]func(*store.Tx) error {
	c, m := f.Key(key, "stolen")
	m.Version = 7
	stolen := f.Tenant.ID
	disguise := func(tx *store.Tx) tenancy.TenantID { return tx.TenantID() }
	return map[string]func(*store.Tx) error{
		"tenant":       func(tx *store.Tx) error { return tx.UpdateTenant(f.Tenant) },
		"organization": func(tx *store.Tx) error { return tx.UpdateOrganization(f.Root) },
		"organization, named": func(tx *store.Tx) error {
			o := f.Root
			o.TenantID = disguise(tx)
			o.Name = "stolen"
			return tx.UpdateOrganization(o)
		},
		"moving":      func(tx *store.Tx) error { return tx.MoveOrganization(f.Below.ID, "org_a0") },
		"moving into": func(tx *store.Tx) error { return tx.MoveOrganization("org_a1", f.Root.ID) },
		"user":        func(tx *store.Tx) error { u := f.User; u.TenantID = disguise(tx); return tx.UpdateUser(u, "stolen") },
		"role": func(tx *store.Tx) error {
			r := f.Role
			r.TenantID = disguise(tx)
			r.Name = "stolen"
			return tx.UpdateRole(r)
		},
		"deleting a role":        func(tx *store.Tx) error { return tx.DeleteRole(f.Role.ID) },
		"deleting an assignment": func(tx *store.Tx) error { return tx.DeleteAssignment(f.Assignment.ID) },
		"credential":             func(tx *store.Tx) error { c := c; c.TenantID = disguise(tx); return tx.UpdateCredential(c) },
		"credential, inserted":   func(tx *store.Tx) error { return tx.InsertCredential(c, m) },
		"material":               func(tx *store.Tx) error { return tx.InsertMaterial(m) },
		"ending material":        func(tx *store.Tx) error { return tx.EndMaterial(c.ID, "key", 1, storetest.Epoch) },
		"destroying material":    func(tx *store.Tx) error { return tx.DestroyMaterial(c.ID) },
		"password":               func(tx *store.Tx) error { return tx.SetPassword(f.User.ID, "stolen", storetest.Epoch) },
		"ending sessions":        func(tx *store.Tx) error { return tx.EndSessions(f.User.ID, "") },
		"ending links":           func(tx *store.Tx) error { return tx.EndOneTimeLinks(f.User.ID, "") },
		"app":                    func(tx *store.Tx) error { a := f.App(); a.TenantID = disguise(tx); return tx.UpdateApp(a) },
		"app, named":             func(tx *store.Tx) error { return tx.UpdateApp(f.App()) },
		"service account": func(tx *store.Tx) error {
			a := f.ServiceAccount()
			a.TenantID = disguise(tx)
			return tx.UpdateServiceAccount(a)
		},
		"service account, named": func(tx *store.Tx) error { return tx.UpdateServiceAccount(f.ServiceAccount()) },
		"operation": func(tx *store.Tx) error {
			o := f.Operation()
			o.TenantID = disguise(tx)
			return tx.UpdateOperation(o)
		},
		"operation, named": func(tx *store.Tx) error { return tx.UpdateOperation(f.Operation()) },
		"audit":            func(tx *store.Tx) error { return tx.AppendAudit(audit.Event{TenantID: stolen, Sequence: 2}) },
	}
}

// everythingOf is a tenant's own view of itself.
func everythingOf(t *testing.T, s *store.Store, f storetest.Fixture) (all []any) {
	t.Helper()
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		add := func(v any, err error) {
			if err != nil {
				t.Error(err)
			}
			all = append(all, v)
		}
		add2 := func(v any, err error) { add(v, err) }
		tenant, err := tx.Tenant()
		add2(tenant, err)
		organizations, err := tx.Organizations(store.OrganizationFilter{IncludeDeleted: true}, store.Page{})
		add2(organizations, err)
		users, err := tx.Users(store.UserFilter{}, store.Page{})
		add2(users, err)
		roles, err := tx.Roles()
		add2(roles, err)
		assignments, err := tx.Assignments(f.Principal())
		add2(assignments, err)
		credentials, err := tx.Credentials(store.CredentialFilter{IncludeDeleted: true}, store.Page{})
		add2(credentials, err)
		for _, c := range credentials.Items {
			material, err := tx.Material(c.ID)
			add2(material, err)
		}
		hash, err := tx.Password(f.User.ID)
		add2(hash, err)
		sessions, err := tx.SessionsOf(f.User.ID)
		add2(sessions, err)
		apps, err := tx.Apps(store.AppFilter{}, store.Page{})
		add2(apps, err)
		accounts, err := tx.ServiceAccounts(store.ServiceAccountFilter{}, store.Page{})
		add2(accounts, err)
		operation, err := tx.Operation(f.Operation().ID)
		add2(operation, err)
		events, err := tx.AuditEventsAfter(0, 100)
		add2(events, err)
		_, _, err = tx.AllTenantsOneTimeLink([]byte("link-"+f.Tenant.Slug[5:]), "invitation", storetest.Epoch)
		add2(nil, err)
		return nil
	})
	return all
}

func TestAllTenantsFindsTenants(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			everything(t, s, "a", 10)
			f := everything(t, s, "b", 20)
			storetest.MustRead(t, s, "ten_a", func(tx *store.Tx) error {
				for name, find := range map[string]func() (tenancy.TenantID, error){
					"credential":   func() (tenancy.TenantID, error) { return tx.AllTenantsCredentialTenant(storetest.KeyID(20)) },
					"organization": func() (tenancy.TenantID, error) { return tx.AllTenantsOrganizationTenant(f.Below.ID) },
					"user":         func() (tenancy.TenantID, error) { return tx.AllTenantsUserTenant(f.User.ID) },
					"role":         func() (tenancy.TenantID, error) { return tx.AllTenantsRoleTenant(f.Role.ID) },
					"assignment":   func() (tenancy.TenantID, error) { return tx.AllTenantsAssignmentTenant(f.Assignment.ID) },
					"app":          func() (tenancy.TenantID, error) { return tx.AllTenantsAppTenant(f.App().ID) },
					"service account": func() (tenancy.TenantID, error) {
						return tx.AllTenantsServiceAccountTenant(f.ServiceAccount().ID)
					},
					"operation": func() (tenancy.TenantID, error) { return tx.AllTenantsOperationTenant(f.Operation().ID) },
				} {
					if tenant, err := find(); tenant != f.Tenant.ID || err != nil {
						t.Errorf("%s: %q, %v", name, tenant, err)
					}
				}
				for name, find := range map[string]func() (tenancy.TenantID, error){
					"credential": func() (tenancy.TenantID, error) { return tx.AllTenantsCredentialTenant(storetest.KeyID(99)) },
					"user":       func() (tenancy.TenantID, error) { return tx.AllTenantsUserTenant("usr_\x00' OR 1=1") },
				} {
					if _, err := find(); !problem.Is(err, problem.NotFound) {
						t.Errorf("unknown %s: %v", name, err)
					}
				}
				if got, err := tx.AllTenantsIn(f.Tenant.ID).User(f.User.ID); err != nil || got.ID != f.User.ID {
					t.Errorf("the same transaction for another tenant: %v", err)
				}
				return nil
			})
		})
	}
}

// TestTaken maps each unique index to a Conflict with a code of its own.
func TestTaken(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			a := everything(t, s, "a", 10)
			other := storetest.NewFixture("c")
			for code, write := range map[string]func(*store.Tx) error{
				"tenant_exists": func(tx *store.Tx) error {
					o := other.Tenant
					o.Slug, o.PlanID = a.Tenant.Slug, a.Tenant.PlanID
					return tx.AllTenantsIn(o.ID).InsertTenant(o)
				},
				"plan_exists": func(tx *store.Tx) error {
					p := other.Plan
					p.Key = a.Plan.Key
					return tx.AllTenantsInsertPlan(p)
				},
				"user_exists": func(tx *store.Tx) error {
					u := a.User
					u.ID = "usr_second"
					return tx.InsertUser(u, "user.a")
				},
				"role_exists": func(tx *store.Tx) error {
					r := a.Role
					r.ID, r.Name = "rol_second", "ROLE A"
					return tx.InsertRole(r)
				},
				"assignment_exists": func(tx *store.Tx) error {
					again := a.Assignment
					again.ID = "asg_second"
					return tx.InsertAssignment(again)
				},
				"version_exists": func(tx *store.Tx) error {
					_, m := a.Key(10, "")
					return tx.InsertMaterial(m)
				},
				"app_exists": func(tx *store.Tx) error {
					again := a.App()
					again.ID = "app_second"
					return tx.InsertApp(again)
				},
				"service_account_exists": func(tx *store.Tx) error {
					again := a.ServiceAccount()
					again.ID, again.Email = "sva_second", "ROBOT"+again.Email[5:]
					return tx.InsertServiceAccount(again)
				},
				"operation_exists": func(tx *store.Tx) error { return tx.InsertOperation(a.Operation()) },
				"credential_exists": func(tx *store.Tx) error {
					c, m := a.Key(99, "the same client ID")
					c.PublicID = "public-a"
					return tx.InsertCredential(c, m)
				},
				"idempotency_key_in_use": func(tx *store.Tx) error {
					return tx.PutIdempotency(store.IdempotencyRecord{Scope: "scope", Key: "key", RequestHash: []byte("h"), ExpiresAt: time.Now().Add(time.Hour)})
				},
				"in_use": func(tx *store.Tx) error { return tx.AllTenantsDeletePlan(a.Plan.ID) },
			} {
				_, err := s.Write(t.Context(), a.Tenant.ID, write)
				if !problem.Is(err, problem.Conflict) || !problem.HasCode(err, code) {
					t.Errorf("%s: %v", code, err)
				}
			}
		})
	}
}

// TestNamesAreFreeAgain: what is deleted doesn't keep its names.
func TestNamesAreFreeAgain(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			a := everything(t, s, "a", 10)
			storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				u, r := a.User, a.Role
				u.State = tenancy.Deleted
				return errors.Join(tx.UpdateUser(u, "user.a"), tx.DeleteAssignment(a.Assignment.ID), tx.DeleteRole(r.ID))
			})
			storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				u, r := a.User, a.Role
				u.ID, r.ID = "usr_second", "rol_second"
				return errors.Join(tx.InsertUser(u, "user.a"), tx.InsertRole(r))
			})
			storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				if u, err := tx.UserByFolded("user.a"); err != nil || u.ID != "usr_second" {
					t.Errorf("found %q, %v", u.ID, err)
				}
				if u, err := tx.User(a.User.ID); err != nil || u.State != tenancy.Deleted {
					t.Errorf("the tombstone: %v, %v", u.State, err)
				}
				if list, err := tx.Administrators(); len(list) != 0 || err != nil {
					t.Errorf("%d administrators are left, %v", len(list), err)
				}
				return nil
			})
		})
	}
}

// TestRightsAreNotRemembered that were never committed, nor ones from before a change.
func TestRightsAreNotRemembered(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			a := everything(t, s, "a", 10)
			other := storetest.MustOpen(t, url)
			name := func(s *store.Store) (name string) {
				t.Helper()
				storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
					r, err := tx.Role(a.Role.ID)
					name = r.Name
					return err
				})
				return name
			}
			rename := func(s *store.Store, to string, after error) {
				t.Helper()
				_, err := s.Write(t.Context(), a.Tenant.ID, func(tx *store.Tx) error {
					r, err := tx.Role(a.Role.ID)
					if err != nil {
						return err
					}
					r.Name = to
					if err := tx.UpdateRole(r); err != nil {
						return err
					}
					if r, err := tx.Role(a.Role.ID); err != nil || r.Name != to {
						t.Errorf("a transaction doesn't see its own change: %q, %v", r.Name, err)
					}
					return after
				})
				if !errors.Is(err, after) {
					t.Fatal(err)
				}
			}
			_ = name(s)
			rename(s, "given up", errOurs)
			if got := name(s); got != a.Role.Name {
				t.Errorf("a change that was rolled back is remembered: %q", got)
			}
			rename(other, "theirs", nil)
			if got := name(s); got != "theirs" {
				t.Errorf("another process's change is not seen: %q", got)
			}
			rename(s, "ours", nil)
			if a, b := name(s), name(other); a != "ours" || b != "ours" {
				t.Errorf("%q and %q", a, b)
			}
		})
	}
}

func TestMoveOrganization(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			a := everything(t, s, "a", 10)
			storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				deep := tenancy.Organization{ID: "org_a2", TenantID: a.Tenant.ID, ParentID: a.Below.ID, Path: []tenancy.OrgID{a.Root.ID, a.Below.ID, "org_a2"}, Name: "Deep", State: tenancy.Active}
				side := tenancy.Organization{ID: "org_a3", TenantID: a.Tenant.ID, ParentID: a.Root.ID, Path: []tenancy.OrgID{a.Root.ID, "org_a3"}, Name: "Side", State: tenancy.Active}
				return errors.Join(tx.InsertOrganization(deep), tx.InsertOrganization(side))
			})
			for _, into := range []tenancy.OrgID{a.Below.ID, "org_a2"} {
				_, err := s.Write(t.Context(), a.Tenant.ID, func(tx *store.Tx) error { return tx.MoveOrganization(a.Below.ID, into) })
				if !problem.HasCode(err, "organization_cycle") {
					t.Errorf("moving below itself: %v", err)
				}
			}
			storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error { return tx.MoveOrganization(a.Below.ID, "org_a3") })
			storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				o, err := tx.Organization("org_a2")
				want := []tenancy.OrgID{a.Root.ID, "org_a3", a.Below.ID, "org_a2"}
				if d := cmp.Diff(want, o.Path); d != "" || err != nil {
					t.Errorf("the path below: %v\n%s", err, d)
				}
				below, err := tx.Organizations(store.OrganizationFilter{At: "org_a3"}, store.Page{})
				if len(below.Items) != 3 || err != nil {
					t.Errorf("%d organizations below, %v", len(below.Items), err)
				}
				return nil
			})
		})
	}
}
