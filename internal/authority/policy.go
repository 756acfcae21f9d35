package authority

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// ChangePolicyInput replaces a tenant's policy (B7).
type ChangePolicyInput struct {
	Tenant tenancy.TenantID // empty means the caller's own
	Policy tenancy.Policy   // what is Kept in it counts for nothing
	// All applies the rules to credentials that are there, too, by an operation; else they
	// are for new ones only.
	All bool
}

// ChangedPolicy is a tenant whose policy was changed.
type ChangedPolicy struct {
	Tenant    tenancy.Tenant
	Operation *Operation // that applies the policy; nil where it is for new credentials only
	Revision  uint64
}

// actionApplyPolicy is what an operation does that applies a policy.
const actionApplyPolicy BulkAction = "apply_policy"

// ChangePolicy replaces a tenant's policy and, where asked, applies it to every credential
// that is there. It needs claviger.tenant:manage at the root, or claviger.tenants:manage in
// the system tenant: what the operators set, a tenant's own people may tighten but not
// loosen. Problems: policy_floor. Audited as tenant.change, and as operation.create; what
// the operation changes is audited per credential.
func (a *Authority) ChangePolicy(ctx context.Context, caller access.Caller, in ChangePolicyInput) (out ChangedPolicy, err error) {
	id, err := newID("opn_")
	if err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, in.Tenant, func(c *change) error {
		out = ChangedPolicy{}
		if err := c.mayChangeTenant(false); err != nil {
			return err
		}
		t := c.tenant
		if t.Policy, err = c.nextPolicy(t.Policy, in.Policy, in.All); err != nil {
			return err
		}
		t.ModifiedAt = c.now
		if err := c.tx.UpdateTenant(t); err != nil {
			return err
		}
		before, after := differences(tenantFields(c.tenant), tenantFields(t))
		after["policy_for"] = "new credentials"
		if in.All {
			after["policy_for"] = "all credentials"
		}
		if err := c.record("tenant.change", tenantTarget(t), before, after); err != nil {
			return err
		}
		c.tenant, out.Tenant = t, t
		if in.All {
			out.Operation, err = c.applyToAll(id)
		}
		return err
	})
	if err != nil {
		return ChangedPolicy{}, err
	}
	out.Revision = revision
	if out.Operation != nil {
		out.Operation.Revision = revision
		a.wakeOperations()
	}
	return out, nil
}

// nextPolicy makes a policy that a caller asks for ready to follow another.
func (s *scope) nextPolicy(old, asked tenancy.Policy, all bool) (tenancy.Policy, error) {
	if err := validatePolicy(asked); err != nil {
		return old, err
	}
	next, err := tidyRules(asked)
	if err != nil {
		return old, err
	}
	operator := s.caller.System()
	if !operator {
		if err := aboveFloor(next, old.Kept.Floor); err != nil {
			return old, err
		}
	}
	return next.Succeed(old, all, operator, s.now), nil
}

// aboveFloor refuses to loosen what the operators set.
func aboveFloor(p tenancy.Policy, floor tenancy.Floor) error {
	rules := p.LooserThan(floor)
	if len(rules) == 0 {
		return nil
	}
	refusal := problem.New(problem.Denied, "policy_floor",
		"The operators of this installation set stricter rules than these: "+strings.Join(rules, ", ")+". Keep them as strict, or ask the operators.")
	for _, rule := range rules {
		refusal.Fields = append(refusal.Fields, problem.Field{Pointer: "/policy/" + rule, Message: "The operators set a stricter rule."})
	}
	return refusal
}

// tidyRules checks the rules that validatePolicy does not know and writes each in one way.
func tidyRules(p tenancy.Policy) (tenancy.Policy, error) {
	p.ShowOnce = slices.Compact(slices.Sorted(slices.Values(p.ShowOnce)))
	for _, kind := range p.ShowOnce {
		if !rulesOf(credential.Kind(kind)).recoverable {
			return p, problem.InvalidField("/policy/show_once", "Choose organization_key or app: secrets of all others are shown once anyway.")
		}
	}
	texts := make([]string, len(p.Networks))
	for i, n := range p.Networks {
		texts[i] = n.String()
	}
	var err error
	if p.Networks, err = PolicyNetworks(texts); err != nil {
		return p, err
	}
	p.MayCreate = maps.Clone(p.MayCreate)
	for kind, who := range p.MayCreate {
		if !credential.Kind(kind).Valid() {
			return p, problem.InvalidField("/policy/may_create", "Name kinds of credentials, such as user_key.")
		}
		if !who.Valid() {
			return p, problem.InvalidField("/policy/may_create", "Choose permitted, administrators or nobody.")
		}
		if who == tenancy.CreatorsPermitted || who == "" {
			delete(p.MayCreate, kind)
		}
	}
	if p.SuspendIdleDays < 0 || p.SuspendIdleDays > tenancy.MaxIdleDays {
		return p, problem.InvalidField("/policy/suspend_idle_days", fmt.Sprintf("Choose whole days, from 1 to %d, or 0 for never.", tenancy.MaxIdleDays))
	}
	return p, checkNameRule(p)
}

