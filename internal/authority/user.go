package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// InvitationLifetime is how long an invitation can be accepted.
const InvitationLifetime = 7 * 24 * time.Hour

// CreateUserInput describes a new user, who holds nothing until a role is assigned.
type CreateUserInput struct {
	Tenant         tenancy.TenantID
	OrganizationID tenancy.OrgID // empty means the root
	Username       string
	DisplayName    string
	Email          string
	Licence        string
	Labels         tenancy.Labels
	Idempotency
}

// Invitation is a one-time token with which a user sets their password.
type Invitation struct {
	Token     secret.Secret // zero when an idempotent request was repeated
	ExpiresAt time.Time
}

// InvitedUser is a user with the invitation that was made for them.
type InvitedUser struct {
	User       tenancy.User
	Invitation Invitation
}

// UserInput names one user.
type UserInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.UserID
	Idempotency
}

// ChangeUserInput changes what is not nil; another organization moves the user and the
// user's keys.
type ChangeUserInput struct {
	Tenant         tenancy.TenantID
	ID             tenancy.UserID
	Username       *string
	DisplayName    *string
	Email          *string
	Licence        *string
	OrganizationID *tenancy.OrgID
	Labels         *tenancy.Labels
}

// UsersInput filters the list of users.
type UsersInput struct {
	Tenant tenancy.TenantID
	At     tenancy.OrgID // at and below
	Search string
	State  tenancy.State
	Page   store.Page
}

func userPrincipal(id tenancy.UserID) access.Principal {
	return access.Principal{Type: access.PrincipalUser, ID: string(id)}
}

func userTarget(u tenancy.User) target {
	return target{kind: "user", id: string(u.ID), name: u.Username, org: u.OrganizationID}
}

func userFields(u tenancy.User) fields {
	return fields{
		"username": u.Username, "display_name": u.DisplayName, "email": u.Email, "licence": u.Licence,
		"organization_id": u.OrganizationID, "external_id": u.Labels.ExternalID, "metadata": u.Labels.Metadata,
	}
}

func validateUser(u tenancy.User) error {
	if err := tenancy.ValidateUsername(u.Username); err != nil {
		return err
	}
	if u.DisplayName != "" {
		if err := tenancy.ValidateName("/display_name", u.DisplayName); err != nil {
			return err
		}
	}
	if u.Licence != "" {
		if err := tenancy.ValidateName("/licence", u.Licence); err != nil {
			return err
		}
	}
	if err := tenancy.ValidateEmail(u.Email); err != nil {
		return err
	}
	return tenancy.ValidateLabels(u.Labels)
}

// CreateUser makes a user who holds nothing yet, with an invitation to set a password. It
// needs claviger.users:manage at the organization, by a session. Problems:
// username_taken. Audited as user.create.
func (a *Authority) CreateUser(ctx context.Context, caller access.Caller, in CreateUserInput) (out InvitedUser, err error) {
	tenant, err := a.organizationTenant(ctx, caller, in.Tenant, in.OrganizationID)
	if err != nil {
		return out, err
	}
	id, err := newID("usr_")
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		path, err := c.path(in.OrganizationID)
		if err != nil {
			return err
		}
		if err := c.administer(access.UsersManage, path); err != nil {
			return err
		}
		out, err = once(c, "user.create", in.Idempotency, func() (InvitedUser, string, error) {
			u := tenancy.User{
				ID: tenancy.UserID(id), TenantID: c.tenant.ID, OrganizationID: path[len(path)-1], Username: in.Username,
				DisplayName: in.DisplayName, Email: in.Email, Licence: in.Licence, State: tenancy.Active, Labels: in.Labels, CreatedAt: c.now,
			}
			if err := c.insertUser(u); err != nil {
				return InvitedUser{}, "", err
			}
			invitation, err := c.invite(u)
			return InvitedUser{User: u, Invitation: invitation}, id, err
		}, c.invitedAgain)
		return err
	})
	if err != nil {
		return InvitedUser{}, err
	}
	return out, nil
}

func (c *change) invitedAgain(id string) (InvitedUser, error) {
	u, err := c.user(tenancy.UserID(id))
	return InvitedUser{User: u}, err
}

func (c *change) insertUser(u tenancy.User) error {
	if err := validateUser(u); err != nil {
		return err
	}
	if err := c.mayLicense(u, principalFacts{}); err != nil {
		return err
	}
	folded := FoldUsername(u.Username)
	if err := c.usernameFree(folded, u.ID); err != nil {
		return err
	}
	if err := c.tx.InsertUser(u, folded); err != nil {
		return err
	}
	return c.record("user.create", userTarget(u), nil, userFields(u))
}

func (c *change) usernameFree(folded string, own tenancy.UserID) error {
	u, err := c.tx.UserByFolded(folded)
	if problem.Is(err, problem.NotFound) || (err == nil && u.ID == own) {
		return nil
	}
	if err != nil {
		return err
	}
	return taken("username_taken", "/username", "Another user has this name. Choose another one.")
}

