package authority

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Level says to whom a client credential belongs.
type Level string

// The levels.
const (
	LevelUser    Level = "user"    // to a user
	LevelAccount Level = "account" // to the tenant
)

// IssueClientCredentialInput describes a new client credential. Its PublicID is the client
// ID, a UUID.
type IssueClientCredentialInput struct {
	Tenant    tenancy.TenantID
	Level     Level          // empty means LevelUser
	Owner     tenancy.UserID // at LevelUser: empty means the caller; others for system callers only
	Name      string
	Scopes    []access.Permission // at least one
	NotBefore time.Time
	ExpiresAt *time.Time
	Networks  []netip.Prefix
	Limits    credential.Limits
	Labels    tenancy.Labels
	Idempotency
}

// ChangeClientCredentialInput changes what is not nil.
type ChangeClientCredentialInput struct {
	Tenant   tenancy.TenantID
	ID       credential.ID
	Name     *string
	Scopes   *[]access.Permission
	Networks *[]netip.Prefix
	Limits   *credential.Limits
	Labels   *tenancy.Labels
}

// ClientCredentialsInput filters the list of client credentials. Who may see their own
// only gets those, whatever is asked.
type ClientCredentialsInput struct {
	Tenant         tenancy.TenantID
	Level          Level // empty means both
	Mine           bool
	Owner          tenancy.UserID // whose; empty means anybody's
	At             tenancy.OrgID
	States         []credential.State
	Search         string
	ExpiringBefore time.Time
	IncludeDeleted bool
	Page           store.Page
}

// ScopesInput asks which scopes are offered to the caller, or to a user (system callers).
type ScopesInput struct {
	Tenant tenancy.TenantID
	Level  Level
	Owner  tenancy.UserID
}

// OfferedScopes is what can be chosen for a client credential.
type OfferedScopes struct {
	Licence string
	Scopes  []access.Permission // sorted
}

// mostScopes bounds what one client credential carries.
const mostScopes = 200

// clientCredentials are the rules of client credentials. Users with a licence for it have
// their own (VC1); who manages everybody's sees and ends all (VC2, VC4), but has no part in
// what another user's may do (VC3).
var clientCredentials = keyRules{
	kind: credential.ClientCredential, noun: "client_credential", thing: "client credential", field: credential.FieldSecret,
	mayRead: func(s *scope, k credential.Credential) error { return s.mayUseClient(k, true) },
	mayEdit: func(s *scope, k credential.Credential) error {
		if err := s.mayUseClient(k, true); err != nil {
			return err
		}
		return s.ownClient(k)
	},
	mayChange: func(s *scope, k credential.Credential) error { return s.mayUseClient(k, false) },
	mayRotate: func(s *scope, k credential.Credential) error {
		if err := s.mayUseClient(k, true); err != nil {
			return err
		}
		if err := s.ownClient(k); err != nil {
			return err
		}
		if err := s.apiAccess(true); err != nil {
			return err
		}
		return s.mayGiveScopes(k)
	},
	mayGive: (*scope).mayGiveScopes,
}

func levelOf(k credential.Credential) Level {
	if k.Principal.Type == access.PrincipalTenant {
		return LevelAccount
	}
	return LevelUser
}

// mayUseClient needs the right to manage all, or one's own where it is the caller's; the
// latter with a licence for it, unless it is about ending it.
func (s *scope) mayUseClient(k credential.Credential, licensed bool) error {
	path, err := s.path(k.OrganizationID)
	if err != nil {
		return err
	}
	if s.holds(access.ClientCredentialsManage, path) {
		return nil
	}
	if !s.owns(k) {
		return s.require(access.ClientCredentialsManage, path)
	}
	if err := s.require(access.ClientCredentialsManageOwn, path); err != nil || !licensed {
		return err
	}
	_, err = s.scopesOf(k.Principal)
	return err
}

// ownClient refuses what only the owner of a user's credential may do.
func (s *scope) ownClient(k credential.Credential) error {
	if levelOf(k) == LevelAccount || s.owns(k) || s.caller.System() {
		return nil
	}
	return problem.New(problem.Denied, "not_owner", "Only the owner of these API credentials can change them. Delete them instead.")
}

// mayGiveScopes is whether the caller may hand out what the scopes allow.
func (s *scope) mayGiveScopes(k credential.Credential) error {
	path, err := s.path(k.OrganizationID)
	if err != nil {
		return err
	}
	return s.mayGive(access.Gift{Permissions: access.NewSet(k.Scopes...), Path: path, Recipient: k.Principal, ExpiresAt: k.ExpiresAt})
}

// scopesOf is the scopes offered to a user, by licence and what they may do now (VC1).
func (s *scope) scopesOf(owner access.Principal) (OfferedScopes, error) {
	var out OfferedScopes
	p, err := s.principalFacts(s.target, owner)
	if err != nil {
		return out, err
	}
	c, err := s.tx.AllTenantsCatalog()
	if err != nil {
		return out, err
	}
	if p.user != nil {
		out.Licence = p.user.Licence
	}
	scopes, ok := c.ScopesOffered(out.Licence, s.effective(p.at(p.path)))
	if !ok {
		return out, problem.New(problem.Denied, "licence_without_api_credentials", "The licence of this user offers no API credentials. Ask an administrator for another licence.")
	}
	out.Scopes = scopes
	return out, nil
}

