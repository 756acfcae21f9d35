package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// expireBatch is how many credentials end in one transaction, so that the writer is never
// held for long.
const expireBatch = 100

// ExpireDue records the end of every credential whose time is over (NV12): no form from
// which the secret could be recovered is left and lists no longer show it. Verification
// refuses such credentials by the clock alone, so nothing depends on when this runs. It
// returns how many it ended. Audited per credential, as the installation's own doing.
func (a *Authority) ExpireDue(ctx context.Context) (ended int, err error) {
	var tenants []tenancy.Tenant
	err = a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		tenants, err = everyPage(func(p store.Page) (store.List[tenancy.Tenant], error) {
			return tx.AllTenantsTenants(store.TenantFilter{}, p)
		})
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, t := range tenants {
		for {
			n, err := a.expireSome(ctx, t.ID)
			ended += n
			if err != nil {
				return ended, err
			}
			if n < expireBatch {
				break
			}
		}
	}
	return ended, nil
}

func dueKeys(tx *store.Tx, now time.Time) (store.List[credential.Credential], error) {
	return tx.Credentials(store.CredentialFilter{
		States: []credential.State{credential.Active, credential.Suspended}, ExpiringBefore: now.Add(time.Microsecond), IncludeDeleted: true,
	}, store.Page{Limit: expireBatch})
}

// expireSome ends at most a batch of one tenant's credentials.
func (a *Authority) expireSome(ctx context.Context, tenant tenancy.TenantID) (n int, err error) {
	var due store.List[credential.Credential]
	err = a.store.Read(ctx, tenant, func(tx *store.Tx) (err error) {
		due, err = dueKeys(tx, a.now())
		return err
	})
	if err != nil || len(due.Items) == 0 {
		return 0, err
	}
	_, err = a.change(ctx, SystemCaller(), tenant, func(c *change) error {
		n = 0
		for _, found := range due.Items {
			k, err := c.tx.Credential(found.ID)
			if err != nil {
				return err
			}
			if finalState(k.State) || k.StateAt(c.now) != credential.Expired {
				continue // someone was faster
			}
			if _, err := c.applyTransition(rulesOf(k.Kind), k, expireKey); err != nil {
				return err
			}
			n++
		}
		c.replayed = n == 0
		return nil
	})
	if problem.Is(err, problem.NotFound) {
		return 0, nil // the tenant was deleted meanwhile
	}
	return n, err
}
