package authority_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Sixteen administrators take each other's rights at once; one is left, whichever it is.
func TestLastAdministrator(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		role := w.builtIn(w.acme.ID, access.RoleSuperAdmin)
		admins := []access.Caller{w.super}
		held := []access.AssignmentID{w.assignmentsOf(w.super)[0].ID}
		for i := range 15 {
			c := w.member(w.acme.ID, "", fmt.Sprintf("admin-%d", i), "")
			admins, held = append(admins, c), append(held, w.assign(w.acme.ID, userOf(c), role, w.acme.RootOrg).ID)
		}
		var wg sync.WaitGroup
		for i := range admins {
			wg.Go(func() {
				for step := range len(admins) {
					victim := (i + step) % len(admins)
					in := authority.UserInput{ID: userOf(admins[victim])}
					var err error
					switch (i + step) % 3 {
					case 0:
						_, err = w.a.Unassign(ctx, admins[i], authority.AssignmentInput{ID: held[victim]})
					case 1:
						_, err = w.a.SuspendUser(ctx, admins[i], in)
					case 2:
						_, err = w.a.DeleteUser(ctx, admins[i], in)
					}
					if p := problem.As(err); p != nil && (p.Kind == problem.Internal || p.Kind == problem.Unavailable) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		left := 0
		for i, c := range admins {
			if _, err := w.a.AuditEvents(ctx, c, authority.AuditEventsInput{}); err == nil {
				left++
				w.refused("the last one leaves", problem.Conflict, "last_administrator", func() error {
					_, err := w.a.Unassign(ctx, c, authority.AssignmentInput{ID: held[i]})
					return err
				})
			}
		}
		if left != 1 {
			t.Errorf("%d administrators are left, want 1", left)
		}
	})
}

func (w *world) assignmentsOf(c access.Caller) []access.Assignment {
	w.Helper()
	list, err := w.a.Assignments(w.Context(), authority.SystemCaller(), authority.AssignmentsInput{Tenant: c.Tenant, Principal: c.Principal})
	w.must(err)
	held := make([]access.Assignment, len(list.Items))
	for i, as := range list.Items {
		held[i] = as.Assignment
	}
	return held
}

// Every other way to lose the last administrator is closed too.
func TestLastAdministratorByOtherWays(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx, sys := t.Context(), authority.SystemCaller()
		grants := []access.Grant{access.Grant(access.AssignmentsManage)}
		role := w.role("Giver", string(grants[0]))
		giver := userOf(w.member(w.acme.ID, w.north.ID, "giver", ""))
		w.assign(w.acme.ID, giver, role, w.acme.RootOrg)
		_, err := w.a.SuspendUser(ctx, sys, authority.UserInput{ID: userOf(w.super)})
		w.must(err)
		w.refused("empty the role", problem.Conflict, "last_administrator", func() error {
			_, err := w.a.ChangeRole(ctx, sys, authority.ChangeRoleInput{ID: role, Permissions: &[]access.Grant{}})
			return err
		})
		w.refused("suspend the organization", problem.Conflict, "last_administrator", func() error {
			_, err := w.a.SuspendOrganization(ctx, sys, authority.OrganizationInput{ID: w.north.ID})
			return err
		})
		_, err = w.a.SuspendOrganization(ctx, sys, authority.OrganizationInput{ID: w.south.ID})
		w.must(err)
		w.refused("move to a suspended organization", problem.Conflict, "last_administrator", func() error {
			_, err := w.a.ChangeUser(ctx, sys, authority.ChangeUserInput{ID: giver, OrganizationID: &w.south.ID})
			return err
		})
	})
}

