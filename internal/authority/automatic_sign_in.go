package authority

import (
	"context"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// SignInAutomaticallyInput says who sits at a desktop client that holds an organization's
// key (NV2).
type SignInAutomaticallyInput struct {
	// Username is "user", "DOMAIN\user" or "user@domain", in any case. A user whose name is
	// all of it comes before one whose name is the part beside the domain.
	Username string
	Client   string // the desktop client's key in the catalogue
}

// AutomaticSignInInput names somebody who was signed in already.
type AutomaticSignInInput struct {
	User   tenancy.UserID
	Client string
}

// AutomaticSignIn is what a token for somebody's desktop client is made of.
type AutomaticSignIn struct {
	User          tenancy.User
	Credential    credential.ID // the organization's key
	KeyExpiresAt  time.Time     // zero for never
	TokenLifetime time.Duration
}

// SignInAutomatically finds the user at or below the organization of the caller's key, who
// must be active and licensed for the client and may hold no administrative right unless
// the tenant's policy allows it. It takes no permission: the key is the right.
//
// Every refusal is Denied, with a code that says why, for the log: whoever asked must not
// learn it. Audited as session.begin_automatic, with the key and the user.
func (a *Authority) SignInAutomatically(ctx context.Context, caller access.Caller, in SignInAutomaticallyInput) (out AutomaticSignIn, err error) {
	_, err = a.change(ctx, caller, "", func(c *change) error {
		k, err := c.signInKey()
		if err != nil {
			return err
		}
		u, err := c.userCalled(in.Username)
		if err != nil {
			return err
		}
		if out, err = c.automatic(k, u, in.Client); err != nil {
			return err
		}
		c.caller.Name = k.Name
		return c.record("session.begin_automatic", userTarget(out.User), nil,
			fields{"client": in.Client, "credential_id": k.ID.String(), "username": out.User.Username})
	})
	if err != nil {
		return AutomaticSignIn{}, err
	}
	return out, nil
}

// AutomaticSignIn is whether somebody who was signed in automatically would be signed in
// now: with the same rules, and as a look that leaves no trace.
func (a *Authority) AutomaticSignIn(ctx context.Context, caller access.Caller, in AutomaticSignInInput) (out AutomaticSignIn, err error) {
	err = a.view(ctx, caller, "", func(s *scope) error {
		k, err := s.signInKey()
		if err != nil {
			return err
		}
		u, err := s.user(in.User)
		if err != nil {
			return noSignIn("no_such_user")
		}
		out, err = s.automatic(k, u, in.Client)
		return err
	})
	if err != nil {
		return AutomaticSignIn{}, err
	}
	return out, nil
}

// noSignIn refuses. The code is for the log.
func noSignIn(code string) error {
	return problem.New(problem.Denied, code, "Nobody is signed in with this key and user name.")
}

// signInKey is the organization's key that the caller came with.
func (s *scope) signInKey() (credential.Credential, error) {
	k, err := s.callersCredential()
	switch {
	case err != nil:
		return k, err
	case k.Kind != credential.OrganizationKey:
		return k, noSignIn("not_an_organization_key")
	}
	return k, s.apiAccess(true)
}

// userCalled finds a user by what single sign-on or Windows knows them by.
func (s *scope) userCalled(name string) (tenancy.User, error) {
	name = strings.TrimSpace(name)
	if domain, user, ok := strings.Cut(name, `\`); ok {
		return s.userOfDomain(domain, user)
	}
	u, err := s.tx.UserByFolded(FoldUsername(name))
	if err == nil || !problem.Is(err, problem.NotFound) {
		return u, err
	}
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		return s.userOfDomain(name[at+1:], name[:at])
	}
	return u, noSignIn("no_such_user")
}

// userOfDomain finds a user at or below the organization that a domain belongs to.
func (s *scope) userOfDomain(domain, name string) (tenancy.User, error) {
	org, err := s.tx.OrganizationOfDomain(tenancy.FoldDomain(domain))
	if problem.Is(err, problem.NotFound) {
		return tenancy.User{}, noSignIn("no_such_domain")
	}
	if err != nil {
		return tenancy.User{}, err
	}
	u, err := s.tx.UserByFolded(FoldUsername(name))
	if problem.Is(err, problem.NotFound) {
		return u, noSignIn("no_such_user")
	}
	if err != nil {
		return u, err
	}
	home, err := s.path(u.OrganizationID)
	if err != nil {
		return u, err
	}
	if !tenancy.IsWithin(home, org) {
		return u, noSignIn("user_of_another_domain")
	}
	return u, nil
}

// automatic applies the rules to a user.
func (s *scope) automatic(k credential.Credential, u tenancy.User, client string) (AutomaticSignIn, error) {
	out := AutomaticSignIn{
		User: u, Credential: k.ID, KeyExpiresAt: k.ExpiresAt, TokenLifetime: s.tenant.Policy.Tokens(),
	}
	p, err := s.principalFacts(s.target, userPrincipal(u.ID))
	if err != nil {
		return out, err
	}
	switch {
	case p.stopped || u.State != tenancy.Active:
		return out, noSignIn("user_stopped")
	case !tenancy.IsWithin(p.path, k.OrganizationID):
		return out, noSignIn("user_elsewhere")
	}
	c, err := s.tx.AllTenantsCatalog()
	if err != nil {
		return out, err
	}
	if _, licensed := c.ClientPermissions(client, u.Licence); !licensed {
		return out, noSignIn("client_not_licensed")
	}
	if s.tenant.Policy.AdministratorsSignInAutomatically {
		return out, nil
	}
	for _, h := range p.holdings {
		if access.Administrative(h.Set) {
			return out, noSignIn("administrator")
		}
	}
	return out, nil
}
