package authority_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// byKey is an organization's key as a caller.
func (w *world) byKey(k authority.IssuedKey) access.Caller {
	return access.Caller{
		Tenant: w.acme.ID, Principal: k.Principal, Organization: k.OrganizationID, Via: access.ViaCredential, CredentialID: k.ID.String(),
	}
}

// desktopUser is a new user of acme with the licence for the demo's client.
func (w *world) desktopUser(at tenancy.OrgID) tenancy.User {
	w.Helper()
	names++
	u, err := w.a.CreateUser(w.Context(), authority.SystemCaller(), authority.CreateUserInput{
		Tenant: w.acme.ID, OrganizationID: at, Username: fmt.Sprintf("desktop-%d", names), Licence: "agent",
	})
	w.must(err)
	return u.User
}

// proofRows are the rows of the walk whose caller is the credential that their input is about.
var proofRows = func() map[string]row {
	var key authority.IssuedKey
	var user tenancy.User
	prepare := func(w *world) {
		key, user = w.organizationKey(w.north.ID), w.desktopUser(w.team.ID)
	}
	caller := func(w *world) access.Caller { return w.byKey(key) }
	rows := map[string]row{}
	rows["SignInAutomatically"] = row{
		action: "session.begin_automatic", caller: caller, foreign: problem.Denied,
		input: func(w *world) any {
			prepare(w)
			return authority.SignInAutomaticallyInput{Username: user.Username, Client: "desktop"}
		},
	}
	rows["AutomaticSignIn"] = row{
		caller: caller, foreign: problem.Denied,
		input: func(w *world) any {
			prepare(w)
			return authority.AutomaticSignInInput{User: user.ID, Client: "desktop"}
		},
	}
	rows["RevokeToken"] = row{
		action: "token.revoke", caller: caller, foreign: problem.Denied,
		input: func(w *world) any {
			prepare(w)
			return authority.RevokeTokenInput{ID: "tok_1", Credential: key.ID, ExpiresAt: w.clock.Now().Add(time.Minute)}
		},
	}
	return rows
}()

// NV2: the key is the right, as long as it is good; and what a person may not through their
// own credentials, nobody may through theirs.
func TestAutomaticSignInNeedsAnOrganizationsKey(t *testing.T) {
	engines(t, func(w *world) {
		u := w.desktopUser(w.team.ID)
		in := authority.SignInAutomaticallyInput{Username: u.Username, Client: "desktop"}
		try := func(c access.Caller) func() error {
			return func() error {
				_, err := w.a.SignInAutomatically(w.Context(), c, in)
				return err
			}
		}
		k := w.organizationKey(w.north.ID)
		out, err := w.a.SignInAutomatically(w.Context(), w.byKey(k), in)
		w.must(err)
		if out.User.ID != u.ID || out.Credential != k.ID || out.TokenLifetime != tenancy.DefaultTokenLifetime || !out.KeyExpiresAt.Equal(k.ExpiresAt) {
			w.Errorf("it answers %+v", out)
		}
		w.refused("a person's key", problem.Denied, "not_an_organization_key", try(with(w.super, w.key(w.super))))
		w.refused("a key of another branch", problem.Denied, "user_elsewhere", try(w.byKey(w.organizationKey(w.south.ID))))
		stranger := w.byKey(k)
		stranger.CredentialID = "crd_000000000000"
		w.refused("a key that never was", problem.Unauthenticated, "caller_stopped", try(stranger))
		for _, step := range []func(authority.KeyInput) error{
			func(i authority.KeyInput) error { _, err := w.a.SuspendAPIKey(w.Context(), w.super, i); return err },
			func(i authority.KeyInput) error { _, err := w.a.RevokeAPIKey(w.Context(), w.super, i); return err },
		} {
			w.must(step(authority.KeyInput{ID: k.ID}))
			w.refused("a key that was stopped", problem.Unauthenticated, "caller_stopped", try(w.byKey(k)))
		}
	})
}

// A user whose whole name matches comes before one of a domain.
func TestAutomaticSignInTakesTheWholeNameFirst(t *testing.T) {
	engines(t, func(w *world) {
		u := w.desktopUser(w.team.ID)
		_, err := w.a.ChangeOrganization(w.Context(), w.super, authority.ChangeOrganizationInput{ID: w.north.ID, Domains: &[]string{"Corp.Example"}})
		w.must(err)
		k := w.byKey(w.organizationKey(w.north.ID))
		who := func(name string) tenancy.UserID {
			out, err := w.a.SignInAutomatically(w.Context(), k, authority.SignInAutomaticallyInput{Username: name, Client: "desktop"})
			w.must(err)
			return out.User.ID
		}
		name := u.Username + "@corp.example"
		if got := who(name); got != u.ID {
			w.Errorf("by the domain: %s", got)
		}
		whole, err := w.a.CreateUser(w.Context(), w.super, authority.CreateUserInput{OrganizationID: w.north.ID, Username: name, Licence: "agent"})
		w.must(err)
		if got := who(name); got != whole.User.ID {
			w.Errorf("the whole name is somebody's: %s", got)
		}
		if got := who(`CORP.EXAMPLE\` + u.Username); got != u.ID {
			w.Errorf("with the domain in front: %s", got)
		}
	})
}

func TestRevokedTokensAreBounded(t *testing.T) {
	engines(t, func(w *world) {
		k := w.organizationKey(w.north.ID)
		caller := w.byKey(k)
		revoke := func(id string, life time.Duration) error {
			_, err := w.a.RevokeToken(w.Context(), caller, authority.RevokeTokenInput{ID: id, Credential: k.ID, ExpiresAt: w.clock.Now().Add(life)})
			return err
		}
		for i := range 1000 {
			w.must(revoke(fmt.Sprintf("tok_%d", i), 10*time.Minute))
		}
		w.refused("one more", problem.TooMany, "too_many_revoked_tokens", func() error { return revoke("tok_more", 10*time.Minute) })
		before := w.state()
		w.must(revoke("tok_7", 10*time.Minute))
		w.must(revoke("tok_over", 0))
		if w.state() != before {
			w.Error("what is revoked or over already was written")
		}
		other := w.key(w.super).ID
		w.refused("another's", problem.NotFound, "", func() error {
			_, err := w.a.RevokeToken(w.Context(), caller, authority.RevokeTokenInput{ID: "tok_x", Credential: other, ExpiresAt: w.clock.Now().Add(time.Minute)})
			return err
		})
		w.refused("a long-lived one", problem.Invalid, "", func() error { return revoke("tok_long", 24*time.Hour) })
		w.clock.Add(10 * time.Minute)
		w.must(revoke("tok_more", 10*time.Minute))
		var n int
		w.must(w.raw.QueryRowContext(w.Context(), "SELECT count(*) FROM revoked_tokens").Scan(&n))
		if n != 1 {
			w.Errorf("%d rows are kept, want the one that matters", n)
		}
	})
}