// Rights reach down the tree and nowhere else; someone with more rights is out of reach.
func TestReach(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		below := w.member(w.acme.ID, w.team.ID, "below", "")
		beside := w.member(w.acme.ID, w.south.ID, "beside", "")
		boss := w.member(w.acme.ID, w.team.ID, "boss", "")
		w.assign(w.acme.ID, userOf(boss), w.builtIn(w.acme.ID, access.RoleSuperAdmin), w.acme.RootOrg)
		_, err := w.a.SuspendUser(ctx, w.northern, authority.UserInput{ID: userOf(below)})
		w.must(err)
		w.refused("beside", problem.Denied, "permission_required", func() error {
			_, err := w.a.SuspendUser(ctx, w.northern, authority.UserInput{ID: userOf(beside)})
			return err
		})
		for name, do := range map[string]func() error{
			"suspend": func() error {
				_, err := w.a.SuspendUser(ctx, w.northern, authority.UserInput{ID: userOf(boss)})
				return err
			},
			"delete": func() error {
				_, err := w.a.DeleteUser(ctx, w.northern, authority.UserInput{ID: userOf(boss)})
				return err
			},
			"invite": func() error {
				_, err := w.a.InviteUser(ctx, w.northern, authority.UserInput{ID: userOf(boss)})
				return err
			},
			"rename": func() error {
				_, err := w.a.ChangeUser(ctx, w.northern, authority.ChangeUserInput{ID: userOf(boss), Username: ptr("x")})
				return err
			},
		} {
			w.refused(name+" one with more rights", problem.Denied, "outranked", do)
		}
		list, err := w.a.Users(ctx, w.northern, authority.UsersInput{})
		w.must(err)
		for _, u := range list.Items {
			if u.ID == userOf(beside) || u.ID == userOf(w.super) {
				t.Errorf("the list at north shows %s", u.Username)
			}
		}
		found, err := w.a.Users(ctx, w.super, authority.UsersInput{Search: "BESI"})
		w.must(err)
		if len(found.Items) != 1 || found.Items[0].ID != userOf(beside) {
			t.Errorf("the search found %d users, want 1", len(found.Items))
		}
		if len(list.Items) != 3 {
			t.Errorf("the list at north has %d users, want 3", len(list.Items))
		}
		w.refused("list elsewhere", problem.Denied, "", func() error {
			_, err := w.a.Users(ctx, w.northern, authority.UsersInput{At: w.south.ID})
			return err
		})
	})
}

// PV5, PV10, VX7: nobody gives what they lack, and nobody lifts themselves.
func TestGiving(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		root := func(in authority.AssignInput) authority.AssignInput { in.Tenant = w.acme.ID; return in }
		giver := w.someone(string(access.AssignmentsManage), string(access.RolesManage), "recordings:read")
		reader, writer := w.role("Reader", "recordings:read"), w.role("Writer", "recordings:write")
		_, err := w.a.Assign(ctx, giver, root(authority.AssignInput{Principal: w.nobody.Principal, RoleID: reader}))
		w.must(err)
		w.refused("twice", problem.Conflict, "already_assigned", func() error {
			_, err := w.a.Assign(ctx, giver, root(authority.AssignInput{Principal: w.nobody.Principal, RoleID: reader}))
			return err
		})
		for _, to := range []access.Caller{w.nobody, giver} {
			w.refused("what they lack", problem.Denied, "more_than_held", func() error {
				_, err := w.a.Assign(ctx, giver, root(authority.AssignInput{Principal: to.Principal, RoleID: writer}))
				return err
			})
		}
		own, err := w.a.CreateRole(ctx, giver, authority.CreateRoleInput{Name: "Own", Permissions: []access.Grant{"recordings:read"}})
		w.must(err)
		w.refused("make a role of more", problem.Denied, "more_than_held", func() error {
			_, err := w.a.CreateRole(ctx, giver, authority.CreateRoleInput{Name: "More", Permissions: []access.Grant{"*:*"}})
			return err
		})
		w.refused("grow one's own role", problem.Denied, "more_than_held", func() error {
			_, err := w.a.ChangeRole(ctx, giver, authority.ChangeRoleInput{ID: w.assignmentsOf(giver)[0].RoleID, Permissions: &[]access.Grant{
				access.Grant(access.AssignmentsManage), access.Grant(access.RolesManage), "recordings:*",
			}})
			return err
		})
		w.refused("include a greater role", problem.Denied, "more_than_held", func() error {
			_, err := w.a.ChangeRole(ctx, giver, authority.ChangeRoleInput{ID: own.ID, Includes: &[]access.RoleID{writer}})
			return err
		})
		w.refused("shrink a greater role", problem.Denied, "more_than_held", func() error {
			_, err := w.a.ChangeRole(ctx, giver, authority.ChangeRoleInput{ID: writer, Permissions: &[]access.Grant{}})
			return err
		})
		manager := w.someone(string(access.UsersManage))
		w.refused("take over an account", problem.Denied, "", func() error {
			_, err := w.a.InviteUser(ctx, manager, authority.UserInput{ID: userOf(giver)})
			return err
		})
	})
}