// scopesOfAccount is the scopes that a credential of the tenant itself can have: the
// plan's, as far as the caller holds them at the root.
func (s *scope) scopesOfAccount() (OfferedScopes, error) {
	c, err := s.tx.AllTenantsCatalog()
	if err != nil {
		return OfferedScopes{}, err
	}
	out := OfferedScopes{Scopes: []access.Permission{}}
	held, legacy := s.effective(s.caller.At(s.rootPath())), c.Legacy()
	for _, p := range c.Permissions() {
		if held.Allows(p) && !legacy.Allows(p) {
			out.Scopes = append(out.Scopes, p)
		}
	}
	return out, nil
}

// offered is the scopes from which a credential's may be chosen.
func (s *scope) offered(k credential.Credential) (OfferedScopes, error) {
	if levelOf(k) == LevelAccount {
		return s.scopesOfAccount()
	}
	return s.scopesOf(k.Principal)
}

// chooseScopes checks scopes and puts them on a credential.
func (s *scope) chooseScopes(k *credential.Credential, asked []access.Permission) error {
	if len(asked) == 0 || len(asked) > mostScopes {
		return problem.InvalidField("/scopes", fmt.Sprintf("Choose 1 to %d scopes.", mostScopes))
	}
	c, err := s.tx.AllTenantsCatalog()
	if err != nil {
		return err
	}
	offered, err := s.offered(*k)
	if err != nil {
		return err
	}
	known, legacy := c.Permissions(), c.Legacy()
	grants := make([]access.Grant, 0, len(asked))
	for i, p := range asked {
		pointer := "/scopes/" + strconv.Itoa(i)
		switch {
		case !slices.Contains(known, p):
			return problem.InvalidField(pointer, "There is no such scope in the catalogue.")
		case slices.Contains(asked[:i], p):
			return problem.InvalidField(pointer, "This scope is chosen twice.")
		case legacy.Allows(p): // VC7
			return problem.InvalidField(pointer, "This scope is a legacy API's, which takes account keys only.")
		case !slices.Contains(offered.Scopes, p):
			return problem.New(problem.Denied, "scope_not_offered", "The licence, the roles or the plan do not allow the scope "+string(p)+".")
		}
		grants = append(grants, access.Grant(p))
	}
	k.Scopes = grants
	return nil
}

// IssueClientCredential makes a client ID and secret, shown once (VC1). A user's own needs
// claviger.client_credentials:manage_own or :manage and a licence that offers the scopes;
// one of the account, or of another user by system callers, claviger.client_credentials:manage
// at the root and the scopes themselves. Problems: licence_without_api_credentials,
// scope_not_offered, owner_is_creator. Audited as client_credential.issue.
func (a *Authority) IssueClientCredential(ctx context.Context, caller access.Caller, in IssueClientCredentialInput) (IssuedKey, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return IssuedKey{}, fmt.Errorf("making a client ID: %w", err)
	}
	return a.issueKey(ctx, caller, in.Tenant, clientCredentials, in.Idempotency, func(c *change, made freshSecrets) (k credential.Credential, err error) {
		owner, path, err := c.clientOwner(in)
		if err != nil {
			return k, err
		}
		if err := c.apiAccess(true); err != nil {
			return k, err
		}
		if k, err = c.newKey(clientCredentials, wish{in.Name, in.NotBefore, in.ExpiresAt, in.Networks, in.Limits, in.Labels}, made); err != nil {
			return k, err
		}
		k.OrganizationID, k.Principal, k.PublicID = path[len(path)-1], owner, id.String()
		if err := c.chooseScopes(&k, in.Scopes); err != nil {
			return k, err
		}
		return k, c.mayGiveScopes(k)
	})
}

// clientOwner decides whom a new client credential speaks for and checks the right to make it.
func (s *scope) clientOwner(in IssueClientCredentialInput) (owner access.Principal, path []tenancy.OrgID, err error) {
	switch in.Level {
	case LevelAccount:
		if in.Owner != "" {
			return owner, nil, problem.InvalidField("/owner_id", "Credentials of the account have no owner. Leave this out.")
		}
		owner = access.Principal{Type: access.PrincipalTenant, ID: string(s.tenant.ID)}
		return owner, s.rootPath(), s.require(access.ClientCredentialsManage, s.rootPath())
	case LevelUser, "":
	default:
		return owner, nil, problem.InvalidField("/level", "Choose user or account.")
	}
	u, path, err := s.ownerOf(in.Owner, access.ClientCredentialsManage, access.ClientCredentialsManageOwn)
	return userPrincipal(u.ID), path, err
}

