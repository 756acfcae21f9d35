package authority

import (
	"context"
	"slices"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// mostHeirs is how many users are answered that credentials could be handed over to.
const mostHeirs = 20

// NewOwnersInput asks who could get the credentials of a user.
type NewOwnersInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.UserID // who leaves
	Search string         // as in UsersInput
}

// NewOwner is a user who could get credentials of another, and what of them they cannot get.
type NewOwner struct {
	User             tenancy.User
	OrganizationName string
	Refused          []Refusal
}

// Refusal is why one credential cannot be handed over to a user.
type Refusal struct {
	ID  credential.ID
	Why *problem.Problem
}

// heir is a user whom credentials may be handed over to.
type heir struct {
	facts  principalFacts
	keys   error // why the user may have no key; nil means they may
	scopes []access.Permission
	client error // why the user may have no client credential; nil means with scopes
}

func mayNotHold(message string) error { return problem.New(problem.Conflict, "may_not_hold", message) }

// heirOf looks at what a user may hold; Missing when there is no such user.
func (s *scope) heirOf(id tenancy.UserID) (h heir, err error) {
	if h.facts, err = s.principalFacts(s.target, userPrincipal(id)); err != nil {
		return h, err
	}
	u := h.facts.user
	if u == nil || u.State == tenancy.Deleted {
		return h, problem.Missing("user")
	}
	if h.facts.stopped {
		h.keys = mayNotHold(called(*u) + " is suspended. Resume them first, or choose another user.")
		h.client = h.keys
		return h, nil
	}
	held := h.facts.at(h.facts.path)
	if !held.Allows(access.APIKeysGenerate) && !held.Allows(access.APIKeysManage) {
		h.keys = mayNotHold(called(*u) + " may not have API keys. Give them a role that lets them generate API keys, or choose another user.")
	}
	if !held.Allows(access.ClientCredentialsManageOwn) && !held.Allows(access.ClientCredentialsManage) {
		h.client = mayNotHold(called(*u) + " may not have API credentials. Give them a role that lets them, or choose another user.")
		return h, nil
	}
	offered, err := s.scopesOf(userPrincipal(id))
	if problem.Is(err, problem.Denied) {
		h.client = mayNotHold("The licence of " + called(*u) + " offers no API credentials. Give them another licence, or choose another user.")
		return h, nil
	}
	h.scopes = offered.Scopes
	return h, err
}

// called is what people call a user.
func called(u tenancy.User) string {
	if u.DisplayName != "" {
		return u.DisplayName
	}
	return u.Username
}

// mayHold returns why the user may not have a credential.
func (h heir) mayHold(k credential.Credential) error {
	if k.Kind != credential.ClientCredential {
		return h.keys
	}
	if h.client != nil {
		return h.client
	}
	for _, g := range k.Scopes {
		if !slices.Contains(h.scopes, access.Permission(g)) {
			return mayNotHold("Licence and roles of " + called(*h.facts.user) + " do not allow the scope " + string(g) +
				" of “" + k.Name + "”. Choose another user.")
		}
	}
	return nil
}

// given is a credential as it will be when the user has it.
func (h heir) given(k credential.Credential) credential.Credential {
	k.Principal, k.OrganizationID = userPrincipal(h.facts.user.ID), h.facts.user.OrganizationID
	return k
}

// mayHandOver checks that the caller may give a credential to the user, and that the user
// may have it: the right to change it where it is and where it will be, the giving rule, and
// what the tenant's policy says about who makes such credentials, since to the new owner it
// is one that was made for them.
func (s *scope) mayHandOver(r keyRules, k credential.Credential, h heir) error {
	if err := s.mayTransit(r, k, revokeKey); err != nil {
		return err
	}
	if err := s.mayPass(k.Kind); err != nil {
		return err
	}
	given := h.given(k)
	if err := r.mayChange(s, given); err != nil {
		return err
	}
	if err := h.mayHold(k); err != nil {
		return err
	}
	return r.mayGive(s, given)
}

// mayPass is whether the caller may hand over credentials of a kind at all.
func (s *scope) mayPass(kind credential.Kind) error {
	if err := s.apiAccess(true); err != nil {
		return err
	}
	return s.mayCreate(kind)
}

// NewOwners lists up to 20 active users by name, for the choice of who gets the credentials of
// one who leaves, with what each of them could not get and why. It needs
// claviger.users:manage where the user is who leaves; others are shown where the caller has
// claviger.users:read or :manage.
func (a *Authority) NewOwners(ctx context.Context, caller access.Caller, in NewOwnersInput) (out []NewOwner, err error) {
	tenant, err := a.userTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		out = []NewOwner{}
		if err := s.mayOffboard(in.ID); err != nil {
			return err
		}
		at, err := s.visible("", access.UsersRead, access.UsersManage)
		if err != nil {
			return err
		}
		list, err := s.tx.Users(store.UserFilter{At: at, Search: in.Search, State: tenancy.Active}, store.Page{Limit: mostHeirs + 1})
		if err != nil {
			return err
		}
		keys, err := s.tx.Credentials(livingOf(in.ID), store.Page{Limit: MaxFates})
		if err != nil {
			return err
		}
		for _, u := range list.Items {
			if u.ID == in.ID || len(out) == mostHeirs {
				continue
			}
			o, err := s.newOwner(u, keys.Items)
			if err != nil {
				return err
			}
			out = append(out, o)
		}
		return nil
	})
	return out, err
}

func (s *scope) newOwner(u tenancy.User, keys []credential.Credential) (out NewOwner, err error) {
	out.User = u
	if out.OrganizationName, err = s.organizationName(u.OrganizationID); err != nil {
		return out, err
	}
	h, err := s.heirOf(u.ID)
	if err != nil {
		return out, err
	}
	for _, k := range keys {
		r, ok := ownedKinds.rules(k.Kind)
		if !ok {
			continue
		}
		err := s.mayHandOver(r, k, h)
		if err == nil {
			continue
		}
		p := problem.As(err)
		if p.Kind == problem.Internal || p.Kind == problem.Unavailable {
			return out, err
		}
		out.Refused = append(out.Refused, Refusal{ID: k.ID, Why: p})
	}
	return out, nil
}
