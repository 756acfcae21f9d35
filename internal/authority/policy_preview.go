package authority

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// PreviewPolicyInput asks what a policy would do if it were applied to all.
type PreviewPolicyInput struct {
	Tenant tenancy.TenantID // empty means the caller's own
	Policy tenancy.Policy
}

// PolicyPreview is what a policy would do to the credentials that are there.
type PolicyPreview struct {
	Rules    []RulePreview
	Living   int64 // active and suspended ones that there are
	Revision uint64
}

// RulePreview is what one rule would do.
type RulePreview struct {
	Rule  credential.Rule
	Kind  credential.Kind // of rules that are set by kind; empty otherwise
	Does  credential.Consequence
	Count int64
	First []PolicyEffect // the first mostShown, oldest first
}

// PolicyEffect is one credential that a rule touches.
type PolicyEffect struct {
	Key
	NewExpiresAt time.Time      // of those that end earlier
	NewNetworks  []netip.Prefix // of those that work from fewer networks
}

// mostShown is how many credentials a preview names for each rule.
const mostShown = 100

// PreviewPolicy answers what a policy would do to the credentials that are there if it were
// saved and applied to all. It changes nothing. Rights and problems as ChangePolicy.
func (a *Authority) PreviewPolicy(ctx context.Context, caller access.Caller, in PreviewPolicyInput) (out PolicyPreview, err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.mayChangeTenant(false); err != nil {
			return err
		}
		policy, err := s.nextPolicy(s.tenant.Policy, in.Policy, true)
		if err != nil {
			return err
		}
		out, err = s.previewPolicy(policy)
		return err
	})
	return out, err
}

func (s *scope) previewPolicy(p tenancy.Policy) (out PolicyPreview, err error) {
	out.Revision = s.tx.Head()
	if out.Living, err = s.tx.CountLiving(store.LivingFilter{Now: s.now}); err != nil {
		return out, err
	}
	for _, asked := range s.filtersOf(p) {
		r := asked.rule
		if r.Count, err = s.tx.CountLiving(asked.filter); err != nil {
			return out, err
		}
		first, err := s.tx.LivingCredentials(asked.filter, mostShown)
		if err != nil {
			return out, err
		}
		if err := s.fillEffects(&r, p, first); err != nil {
			return out, err
		}
		out.Rules = append(out.Rules, r)
	}
	read, err := s.previewRead(p)
	out.Rules = append(out.Rules, read...)
	return out, err
}

// ruleFilter is a rule of which the database knows what it touches.
type ruleFilter struct {
	rule   RulePreview
	filter store.LivingFilter
}

func (s *scope) filtersOf(p tenancy.Policy) (list []ruleFilter) {
	for _, name := range slices.Sorted(maps.Keys(p.MaxLifetime)) {
		kind := credential.Kind(name)
		list = append(list, ruleFilter{
			RulePreview{Rule: credential.RuleMaxLifetime, Kind: kind, Does: credential.EndsEarlier},
			store.LivingFilter{Now: s.now, Kind: kind, Longest: p.MaxLifetime[name], EndingAfter: s.now.Add(credential.LeastLeft)},
		})
	}
	for _, name := range p.ShowOnce {
		kind := credential.Kind(name)
		list = append(list, ruleFilter{
			RulePreview{Rule: credential.RuleShowOnce, Kind: kind, Does: credential.SecretDestroyed},
			store.LivingFilter{Now: s.now, Kind: kind, Sealed: true},
		})
	}
	if p.SuspendIdleDays > 0 {
		list = append(list, ruleFilter{
			RulePreview{Rule: credential.RuleIdle, Does: credential.IsSuspended},
			store.LivingFilter{Now: s.now, IdleSince: credential.IdleSince(p.SuspendIdleDays, s.now)},
		})
	}
	return list
}

// previewRead is what rules do for which each credential must be read: networks and names.
func (s *scope) previewRead(p tenancy.Policy) (out []RulePreview, err error) {
	name, err := p.NameRule()
	if err != nil || name == nil && len(p.Networks) == 0 {
		return nil, err
	}
	narrowed := found{rule: RulePreview{Rule: credential.RuleNetworks, Does: credential.NetworksNarrowed}}
	suspended := found{rule: RulePreview{Rule: credential.RuleNetworks, Does: credential.IsSuspended}}
	listed := found{rule: RulePreview{Rule: credential.RuleName, Does: credential.IsListed}}
	err = s.tx.EachLiving(s.now, func(f store.LivingFacts) error {
		networks, changed := credential.NetworksUnder(f.Networks, p.Networks)
		switch {
		case changed && len(networks) > 0:
			narrowed.note(f.ID)
		case changed && !f.Stopped:
			suspended.note(f.ID)
		}
		if name != nil && !name.MatchString(f.Name) {
			listed.note(f.ID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var asked []found
	if len(p.Networks) > 0 {
		asked = append(asked, narrowed, suspended)
	}
	if name != nil {
		asked = append(asked, listed)
	}
	for _, f := range asked {
		first, err := s.tx.CredentialsByID(f.ids)
		if err != nil {
			return nil, err
		}
		if err := s.fillEffects(&f.rule, p, first); err != nil {
			return nil, err
		}
		out = append(out, f.rule)
	}
	return out, nil
}

// found is what a rule touches, as far as it is read.
type found struct {
	rule RulePreview
	ids  []credential.ID
}

func (f *found) note(id credential.ID) {
	f.rule.Count++
	if len(f.ids) < mostShown {
		f.ids = append(f.ids, id)
	}
}

// fillEffects names the first credentials that a rule touches, with what they become.
func (s *scope) fillEffects(r *RulePreview, p tenancy.Policy, first []credential.Credential) error {
	shown, err := s.showAll(first)
	if err != nil {
		return err
	}
	for i, k := range shown {
		next, _ := first[i].Under(p, false, s.now)
		e := PolicyEffect{Key: k}
		switch r.Does {
		case credential.EndsEarlier:
			e.NewExpiresAt = next.ExpiresAt
		case credential.NetworksNarrowed:
			e.NewNetworks = next.Networks
		case credential.SecretDestroyed, credential.IsSuspended, credential.IsListed:
		}
		r.First = append(r.First, e)
	}
	return nil
}
