package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// APIAccessInput asks about a tenant's plan.
type APIAccessInput struct{ Tenant tenancy.TenantID }

// APIAccess is what the pages of credentials say where the plan does not include them.
type APIAccess struct {
	Included     bool
	TenantName   string
	PlanKey      string
	PlanName     string
	ExistingKeys int64     // active ones of any kind: they work again once the plan includes them
	RequestedAt  time.Time // zero means that nobody has asked
}

// credentialPages are the permissions of which each opens a page of credentials.
var credentialPages = []access.Permission{
	access.APIKeysGenerate, access.APIKeysManage, access.OrganizationKeysGenerate, access.AppsManage, access.ServiceAccountsManage,
	access.ClientCredentialsManage, access.ClientCredentialsManageOwn, access.AccountKeysManage,
}

// APIAccess answers whether the plan includes API access (PV4). It needs a permission that
// opens one of the pages of credentials, anywhere in the tenant.
func (a *Authority) APIAccess(ctx context.Context, caller access.Caller, in APIAccessInput) (out APIAccess, err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if _, err := s.visible("", credentialPages...); err != nil {
			return err
		}
		out, err = s.planAccess()
		return err
	})
	return out, err
}

func (s *scope) planAccess() (APIAccess, error) {
	active, err := s.tx.ActiveCredentials(s.now)
	out := APIAccess{
		Included: s.plan.APIAccess, TenantName: s.tenant.Name, PlanKey: s.plan.Key, PlanName: s.plan.Name,
		RequestedAt: s.tenant.APIAccessRequestedAt,
	}
	for _, n := range active {
		out.ExistingKeys += n
	}
	return out, err
}

// RequestAPIAccess asks the installation's operators for a plan with API access: they see
// it in the list of tenants. Asking again changes nothing. Rights as APIAccess. Problems:
// api_access_included. Audited as api_access.request.
func (a *Authority) RequestAPIAccess(ctx context.Context, caller access.Caller, in APIAccessInput) (out APIAccess, err error) {
	_, err = a.change(ctx, caller, in.Tenant, func(c *change) error {
		if _, err := c.visible("", credentialPages...); err != nil {
			return err
		}
		if c.plan.APIAccess {
			return problem.New(problem.Conflict, "api_access_included", "The plan includes API access already.")
		}
		if c.tenant.APIAccessRequestedAt.IsZero() {
			t := c.tenant
			t.APIAccessRequestedAt = c.now
			if err := c.tx.UpdateTenant(t); err != nil {
				return err
			}
			if err := c.record("api_access.request", tenantTarget(t), nil, fields{"plan": c.plan.Key}); err != nil {
				return err
			}
			c.tenant = t
		} else {
			c.replayed = true
		}
		out, err = c.planAccess()
		return err
	})
	return out, err
}
