package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// ServiceAccount is a service account with the roles it has, wherever in the tree.
type ServiceAccount struct {
	tenancy.ServiceAccount
	Roles    []access.Assignment
	Revision uint64 // of the change that answered it; zero on reads
}

// CreateServiceAccountInput describes a new service account.
type CreateServiceAccountInput struct {
	Tenant         tenancy.TenantID
	OrganizationID tenancy.OrgID // empty means the root
	Description    string
	Roles          []access.RoleID // given at its organization
	Labels         tenancy.Labels
	Idempotency
}

// ChangeServiceAccountInput changes what is not nil. Roles are those at its own
// organization.
type ChangeServiceAccountInput struct {
	Tenant      tenancy.TenantID
	ID          tenancy.ServiceAccountID
	Description *string
	Roles       *[]access.RoleID
	Labels      *tenancy.Labels
}

// ServiceAccountInput names one service account.
type ServiceAccountInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.ServiceAccountID
	Idempotency
}

// ServiceAccountsInput filters the list of service accounts.
type ServiceAccountsInput struct {
	Tenant         tenancy.TenantID
	At             tenancy.OrgID // at and below
	States         []tenancy.State
	Search         string
	IncludeDeleted bool
	Page           store.Page
}

func (a *Authority) CreateServiceAccount(ctx context.Context, caller access.Caller, in CreateServiceAccountInput) (out ServiceAccount, err error) {
	return out, errUnfinished
}

func (a *Authority) ChangeServiceAccount(ctx context.Context, caller access.Caller, in ChangeServiceAccountInput) (out ServiceAccount, err error) {
	return out, errUnfinished
}

func (a *Authority) SuspendServiceAccount(ctx context.Context, caller access.Caller, in ServiceAccountInput) (out ServiceAccount, err error) {
	return out, errUnfinished
}

func (a *Authority) ResumeServiceAccount(ctx context.Context, caller access.Caller, in ServiceAccountInput) (out ServiceAccount, err error) {
	return out, errUnfinished
}

func (a *Authority) DeleteServiceAccount(ctx context.Context, caller access.Caller, in ServiceAccountInput) (out ServiceAccount, err error) {
	return out, errUnfinished
}

func (a *Authority) ServiceAccount(ctx context.Context, caller access.Caller, in ServiceAccountInput) (out ServiceAccount, err error) {
	return out, errUnfinished
}

func (a *Authority) ServiceAccounts(ctx context.Context, caller access.Caller, in ServiceAccountsInput) (out store.List[ServiceAccount], err error) {
	return out, errUnfinished
}
