package tenancy

import (
	"cmp"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"time"
)

// The bounds of a policy's rules.
const (
	MaxIdleDays    = 3650
	MaxNamePattern = 200 // characters, as for the hint
)

// Creators says who may make credentials of a kind.
type Creators string

// The answers, from the loosest to the strictest.
const (
	CreatorsPermitted      Creators = "permitted"      // whoever has the permission for it
	CreatorsAdministrators Creators = "administrators" // of those, whoever may change this policy
	CreatorsNobody         Creators = "nobody"
)

// Valid reports whether c is one of the answers.
func (c Creators) Valid() bool { return c.strictness() >= 0 }

func (c Creators) strictness() int {
	return slices.Index([]Creators{CreatorsPermitted, CreatorsAdministrators, CreatorsNobody}, cmp.Or(c, CreatorsPermitted))
}

// PolicyKept is what is remembered about a policy's rules beside them.
type PolicyKept struct {
	// Floor is what the installation's operators set.
	Floor Floor
	// ShowOnceSince is from when on a kind's secrets are shown once, where that was saved for
	// new credentials only; no entry means that it binds all.
	ShowOnceSince map[string]time.Time
	// Networks says where credentials may be used from: the last step counts that begins when
	// one was made, or before.
	Networks []NetworkStep
	// Idle says after how many days a credential is idle: the last step that begins when it
	// was made, or before, counts.
	Idle []IdleStep
}

// IdleStep is how long credentials may lie idle that were made from a time on.
type IdleStep struct {
	Days  int       // 0 means for ever
	Since time.Time // zero means all
}

// NetworkStep is where credentials may be used from that were made from a time on.
type NetworkStep struct {
	Networks []netip.Prefix
	Since    time.Time // zero means all
}

// Floor is what the installation's operators set in a tenant's policy. The tenant's own
// administrators may be stricter, not looser.
type Floor struct {
	MaxLifetime     map[string]time.Duration
	ShowOnce        []string
	Networks        []netip.Prefix
	MayCreate       map[string]Creators
	NamePattern     string
	SuspendIdleDays int
	TokenLifetime   time.Duration
	// What the operators switched off stays off.
	NoLegacyAccountKeys, NoAdministratorsSignIn bool
}

// Creators is who may make credentials of a kind.
func (p Policy) Creators(kind string) Creators { return cmp.Or(p.MayCreate[kind], CreatorsPermitted) }

// ShownOnce reports whether no secret of a credential may be shown again, of a kind and
// made at a time.
func (p Policy) ShownOnce(kind string, made time.Time) bool {
	return slices.Contains(p.ShowOnce, kind) && !made.Before(p.Kept.ShowOnceSince[kind])
}

// NetworksFor are the networks that bind a credential made at a time; empty means any.
func (p Policy) NetworksFor(made time.Time) (networks []netip.Prefix) {
	for _, s := range p.Kept.Networks {
		if !made.Before(s.Since) {
			networks = s.Networks
		}
	}
	return networks
}

// NameRule is the name pattern, made to match whole names; nil when any name will do.
func (p Policy) NameRule() (*regexp.Regexp, error) {
	if p.NamePattern == "" {
		return nil, nil //nolint:nilnil // no rule is no error
	}
	return regexp.Compile(`\A(?:` + p.NamePattern + `)\z`)
}

// Succeed completes a policy that follows another: with what is remembered of the rules,
// saved at a time for new credentials only, or for all. byOperator says that the
// installation's operators set it, so that what they changed becomes the floor.
func (p Policy) Succeed(old Policy, all, byOperator bool, now time.Time) Policy {
	now = now.UTC().Truncate(time.Microsecond)
	kept := PolicyKept{
		Floor: old.Kept.Floor, ShowOnceSince: map[string]time.Time{},
		Networks: p.networksAfter(old, all, now), Idle: p.idleAfter(old, all, now),
	}
	if byOperator {
		kept.Floor = p.floorAfter(old)
	}
	for _, kind := range p.ShowOnce {
		begun, forNew := old.Kept.ShowOnceSince[kind]
		switch {
		case all:
		case !slices.Contains(old.ShowOnce, kind):
			kept.ShowOnceSince[kind] = now
		case forNew:
			kept.ShowOnceSince[kind] = begun
		}
	}
	p.Kept = kept
	return p
}

// networksAfter are the steps of networks after another policy: like those of idleness.
func (p Policy) networksAfter(old Policy, all bool, now time.Time) []NetworkStep {
	switch {
	case len(p.Networks) == 0:
		return nil
	case all:
		return []NetworkStep{{Networks: p.Networks}}
	case slices.Equal(p.Networks, old.Networks):
		return old.Kept.Networks
	}
	var steps []NetworkStep
	for _, s := range old.Kept.Networks {
		if Within(s.Networks, p.Networks) {
			s.Networks = p.Networks
		}
		if last := len(steps) - 1; last < 0 || !slices.Equal(steps[last].Networks, s.Networks) {
			steps = append(steps, s)
		}
	}
	if last := len(steps) - 1; last >= 0 && slices.Equal(steps[last].Networks, p.Networks) {
		return steps
	}
	return append(steps, NetworkStep{Networks: p.Networks, Since: now})
}