func TestRoles(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		w.refused("edit a built-in role", problem.Conflict, "built_in_role", func() error {
			_, err := w.a.ChangeRole(ctx, w.super, authority.ChangeRoleInput{ID: w.builtIn(w.acme.ID, access.RoleAgent), Name: ptr("x")})
			return err
		})
		inner := w.role("Inner", "recordings:read")
		outer, err := w.a.CreateRole(ctx, w.super, authority.CreateRoleInput{Name: "Outer", Includes: []access.RoleID{inner}})
		w.must(err)
		w.refused("a circle", problem.Invalid, "", func() error {
			_, err := w.a.ChangeRole(ctx, w.super, authority.ChangeRoleInput{ID: inner, Includes: &[]access.RoleID{outer.ID}})
			return err
		})
		w.refused("delete an included role", problem.Conflict, "role_in_use", func() error {
			_, err := w.a.DeleteRole(ctx, w.super, authority.RoleInput{ID: inner})
			return err
		})
		w.refused("the same name", problem.Conflict, "name_taken", func() error {
			_, err := w.a.CreateRole(ctx, w.super, authority.CreateRoleInput{Name: "OUTER"})
			return err
		})
		w.refused("another tenant's role", problem.Invalid, "", func() error {
			_, err := w.a.CreateRole(ctx, w.super, authority.CreateRoleInput{Name: "r", Includes: []access.RoleID{w.builtIn(w.other.ID, access.RoleAgent)}})
			return err
		})
		as := w.assign(w.acme.ID, userOf(w.nobody), outer.ID, w.acme.RootOrg)
		w.refused("delete a role in use", problem.Conflict, "role_in_use", func() error {
			_, err := w.a.DeleteRole(ctx, w.super, authority.RoleInput{ID: outer.ID})
			return err
		})
		_, err = w.a.Unassign(ctx, w.super, authority.AssignmentInput{ID: as.ID})
		w.must(err)
		_, err = w.a.DeleteRole(ctx, w.super, authority.RoleInput{ID: outer.ID})
		w.must(err)
	})
}

// PV10 for callers: what is taken away is gone for the very next change.
func TestRightsAreThoseOfNow(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.holder)
		caller := with(w.holder, k)
		w.key(caller)
		role := w.assignmentsOf(w.holder)[0].RoleID
		_, err := w.a.ChangeRole(ctx, w.super, authority.ChangeRoleInput{ID: role, Permissions: &[]access.Grant{"recordings:read"}})
		w.must(err)
		issue := func(c access.Caller) func() error {
			return func() error { _, err := w.a.IssueAPIKey(ctx, c, authority.IssueAPIKeyInput{Name: "k"}); return err }
		}
		w.refused("after the role lost it", problem.Denied, "permission_required", issue(caller))
		_, err = w.a.ChangeRole(ctx, w.super, authority.ChangeRoleInput{ID: role, Permissions: &[]access.Grant{access.Grant(access.APIKeysGenerate)}})
		w.must(err)
		w.key(caller)
		for name, stop := range map[string][2]func() error{
			"user": {
				func() error {
					_, err := w.a.SuspendUser(ctx, w.super, authority.UserInput{ID: userOf(w.holder)})
					return err
				},
				func() error {
					_, err := w.a.ResumeUser(ctx, w.super, authority.UserInput{ID: userOf(w.holder)})
					return err
				},
			},
			"tenant": {
				func() error {
					_, err := w.a.SuspendTenant(ctx, w.system, authority.TenantInput{ID: w.acme.ID})
					return err
				},
				func() error {
					_, err := w.a.ResumeTenant(ctx, w.system, authority.TenantInput{ID: w.acme.ID})
					return err
				},
			},
		} {
			w.must(stop[0]())
			w.refused("suspended "+name, problem.Unauthenticated, "caller_stopped", issue(caller))
			w.refused("suspended "+name+" by session", problem.Unauthenticated, "caller_stopped", issue(w.holder))
			w.must(stop[1]())
			w.key(caller)
		}
		_, err = w.a.SuspendOrganization(ctx, w.super, authority.OrganizationInput{ID: w.north.ID})
		w.must(err)
		w.refused("suspended organization", problem.Unauthenticated, "caller_stopped", issue(w.northern))
	})
}

