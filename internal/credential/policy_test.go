package credential_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func networks(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// B7: what a policy does to a credential that was there before it.
func TestUnder(t *testing.T) {
	made := stored.Add(-100 * day)
	base := credential.Credential{Kind: credential.UserKey, State: credential.Active, Name: "key", CreatedAt: made, LastUsedAt: stored.Add(-day)}
	with := func(do func(*credential.Credential)) credential.Credential {
		c := base
		do(&c)
		return c
	}
	ends := func(at time.Time) credential.Credential {
		return with(func(c *credential.Credential) { c.ExpiresAt = at })
	}
	from := func(list ...string) credential.Credential {
		return with(func(c *credential.Credential) { c.Networks = networks(list...) })
	}
	longest := func(d time.Duration) tenancy.Policy {
		return tenancy.Policy{MaxLifetime: map[string]time.Duration{"user_key": d}}
	}
	inside := tenancy.Policy{Networks: networks("10.0.0.0/8")}
	idle := tenancy.Policy{SuspendIdleDays: 30}
	unused := with(func(c *credential.Credential) { c.LastUsedAt = time.Time{} })
	suspended := with(func(c *credential.Credential) { c.State = credential.Suspended })
	earlier := credential.Effect{Rule: credential.RuleMaxLifetime, Does: credential.EndsEarlier}
	narrowed := credential.Effect{Rule: credential.RuleNetworks, Does: credential.NetworksNarrowed}
	for name, row := range map[string]struct {
		from    credential.Credential
		policy  tenancy.Policy
		sealed  bool
		ends    time.Time
		from2   []netip.Prefix
		state   credential.State // empty means active
		effects []credential.Effect
	}{
		"nothing asked":                  {from: base},
		"from its making":                {from: base, policy: longest(365 * day), ends: made.Add(365 * day), effects: []credential.Effect{earlier}},
		"never sooner than in 30 days":   {from: base, policy: longest(100*day + 30*day - time.Second), ends: stored.Add(30 * day), effects: []credential.Effect{earlier}},
		"over long ago":                  {from: base, policy: longest(day), ends: stored.Add(30 * day), effects: []credential.Effect{earlier}},
		"ends before anyway":             {from: ends(stored.Add(10 * day)), policy: longest(day), ends: stored.Add(10 * day)},
		"ends just then":                 {from: ends(made.Add(365 * day)), policy: longest(365 * day), ends: made.Add(365 * day)},
		"ends later":                     {from: ends(made.Add(366 * day)), policy: longest(365 * day), ends: made.Add(365 * day), effects: []credential.Effect{earlier}},
		"a policy for another kind":      {from: base, policy: tenancy.Policy{MaxLifetime: map[string]time.Duration{"app": day}}},
		"no networks get the policy's":   {from: base, policy: inside, from2: inside.Networks, effects: []credential.Effect{narrowed}},
		"networks within stay":           {from: from("10.1.0.0/16"), policy: inside, from2: networks("10.1.0.0/16")},
		"networks around are narrowed":   {from: from("0.0.0.0/0"), policy: inside, from2: inside.Networks, effects: []credential.Effect{narrowed}},
		"some of the networks stay":      {from: from("10.1.0.0/16", "192.0.2.0/24"), policy: inside, from2: networks("10.1.0.0/16"), effects: []credential.Effect{narrowed}},
		"networks elsewhere suspend":     {from: from("192.0.2.0/24"), policy: inside, from2: networks("192.0.2.0/24"), state: credential.Suspended, effects: []credential.Effect{{Rule: credential.RuleNetworks, Does: credential.IsSuspended}}},
		"a recoverable secret is gone":   {from: base, policy: tenancy.Policy{ShowOnce: []string{"user_key"}}, sealed: true, effects: []credential.Effect{{Rule: credential.RuleShowOnce, Does: credential.SecretDestroyed}}},
		"one that is shown once":         {from: base, policy: tenancy.Policy{ShowOnce: []string{"user_key"}}},
		"used in time":                   {from: base, policy: idle},
		"never used, made long ago":      {from: unused, policy: idle, state: credential.Suspended, effects: []credential.Effect{{Rule: credential.RuleIdle, Does: credential.IsSuspended}}},
		"a name that does not fit":       {from: base, policy: tenancy.Policy{NamePattern: "other"}, effects: []credential.Effect{{Rule: credential.RuleName, Does: credential.IsListed}}},
		"a suspended one ends earlier":   {from: suspended, policy: longest(365 * day), ends: made.Add(365 * day), state: credential.Suspended, effects: []credential.Effect{earlier}},
		"one that has ended is left":     {from: with(func(c *credential.Credential) { c.State = credential.Revoked }), policy: longest(day), state: credential.Revoked},
		"one that is over by the clock":  {from: ends(stored.Add(-day)), policy: longest(day), ends: stored.Add(-day)},
		"a name that fits and no others": {from: base, policy: tenancy.Policy{NamePattern: "k.y"}},
	} {
		if row.state == "" {
			row.state = credential.Active
		}
		got, effects := row.from.Under(row.policy, row.sealed, now)
		if !slices.Equal(effects, row.effects) {
			t.Errorf("%s: effects %v, want %v", name, effects, row.effects)
		}
		if !got.ExpiresAt.Equal(row.ends) || !slices.Equal(got.Networks, row.from2) || got.State != row.state {
			t.Errorf("%s: ends %v, from %v, %s; want %v, %v, %s", name, got.ExpiresAt, got.Networks, got.State, row.ends, row.from2, row.state)
		}
		if again, effects := got.Under(row.policy, false, now); len(effects) > 0 && effects[0].Does != credential.IsListed {
			t.Errorf("%s: applied again it still does %v to %+v", name, effects, again)
		}
	}
}

// B7: idle is who was neither used nor made nor resumed nor due to begin for so long, and for
// as long on top as a use may not have been written down.
func TestIdle(t *testing.T) {
	long := stored.Add(-30*day - credential.UseNoted)
	short := long.Add(time.Microsecond)
	for name, row := range map[string]struct {
		c    credential.Credential
		want bool
	}{
		"made long ago":      {credential.Credential{CreatedAt: long}, true},
		"made lately":        {credential.Credential{CreatedAt: short}, false},
		"used lately":        {credential.Credential{CreatedAt: long, LastUsedAt: short}, false},
		"used long ago":      {credential.Credential{CreatedAt: long, LastUsedAt: long}, true},
		"resumed lately":     {credential.Credential{CreatedAt: long, ResumedAt: short}, false},
		"began lately":       {credential.Credential{CreatedAt: long, NotBefore: short}, false},
		"is yet to begin":    {credential.Credential{CreatedAt: long, NotBefore: stored.Add(day)}, false},
		"suspended":          {credential.Credential{CreatedAt: long, State: credential.Suspended}, false},
		"over":               {credential.Credential{CreatedAt: long, ExpiresAt: stored}, false},
		"revoked":            {credential.Credential{CreatedAt: long, State: credential.Revoked}, false},
		"resumed, then used": {credential.Credential{CreatedAt: long, ResumedAt: long, LastUsedAt: short}, false},
	} {
		if row.c.State == "" {
			row.c.State = credential.Active
		}
		if got := row.c.Idle(30, stored); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// B7: new credentials keep to the policy's networks and names.
func TestNewOnesUnderAPolicy(t *testing.T) {
	p := tenancy.Policy{Networks: networks("10.0.0.0/8", "2001:db8::/32"), NamePattern: "[a-z]+", NameHint: "Small letters only."}
	for name, row := range map[string]struct {
		wished, want []netip.Prefix
		policy       tenancy.Policy
		refused      bool
	}{
		"none get the policy's": {nil, p.Networks, p, false},
		"within":                {networks("10.9.0.0/16"), networks("10.9.0.0/16"), p, false},
		"outside":               {networks("192.0.2.0/24"), nil, p, true},
		"partly outside":        {networks("10.9.0.0/16", "192.0.2.0/24"), nil, p, true},
		"around":                {networks("0.0.0.0/0"), nil, p, true},
		"no policy":             {networks("192.0.2.0/24"), networks("192.0.2.0/24"), tenancy.Policy{}, false},
		"nothing at all":        {nil, nil, tenancy.Policy{}, false},
	} {
		got, err := credential.NewNetworks(row.wished, row.policy)
		if (err != nil) != row.refused || !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if err != nil {
			requirePointer(t, err, "/networks")
		}
	}
	if err := credential.FitName("abc", p); err != nil {
		t.Error(err)
	}
	err := credential.FitName("abc1", p)
	requirePointer(t, err, "/name")
	if got := problem.As(err).Fields[0].Message; got != "The tenant's policy asks for another name: Small letters only." {
		t.Errorf("%q", got)
	}
}

// B7: what the policy's networks suspended is not simply resumed.
func TestMayResume(t *testing.T) {
	p := tenancy.Policy{Networks: networks("10.0.0.0/8")}.Succeed(tenancy.Policy{}, false, false, stored)
	before, since := stored.Add(-time.Second), stored
	for name, row := range map[string]struct {
		made time.Time
		own  []netip.Prefix
		want bool
	}{
		"within":                       {since, networks("10.1.0.0/16"), true},
		"outside":                      {since, networks("192.0.2.0/24"), false},
		"from anywhere":                {since, nil, false},
		"made before the rule for new": {before, networks("192.0.2.0/24"), true},
	} {
		c := credential.Credential{CreatedAt: row.made, Networks: row.own}
		if err := c.MayResume(p); (err == nil) != row.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
