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

// IssueVerifierKeyInput describes a new verifier key. One of the system tenant verifies
// credentials of every tenant, another only those of its own.
type IssueVerifierKeyInput struct {
	Tenant    tenancy.TenantID // empty means the caller's own
	Name      string
	NotBefore time.Time
	ExpiresAt *time.Time
	Networks  []netip.Prefix
	Limits    credential.Limits
	Labels    tenancy.Labels
	Idempotency
}

// verifierKeys are the rules of verifier keys: all of them belong to their tenant, and
// whoever may manage them there may do everything with them.
var verifierKeys = keyRules{
	kind: credential.VerifierKey, noun: "verifier_key", thing: "verifier key", field: credential.FieldKey,
	mayRead: func(s *scope, _ credential.Credential) error {
		return s.require(access.VerifierKeysManage, s.rootPath())
	},
	mayChange: func(s *scope, _ credential.Credential) error {
		return s.require(access.VerifierKeysManage, s.rootPath())
	},
	mayRotate: func(s *scope, k credential.Credential) error { return s.mayIssueVerifier(k) },
}

func (s *scope) mayIssueVerifier(k credential.Credential) error {
	if err := s.require(access.VerifierKeysManage, s.rootPath()); err != nil {
		return err
	}
	if err := s.apiAccess(true); err != nil {
		return err
	}
	return s.mayGive(access.Gift{
		Permissions: access.SetOf(access.CredentialsVerify), Extra: access.SetOf(access.CredentialsVerify),
		Path: s.rootPath(), Recipient: k.Principal, ExpiresAt: k.ExpiresAt,
	})
}

// IssueVerifierKey makes a key that may ask for verification and nothing else. It needs
// claviger.verifier_keys:manage at the tenant's root. Audited as verifier_key.issue.
func (a *Authority) IssueVerifierKey(ctx context.Context, caller access.Caller, in IssueVerifierKeyInput) (IssuedKey, error) {
	return a.issueKey(ctx, caller, in.Tenant, verifierKeys, in.Idempotency, func(c *change, made freshSecrets) (credential.Credential, error) {
		if err := c.require(access.VerifierKeysManage, c.rootPath()); err != nil {
			return credential.Credential{}, err
		}
		k, err := c.newKey(verifierKeys, wish{in.Name, in.NotBefore, in.ExpiresAt, in.Networks, in.Limits, in.Labels}, made)
		if err != nil {
			return k, err
		}
		k.OrganizationID, k.Principal = c.tenant.RootOrg, access.Principal{Type: access.PrincipalTenant, ID: string(c.tenant.ID)}
		return k, c.mayIssueVerifier(k)
	})
}

// RenameVerifierKey changes its name. Rights as IssueVerifierKey; audited as verifier_key.rename.
func (a *Authority) RenameVerifierKey(ctx context.Context, caller access.Caller, in RenameKeyInput) (Key, error) {
	return a.changeKey(ctx, caller, KeyInput{Tenant: in.Tenant, ID: in.ID}, kinds{verifierKeys}, renameKey(in.Name))
}

// SuspendVerifierKey stops it until it is resumed. Rights as IssueVerifierKey; audited as
// verifier_key.suspend.
func (a *Authority) SuspendVerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{verifierKeys}, suspendKey)
}

// ResumeVerifierKey lets it work again. Rights as IssueVerifierKey; audited as
// verifier_key.resume.
func (a *Authority) ResumeVerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{verifierKeys}, resumeKey)
}

// RotateVerifierKey gives it a new secret under the same ID. Rights as IssueVerifierKey;
// audited as verifier_key.rotate.
func (a *Authority) RotateVerifierKey(ctx context.Context, caller access.Caller, in RotateKeyInput) (IssuedKey, error) {
	return a.rotateKey(ctx, caller, in, kinds{verifierKeys})
}

// RevokeVerifierKey ends it for good. Rights as IssueVerifierKey; audited as
// verifier_key.revoke.
func (a *Authority) RevokeVerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{verifierKeys}, revokeKey)
}

// DeleteVerifierKey revokes and hides it. Rights as IssueVerifierKey; audited as
// verifier_key.delete.
func (a *Authority) DeleteVerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{verifierKeys}, deleteKey)
}

// VerifierKey answers one. Rights as IssueVerifierKey.
func (a *Authority) VerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.readKey(ctx, caller, in, kinds{verifierKeys})
}

// VerifierKeys lists a tenant's verifier keys. Rights as IssueVerifierKey.
func (a *Authority) VerifierKeys(ctx context.Context, caller access.Caller, in KeysInput) (out store.List[Key], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.require(access.VerifierKeysManage, s.rootPath()); err != nil {
			return err
		}
		if err := s.apiAccess(false); err != nil {
			return err
		}
		out, err = s.listKeys(in.filter("", credential.VerifierKey), in.Page)
		return err
	})
	return out, err
}
