package authority

import (
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// CreateOrganizationInput describes a new node of the tree.
type CreateOrganizationInput struct {
	Tenant tenancy.TenantID
	Parent tenancy.OrgID // empty means the root
	Name   string
	Labels tenancy.Labels
	Idempotency
}

// OrganizationInput names one organization.
type OrganizationInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.OrgID
	Idempotency
}

// ChangeOrganizationInput changes what is not nil; another Parent moves the organization
// with everything below it.
type ChangeOrganizationInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.OrgID
	Name   *string
	Parent *tenancy.OrgID
	Labels *tenancy.Labels
}

// OrganizationsInput filters the list of organizations.
type OrganizationsInput struct {
	Tenant tenancy.TenantID
	At     tenancy.OrgID // at and below; empty means the highest the caller may see
	Search string
	Page   store.Page
}