// idleAfter are the steps of idleness after another policy. What becomes looser becomes so
// for all; what becomes stricter, for new credentials unless all is said.
func (p Policy) idleAfter(old Policy, all bool, now time.Time) []IdleStep {
	var steps []IdleStep
	add := func(s IdleStep) {
		last := 0
		if len(steps) > 0 {
			last = steps[len(steps)-1].Days
		}
		if s.Days != last {
			steps = append(steps, s)
		}
	}
	if all {
		add(IdleStep{Days: p.SuspendIdleDays})
		return steps
	}
	for _, s := range old.Kept.Idle {
		if p.SuspendIdleDays == 0 || s.Days != 0 && s.Days < p.SuspendIdleDays {
			s.Days = p.SuspendIdleDays
		}
		add(s)
	}
	add(IdleStep{Days: p.SuspendIdleDays, Since: now})
	return steps
}

// floorAfter is what the operators have set once they changed a policy from another to
// this: rules that they left as they were stay the tenant's own, if they were.
func (p Policy) floorAfter(old Policy) Floor {
	f := old.Kept.Floor
	f.MaxLifetime = floorOf(f.MaxLifetime, old.MaxLifetime, p.MaxLifetime)
	f.MayCreate = floorOf(f.MayCreate, old.MayCreate, p.MayCreate)
	f.ShowOnce = slices.Sorted(maps.Keys(floorOf(setOf(f.ShowOnce), setOf(old.ShowOnce), setOf(p.ShowOnce))))
	if !slices.Equal(old.Networks, p.Networks) {
		f.Networks = p.Networks
	}
	if old.NamePattern != p.NamePattern {
		f.NamePattern = p.NamePattern
	}
	if old.SuspendIdleDays != p.SuspendIdleDays {
		f.SuspendIdleDays = p.SuspendIdleDays
	}
	if old.TokenLifetime != p.TokenLifetime {
		f.TokenLifetime = p.TokenLifetime
	}
	if old.LegacyAccountKeys != p.LegacyAccountKeys {
		f.NoLegacyAccountKeys = !p.LegacyAccountKeys
	}
	if old.AdministratorsSignInAutomatically != p.AdministratorsSignInAutomatically {
		f.NoAdministratorsSignIn = !p.AdministratorsSignInAutomatically
	}
	return f
}

// floorOf changes those entries of a floor that differ between two policies.
func floorOf[V comparable](floor, old, next map[string]V) map[string]V {
	out := map[string]V{}
	maps.Copy(out, floor)
	for key := range old {
		if _, ok := next[key]; !ok {
			delete(out, key)
		}
	}
	for key, v := range next {
		if was, ok := old[key]; !ok || was != v {
			out[key] = v
		}
	}
	return out
}

func setOf(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, s := range list {
		out[s] = true
	}
	return out
}

// LooserThan names the rules in which the policy falls below a floor, as a policy's fields
// are called on the wire; none when it is at least as strict everywhere.
func (p Policy) LooserThan(f Floor) (rules []string) {
	note := func(rule string, looser bool) {
		if looser {
			rules = append(rules, rule)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(f.MaxLifetime)) {
		life, ok := p.MaxLifetime[kind]
		note("max_lifetime_seconds/"+kind, !ok || life > f.MaxLifetime[kind])
	}
	for _, kind := range f.ShowOnce {
		note("show_once", !slices.Contains(p.ShowOnce, kind))
	}
	note("networks", len(f.Networks) > 0 && (len(p.Networks) == 0 || !Within(p.Networks, f.Networks)))
	for _, kind := range slices.Sorted(maps.Keys(f.MayCreate)) {
		note("may_create/"+kind, p.Creators(kind).strictness() < f.MayCreate[kind].strictness())
	}
	note("name_pattern", f.NamePattern != "" && p.NamePattern != f.NamePattern)
	note("suspend_idle_days", f.SuspendIdleDays > 0 && (p.SuspendIdleDays == 0 || p.SuspendIdleDays > f.SuspendIdleDays))
	note("token_lifetime_seconds", f.TokenLifetime > 0 && p.Tokens() > f.TokenLifetime)
	note("legacy_account_keys", f.NoLegacyAccountKeys && p.LegacyAccountKeys)
	note("administrators_sign_in_automatically", f.NoAdministratorsSignIn && p.AdministratorsSignInAutomatically)
	return slices.Compact(rules)
}

// Within reports whether each network lies in one of others.
func Within(networks, of []netip.Prefix) bool {
	return !slices.ContainsFunc(networks, func(n netip.Prefix) bool {
		return !slices.ContainsFunc(of, func(o netip.Prefix) bool { return covers(o, n) })
	})
}

func covers(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Overlaps(inner)
}

// Intersect is what two lists of networks have in common, sorted and without parts of
// others; empty when they have nothing.
func Intersect(a, b []netip.Prefix) (out []netip.Prefix) {
	for _, x := range a {
		for _, y := range b {
			switch {
			case covers(x, y):
				out = append(out, y)
			case covers(y, x):
				out = append(out, x)
			}
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	out = slices.Compact(out)
	whole := slices.Clone(out)
	return slices.DeleteFunc(out, func(n netip.Prefix) bool {
		return slices.ContainsFunc(whole, func(o netip.Prefix) bool { return o != n && covers(o, n) })
	})
}

// IdleDays is after how many days without use a credential that was made at a time is
// idle; 0 means never.
func (p Policy) IdleDays(made time.Time) (days int) {
	for _, s := range p.Kept.Idle {
		if !made.Before(s.Since) {
			days = s.Days
		}
	}
	return days
}
