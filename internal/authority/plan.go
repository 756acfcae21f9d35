package authority

import (
	"context"
	"strconv"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
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

// CreatePlan makes a plan. It needs claviger.plans:manage in the system tenant. Audited as
// plan.create in the system tenant's chain.
func (a *Authority) CreatePlan(ctx context.Context, caller access.Caller, in CreatePlanInput) (out catalog.Plan, err error) {
	id, err := newID("pln_")
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, "", func(c *change) error {
		if err := c.requireSystem(access.PlansManage); err != nil {
			return err
		}
		out, err = once(c, "plan.create", in.Idempotency, func() (catalog.Plan, string, error) {
			p := catalog.Plan{ID: tenancy.PlanID(id), Key: in.Key, Name: in.Name, APIAccess: in.APIAccess, Permissions: in.Permissions, CreatedAt: c.now}
			return p, id, c.insertPlan(p)
		}, func(id string) (catalog.Plan, error) { return c.tx.AllTenantsPlan(tenancy.PlanID(id)) })
		return err
	})
	return out, err
}

func (c *change) insertPlan(p catalog.Plan) error {
	if err := validatePlan(p); err != nil {
		return err
	}
	_, err := c.tx.AllTenantsPlanByKey(p.Key)
	if err == nil {
		return taken("key_taken", "/key", "Another plan has this key. Choose another one.")
	}
	if !problem.Is(err, problem.NotFound) {
		return err
	}
	if err := c.tx.AllTenantsInsertPlan(p); err != nil {
		return err
	}
	return c.record("plan.create", planTarget(p), nil, planFields(p))
}

func planTarget(p catalog.Plan) target { return target{kind: "plan", id: string(p.ID), name: p.Name} }

func planFields(p catalog.Plan) fields {
	return fields{"key": p.Key, "name": p.Name, "api_access": p.APIAccess, "permissions": p.Permissions}
}

func validatePlan(p catalog.Plan) error {
	if err := tenancy.ValidateSlug(p.Key); err != nil {
		return problem.InvalidField("/key", "Use 2 to 63 lower-case letters, digits and hyphens, a letter first.")
	}
	if err := tenancy.ValidateName("/name", p.Name); err != nil {
		return err
	}
	return validateGrants(p.Permissions)
}

// mostGrants bounds what one role or plan lists.
const mostGrants = 1000

func validateGrants(list []access.Grant) error {
	if len(list) > mostGrants {
		return problem.InvalidField("/permissions", "List at most 1,000 permissions.")
	}
	for i, g := range list {
		if _, err := access.ParseGrant(string(g)); err != nil {
			return problem.InvalidField("/permissions/"+strconv.Itoa(i), "Write a permission as resource:action, in lower-case letters, digits, dots and underscores; a whole segment may be *.")
		}
	}
	return nil
}

// ChangePlan changes what is given, which reaches every tenant on the plan at once (PV4).
// Rights as CreatePlan; audited as plan.change.
func (a *Authority) ChangePlan(ctx context.Context, caller access.Caller, in ChangePlanInput) (out catalog.Plan, err error) {
	_, err = a.change(ctx, caller, "", func(c *change) error {
		if err := c.requireSystem(access.PlansManage); err != nil {
			return err
		}
		old, err := c.tx.AllTenantsPlan(in.ID)
		if err != nil {
			return err
		}
		p := old
		set(&p.Name, in.Name)
		set(&p.APIAccess, in.APIAccess)
		set(&p.Permissions, in.Permissions)
		if err := validatePlan(p); err != nil {
			return err
		}
		if old.ID == c.tenant.PlanID && !p.APIAccess {
			return problem.New(problem.Conflict, "system_plan", "The system tenant's own plan keeps API access.")
		}
		if err := c.tx.AllTenantsUpdatePlan(p); err != nil {
			return err
		}
		out = p
		before, after := differences(planFields(old), planFields(p))
		return c.record("plan.change", planTarget(p), before, after)
	})
	return out, err
}

// DeletePlan removes a plan that no tenant has. Rights as CreatePlan; problems:
// plan_in_use. Audited as plan.delete.
func (a *Authority) DeletePlan(ctx context.Context, caller access.Caller, in PlanInput) (out catalog.Plan, err error) {
	_, err = a.change(ctx, caller, "", func(c *change) error {
		if err := c.requireSystem(access.PlansManage); err != nil {
			return err
		}
		if out, err = c.tx.AllTenantsPlan(in.ID); err != nil {
			return err
		}
		used, err := c.planUsed(in.ID)
		if err != nil {
			return err
		}
		if used {
			return problem.New(problem.Conflict, "plan_in_use", "Tenants have this plan. Give them another one first.")
		}
		if err := c.tx.AllTenantsDeletePlan(in.ID); err != nil {
			return err
		}
		return c.record("plan.delete", planTarget(out), planFields(out), nil)
	})
	return out, err
}

func (c *change) planUsed(id tenancy.PlanID) (bool, error) {
	page := store.Page{Limit: store.MaxLimit, Uncounted: true}
	for {
		list, err := c.tx.AllTenantsTenants(store.TenantFilter{IncludeDeleted: true}, page)
		if err != nil {
			return false, err
		}
		for _, t := range list.Items {
			if t.PlanID == id {
				return true, nil
			}
		}
		if list.Next == "" {
			return false, nil
		}
		page.Cursor = list.Next
	}
}

// Plan answers one plan: the caller's own tenant's, or any to claviger.plans:manage or
// claviger.tenants:read in the system tenant.
func (a *Authority) Plan(ctx context.Context, caller access.Caller, in PlanInput) (out catalog.Plan, err error) {
	err = a.view(ctx, caller, "", func(s *scope) error {
		if s.caller.Tenant != tenancy.SystemTenantID {
			if in.ID != s.plan.ID {
				return problem.Missing("plan")
			}
			if err := s.requireAny(s.rootPath(), access.OrganizationsRead, access.TenantManage); err != nil {
				return err
			}
			out = s.plan
			return nil
		}
		if err := s.mayReadPlans(); err != nil {
			return err
		}
		out, err = s.tx.AllTenantsPlan(in.ID)
		return err
	})
	return out, err
}

func (s *scope) mayReadPlans() error {
	if s.requireSystem(access.PlansManage) == nil {
		return nil
	}
	return s.mayReadTenants()
}

// Plans lists all plans. It needs claviger.plans:manage or claviger.tenants:read in the
// system tenant.
func (a *Authority) Plans(ctx context.Context, caller access.Caller, _ PlansInput) (out []catalog.Plan, err error) {
	err = a.view(ctx, caller, "", func(s *scope) error {
		if err := s.mayReadPlans(); err != nil {
			return err
		}
		out, err = s.tx.AllTenantsPlans()
		return err
	})
	return out, err
}
