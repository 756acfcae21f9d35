package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
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

// ChangeKeyInput changes what is not nil of a credential.
type ChangeKeyInput struct {
	Tenant    tenancy.TenantID
	ID        credential.ID
	Name      *string
	ExpiresAt *time.Time // a pointer to the zero time means never
	Networks  *[]netip.Prefix
	Limits    *credential.Limits
	Labels    *tenancy.Labels
}

func (a *Authority) IssueOrganizationKey(ctx context.Context, caller access.Caller, in IssueOrganizationKeyInput) (out IssuedKey, err error) {
	return out, errUnfinished
}

func (a *Authority) ChangeOrganizationKey(ctx context.Context, caller access.Caller, in ChangeKeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) SuspendOrganizationKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) ResumeOrganizationKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) RotateOrganizationKey(ctx context.Context, caller access.Caller, in RotateKeyInput) (out IssuedKey, err error) {
	return out, errUnfinished
}

func (a *Authority) RevokeOrganizationKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) DeleteOrganizationKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}
