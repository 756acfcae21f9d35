package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// The system tenant and its plan.
const (
	SystemTenantSlug    = "system"
	systemPlanKey       = "system"
	systemAccountNumber = 1_000_000
)

// BootstrapSystem makes the system tenant with its plan and roles. It does nothing when
// they are there, so every start may call it.
func (a *Authority) BootstrapSystem(ctx context.Context) error {
	there := false
	err := a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		there, err = systemThere(tx)
		return err
	})
	if err != nil || there {
		return err
	}
	plan, err := newID("pln_")
	if err != nil {
		return err
	}
	_, err = a.changeIn(ctx, SystemCaller(), tenancy.SystemTenantID, true, func(c *change) error {
		if there, err := systemThere(c.tx); err != nil || there {
			c.replayed = there // another process was faster
			return err
		}
		p := catalog.Plan{
			ID: tenancy.PlanID(plan), Key: systemPlanKey, Name: "System", APIAccess: true,
			Permissions: access.Everything().Grants(), CreatedAt: c.now,
		}
		if err := c.insertPlan(p); err != nil {
			return err
		}
		// A backup that is made before the first checkpoint must be of the same installation.
		if _, err := installationID(c.tx); err != nil {
			return err
		}
		return c.insertTenant(tenancy.Tenant{
			ID: tenancy.SystemTenantID, Slug: SystemTenantSlug, Name: "System", AccountID: systemAccountNumber, PlanID: p.ID,
			RootOrg: tenancy.SystemRootOrg, State: tenancy.Active, CreatedAt: c.now, ModifiedAt: c.now,
		}, true)
	})
	return err
}

func systemThere(tx *store.Tx) (bool, error) {
	_, err := tx.AllTenantsTenant(tenancy.SystemTenantID)
	if problem.Is(err, problem.NotFound) {
		return false, nil
	}
	return err == nil, err
}
