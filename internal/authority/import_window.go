package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// MaxImportWindow is the longest time for which a tenant's own people may import keys.
const MaxImportWindow = 30 * day

// OpenImportWindowInput lets a tenant's own people import keys for a while.
type OpenImportWindowInput struct {
	ID  tenancy.TenantID
	For time.Duration // from now: whole seconds, from a minute to MaxImportWindow
}

// OpenImportWindow lets those of a tenant who hold claviger.api_keys:manage at its root import
// keys until a time (PV3). It needs claviger.tenants:manage in the system tenant. Audited as
// tenant.open_import.
func (a *Authority) OpenImportWindow(ctx context.Context, caller access.Caller, in OpenImportWindowInput) (tenancy.Tenant, error) {
	if in.For < time.Minute || in.For > MaxImportWindow || in.For%time.Second != 0 {
		return tenancy.Tenant{}, problem.InvalidField("/open_seconds", "Choose whole seconds, from a minute to 30 days.")
	}
	return a.changeImportWindow(ctx, caller, in.ID, "tenant.open_import", in.For)
}

// CloseImportWindow ends it now; closing what is closed changes nothing but the audit log.
// Rights as OpenImportWindow; audited as tenant.close_import.
func (a *Authority) CloseImportWindow(ctx context.Context, caller access.Caller, in TenantInput) (tenancy.Tenant, error) {
	return a.changeImportWindow(ctx, caller, in.ID, "tenant.close_import", 0)
}

func (a *Authority) changeImportWindow(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, action string, open time.Duration) (out tenancy.Tenant, err error) {
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		if err := c.requireSystem(access.TenantsManage); err != nil {
			return err
		}
		var until time.Time
		if open > 0 {
			until = c.now.Add(open)
		}
		t := c.tenant
		t.ImportUntil, t.ModifiedAt = until, c.now
		if err := c.tx.UpdateTenant(t); err != nil {
			return err
		}
		out = t
		return c.record(action, tenantTarget(t), fields{"import_until": c.tenant.ImportUntil}, fields{"import_until": until})
	})
	return out, err
}
