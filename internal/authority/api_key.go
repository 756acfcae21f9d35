package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Key is a credential as its managers see it: never with its secret.
type Key struct {
	credential.Credential
	// What things are called now, for people; empty where there is no such name. OwnerName
	// is a user name, an e-mail address of a service account, or a plain name.
	OwnerName, OwnerDisplayName string
	CreatorDisplayName          string // of whoever made it; CreatedByName is of back then
	OrganizationName            string
	// Recoverable says that the secret is kept, so that it can be shown again to whom may see it.
	Recoverable bool
	GraceUntil  time.Time // until when the secret before this one goes on working; zero means it doesn't
	// Successor is the key that takes the place of this one of a service account, while both
	// work and after; the zero ID for none.
	Successor credential.ID
	Revision  uint64 // of the change that answered it; zero on reads
}

// IssuedKey is a key whose secret was just made.
type IssuedKey struct {
	Key
	// Secret is the whole key string. It is shown this once.
	Secret secret.Secret
	// SecretAvailable is false when an idempotent request was repeated: Secret is zero then.
	SecretAvailable bool
}

// IssueAPIKeyInput describes a new user key.
type IssueAPIKeyInput struct {
	Tenant tenancy.TenantID // empty means the caller's own
	Name   string
	// Owner is the user it belongs to; empty means the caller. Naming another user is
	// for system callers only.
	Owner     tenancy.UserID
	NotBefore time.Time  // zero means at once
	ExpiresAt *time.Time // nil means the tenant's default
	Networks  []netip.Prefix
	Limits    credential.Limits
	Labels    tenancy.Labels
	Idempotency
}

// KeyInput names one credential.
type KeyInput struct {
	Tenant tenancy.TenantID // empty means wherever the caller may find it
	ID     credential.ID
	Idempotency
}

// RenameKeyInput gives a credential another name.
type RenameKeyInput struct {
	Tenant tenancy.TenantID
	ID     credential.ID
	Name   string
}

// RotateKeyInput asks for a new secret under the same ID.
type RotateKeyInput struct {
	Tenant tenancy.TenantID
	ID     credential.ID
	// Grace is how long the secret before this one goes on working: 0 to 30 days. Zero
	// ends it at once.
	Grace time.Duration
	Idempotency
}

// KeysInput filters a list of credentials. Every zero field means no filter; deleted
// keys are shown only with IncludeDeleted.
type KeysInput struct {
	Tenant         tenancy.TenantID
	Kinds          []credential.Kind // of user and organization keys; empty means those the caller may see
	At             tenancy.OrgID     // at and below
	Owner          tenancy.UserID
	States         []credential.State
	Search         string
	ExpiringBefore time.Time
	AsOf           uint64 // a feed's revision: only what was there already then
	IncludeDeleted bool
	Page           store.Page
}

// apiKeys are the keys of the page "API keys": users' and organizations'.
var apiKeys = kinds{userKeys, organizationKeys}

// userKeys are the rules of user keys: whoever may generate keys sees all of them in their
// part of the tree and changes their own; others' need the right to manage. A new secret
// of another's key would let its holder act as the owner, so only the owner and callers
// of the system tenant who hold all that the owner holds get one.
var userKeys = keyRules{
	kind: credential.UserKey, noun: "api_key", thing: "API key", field: credential.FieldKey,
	mayRead: func(s *scope, k credential.Credential) error {
		path, err := s.path(k.OrganizationID)
		if err != nil {
			return err
		}
		return s.requireAny(path, access.APIKeysGenerate, access.APIKeysManage)
	},
	mayChange: func(s *scope, k credential.Credential) error {
		path, err := s.path(k.OrganizationID)
		if err != nil {
			return err
		}
		if s.owns(k) {
			return s.requireAny(path, access.APIKeysGenerate, access.APIKeysManage)
		}
		return s.require(access.APIKeysManage, path)
	},
	mayRotate: func(s *scope, k credential.Credential) error {
		if !s.owns(k) && !s.caller.System() {
			return problem.New(problem.Denied, "not_owner", "Only the owner of this key can get a new secret for it. Revoke it instead.")
		}
		path, err := s.path(k.OrganizationID)
		if err != nil {
			return err
		}
		if err := s.requireAny(path, s.ownOr(k)...); err != nil {
			return err
		}
		if err := s.apiAccess(true); err != nil {
			return err
		}
		return s.mayGiveKey(k.Principal, path, k.ExpiresAt)
	},
	mayGive: func(s *scope, k credential.Credential) error {
		path, err := s.path(k.OrganizationID)
		if err != nil {
			return err
		}
		return s.mayGiveKey(k.Principal, path, k.ExpiresAt)
	},
}

