package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// IssueOrganizationKeyInput describes a new organization key.
type IssueOrganizationKeyInput struct {
	Tenant         tenancy.TenantID // empty means the organization's
	OrganizationID tenancy.OrgID    // whose people it signs in, at and below; required
	Name           string
	NotBefore      time.Time  // zero means at once
	ExpiresAt      *time.Time // nil means one year, or the tenant's default
	Networks       []netip.Prefix
	Limits         credential.Limits
	Labels         tenancy.Labels
	Idempotency
}

// organizationKeys are the rules of organization keys: only who has the right at the root
// (customer administrators at system or tenant level, NV1) has anything to do with them.
var organizationKeys = ruledBy(keyRules{
	kind: credential.OrganizationKey, noun: "organization_key", thing: "API key", field: credential.FieldKey, recoverable: true,
	mayGive: func(s *scope, k credential.Credential) error {
		path, err := s.path(k.OrganizationID)
		if err != nil {
			return err
		}
		return s.mayGive(access.Gift{
			Permissions: access.SetOf(access.SignInAutomatic), Extra: access.SetOf(access.SignInAutomatic),
			Path: path, Recipient: k.Principal, ExpiresAt: k.ExpiresAt,
		})
	},
}, func(s *scope, _ credential.Credential) error {
	return s.require(access.OrganizationKeysGenerate, s.rootPath())
})

// IssueOrganizationKey makes a key that signs people at or below its organization in
// (NV2), for a year unless another end is chosen (NV10). It can be revealed later. It needs
// claviger.organization_keys:generate at the tenant's root (NV1). Audited as
// organization_key.issue.
func (a *Authority) IssueOrganizationKey(ctx context.Context, caller access.Caller, in IssueOrganizationKeyInput) (IssuedKey, error) {
	tenant, err := a.organizationTenant(ctx, caller, in.Tenant, in.OrganizationID)
	if err != nil {
		return IssuedKey{}, err
	}
	return a.issueKey(ctx, caller, tenant, organizationKeys, in.Idempotency, func(c *change, made freshSecrets) (k credential.Credential, err error) {
		if err := c.require(access.OrganizationKeysGenerate, c.rootPath()); err != nil {
			return k, err
		}
		if in.OrganizationID == "" {
			return k, problem.InvalidField("/organization_id", "Name the organization whose people the key signs in.")
		}
		path, err := c.path(in.OrganizationID)
		if err != nil {
			return k, err
		}
		if err := c.apiAccess(true); err != nil {
			return k, err
		}
		if k, err = c.newKey(organizationKeys, wish{in.Name, in.NotBefore, in.ExpiresAt, in.Networks, in.Limits, in.Labels}, made); err != nil {
			return k, err
		}
		k.OrganizationID = path[len(path)-1]
		k.Principal = access.Principal{Type: access.PrincipalOrganization, ID: string(k.OrganizationID)}
		return k, organizationKeys.mayGive(&c.scope, k)
	})
}

// ChangeOrganizationKey changes name, end, networks, limits and labels (NV13). Rights as
// IssueOrganizationKey; audited as organization_key.change.
func (a *Authority) ChangeOrganizationKey(ctx context.Context, caller access.Caller, in ChangeKeyInput) (Key, error) {
	return a.editKey(ctx, caller, in, kinds{organizationKeys}, nil)
}

// SuspendOrganizationKey stops it until it is resumed. Rights as IssueOrganizationKey; audited as
// organization_key.suspend.
func (a *Authority) SuspendOrganizationKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{organizationKeys}, suspendKey)
}

// ResumeOrganizationKey lets it work again. Rights as IssueOrganizationKey; audited as
// organization_key.resume.
func (a *Authority) ResumeOrganizationKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{organizationKeys}, resumeKey)
}

// RevokeOrganizationKey ends it for good. Rights as IssueOrganizationKey; audited as
// organization_key.revoke.
func (a *Authority) RevokeOrganizationKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{organizationKeys}, revokeKey)
}

// DeleteOrganizationKey revokes and hides it. Rights as IssueOrganizationKey; audited as
// organization_key.delete.
func (a *Authority) DeleteOrganizationKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{organizationKeys}, deleteKey)
}

// RotateOrganizationKey gives it a new secret under the same ID. Rights as
// IssueOrganizationKey; audited as organization_key.rotate.
func (a *Authority) RotateOrganizationKey(ctx context.Context, caller access.Caller, in RotateKeyInput) (IssuedKey, error) {
	return a.rotateKey(ctx, caller, in, kinds{organizationKeys})
}