func TestUserEnds(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.holder)
		open := func() {
			_, err := w.store.Write(ctx, w.acme.ID, func(tx *store.Tx) error {
				return tx.AllTenantsPutSession(store.Session{
					TokenHash: []byte("0123456789abcdef0123456789abcdef"), PublicID: "ses_1", TenantID: w.acme.ID, UserID: userOf(w.holder), Data: []byte("x"),
					CreatedAt: w.clock.Now(), SeenAt: w.clock.Now(), IdleExpiresAt: w.clock.Now().Add(time.Hour), ExpiresAt: w.clock.Now().Add(time.Hour),
				})
			})
			w.must(err)
		}
		sessions := func() (n int) {
			w.must(w.store.Read(ctx, w.acme.ID, func(tx *store.Tx) error {
				list, err := tx.SessionsOf(userOf(w.holder))
				n = len(list)
				return err
			}))
			return n
		}
		open()
		_, err := w.a.SuspendUser(ctx, w.super, authority.UserInput{ID: userOf(w.holder)})
		w.must(err)
		if sessions() != 0 {
			t.Error("suspension left a session")
		}
		_, err = w.a.ResumeUser(ctx, w.super, authority.UserInput{ID: userOf(w.holder)})
		w.must(err)
		open()
		_, err = w.a.DeleteUser(ctx, w.super, authority.UserInput{ID: userOf(w.holder)})
		w.must(err)
		got, err := w.a.APIKey(ctx, w.super, authority.KeyInput{ID: k.ID})
		w.must(err)
		if sessions() != 0 || got.State != credential.Revoked {
			t.Errorf("after deletion: %d sessions, key %s", sessions(), got.State)
		}
		entries := w.entries()
		if len(entries) != 2 || entries[0].CredentialID != k.ID.String() || entries[1].Action != authority.JournalUserDeleted || entries[1].UserID != userOf(w.holder) {
			t.Errorf("journal = %+v", entries)
		}
		w.refused("twice", problem.NotFound, "", func() error {
			_, err := w.a.DeleteUser(ctx, w.super, authority.UserInput{ID: userOf(w.holder)})
			return err
		})
		if again, err := w.a.CreateUser(ctx, w.super, authority.CreateUserInput{Username: "Holder"}); err != nil || again.User.ID == userOf(w.holder) {
			t.Errorf("the name of a deleted user: %v", err)
		}
	})
}

func TestUsernames(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		_, err := w.a.CreateUser(ctx, w.super, authority.CreateUserInput{Username: "Straße"})
		w.must(err)
		for _, same := range []string{"STRASSE", "strasse", "ｓｔｒａｓｓｅ", "Straße"} {
			w.refused(same, problem.Conflict, "username_taken", func() error {
				_, err := w.a.CreateUser(ctx, w.super, authority.CreateUserInput{Username: same})
				return err
			})
		}
		other, err := w.a.CreateUser(ctx, w.foreign, authority.CreateUserInput{Username: "strasse"})
		w.must(err)
		if other.Invitation.Token.IsZero() || !other.Invitation.ExpiresAt.Equal(w.clock.Now().Add(authority.InvitationLifetime)) {
			t.Errorf("invitation = %v", other.Invitation.ExpiresAt)
		}
		u, err := w.a.ChangeUser(ctx, w.super, authority.ChangeUserInput{ID: userOf(w.nobody), Username: ptr("Nobody.Else")})
		w.must(err)
		if u.Username != "Nobody.Else" {
			t.Errorf("name = %q", u.Username)
		}
	})
}

