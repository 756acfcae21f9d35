package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// OrganizationImpact is what suspending or removing an organization would touch.
type OrganizationImpact struct {
	store.Inventory
	Removable bool
	Reason    string // why not, and what to do; empty when it can be removed
}

// OrganizationImpact answers what there is at an organization and below it, and whether
// RemoveOrganization would do it. It needs claviger.organizations:manage there.
func (a *Authority) OrganizationImpact(ctx context.Context, caller access.Caller, in OrganizationInput) (out OrganizationImpact, err error) {
	tenant, err := a.organizationTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		o, err := s.organization(in.ID)
		if err != nil {
			return err
		}
		if err := s.require(access.OrganizationsManage, o.Path); err != nil {
			return err
		}
		if out.Inventory, err = s.tx.Inventory(o.ID); err != nil {
			return err
		}
		err = s.mayRemove(o)
		if problem.Is(err, problem.Conflict) {
			out.Reason = problem.As(err).Message
			return nil
		}
		out.Removable = err == nil
		return err
	})
	return out, err
}

// mayRemove is whether an organization can be removed as it is now.
func (s *scope) mayRemove(o tenancy.Organization) error {
	if o.ID == s.tenant.RootOrg {
		return rootStays()
	}
	return s.organizationEmpty(o)
}

func rootStays() error {
	return problem.New(problem.Conflict, "root_organization", "The root organization cannot be suspended or removed. Suspend the tenant instead.")
}