// owns says whether the credential speaks for the caller.
func (s *scope) owns(k credential.Credential) bool {
	return k.Principal == s.caller.Principal && k.TenantID == s.caller.Tenant
}

func (s *scope) ownOr(k credential.Credential) []access.Permission {
	if s.owns(k) {
		return []access.Permission{access.APIKeysGenerate, access.APIKeysManage}
	}
	return []access.Permission{access.APIKeysManage}
}

// mayGiveKey checks that the caller may hand out a secret that carries what the owner holds.
func (s *scope) mayGiveKey(owner access.Principal, path []tenancy.OrgID, ends time.Time) error {
	p, err := s.principalFacts(s.target, owner)
	if err != nil {
		return err
	}
	return s.mayGive(access.Gift{Permissions: access.Caller{Holdings: p.holdings}.At(path), Path: path, Recipient: owner, ExpiresAt: ends})
}

// IssueAPIKey makes a user key (PV2, PV7). It needs claviger.api_keys:generate at the
// caller's organization, or claviger.api_keys:manage in the system tenant to name an
// owner. Problems: plan_without_api_access, owner_is_creator. Audited as api_key.issue.
func (a *Authority) IssueAPIKey(ctx context.Context, caller access.Caller, in IssueAPIKeyInput) (IssuedKey, error) {
	return a.issueKey(ctx, caller, in.Tenant, userKeys, in.Idempotency, func(c *change, made freshSecrets) (credential.Credential, error) {
		none := credential.Credential{}
		owner, path, err := c.ownerOf(in.Owner, access.APIKeysManage, access.APIKeysGenerate)
		if err != nil {
			return none, err
		}
		if err := c.apiAccess(true); err != nil {
			return none, err
		}
		k, err := c.newKey(userKeys, wish{in.Name, in.NotBefore, in.ExpiresAt, in.Networks, in.Limits, in.Labels}, made)
		if err != nil {
			return none, err
		}
		k.OrganizationID, k.Principal = owner.OrganizationID, access.Principal{Type: access.PrincipalUser, ID: string(owner.ID)}
		return k, c.mayGiveKey(k.Principal, path, k.ExpiresAt)
	})
}

// ownerOf decides whose credential is issued and checks the right to issue it: manage for
// another's, which only system callers may name, manage or own for one's own.
func (s *scope) ownerOf(named tenancy.UserID, manage, own access.Permission) (owner tenancy.User, path []tenancy.OrgID, err error) {
	self := s.caller.Principal.Type == access.PrincipalUser && s.caller.Tenant == s.target
	mine := self && (named == "" || string(named) == s.caller.Principal.ID)
	if !mine && !s.caller.System() {
		return owner, nil, problem.New(problem.Denied, "owner_is_creator", "A key belongs to whoever creates it. Leave the owner out.")
	}
	if mine {
		named = tenancy.UserID(s.caller.Principal.ID)
	}
	if named == "" {
		if err := s.require(manage, s.rootPath()); err != nil {
			return owner, nil, err
		}
		return owner, nil, problem.InvalidField("/owner", "Name the user whom the key belongs to.")
	}
	p, err := s.principalFacts(s.target, userPrincipal(named))
	if err != nil {
		return owner, nil, err
	}
	if p.user == nil || p.user.State == tenancy.Deleted {
		if err := s.require(manage, s.rootPath()); err != nil {
			return owner, nil, err
		}
		return owner, nil, problem.InvalidField("/owner", "There is no such user in this tenant.")
	}
	if mine {
		err = s.requireAny(p.path, own, manage)
	} else {
		err = s.require(manage, p.path)
	}
	if err == nil && p.user.State != tenancy.Active {
		err = problem.New(problem.Conflict, "owner_suspended", "The owner is suspended. Resume them first.")
	}
	return *p.user, p.path, err
}

// RenameAPIKey changes the only editable thing of a user key (PV8). It needs
// claviger.api_keys:generate for one's own, claviger.api_keys:manage for others'. Audited
// as api_key.rename.
func (a *Authority) RenameAPIKey(ctx context.Context, caller access.Caller, in RenameKeyInput) (Key, error) {
	return a.changeKey(ctx, caller, KeyInput{Tenant: in.Tenant, ID: in.ID}, apiKeys, renameKey(in.Name))
}