// invite makes the one-time token with which a user sets a password. Earlier ones end.
func (c *change) invite(u tenancy.User) (Invitation, error) {
	token, hash, err := c.a.makeToken()
	if err != nil {
		return Invitation{}, err
	}
	if err := c.tx.EndOneTimeLinks(u.ID, PurposeInvitation); err != nil {
		return Invitation{}, err
	}
	ends := c.now.Add(InvitationLifetime)
	return Invitation{Token: token, ExpiresAt: ends}, c.tx.InsertOneTimeLink(store.OneTimeLink{
		TokenHash: hash, Purpose: PurposeInvitation, UserID: u.ID, CreatedAt: c.now, ExpiresAt: ends,
	})
}

// user loads a user who is not deleted.
func (s *scope) user(id tenancy.UserID) (tenancy.User, error) {
	u, err := s.tx.User(id)
	if err == nil && u.State == tenancy.Deleted {
		return tenancy.User{}, problem.Missing("user")
	}
	return u, err
}

// InviteUser makes a new invitation for a user, which lets its holder set the user's
// password. So it needs claviger.users:manage there, by a session, and everything that the
// user holds. Audited as user.invite.
func (a *Authority) InviteUser(ctx context.Context, caller access.Caller, in UserInput) (out InvitedUser, err error) {
	err = a.changeUser(ctx, caller, in, true, func(c *change, u tenancy.User, p principalFacts) error {
		if err := c.mayActAs(p); err != nil {
			return err
		}
		out, err = once(c, "user.invite/"+string(u.ID), in.Idempotency, func() (InvitedUser, string, error) {
			invitation, err := c.invite(u)
			if err != nil {
				return InvitedUser{}, "", err
			}
			return InvitedUser{User: u, Invitation: invitation}, string(u.ID), c.record("user.invite", userTarget(u), nil, fields{"expires_at": invitation.ExpiresAt})
		}, c.invitedAgain)
		return err
	})
	if err != nil {
		return InvitedUser{}, err
	}
	return out, nil
}

// mayActAs needs everything that a user holds, wherever it is held: what is given is the
// user's whole account.
func (c *change) mayActAs(p principalFacts) error {
	for _, h := range p.holdings {
		path, err := c.path(h.Organization)
		if err != nil {
			return err
		}
		if err := c.mayGive(access.Gift{Permissions: h.Set, Path: path, Recipient: userPrincipal(p.user.ID)}); err != nil {
			return err
		}
	}
	return nil
}

// changeUser runs a change of one user. It needs claviger.users:manage where the user is
// and every administrative right that the user has; signIn says that it touches how the
// user signs in, which credentials of tenants cannot.
func (a *Authority) changeUser(ctx context.Context, caller access.Caller, in UserInput, signIn bool, do func(*change, tenancy.User, principalFacts) error) error {
	_, err := a.changeUserAt(ctx, caller, in, signIn, do)
	return err
}

// changeUserAt is changeUser; it returns the feed revision that holds the change.
func (a *Authority) changeUserAt(ctx context.Context, caller access.Caller, in UserInput, signIn bool, do func(*change, tenancy.User, principalFacts) error) (uint64, error) {
	tenant, err := a.userTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return 0, err
	}
	return a.change(ctx, caller, tenant, func(c *change) error {
		u, err := c.user(in.ID)
		if err != nil {
			return err
		}
		path, err := c.path(u.OrganizationID)
		if err != nil {
			return err
		}
		require := c.require
		if signIn {
			require = c.administer
		}
		if err := require(access.UsersManage, path); err != nil {
			return err
		}
		p, err := c.principalFacts(c.target, userPrincipal(u.ID))
		if err != nil {
			return err
		}
		if err := c.outranks(p.holdings); err != nil {
			return err
		}
		return do(c, u, p)
	})
}

// ChangeUser changes what is given. Rights as SuspendUser; user name and e-mail address,
// which are part of signing in, by a session only, and the address only by someone who
// holds everything that the user holds. A move takes the user's keys along, and needs the
// right at both places and what the user will hold there. Audited as user.change.
func (a *Authority) ChangeUser(ctx context.Context, caller access.Caller, in ChangeUserInput) (out tenancy.User, err error) {
	signIn := in.Username != nil || in.Email != nil
	err = a.changeUser(ctx, caller, UserInput{Tenant: in.Tenant, ID: in.ID}, signIn, func(c *change, old tenancy.User, p principalFacts) error {
		u := old
		set(&u.Username, in.Username)
		set(&u.DisplayName, in.DisplayName)
		set(&u.Email, in.Email)
		set(&u.Licence, in.Licence)
		set(&u.Labels, in.Labels)
		if err := validateUser(u); err != nil {
			return err
		}
		if u.Licence != old.Licence {
			if err := c.mayLicense(u, p); err != nil {
				return err
			}
		}
		if u.Email != old.Email {
			if err := c.mayActAs(p); err != nil {
				return err
			}
		}
		folded := FoldUsername(u.Username)
		if err := c.usernameFree(folded, u.ID); err != nil {
			return err
		}
		if in.OrganizationID != nil && *in.OrganizationID != old.OrganizationID {
			if err := c.moveUser(&u, p, *in.OrganizationID); err != nil {
				return err
			}
		}
		if err := c.keepingAdministrator(func() error { return c.tx.UpdateUser(u, folded) }); err != nil {
			return err
		}
		out = u
		before, after := differences(userFields(old), userFields(u))
		return c.record("user.change", userTarget(u), before, after)
	})
	return out, err
}

