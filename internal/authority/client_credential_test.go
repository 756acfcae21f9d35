package authority_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
)

// people of VC: an admin, two supervisors and an agent, with their licences.
func (w *world) contactCentre() (admin, supervisor, colleague, agent access.Caller) {
	w.Helper()
	for _, p := range []struct {
		caller              *access.Caller
		name, role, licence string
	}{
		{&admin, "admin", access.RoleAdmin, "admin"},
		{&supervisor, "sue", access.RoleSupervisor, "supervisor"},
		{&colleague, "sam", access.RoleSupervisor, "supervisor"},
		{&agent, "ann", access.RoleSupervisor, "agent"},
	} {
		*p.caller = w.member(w.acme.ID, "", p.name, w.builtIn(w.acme.ID, p.role))
		w.licence(*p.caller, p.licence)
	}
	return admin, supervisor, colleague, agent
}

// VC1: the licence decides which scopes are offered, and whether there is a page at all.
func TestLicenceDecidesScopes(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		admin, supervisor, _, agent := w.contactCentre()
		offered, err := w.a.ClientCredentialScopes(ctx, supervisor, authority.ScopesInput{})
		w.must(err)
		if want := []access.Permission{"contact_center_analytics:read", "evaluations:read", "recent_calls:read"}; !slices.Equal(offered.Scopes, want) || offered.Licence != "supervisor" {
			t.Errorf("a supervisor is offered %v by %q", offered.Scopes, offered.Licence)
		}
		all, err := w.a.ClientCredentialScopes(ctx, admin, authority.ScopesInput{})
		w.must(err)
		if len(all.Scopes) <= len(offered.Scopes) || slices.Contains(all.Scopes, "statistics:read") || slices.Contains(all.Scopes, "call_recordings:delete") { // VC7, and roles
			t.Errorf("an admin is offered %v", all.Scopes)
		}
		k := w.client(supervisor, "recent_calls:read", "evaluations:read")
		parsed, ok := (secret.Format{}).Parse(k.Secret.Reveal())
		if _, err := uuid.Parse(k.PublicID); err != nil || !ok || parsed.Type != secret.ClientSecret || credential.ID(parsed.ID) != k.ID || k.Principal != supervisor.Principal {
			t.Errorf("client ID %q, secret %v, %+v", k.PublicID, parsed, k.Key)
		}
		issue := func(c access.Caller, scopes ...access.Permission) func() error {
			return func() error {
				_, err := w.a.IssueClientCredential(ctx, c, authority.IssueClientCredentialInput{Name: "c", Scopes: scopes})
				return err
			}
		}
		w.refused("beyond the licence", problem.Denied, "scope_not_offered", issue(supervisor, "recent_calls:read", "work_chat:read"))
		w.refused("beyond the roles", problem.Denied, "scope_not_offered", issue(admin, "call_recordings:delete"))
		w.refused("a legacy API's", problem.Invalid, "", issue(admin, "statistics:read")) // VC7
		w.refused("an unknown scope", problem.Invalid, "", issue(admin, "claviger.users:manage"))
		w.refused("a scope twice", problem.Invalid, "", issue(admin, "recent_calls:read", "recent_calls:read"))
		w.refused("no scope", problem.Invalid, "", issue(admin))
		w.refused("another licence", problem.Denied, "licence_without_api_credentials", issue(agent, "recent_calls:read"))
		w.refused("another licence's page", problem.Denied, "licence_without_api_credentials", func() error {
			_, err := w.a.ClientCredentials(ctx, agent, authority.ClientCredentialsInput{})
			return err
		})
		w.refused("for another user", problem.Denied, "owner_is_creator", func() error {
			_, err := w.a.IssueClientCredential(ctx, admin, authority.IssueClientCredentialInput{Name: "c", Owner: userOf(supervisor), Scopes: []access.Permission{"recent_calls:read"}})
			return err
		})
		w.refused("a licence that is not there", problem.Invalid, "", func() error {
			_, err := w.a.ChangeUser(ctx, w.super, authority.ChangeUserInput{ID: userOf(agent), Licence: ptr("gold")})
			return err
		})
	})
}