// SuspendAPIKey stops a user key until it is resumed. Rights as RenameAPIKey; audited as
// api_key.suspend.
func (a *Authority) SuspendAPIKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, apiKeys, suspendKey)
}

// ResumeAPIKey lets a suspended user key work again. Rights as RenameAPIKey; audited as
// api_key.resume.
func (a *Authority) ResumeAPIKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, apiKeys, resumeKey)
}

// RotateAPIKey gives a user key a new secret under the same ID (B3). It needs
// claviger.api_keys:generate and ownership, or a caller of the system tenant with
// claviger.api_keys:manage who holds all that the owner holds. Problems: not_owner.
// Audited as api_key.rotate.
func (a *Authority) RotateAPIKey(ctx context.Context, caller access.Caller, in RotateKeyInput) (IssuedKey, error) {
	return a.rotateKey(ctx, caller, in, apiKeys)
}

// RevokeAPIKey ends a user key for good (PV9). Rights as RenameAPIKey; audited as
// api_key.revoke, and in the revocation journal before it returns.
func (a *Authority) RevokeAPIKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, apiKeys, revokeKey)
}

// DeleteAPIKey revokes a user key, where that is still to do, and hides it from lists.
// Rights as RenameAPIKey; audited as api_key.delete.
func (a *Authority) DeleteAPIKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, apiKeys, deleteKey)
}

// APIKey answers one user or organization key. It needs claviger.api_keys:generate or
// :manage at its organization, or claviger.organization_keys:generate at the root.
func (a *Authority) APIKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.readKey(ctx, caller, in, apiKeys)
}

// APIKeys lists user keys (PV6) of the part of the tree where the caller has
// claviger.api_keys:generate or :manage, and organization keys for whom
// claviger.organization_keys:generate at the root shows them (NV1).
func (a *Authority) APIKeys(ctx context.Context, caller access.Caller, in KeysInput) (out store.List[Key], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		f, err := s.visibleKeys(in)
		if err != nil {
			return err
		}
		out, err = s.listKeys(f, in.Page)
		return err
	})
	return out, err
}

// CountAPIKeys counts what APIKeys would list on all pages, exactly: by kind, how many were
// used in the last 7 days, and how many expire within 30 days. The revision is what a bulk
// operation on them names as AsOf.
func (a *Authority) CountAPIKeys(ctx context.Context, caller access.Caller, in KeysInput) (out KeysCount, err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		f, err := s.visibleKeys(in)
		if err != nil {
			return err
		}
		found, err := s.tx.CountCredentialsBy(f, s.now.Add(-usedLately), s.now, s.now.Add(expiresSoon))
		out = KeysCount{
			Count: found.Total, Revision: s.tx.Head(), Kinds: found.Kinds, UsedLately: found.Used, ExpiringSoon: found.Expiring,
		}
		return err
	})
	return out, err
}

// What is lately and soon when keys are counted.
const (
	usedLately  = 7 * day
	expiresSoon = 30 * day
)

// visibleKeys is what of the input the caller may see. Kinds that were not asked for by
// name are left out where they may not.
func (s *scope) visibleKeys(in KeysInput) (f store.CredentialFilter, err error) {
	asked := in.Kinds
	if len(asked) == 0 {
		asked = []credential.Kind{credential.UserKey, credential.OrganizationKey}
	}
	var shown []credential.Kind
	var at tenancy.OrgID
	var refused error
	for _, kind := range asked {
		place, err := s.keysVisible(kind, in.At)
		if problem.Is(err, problem.Denied) && len(in.Kinds) == 0 {
			if refused == nil {
				refused = err
			}
			continue
		}
		if err != nil {
			return f, err
		}
		shown = append(shown, kind)
		if place != "" {
			at = place
		}
	}
	if len(shown) == 0 {
		return f, refused
	}
	return in.filter(at, shown...), s.apiAccess(false)
}

func (s *scope) keysVisible(kind credential.Kind, at tenancy.OrgID) (tenancy.OrgID, error) {
	switch kind {
	case credential.UserKey:
		return s.visible(at, access.APIKeysGenerate, access.APIKeysManage)
	case credential.OrganizationKey:
		if at != "" {
			if _, err := s.path(at); err != nil {
				return "", err
			}
		}
		return at, s.require(access.OrganizationKeysGenerate, s.rootPath())
	case credential.AccountKey, credential.App, credential.ClientCredential, credential.ServiceAccountKey, credential.VerifierKey:
	}
	return "", problem.InvalidField("query.kind", "Ask for user_key or organization_key.")
}