func checkNameRule(p tenancy.Policy) error {
	if p.NamePattern == "" && p.NameHint != "" {
		return problem.InvalidField("/policy/name_hint", "A hint goes with a pattern. Give one, or leave the hint out.")
	}
	for pointer, text := range map[string]string{"/policy/name_pattern": p.NamePattern, "/policy/name_hint": p.NameHint} {
		if text == "" {
			continue
		}
		if fault := tenancy.TextFault(text, tenancy.MaxNamePattern); fault != "" {
			return problem.InvalidField(pointer, fault)
		}
	}
	if _, err := p.NameRule(); err != nil {
		return problem.InvalidField("/policy/name_pattern", "Write a regular expression in RE2 syntax, such as (prod|test)-[a-z]+.")
	}
	return nil
}

// PolicyNetworks reads networks as credential.ParseNetworks does, for a policy.
func PolicyNetworks(list []string) ([]netip.Prefix, error) {
	networks, err := credential.ParseNetworks(list)
	if p := problem.As(err); p != nil && p.Kind == problem.Invalid {
		for i := range p.Fields {
			p.Fields[i].Pointer = "/policy" + p.Fields[i].Pointer
		}
	}
	return networks, err
}

// shownOnce is whether the tenant's policy keeps the secret of a credential from being
// shown again.
func (s *scope) shownOnce(k credential.Credential) bool {
	return s.tenant.Policy.ShownOnce(string(k.Kind), k.CreatedAt)
}

// mayCreate is whether the tenant's policy lets the caller make credentials of a kind. The
// installation itself may.
func (s *scope) mayCreate(kind credential.Kind) error {
	who := s.tenant.Policy.Creators(string(kind))
	if s.all() || who == tenancy.CreatorsPermitted || who == tenancy.CreatorsAdministrators && s.holds(access.TenantManage, s.rootPath()) {
		return nil
	}
	if who == tenancy.CreatorsAdministrators {
		return problem.New(problem.Denied, "policy_administrators_only",
			"The tenant's policy lets only administrators make credentials of this kind. Ask somebody who may change the account's settings.")
	}
	return problem.New(problem.Denied, "policy_nobody_creates",
		"The tenant's policy lets nobody make credentials of this kind. An administrator can change it in the account's settings.")
}

// validateName checks the name of a new credential.
func (c *change) validateName(name string) error {
	if err := credential.ValidateName(name); err != nil {
		return err
	}
	return credential.FitName(name, c.tenant.Policy)
}

// rename gives a credential a name. One that it has already need not fit the policy.
func (c *change) rename(k *credential.Credential, name string) error {
	if err := credential.ValidateName(name); err != nil {
		return err
	}
	if name == k.Name {
		return nil
	}
	k.Name = name
	return credential.FitName(name, c.tenant.Policy)
}

// networksOf checks networks that were parsed elsewhere as if they came as text, and
// against the tenant's policy, whose networks stand for none.
func (c *change) networksOf(list []netip.Prefix) ([]netip.Prefix, error) {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = n.String()
	}
	networks, err := credential.ParseNetworks(texts)
	if err != nil {
		return nil, err
	}
	return credential.NewNetworks(networks, c.tenant.Policy)
}

// appliedRules are the rules that an operation applies, as text, so that it can tell
// whether they are still the same.
func appliedRules(p tenancy.Policy) (string, error) {
	text, err := json.Marshal(tenancy.Policy{
		MaxLifetime: p.MaxLifetime, ShowOnce: p.ShowOnce, Networks: p.Networks, SuspendIdleDays: p.SuspendIdleDays,
	})
	if err != nil {
		return "", fmt.Errorf("encoding a policy: %w", err)
	}
	return string(text), nil
}
