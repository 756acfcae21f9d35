package authority

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// idleBatch is how many credentials are suspended for idleness in one transaction.
const idleBatch = 100

// applyToAll begins the operation that applies the tenant's policy to what is there.
func (c *change) applyToAll(id string) (*Operation, error) {
	living := store.CredentialFilter{States: []credential.State{credential.Active, credential.Suspended}}
	total, err := c.tx.CountCredentials(living) // before AsOf: without it the count is a kept one
	if err != nil {
		return nil, err
	}
	living.AsOf = c.tx.Head()
	rules, err := appliedRules(c.tenant.Policy)
	if err != nil {
		return nil, err
	}
	work := bulkWork{Caller: c.caller, Filter: &living, Rules: rules}
	work.Caller.Holdings = nil
	input, err := json.Marshal(work)
	if err != nil {
		return nil, fmt.Errorf("encoding an operation: %w", err)
	}
	o := store.Operation{
		ID: id, TenantID: c.tenant.ID, Action: string(actionApplyPolicy), State: OperationPending, Total: total, Input: input,
		CreatedBy: c.caller.Principal, CreatedByName: plain(c.caller.Name), CreatedAt: c.now,
	}
	if err := c.tx.InsertOperation(o); err != nil {
		return nil, err
	}
	shown, err := showOperation(o)
	if err != nil {
		return nil, err
	}
	return &shown, c.record("operation.create", target{kind: "operation", id: id, name: o.Action}, nil, fields{"action": o.Action, "total": total})
}

// applyPolicy applies the tenant's policy to some credentials, unless its rules are others
// by now than those that the operation is for.
func (c *change) applyPolicy(rules string, ids []credential.ID) error {
	if err := c.mayChangeTenant(false); err != nil {
		return err
	}
	now, err := appliedRules(c.tenant.Policy)
	if err != nil {
		return err
	}
	if now != rules {
		return problem.New(problem.Denied, "policy_changed", "The policy was changed again before it was applied to all. Apply the new one.")
	}
	found, err := c.tx.CredentialsByID(ids)
	if err != nil {
		return err
	}
	material, err := c.tx.MaterialOf(c.kept(found))
	if err != nil {
		return err
	}
	stopped := make([]bool, len(found)) // read before the first is written
	for i, k := range found {
		if stopped[i], err = c.appStopped(k); err != nil {
			return err
		}
	}
	for i, k := range found {
		if err := c.bringUnder(k, sealedIn(material[k.ID]), stopped[i]); err != nil {
			return err
		}
	}
	return nil
}

