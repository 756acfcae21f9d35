package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// forgetBatch is how many credentials are looked for and changed at once.
const forgetBatch = 100

// ForgetEnded destroys what is left of secrets that ended: the digests 90 days after a
// credential was revoked or expired or a secret's grace period was over, and at once the
// sealed copies of secrets that a rotation replaced and whose grace period is over. From
// then on such a key is not found instead of revoked. It returns how many credentials it
// changed. Audited per credential, as the installation's own doing.
func (a *Authority) ForgetEnded(ctx context.Context) (forgotten int, err error) {
	for {
		begun := time.Now()
		now := a.now()
		var due []store.EndedSecret
		err = a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
			due, err = tx.AllTenantsEndedSecrets(now.Add(-credential.DigestRetention), now, forgetBatch)
			return err
		})
		if err != nil || len(due) == 0 {
			return forgotten, err
		}
		byTenant := map[tenancy.TenantID][]credential.ID{}
		for _, d := range due {
			byTenant[d.Tenant] = append(byTenant[d.Tenant], d.ID)
		}
		for tenant, ids := range byTenant {
			if err := a.forget(ctx, tenant, ids, now); err != nil {
				return forgotten, err
			}
			forgotten += len(ids)
		}
		pause(ctx, time.Since(begun))
	}
}

func (a *Authority) forget(ctx context.Context, tenant tenancy.TenantID, ids []credential.ID, now time.Time) error {
	before := now.Add(-credential.DigestRetention)
	_, err := a.change(ctx, SystemCaller(), tenant, func(c *change) error {
		found, err := c.tx.CredentialsByID(ids)
		if err != nil {
			return err
		}
		c.replayed = len(found) == 0
		for _, k := range found {
			if err := c.tx.ForgetMaterial(k.ID, before, now); err != nil {
				return err
			}
			if err := c.record(rulesOf(k.Kind).noun+".forget_secrets", keyTarget(k), nil, fields{"ended_before": before}); err != nil {
				return err
			}
		}
		return nil
	})
	if !problem.Is(err, problem.NotFound) {
		return err
	}
	// The tenant is deleted, and so is its audit chain's use: this is bookkeeping.
	_, err = a.store.Write(ctx, tenant, func(tx *store.Tx) error {
		for _, id := range ids {
			if err := tx.ForgetMaterial(id, before, now); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}
