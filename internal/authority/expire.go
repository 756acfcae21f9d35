package authority

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// expireFound is how many due credentials are looked for at once: many, so that those of
// one tenant end together.
const expireFound = 50_000

// expireSecond is how many ends a process records in a second, at most: nobody waits for it, and what
// each leaves to be written takes processors and disk from verification for a moment. A hundred
// thousand take four minutes.
const expireSecond = 420

// ExpireDue records the end of every credential whose time is over (NV12): no form from
// which the secret could be recovered is left and lists no longer show it. Verification
// refuses such credentials by the clock alone, so nothing depends on when this runs. It
// works in transactions that are short for other writers and leaves the machine to others
// between them; several nodes may do it at once, since each transaction looks again. It
// returns how many it ended. Audited per credential, as the installation's own doing.
func (a *Authority) ExpireDue(ctx context.Context) (ended int, err error) {
	pace := newPacer()
	for {
		var due []store.DueCredential
		err = a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
			due, err = tx.AllTenantsDueCredentials(a.now(), expireFound)
			return err
		})
		if err != nil || len(due) == 0 {
			return ended, err
		}
		n, err := a.expireFoundDue(ctx, due, pace)
		ended += n
		if err != nil || n == 0 || len(due) < expireFound {
			return ended, err
		}
	}
}

// expireFoundDue ends what was found, tenant by tenant. A tenant that it fails for does not
// keep it from the others.
func (a *Authority) expireFoundDue(ctx context.Context, due []store.DueCredential, pace *pacer) (ended int, err error) {
	byTenant := map[tenancy.TenantID][]credential.ID{}
	var tenants []tenancy.TenantID
	for _, d := range due {
		if byTenant[d.Tenant] == nil {
			tenants = append(tenants, d.Tenant)
		}
		byTenant[d.Tenant] = append(byTenant[d.Tenant], d.ID)
	}
	var failed []error
	for _, tenant := range a.fromOwnPlace(tenants) {
		for ids := byTenant[tenant]; len(ids) > 0; {
			if ctx.Err() != nil {
				return ended, ctx.Err()
			}
			some := ids[:min(pace.size, len(ids))]
			ids = ids[len(some):]
			n, took, err := a.expireSome(ctx, tenant, some)
			ended += n
			if err != nil {
				failed = append(failed, fmt.Errorf("tenant %s: %w", tenant, err))
				break
			}
			pace.took(len(some), took)
			pause(ctx, max(2*took, time.Duration(len(some))*time.Second/expireSecond-took))
		}
	}
	return ended, errors.Join(failed...)
}

// fromOwnPlace begins a list at a place of this process's own, so that several that find
// the same mostly work on different parts of it.
func (a *Authority) fromOwnPlace(tenants []tenancy.TenantID) []tenancy.TenantID {
	own := func(id tenancy.TenantID) uint64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(a.holder))
		_, _ = h.Write([]byte(id))
		return h.Sum64()
	}
	slices.SortFunc(tenants, func(x, y tenancy.TenantID) int { return cmp.Compare(own(x), own(y)) })
	return tenants
}

// expireSome ends some of one tenant's credentials, also of a deleted tenant's, and says
// how long the writer was busy with it.
func (a *Authority) expireSome(ctx context.Context, tenant tenancy.TenantID, ids []credential.ID) (n int, took time.Duration, err error) {
	var began time.Time
	open := func(s *scope) error {
		began = time.Now()
		s.ended = true
		return s.open(false)
	}
	_, err = a.changeOpened(ctx, SystemCaller(), tenant, open, func(c *change) error {
		n = 0
		// All are read before the first is written, because each read sends what was written.
		found, err := c.tx.CredentialsByID(ids)
		if err != nil {
			return err
		}
		for _, k := range found {
			if finalState(k.State) || k.StateAt(c.now) != credential.Expired {
				continue // someone was faster, or it lives longer now
			}
			if _, err := c.applyTransition(rulesOf(k.Kind), k, expireKey); err != nil {
				return err
			}
			n++
		}
		c.replayed = n == 0
		return nil
	})
	if err != nil {
		n = 0
	}
	return n, time.Since(began), err
}
