package credential

import (
	"net/netip"
	"slices"
	"time"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Rule names one rule of a tenant's policy that may touch credentials that are there.
type Rule string

// The rules.
const (
	RuleMaxLifetime Rule = "max_lifetime"
	RuleShowOnce    Rule = "show_once"
	RuleNetworks    Rule = "networks"
	RuleName        Rule = "name_pattern"
	RuleIdle        Rule = "suspend_idle_days"
)

// Consequence is what a rule does to a credential that was there before it.
type Consequence string

// The consequences. Names are nobody's to change but their owners', so they are only listed.
const (
	EndsEarlier      Consequence = "ends_earlier"
	SecretDestroyed  Consequence = "secret_destroyed"
	NetworksNarrowed Consequence = "networks_narrowed"
	IsSuspended      Consequence = "suspended"
	IsListed         Consequence = "listed"
)

// Effect is one thing that a policy does to a credential.
type Effect struct {
	Rule Rule
	Does Consequence
}

// LeastLeft is how long a credential goes on at least when a policy brings its end nearer,
// so that people can replace it.
const LeastLeft = 30 * 24 * time.Hour

// Under is the credential as a policy makes it that is applied to all, and what that
// changes, nothing for one that has ended. sealed says that its secret can be shown again.
func (c Credential) Under(p tenancy.Policy, sealed bool, now time.Time) (next Credential, effects []Effect) {
	next = c
	if c.living(now) != nil {
		return next, nil
	}
	note := func(r Rule, does Consequence) { effects = append(effects, Effect{r, does}) }
	if end, ok := c.endUnder(p, now); ok {
		next.ExpiresAt = end
		note(RuleMaxLifetime, EndsEarlier)
	}
	if sealed && slices.Contains(p.ShowOnce, string(c.Kind)) {
		note(RuleShowOnce, SecretDestroyed)
	}
	switch networks, changed := NetworksUnder(c.Networks, p.Networks); {
	case !changed:
	case len(networks) > 0:
		next.Networks = networks
		note(RuleNetworks, NetworksNarrowed)
	case c.State == Active:
		next.State = Suspended
		note(RuleNetworks, IsSuspended)
	}
	if p.SuspendIdleDays > 0 && c.Idle(p.SuspendIdleDays, now) {
		next.State = Suspended
		note(RuleIdle, IsSuspended)
	}
	if rule, err := p.NameRule(); err == nil && rule != nil && !rule.MatchString(c.Name) {
		note(RuleName, IsListed)
	}
	return next, effects
}

func (c Credential) endUnder(p tenancy.Policy, now time.Time) (time.Time, bool) {
	longest, ok := p.MaxLifetime[string(c.Kind)]
	if !ok {
		return time.Time{}, false
	}
	end := moment(c.CreatedAt.Add(longest))
	if least := moment(now.Add(LeastLeft)); end.Before(least) {
		end = least
	}
	return end, c.ExpiresAt.IsZero() || c.ExpiresAt.After(end)
}

// NetworksUnder is a credential's networks as far as a policy's go, and whether that is
// less than before; none when they have nothing in common.
func NetworksUnder(own, policy []netip.Prefix) (networks []netip.Prefix, changed bool) {
	switch {
	case len(policy) == 0, len(own) > 0 && tenancy.Within(own, policy):
		return own, false
	case len(own) == 0:
		return policy, true
	}
	return tenancy.Intersect(own, policy), true
}

// UseNoted is how long it may take until a use is written down: nodes do that within a
// minute mostly, but may take an hour and more where a million keys are in use, or the database
// is away. What seems idle may have been used since.
const UseNoted = 2 * time.Hour

// IdleSince is since when a credential must have been idle to count as idle for so many days.
func IdleSince(days int, now time.Time) time.Time { return now.AddDate(0, 0, -days).Add(-UseNoted) }

// Idle reports whether the credential is active and was neither used nor made nor resumed
// for so many days, and UseNoted. One that has yet to begin is not idle.
func (c Credential) Idle(days int, now time.Time) bool {
	last := c.CreatedAt
	for _, t := range []time.Time{c.LastUsedAt, c.ResumedAt, c.NotBefore} {
		if t.After(last) {
			last = t
		}
	}
	return c.StateAt(now) == Active && !last.After(IdleSince(days, now))
}

// NewNetworks are the networks of a credential that is made or changed under a policy: the
// wish, which must be within the policy's, or the policy's where nothing is wished for.
func NewNetworks(wished []netip.Prefix, p tenancy.Policy) ([]netip.Prefix, error) {
	if len(wished) == 0 || len(p.Networks) == 0 {
		return slices.Concat(wished, p.Networks), nil
	}
	if !tenancy.Within(wished, p.Networks) {
		return nil, problem.InvalidField("/networks", "The tenant's policy allows other networks. Choose some within "+listed(p.Networks)+".")
	}
	return wished, nil
}

// MayResume refuses to let a suspended credential work again from networks that the
// tenant's policy does not allow any more.
func (c Credential) MayResume(p tenancy.Policy) error {
	if bound := p.NetworksFor(c.CreatedAt); len(bound) > 0 && (len(c.Networks) == 0 || !tenancy.Within(c.Networks, bound)) {
		return problem.New(problem.Conflict, "outside_policy_networks",
			"The tenant's policy allows this credential other networks: "+listed(bound)+". Change its networks first, or make a new one.")
	}
	return nil
}

// listed names a few networks.
func listed(networks []netip.Prefix) string {
	const most = 5
	text := ""
	for i, n := range networks[:min(most, len(networks))] {
		if i > 0 {
			text += ", "
		}
		text += n.String()
	}
	if len(networks) > most {
		text += " and more"
	}
	return text
}

// FitName checks a new name against the tenant's policy; its problem points at "/name".
func FitName(name string, p tenancy.Policy) error {
	rule, err := p.NameRule()
	if err != nil || rule == nil || rule.MatchString(name) {
		return err
	}
	if p.NameHint != "" {
		return problem.InvalidField("/name", "The tenant's policy asks for another name: "+p.NameHint)
	}
	return problem.InvalidField("/name", "The tenant's policy asks for a name that matches "+p.NamePattern+" as a whole.")
}
