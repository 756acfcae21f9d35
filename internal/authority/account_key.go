package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// IssueAccountKeyInput describes a new account key: everything that the tenant's plan
// allows, for programs that know nothing better. Deprecated: use service accounts.
type IssueAccountKeyInput struct {
	Tenant    tenancy.TenantID // empty means the caller's own
	Name      string
	NotBefore time.Time
	ExpiresAt *time.Time
	Networks  []netip.Prefix
	Limits    credential.Limits
	Labels    tenancy.Labels
	Idempotency
}

// accountKeys are the rules of account keys. They may do whatever the plan allows, so only
// who holds all of that hands them out.
var accountKeys = ruledBy(keyRules{
	kind: credential.AccountKey, noun: "account_key", thing: "account key", field: credential.FieldKey,
	mayGive: func(s *scope, k credential.Credential) error {
		return s.mayGive(access.Gift{Permissions: s.plan.Set(), Path: s.rootPath(), Recipient: k.Principal, ExpiresAt: k.ExpiresAt})
	},
}, func(s *scope, _ credential.Credential) error {
	return s.require(access.AccountKeysManage, s.rootPath())
})

// IssueAccountKey makes an account key. It needs claviger.account_keys:manage at the root
// and everything that the plan allows. Audited as account_key.issue.
func (a *Authority) IssueAccountKey(ctx context.Context, caller access.Caller, in IssueAccountKeyInput) (IssuedKey, error) {
	return a.issueKey(ctx, caller, in.Tenant, accountKeys, in.Idempotency, func(c *change, made freshSecrets) (k credential.Credential, err error) {
		if err := c.require(access.AccountKeysManage, c.rootPath()); err != nil {
			return k, err
		}
		if err := c.apiAccess(true); err != nil {
			return k, err
		}
		if k, err = c.newKey(accountKeys, wish{in.Name, in.NotBefore, in.ExpiresAt, in.Networks, in.Limits, in.Labels}, made); err != nil {
			return k, err
		}
		k.OrganizationID, k.Principal = c.tenant.RootOrg, access.Principal{Type: access.PrincipalTenant, ID: string(c.tenant.ID)}
		return k, accountKeys.mayGive(&c.scope, k)
	})
}

// ChangeAccountKey changes name, end, networks, limits and labels. Rights as
// IssueAccountKey, but those for a name or labels without the plan's. Audited as
// account_key.change.
func (a *Authority) ChangeAccountKey(ctx context.Context, caller access.Caller, in ChangeKeyInput) (Key, error) {
	return a.editKey(ctx, caller, in, kinds{accountKeys}, nil)
}

// SuspendAccountKey stops it until it is resumed. It needs claviger.account_keys:manage at the root. Audited
// as account_key.suspend.
func (a *Authority) SuspendAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{accountKeys}, suspendKey)
}

// ResumeAccountKey lets it work again. It needs claviger.account_keys:manage at the root. Audited
// as account_key.resume.
func (a *Authority) ResumeAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{accountKeys}, resumeKey)
}

// RevokeAccountKey ends it for good. It needs claviger.account_keys:manage at the root. Audited
// as account_key.revoke.
func (a *Authority) RevokeAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{accountKeys}, revokeKey)
}

// DeleteAccountKey revokes and hides it. It needs claviger.account_keys:manage at the root. Audited
// as account_key.delete.
func (a *Authority) DeleteAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{accountKeys}, deleteKey)
}

// RotateAccountKey gives it a new secret under the same ID. Rights as IssueAccountKey;
// audited as account_key.rotate.
func (a *Authority) RotateAccountKey(ctx context.Context, caller access.Caller, in RotateKeyInput) (IssuedKey, error) {
	return a.rotateKey(ctx, caller, in, kinds{accountKeys})
}

// AccountKey answers one. It needs claviger.account_keys:manage at the root.
func (a *Authority) AccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.readKey(ctx, caller, in, kinds{accountKeys})
}

// AccountKeys lists a tenant's account keys. It needs claviger.account_keys:manage at the root.
func (a *Authority) AccountKeys(ctx context.Context, caller access.Caller, in KeysInput) (out store.List[Key], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.require(access.AccountKeysManage, s.rootPath()); err != nil {
			return err
		}
		if err := s.apiAccess(false); err != nil {
			return err
		}
		out, err = s.listKeys(in.filter("", credential.AccountKey), in.Page)
		return err
	})
	return out, err
}
