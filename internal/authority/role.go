package authority

import (
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// CreateRoleInput describes a new custom role.
type CreateRoleInput struct {
	Tenant      tenancy.TenantID
	Name        string
	Description string
	Permissions []access.Grant
	Includes    []access.RoleID
	Idempotency
}

// ChangeRoleInput changes what is not nil.
type ChangeRoleInput struct {
	Tenant      tenancy.TenantID
	ID          access.RoleID
	Name        *string
	Description *string
	Permissions *[]access.Grant
	Includes    *[]access.RoleID
}

// RoleInput names one role.
type RoleInput struct {
	Tenant tenancy.TenantID
	ID     access.RoleID
}

// RolesInput lists a tenant's roles, sorted by name.
type RolesInput struct{ Tenant tenancy.TenantID }