// kept are those whose secrets may be kept.
func (c *change) kept(list []credential.Credential) (ids []credential.ID) {
	for _, k := range list {
		if rulesOf(k.Kind).recoverable {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

func sealedIn(material []credential.Material) bool {
	for _, m := range material {
		if m.Sealed != nil {
			return true
		}
	}
	return false
}

// appStopped is whether a credential is an app's that does not work now.
func (s *scope) appStopped(k credential.Credential) (bool, error) {
	if k.Kind != credential.App {
		return false, nil
	}
	p, err := s.principalFacts(k.TenantID, k.Principal)
	return err == nil && (p.app == nil || p.app.State != tenancy.Active), err
}

// bringUnder changes one credential as the tenant's policy asks.
func (c *change) bringUnder(k credential.Credential, sealed, stopped bool) error {
	next, effects := k.Under(c.tenant.Policy, sealed, c.now)
	before, after := fields{}, fields{}
	reason := fields{}
	for _, e := range effects {
		switch e.Does {
		case credential.EndsEarlier:
			before["expires_at"], after["expires_at"] = k.ExpiresAt, next.ExpiresAt
		case credential.NetworksNarrowed:
			before["networks"], after["networks"] = k.Networks, next.Networks
		case credential.SecretDestroyed:
			before["recoverable"], after["recoverable"] = true, false
			if err := c.tx.DestroyMaterial(k.ID); err != nil {
				return err
			}
		case credential.IsSuspended:
			reason["reason"] = e.Rule
		case credential.IsListed:
		}
	}
	next.State = k.State // that is a step of its own
	if len(after) > 0 {
		if err := c.tx.UpdateCredential(next); err != nil {
			return err
		}
		if err := c.record(rulesOf(k.Kind).noun+".change", keyTarget(next), before, after); err != nil {
			return err
		}
	}
	if len(reason) == 0 || stopped {
		return nil
	}
	return c.suspendFor(next, reason)
}

// suspendFor suspends a credential because of the tenant's policy; of an app, the app, as
// its people would, so that they can let it work again.
func (c *change) suspendFor(k credential.Credential, reason fields) error {
	after := fields{"state": credential.Suspended}
	for name, v := range reason {
		after[name] = v
	}
	if k.Kind == credential.App {
		app, err := c.tx.App(tenancy.AppID(k.Principal.ID))
		if err != nil {
			return err
		}
		app.State = tenancy.Suspended
		if err := c.tx.UpdateApp(app); err != nil {
			return err
		}
		return c.record("app.suspend", appTarget(app), fields{"state": tenancy.Active}, after)
	}
	next, err := c.transit(k, suspendKey)
	if err != nil {
		return err
	}
	return c.record(rulesOf(k.Kind).noun+".suspend", keyTarget(next), stateOf(k), after)
}

// SuspendIdle suspends what lay idle for longer than its tenant's policy says: neither used
// nor made nor resumed, and for credential.UseNoted on top, until when a use is written down.
// A tenant that it fails for does not keep it from the others. It returns how many. Audited
// per credential, as the installation's own doing.
func (a *Authority) SuspendIdle(ctx context.Context) (suspended int, err error) {
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
	var failed []error
	for _, t := range tenants {
		for i := range t.Policy.Kept.Idle {
			if ctx.Err() != nil {
				break
			}
			n, err := a.suspendIdleStep(ctx, t, i)
			suspended += n
			if err != nil {
				failed = append(failed, fmt.Errorf("tenant %s: %w", t.ID, err))
			}
		}
	}
	return suspended, errors.Join(append(failed, ctx.Err())...)
}

// suspendIdleStep suspends those that one step of a tenant's policy is for.
func (a *Authority) suspendIdleStep(ctx context.Context, t tenancy.Tenant, i int) (suspended int, err error) {
	for t.Policy.Kept.Idle[i].Days > 0 {
		var idle []credential.Credential
		now := a.now()
		err := a.store.Read(ctx, t.ID, func(tx *store.Tx) (err error) {
			idle, err = tx.LivingCredentials(idleUnder(t.Policy.Kept.Idle, i, now), idleBatch)
			return err
		})
		if err != nil || len(idle) == 0 {
			return suspended, err
		}
		n, err := a.suspendIdle(ctx, t.ID, idle)
		suspended += n
		if err != nil || n == 0 || len(idle) < idleBatch {
			return suspended, err
		}
	}
	return suspended, nil
}

// idleUnder finds what is idle by one of the steps.
func idleUnder(steps []tenancy.IdleStep, i int, now time.Time) store.LivingFilter {
	f := store.LivingFilter{Now: now, IdleSince: credential.IdleSince(steps[i].Days, now), MadeFrom: steps[i].Since}
	if i+1 < len(steps) {
		f.MadeBefore = steps[i+1].Since
	}
	return f
}

func (a *Authority) suspendIdle(ctx context.Context, tenant tenancy.TenantID, found []credential.Credential) (n int, err error) {
	ids := make([]credential.ID, len(found))
	for i, k := range found {
		ids[i] = k.ID
	}
	_, err = a.change(ctx, SystemCaller(), tenant, func(c *change) error {
		n = 0
		now, err := c.tx.CredentialsByID(ids)
		if err != nil {
			return err
		}
		stopped := make([]bool, len(now))
		for i, k := range now {
			if stopped[i], err = c.appStopped(k); err != nil {
				return err
			}
		}
		for i, k := range now {
			days := c.tenant.Policy.IdleDays(k.CreatedAt)
			if days == 0 || stopped[i] || !k.Idle(days, c.now) {
				continue // it was used or changed meanwhile, or the policy was
			}
			if err := c.suspendFor(k, fields{"reason": credential.RuleIdle, "idle_days": days, "last_used_at": k.LastUsedAt}); err != nil {
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