// A key goes where its owner goes.
func TestMoveUser(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.holder)
		_, err := w.a.ChangeUser(ctx, w.super, authority.ChangeUserInput{ID: userOf(w.holder), OrganizationID: &w.team.ID})
		w.must(err)
		got, err := w.a.APIKey(ctx, w.northern, authority.KeyInput{ID: k.ID})
		w.must(err)
		if got.OrganizationID != w.team.ID {
			t.Errorf("the key stayed at %s", got.OrganizationID)
		}
		// Below there waits a role that the mover could not give.
		w.assign(w.acme.ID, userOf(w.nobody), w.builtIn(w.acme.ID, access.RoleSuperAdmin), w.team.ID)
		_, err = w.a.ChangeUser(ctx, w.super, authority.ChangeUserInput{ID: userOf(w.nobody), OrganizationID: &w.north.ID})
		w.must(err)
		w.refused("into more rights", problem.Denied, "", func() error {
			_, err := w.a.ChangeUser(ctx, w.northern, authority.ChangeUserInput{ID: userOf(w.nobody), OrganizationID: &w.team.ID})
			return err
		})
	})
}

func TestOrganizations(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		move := func(c access.Caller, id, to tenancy.OrgID) func() error {
			return func() error {
				_, err := w.a.ChangeOrganization(ctx, c, authority.ChangeOrganizationInput{ID: id, Parent: &to})
				return err
			}
		}
		w.refused("a circle", problem.Invalid, "", move(w.super, w.north.ID, w.team.ID))
		w.refused("the root", problem.Conflict, "root_organization", move(w.super, w.acme.RootOrg, w.north.ID))
		w.refused("to another tenant", problem.Invalid, "", move(w.super, w.north.ID, w.other.RootOrg))
		w.refused("out of reach", problem.Denied, "", move(w.northern, w.team.ID, w.south.ID))
		w.refused("in use", problem.Conflict, "organization_in_use", func() error {
			_, err := w.a.RemoveOrganization(ctx, w.super, authority.OrganizationInput{ID: w.north.ID})
			return err
		})
		// One who may move at both places, but holds more at one of them, lifts himself by it.
		mover := w.someone(string(access.OrganizationsManage))
		w.assign(w.acme.ID, userOf(mover), w.role("South", "recordings:*"), w.south.ID)
		w.refused("under one's own rights", problem.Denied, "more_than_held", move(mover, w.team.ID, w.south.ID))
		w.must(move(w.super, w.team.ID, w.south.ID)())
		got, err := w.a.Organization(ctx, w.super, authority.OrganizationInput{ID: w.team.ID})
		w.must(err)
		if len(got.Path) != 3 || got.Path[1] != w.south.ID || got.ParentID != w.south.ID {
			t.Errorf("path = %v", got.Path)
		}
		deep := w.south.ID
		for range tenancy.MaxDepth - 2 {
			deep = w.organization(deep, "deeper").ID
		}
		w.refused("too deep", problem.Invalid, "", func() error {
			_, err := w.a.CreateOrganization(ctx, w.super, authority.CreateOrganizationInput{Parent: deep, Name: "x"})
			return err
		})
		w.refused("moved too deep", problem.Invalid, "", move(w.super, w.north.ID, deep))
	})
}

func TestTenants(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		if w.acme.AccountID == 0 || w.acme.AccountID == w.other.AccountID {
			t.Errorf("account IDs %d and %d", w.acme.AccountID, w.other.AccountID)
		}
		w.refused("a slug twice", problem.Conflict, "slug_taken", func() error {
			_, err := w.a.CreateTenant(ctx, w.system, authority.CreateTenantInput{Slug: "acme", Name: "A", PlanID: w.plan})
			return err
		})
		w.refused("no plan", problem.Invalid, "", func() error {
			_, err := w.a.CreateTenant(ctx, w.system, authority.CreateTenantInput{Slug: "acme-2", Name: "A", PlanID: "pln_none"})
			return err
		})
		w.refused("a plan in use", problem.Conflict, "plan_in_use", func() error {
			_, err := w.a.DeletePlan(ctx, w.system, authority.PlanInput{ID: w.plan})
			return err
		})
		w.refused("one's own plan", problem.Denied, "system_only", func() error {
			_, err := w.a.ChangeTenant(ctx, w.super, authority.ChangeTenantInput{PlanID: &w.starter})
			return err
		})
		for _, do := range []func() error{
			func() error { _, err := w.a.SuspendTenant(ctx, w.system, authority.TenantInput{}); return err },
			func() error {
				_, err := w.a.DeleteTenant(ctx, w.system, authority.TenantInput{ID: tenancy.SystemTenantID})
				return err
			},
		} {
			w.refused("the system tenant", problem.Conflict, "system_tenant", do)
		}
		in := authority.CreateTenantInput{Slug: "once", Name: "Once", PlanID: w.plan, Idempotency: authority.Idempotency{Key: "k"}}
		first, err := w.a.CreateTenant(ctx, w.system, in)
		w.must(err)
		again, err := w.a.CreateTenant(ctx, w.system, in)
		w.must(err)
		if again.ID != first.ID {
			t.Error("a repeated request made a second tenant")
		}
		k := w.key(w.foreign)
		_, err = w.a.DeleteTenant(ctx, w.system, authority.TenantInput{ID: w.other.ID})
		w.must(err)
		if e := w.entries(); len(e) != 1 || e[0].Action != authority.JournalTenantDeleted || e[0].TenantID != w.other.ID {
			t.Errorf("journal = %+v", e)
		}
		w.refused("its callers", problem.NotFound, "", func() error { return w.call("Me", w.foreign, authority.MeInput{}) })
		w.refused("its objects", problem.NotFound, "", func() error { return w.call("APIKey", w.system, authority.KeyInput{ID: k.ID}) })
	})
}