// mayLicense checks a user's new licence: that there is one of this name, and that the
// caller could give the scopes that it lets the user's client credentials have (VC1).
func (c *change) mayLicense(u tenancy.User, p principalFacts) error {
	known, err := c.tx.AllTenantsCatalog()
	if err != nil {
		return err
	}
	if u.Licence == "" || (len(known.Licences) == 0 && known.Revision == 0) {
		return nil
	}
	if _, ok := known.Licence(u.Licence); !ok {
		return problem.InvalidField("/licence", "There is no such licence in the catalogue.")
	}
	scopes, ok := known.ScopesOffered(u.Licence, c.effective(p.at(p.path)))
	if !ok || len(scopes) == 0 {
		return nil
	}
	return c.mayGive(access.Gift{Permissions: access.SetOf(scopes...), Path: p.path, Recipient: userPrincipal(u.ID)})
}

// moveUser puts a user and the user's keys at another organization. Roles held on the way
// down to it begin to count for the keys, so the mover must be able to give them.
func (c *change) moveUser(u *tenancy.User, p principalFacts, to tenancy.OrgID) error {
	path, err := c.path(to)
	if problem.Is(err, problem.NotFound) {
		return problem.InvalidField("/organization_id", "There is no such organization.")
	}
	if err != nil {
		return err
	}
	if err := c.require(access.UsersManage, path); err != nil {
		return err
	}
	if err := c.mayGive(access.Gift{Permissions: p.at(path), Path: path, Recipient: userPrincipal(u.ID)}); err != nil {
		return err
	}
	u.OrganizationID = path[len(path)-1]
	keys, err := c.keysOf(u.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		k.OrganizationID = u.OrganizationID
		if err := c.tx.UpdateCredential(k); err != nil {
			return err
		}
	}
	return nil
}

// keysOf lists everything that ever spoke for a user.
func (c *change) keysOf(id tenancy.UserID) ([]credential.Credential, error) {
	owner := userPrincipal(id)
	return everyPage(func(p store.Page) (store.List[credential.Credential], error) {
		return c.tx.Credentials(store.CredentialFilter{Owner: &owner, IncludeDeleted: true}, p)
	})
}

// rulesOf are the rules of a kind.
func rulesOf(kind credential.Kind) keyRules {
	switch kind {
	case credential.UserKey:
		return userKeys
	case credential.OrganizationKey:
		return organizationKeys
	case credential.AccountKey:
		return accountKeys
	case credential.App:
		return appKeys
	case credential.ClientCredential:
		return clientCredentials
	case credential.ServiceAccountKey:
		return serviceAccountKeys
	case credential.VerifierKey:
		return verifierKeys
	}
	return keyRules{kind: kind, noun: string(kind), thing: "credential"}
}

// User answers one user: the caller, or where claviger.users:read or :manage is held.
func (a *Authority) User(ctx context.Context, caller access.Caller, in UserInput) (out User, err error) {
	tenant, err := a.userTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		u, err := s.user(in.ID)
		if err != nil {
			return err
		}
		if s.caller.Tenant != s.target || s.caller.Principal != userPrincipal(u.ID) {
			path, err := s.path(u.OrganizationID)
			if err != nil {
				return err
			}
			if err := s.requireAny(path, access.UsersRead, access.UsersManage); err != nil {
				return err
			}
		}
		shown, err := s.showUsers([]tenancy.User{u})
		if err != nil {
			return err
		}
		out = shown[0]
		return nil
	})
	return out, err
}

// Users lists the users of the part of the tree where the caller has claviger.users:read
// or :manage.
func (a *Authority) Users(ctx context.Context, caller access.Caller, in UsersInput) (out store.List[User], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		at, err := s.visible(in.At, access.UsersRead, access.UsersManage)
		if err != nil {
			return err
		}
		list, err := s.tx.Users(store.UserFilter{At: at, Search: in.Search, State: in.State}, in.Page)
		if err != nil {
			return err
		}
		out, err = pageOf(list, s.showUsers)
		return err
	})
	return out, err
}

func (a *Authority) userTenant(ctx context.Context, caller access.Caller, named tenancy.TenantID, id tenancy.UserID) (tenancy.TenantID, error) {
	return a.locate(ctx, caller, named, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsUserTenant(id) })
}