// ChangeClientCredential changes name, scopes, networks, limits and labels: of a user's by
// the owner, of the account's with claviger.client_credentials:manage at the root (VC3).
// Scopes are chosen anew from what is offered now. Audited as client_credential.change.
func (a *Authority) ChangeClientCredential(ctx context.Context, caller access.Caller, in ChangeClientCredentialInput) (Key, error) {
	var more func(*change, *credential.Credential) error
	if in.Scopes != nil {
		more = func(c *change, k *credential.Credential) error { return c.chooseScopes(k, *in.Scopes) }
	}
	return a.editKey(ctx, caller, ChangeKeyInput{
		Tenant: in.Tenant, ID: in.ID, Name: in.Name, Networks: in.Networks, Limits: in.Limits, Labels: in.Labels,
	}, kinds{clientCredentials}, more)
}

// SuspendClientCredential stops one until it is resumed: one's own with
// claviger.client_credentials:manage_own, any with :manage. Audited as
// client_credential.suspend.
func (a *Authority) SuspendClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{clientCredentials}, suspendKey)
}

// ResumeClientCredential lets one work again: one's own with
// claviger.client_credentials:manage_own, any with :manage. Audited as
// client_credential.resume.
func (a *Authority) ResumeClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{clientCredentials}, resumeKey)
}

// RevokeClientCredential ends one for good: one's own with
// claviger.client_credentials:manage_own, any with :manage. Audited as
// client_credential.revoke.
func (a *Authority) RevokeClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{clientCredentials}, revokeKey)
}

// DeleteClientCredential revokes and hides one (VC4): one's own with
// claviger.client_credentials:manage_own, any with :manage. Audited as
// client_credential.delete.
func (a *Authority) DeleteClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{clientCredentials}, deleteKey)
}

// RotateClientCredential gives one a new secret under the same client ID. Rights as
// ChangeClientCredential, and the scopes themselves. Audited as client_credential.rotate.
func (a *Authority) RotateClientCredential(ctx context.Context, caller access.Caller, in RotateKeyInput) (IssuedKey, error) {
	return a.rotateKey(ctx, caller, in, kinds{clientCredentials})
}

// ClientCredential answers one, never with its secret: one's own with
// claviger.client_credentials:manage_own and a licence for it, any with :manage.
func (a *Authority) ClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.readKey(ctx, caller, in, kinds{clientCredentials})
}

// ClientCredentials lists those of the part of the tree where the caller has
// claviger.client_credentials:manage, or the caller's own with :manage_own and a licence
// for it (VC2).
func (a *Authority) ClientCredentials(ctx context.Context, caller access.Caller, in ClientCredentialsInput) (out store.List[Key], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		f, err := s.visibleClients(in)
		if err != nil {
			return err
		}
		out, err = s.listKeys(f, in.Page)
		return err
	})
	return out, err
}

func (s *scope) visibleClients(in ClientCredentialsInput) (f store.CredentialFilter, err error) {
	f = store.CredentialFilter{
		Kinds: []credential.Kind{credential.ClientCredential}, States: in.States, Search: in.Search,
		ExpiringBefore: in.ExpiringBefore, IncludeDeleted: in.IncludeDeleted,
	}
	switch in.Level {
	case LevelUser:
		f.Level = access.PrincipalUser
	case LevelAccount:
		f.Level = access.PrincipalTenant
	case "":
	default:
		return f, problem.InvalidField("query.level", "Choose user or account.")
	}
	f.At, err = s.visible(in.At, access.ClientCredentialsManage)
	if err != nil && !problem.Is(err, problem.Denied) {
		return f, err
	}
	own := s.caller.Principal
	if in.Owner != "" {
		owner := userPrincipal(in.Owner)
		f.Owner = &owner
	}
	if in.Mine {
		f.Owner = &own
	}
	if err == nil {
		return f, s.apiAccess(false)
	}
	if f.Owner != nil && *f.Owner != own {
		return f, err
	}
	// Only one's own: wherever in the tree they are, the right is needed where one is oneself.
	f.Owner, f.At = &own, in.At
	p, err := s.principalFacts(s.caller.Tenant, own)
	if err != nil {
		return f, err
	}
	if s.caller.Tenant != s.target || p.user == nil {
		return f, s.require(access.ClientCredentialsManage, s.rootPath())
	}
	if err := s.require(access.ClientCredentialsManageOwn, p.path); err != nil {
		return f, err
	}
	if _, err := s.scopesOf(own); err != nil {
		return f, err
	}
	return f, s.apiAccess(false)
}

// ClientCredentialScopes answers what can be chosen for a new one: for the caller, or for
// the account or another user to those who may make theirs. Rights as
// IssueClientCredential.
func (a *Authority) ClientCredentialScopes(ctx context.Context, caller access.Caller, in ScopesInput) (out OfferedScopes, err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		owner, _, err := s.clientOwner(IssueClientCredentialInput{Level: in.Level, Owner: in.Owner})
		if err != nil {
			return err
		}
		if err := s.apiAccess(false); err != nil {
			return err
		}
		out, err = s.offered(credential.Credential{Principal: owner})
		return err
	})
	return out, err
}