// VC2, VC3, VC4: one's own; all for admins, who end others' and have no part in what they do.
func TestWhoseClientCredentials(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		admin, supervisor, colleague, _ := w.contactCentre()
		mine, theirs, admins := w.client(supervisor), w.client(colleague), w.client(admin)
		account, err := w.a.IssueClientCredential(ctx, admin, authority.IssueClientCredentialInput{Level: authority.LevelAccount, Name: "crm", Scopes: []access.Permission{"recent_calls:read"}})
		w.must(err)
		if account.Principal != (access.Principal{Type: access.PrincipalTenant, ID: string(w.acme.ID)}) {
			t.Errorf("account level: %+v", account.Key)
		}
		list := func(c access.Caller, in authority.ClientCredentialsInput) (n int) {
			t.Helper()
			l, err := w.a.ClientCredentials(ctx, c, in)
			w.must(err)
			return len(l.Items)
		}
		for name, c := range map[string]struct {
			got, want int
		}{
			"a supervisor's":            {list(supervisor, authority.ClientCredentialsInput{}), 1},
			"an admin's":                {list(admin, authority.ClientCredentialsInput{}), 4},
			"an admin's own":            {list(admin, authority.ClientCredentialsInput{Mine: true}), 1},
			"the tab Users":             {list(admin, authority.ClientCredentialsInput{Level: authority.LevelUser}), 3},
			"the tab Accounts":          {list(admin, authority.ClientCredentialsInput{Level: authority.LevelAccount}), 1},
			"a supervisor's Accounts":   {list(supervisor, authority.ClientCredentialsInput{Level: authority.LevelAccount}), 0},
			"the system administrators": {list(w.system, authority.ClientCredentialsInput{Tenant: w.acme.ID}), 4},
		} {
			if c.got != c.want {
				t.Errorf("%s: %d, want %d", name, c.got, c.want)
			}
		}
		changed, err := w.a.ChangeClientCredential(ctx, supervisor, authority.ChangeClientCredentialInput{ID: mine.ID, Name: ptr("bi"), Scopes: &[]access.Permission{"evaluations:read"}})
		if err != nil || changed.Name != "bi" || !slices.Equal(changed.Scopes, []access.Grant{"evaluations:read"}) {
			t.Errorf("one's own: %+v, %v", changed, err)
		}
		_, err = w.a.ChangeClientCredential(ctx, admin, authority.ChangeClientCredentialInput{ID: account.ID, Name: ptr("crm 2")})
		w.must(err)
		change := func(c access.Caller, id credential.ID) func() error {
			return func() error {
				_, err := w.a.ChangeClientCredential(ctx, c, authority.ChangeClientCredentialInput{ID: id, Name: ptr("x")})
				return err
			}
		}
		w.refused("another's by an admin", problem.Denied, "not_owner", change(admin, mine.ID))
		w.refused("another's", problem.Denied, "permission_required", change(supervisor, theirs.ID))
		w.refused("the account's", problem.Denied, "permission_required", change(supervisor, account.ID))
		w.refused("a new secret of another's", problem.Denied, "not_owner", func() error {
			_, err := w.a.RotateClientCredential(ctx, admin, authority.RotateKeyInput{ID: mine.ID})
			return err
		})
		w.refused("delete another's", problem.Denied, "permission_required", func() error {
			_, err := w.a.DeleteClientCredential(ctx, supervisor, authority.KeyInput{ID: admins.ID})
			return err
		})
		for _, id := range []credential.ID{mine.ID, theirs.ID, account.ID} { // VC4
			_, err := w.a.DeleteClientCredential(ctx, admin, authority.KeyInput{ID: id})
			w.must(err)
		}
	})
}

// Whatever scopes are chosen from is what the owner may do now.
func TestEditedScopesAreChosenAnew(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		_, supervisor, _, _ := w.contactCentre()
		k := w.client(supervisor, "recent_calls:read")
		w.licence(supervisor, "agent")
		w.refused("edit without a licence", problem.Denied, "licence_without_api_credentials", func() error {
			_, err := w.a.ChangeClientCredential(ctx, supervisor, authority.ChangeClientCredentialInput{ID: k.ID, Scopes: &[]access.Permission{"recent_calls:read"}})
			return err
		})
		_, err := w.a.RevokeClientCredential(ctx, supervisor, authority.KeyInput{ID: k.ID}) // ending it is never refused
		w.must(err)
	})
}

// VC5: a user who owns living client credentials stays, and the refusal names them.
func TestOwnersOfClientCredentialsStay(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		_, supervisor, _, _ := w.contactCentre()
		active, suspended, revoked := w.client(supervisor), w.client(supervisor), w.client(supervisor)
		_, err := w.a.SuspendClientCredential(ctx, supervisor, authority.KeyInput{ID: suspended.ID})
		w.must(err)
		_, err = w.a.RevokeClientCredential(ctx, supervisor, authority.KeyInput{ID: revoked.ID})
		w.must(err)
		remove := func() error {
			_, err := w.a.DeleteUser(ctx, w.super, authority.UserInput{ID: userOf(supervisor)})
			return err
		}
		w.refused("delete", problem.Conflict, "owns_client_credentials", remove)
		message := problem.As(remove()).Message
		if !strings.Contains(message, active.PublicID) || !strings.Contains(message, suspended.PublicID) || strings.Contains(message, revoked.PublicID) || !strings.Contains(message, "integration") {
			t.Errorf("it says: %s", message)
		}
		for _, id := range []credential.ID{active.ID, suspended.ID} {
			_, err := w.a.DeleteClientCredential(ctx, w.super, authority.KeyInput{ID: id})
			w.must(err)
		}
		w.must(remove())
	})
}

// Nobody hands out scopes by a licence that they could not use themselves.
func TestLicencesAreGifts(t *testing.T) {
	engines(t, func(w *world) {
		_, _, _, agent := w.contactCentre()
		manager := w.someone(string(access.UsersManage), string(access.OrganizationsRead), string(access.UsersRead), string(access.ClientCredentialsManageOwn))
		w.refused("raise a licence", problem.Denied, "more_than_held", func() error {
			_, err := w.a.ChangeUser(w.Context(), manager, authority.ChangeUserInput{ID: userOf(agent), Licence: ptr("admin")})
			return err
		})
	})
}
