package authority

import (
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// MeInput asks who the caller is.
type MeInput struct{}

// MeOutput is who the caller is and what they hold.
type MeOutput struct {
	Caller       access.Caller // with Holdings
	User         *tenancy.User // nil when the caller is not a user
	Tenant       tenancy.Tenant
	Plan         catalog.Plan
	Organization tenancy.Organization // zero when the caller is not a user
	// Permissions are what the caller may use now at their own organization: what they
	// hold, the vendor's part bounded by the plan.
	Permissions access.Set
	System      bool // the caller acts for the system tenant
}
