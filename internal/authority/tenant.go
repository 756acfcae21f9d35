package authority

import (
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// CreateTenantInput describes a new customer.
type CreateTenantInput struct {
	Slug   string
	Name   string
	PlanID tenancy.PlanID
	Policy tenancy.Policy
	Labels tenancy.Labels
	Idempotency
}

// TenantInput names one tenant.
type TenantInput struct {
	ID tenancy.TenantID // empty means the caller's own
	Idempotency
}

// ChangeTenantInput changes what is not nil. A tenant's own administrators may change
// Name and Policy; the rest is for system callers.
type ChangeTenantInput struct {
	ID     tenancy.TenantID // empty means the caller's own
	Slug   *string
	Name   *string
	PlanID *tenancy.PlanID
	Policy *tenancy.Policy
	Labels *tenancy.Labels
}

// TenantsInput filters the list of tenants.
type TenantsInput struct {
	Search string
	State  tenancy.State
	Page   store.Page
}
