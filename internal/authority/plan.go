package authority

import (
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// CreatePlanInput describes a new plan.
type CreatePlanInput struct {
	Key         string
	Name        string
	APIAccess   bool
	Permissions []access.Grant
	Idempotency
}

// ChangePlanInput changes what is not nil.
type ChangePlanInput struct {
	ID          tenancy.PlanID
	Name        *string
	APIAccess   *bool
	Permissions *[]access.Grant
}

// PlanInput names one plan.
type PlanInput struct{ ID tenancy.PlanID }

// PlansInput lists all plans; there are few.
type PlansInput struct{}
