package authority

import (
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// AssignInput gives a principal a role at an organization and everything below it.
type AssignInput struct {
	Tenant         tenancy.TenantID
	Principal      access.Principal
	RoleID         access.RoleID
	OrganizationID tenancy.OrgID // empty means the root
	Idempotency
}

// AssignmentInput names one assignment.
type AssignmentInput struct {
	Tenant tenancy.TenantID
	ID     access.AssignmentID
}

// AssignmentsInput filters the list of assignments.
type AssignmentsInput struct {
	Tenant    tenancy.TenantID
	Principal access.Principal
	Role      access.RoleID
	At        tenancy.OrgID
	Page      store.Page
}