func TestFirstAdmin(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		link := func() authority.FirstAdminLink {
			l, err := w.a.IssueFirstAdminLink(ctx, authority.SystemCaller(), authority.FirstAdminLinkInput{})
			w.must(err)
			return l
		}
		accept := func(l authority.FirstAdminLink, name string) (tenancy.User, error) {
			return w.a.AcceptFirstAdmin(ctx, access.Caller{}, authority.AcceptFirstAdminInput{Token: l.Token, Username: name, PasswordHash: "$argon2id$x"})
		}
		late := link()
		w.clock.Add(authority.FirstAdminLifetime)
		w.refused("too late", problem.Denied, "first_admin_link", func() error { _, err := accept(late, "root"); return err })
		w.refused("no token", problem.Denied, "first_admin_link", func() error { _, err := accept(authority.FirstAdminLink{}, "root"); return err })
		spare, good := link(), link()
		w.refused("a bad name", problem.Invalid, "", func() error { _, err := accept(good, ""); return err })
		u, err := accept(good, "root") // the refusal before did not use the link up
		w.must(err)
		me, err := w.a.Me(ctx, session(tenancy.SystemTenantID, u.ID), authority.MeInput{})
		w.must(err)
		if !me.System || !me.Permissions.Allows(access.TenantsManage) || me.User.Username != "root" {
			t.Errorf("me = %+v", me)
		}
		for _, l := range []authority.FirstAdminLink{good, spare} {
			w.refused("once more", problem.Conflict, "first_admin_closed", func() error { _, err := accept(l, "other"); return err })
		}
		w.refused("another link", problem.Conflict, "first_admin_closed", func() error {
			_, err := w.a.IssueFirstAdminLink(ctx, authority.SystemCaller(), authority.FirstAdminLinkInput{})
			return err
		})
		before := w.state()
		w.must(w.a.BootstrapSystem(ctx))
		if w.state() != before {
			t.Error("a second start changed something")
		}
	})
}

func TestMe(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		me, err := w.a.Me(ctx, w.northern, authority.MeInput{})
		w.must(err)
		if me.User.Username != "northern" || me.Organization.ID != w.north.ID || me.Tenant.ID != w.acme.ID || me.System || !me.Plan.APIAccess {
			t.Errorf("me = %+v", me)
		}
		if !me.Permissions.Allows("recordings:delete") || me.Permissions.Allows(access.TenantsManage) {
			t.Errorf("permissions = %v", me.Permissions)
		}
		w.refused("no one", problem.Unauthenticated, "", func() error { return w.call("Me", access.Caller{}, authority.MeInput{}) })
		w.refused("a claim", problem.Unauthenticated, "", func() error { return w.call("Me", session(w.acme.ID, "usr_none"), authority.MeInput{}) })
		w.refused("another tenant's user", problem.Unauthenticated, "", func() error { return w.call("Me", session(w.other.ID, userOf(w.super)), authority.MeInput{}) })
		lifted := w.nobody
		lifted.Holdings = []access.Holding{{Organization: w.acme.RootOrg, Set: access.Everything()}}
		w.refused("holdings from outside", problem.Denied, "", func() error { return w.call("Users", lifted, authority.UsersInput{}) })
	})
}
