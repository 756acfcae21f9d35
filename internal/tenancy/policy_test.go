package tenancy_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/tenancy"
)

const day = 24 * time.Hour

var begun = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// B7: what two lists of networks have in common.
func TestIntersect(t *testing.T) {
	for name, row := range map[string]struct {
		a, b, want []netip.Prefix
	}{
		"the same":            {prefixes("10.0.0.0/8"), prefixes("10.0.0.0/8"), prefixes("10.0.0.0/8")},
		"one in the other":    {prefixes("10.0.0.0/8"), prefixes("10.1.0.0/16"), prefixes("10.1.0.0/16")},
		"the other in one":    {prefixes("10.1.0.0/16"), prefixes("10.0.0.0/8"), prefixes("10.1.0.0/16")},
		"nothing":             {prefixes("10.0.0.0/8"), prefixes("192.0.2.0/24"), nil},
		"other families":      {prefixes("0.0.0.0/0"), prefixes("::/0"), nil},
		"parts of parts":      {prefixes("10.0.0.0/8", "10.1.0.0/16"), prefixes("10.0.0.0/8"), prefixes("10.0.0.0/8")},
		"several":             {prefixes("10.0.0.0/8", "2001:db8::/32"), prefixes("10.2.0.0/16", "10.1.0.0/16", "2001:db8:1::/48"), prefixes("10.1.0.0/16", "10.2.0.0/16", "2001:db8:1::/48")},
		"none means nothing":  {nil, prefixes("10.0.0.0/8"), nil},
		"neighbours stay two": {prefixes("10.0.0.0/9", "10.128.0.0/9"), prefixes("10.0.0.0/8"), prefixes("10.0.0.0/9", "10.128.0.0/9")},
	} {
		got := tenancy.Intersect(row.a, row.b)
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
		if len(got) > 0 && (!tenancy.Within(got, row.a) || !tenancy.Within(got, row.b)) {
			t.Errorf("%s: %v reaches beyond one of the two", name, got)
		}
	}
}

// B7: whom a rule binds that was saved for new credentials only.
func TestRulesForNewOnes(t *testing.T) {
	before, after := begun.Add(-time.Microsecond), begun
	strict := tenancy.Policy{ShowOnce: []string{"app"}, Networks: prefixes("10.0.0.0/8"), SuspendIdleDays: 30}
	fresh := strict.Succeed(tenancy.Policy{}, false, false, begun)
	for name, row := range map[string]struct {
		policy tenancy.Policy
		made   time.Time
		binds  bool
	}{
		"new, made before":        {fresh, before, false},
		"new, made since":         {fresh, after, true},
		"all, made before":        {strict.Succeed(tenancy.Policy{}, true, false, begun), before, true},
		"unchanged, made before":  {strict.Succeed(fresh, false, false, begun.Add(day)), before, false},
		"unchanged, made since":   {strict.Succeed(fresh, false, false, begun.Add(day)), after, true},
		"then all, made before":   {strict.Succeed(fresh, true, false, begun.Add(day)), before, true},
		"all, then new unchanged": {strict.Succeed(strict.Succeed(tenancy.Policy{}, true, false, begun), false, false, begun.Add(day)), before, true},
	} {
		p := row.policy
		idle := 0
		if row.binds {
			idle = 30
		}
		if p.ShownOnce("app", row.made) != row.binds || (len(p.NetworksFor(row.made)) > 0) != row.binds || p.IdleDays(row.made) != idle {
			t.Errorf("%s: show once %v, networks %v, idle after %d days; want %v", name,
				p.ShownOnce("app", row.made), p.NetworksFor(row.made), p.IdleDays(row.made), row.binds)
		}
		if p.ShownOnce("organization_key", row.made) {
			t.Errorf("%s: a kind that the rule does not name is bound", name)
		}
	}
}

// B7: stricter idleness is for new ones unless all is said; looser idleness is for all.
func TestIdleSteps(t *testing.T) {
	type save struct {
		days int
		all  bool
	}
	// Credentials are made before the first save and after each, a day apart.
	for name, row := range map[string]struct {
		saves []save
		want  []int
	}{
		"for new ones":              {[]save{{30, false}}, []int{0, 30}},
		"for all":                   {[]save{{30, true}}, []int{30, 30}},
		"stricter for new ones":     {[]save{{90, true}, {30, false}}, []int{90, 90, 30}},
		"stricter twice":            {[]save{{90, false}, {30, false}, {10, false}}, []int{0, 90, 30, 10}},
		"stricter, then all":        {[]save{{90, false}, {30, true}}, []int{30, 30, 30}},
		"looser":                    {[]save{{30, true}, {90, false}}, []int{90, 90, 90}},
		"looser than the last only": {[]save{{90, true}, {30, false}, {60, false}}, []int{90, 90, 60, 60}},
		"off":                       {[]save{{90, true}, {30, false}, {0, false}}, []int{0, 0, 0, 0}},
		"off and on again":          {[]save{{90, true}, {0, false}, {30, false}}, []int{0, 0, 0, 30}},
		"the same again":            {[]save{{30, false}, {30, false}}, []int{0, 30, 30}},
	} {
		var p tenancy.Policy
		for i, s := range row.saves {
			p = tenancy.Policy{SuspendIdleDays: s.days}.Succeed(p, s.all, false, begun.AddDate(0, 0, i+1))
		}
		var got []int
		for i := range len(row.saves) + 1 {
			got = append(got, p.IdleDays(begun.AddDate(0, 0, i).Add(time.Hour)))
		}
		if d := cmp.Diff(row.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// B7: stricter networks are for new credentials unless all is said, and those before go on
// binding the others; wider ones are for all.
func TestNetworkSteps(t *testing.T) {
	type save struct {
		networks string
		all      bool
	}
	wide, narrow, other := "10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24"
	for name, row := range map[string]struct {
		saves []save
		want  []string
	}{
		"for new ones":          {[]save{{wide, false}}, []string{"", wide}},
		"for all":               {[]save{{wide, true}}, []string{wide, wide}},
		"narrower for new ones": {[]save{{wide, true}, {narrow, false}}, []string{wide, wide, narrow}},
		"narrower for all":      {[]save{{wide, true}, {narrow, true}}, []string{narrow, narrow, narrow}},
		"wider":                 {[]save{{narrow, true}, {wide, false}}, []string{wide, wide, wide}},
		"elsewhere":             {[]save{{wide, true}, {other, false}}, []string{wide, wide, other}},
		"narrower and back":     {[]save{{wide, false}, {narrow, false}, {wide, false}}, []string{"", wide, wide, wide}},
		"the same again":        {[]save{{wide, false}, {wide, false}}, []string{"", wide, wide}},
		"taken back":            {[]save{{wide, true}, {"", false}}, []string{"", "", ""}},
	} {
		var p tenancy.Policy
		for i, s := range row.saves {
			var next tenancy.Policy
			if s.networks != "" {
				next.Networks = prefixes(s.networks)
			}
			p = next.Succeed(p, s.all, false, begun.AddDate(0, 0, i+1))
		}
		var got []string
		for i := range len(row.saves) + 1 {
			text := ""
			for _, n := range p.NetworksFor(begun.AddDate(0, 0, i).Add(time.Hour)) {
				text += n.String()
			}
			got = append(got, text)
		}
		if d := cmp.Diff(row.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// B7: what the operators changed is a floor, and nothing else is.
func TestFloor(t *testing.T) {
	set := tenancy.Policy{
		MaxLifetime: map[string]time.Duration{"user_key": 90 * day}, ShowOnce: []string{"app"}, Networks: prefixes("10.0.0.0/8"),
		MayCreate: map[string]tenancy.Creators{"account_key": tenancy.CreatorsAdministrators}, NamePattern: "a+", SuspendIdleDays: 90,
		TokenLifetime: 10 * time.Minute,
	}
	floor := set.Succeed(tenancy.Policy{}, false, true, begun).Kept.Floor
	change := func(do func(*tenancy.Policy)) tenancy.Policy {
		p := set
		do(&p)
		return p
	}
	for rule, looser := range map[string]tenancy.Policy{
		"max_lifetime_seconds/user_key": change(func(p *tenancy.Policy) { p.MaxLifetime = map[string]time.Duration{"user_key": 91 * day} }),
		"show_once":                     change(func(p *tenancy.Policy) { p.ShowOnce = nil }),
		"networks":                      change(func(p *tenancy.Policy) { p.Networks = prefixes("10.0.0.0/8", "192.0.2.0/24") }),
		"may_create/account_key":        change(func(p *tenancy.Policy) { p.MayCreate = nil }),
		"name_pattern":                  change(func(p *tenancy.Policy) { p.NamePattern = "" }),
		"suspend_idle_days":             change(func(p *tenancy.Policy) { p.SuspendIdleDays = 0 }),
		"token_lifetime_seconds":        change(func(p *tenancy.Policy) { p.TokenLifetime = 0 }),
	} {
		if got := looser.LooserThan(floor); !slices.Equal(got, []string{rule}) {
			t.Errorf("%s made looser: %v", rule, got)
		}
	}
	if got := (tenancy.Policy{}).LooserThan(floor); len(got) != 7 {
		t.Errorf("nothing at all is looser in %v", got)
	}
	stricter := tenancy.Policy{
		MaxLifetime: map[string]time.Duration{"user_key": day, "app": day}, ShowOnce: []string{"app", "organization_key"}, Networks: prefixes("10.1.0.0/16"),
		MayCreate: map[string]tenancy.Creators{"account_key": tenancy.CreatorsNobody, "app": tenancy.CreatorsNobody}, NamePattern: "a+", SuspendIdleDays: 1,
		TokenLifetime: time.Minute,
	}
	if got := stricter.LooserThan(floor); len(got) > 0 {
		t.Errorf("stricter everywhere is looser in %v", got)
	}
	own := stricter.Succeed(set.Succeed(tenancy.Policy{}, false, true, begun), false, false, begun)
	if d := cmp.Diff(floor, own.Kept.Floor, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Errorf("the tenant's own change moved the floor (-before +after):\n%s", d)
	}
	// The operators touch one rule of what the tenant made stricter: the others stay the tenant's.
	touched := own
	touched.SuspendIdleDays = 7
	after := touched.Succeed(own, false, true, begun)
	if back := change(func(p *tenancy.Policy) { p.SuspendIdleDays = 7 }); len(back.LooserThan(after.Kept.Floor)) > 0 {
		t.Errorf("the operators' change made %v theirs", back.LooserThan(after.Kept.Floor))
	}
	if loose := (tenancy.Policy{}).Succeed(after, false, true, begun); len((tenancy.Policy{}).LooserThan(loose.Kept.Floor)) > 0 {
		t.Error("the operators took everything back, and something still binds")
	}
}

// What the operators switch off stays off; what was never on is the tenant's to switch on.
func TestFloorOfSwitches(t *testing.T) {
	on := tenancy.Policy{LegacyAccountKeys: true, AdministratorsSignInAutomatically: true}
	if got := on.LooserThan((tenancy.Policy{}).Succeed(tenancy.Policy{}, false, true, begun).Kept.Floor); len(got) > 0 {
		t.Errorf("%v is refused though nobody set it", got)
	}
	if got := on.LooserThan((tenancy.Policy{}).Succeed(on, false, true, begun).Kept.Floor); len(got) != 2 {
		t.Errorf("only %v is refused of what the operators switched off", got)
	}
}

func TestNameRule(t *testing.T) {
	p := tenancy.Policy{NamePattern: "prod|test-[a-z]+"}
	rule, err := p.NameRule()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"prod": true, "test-a": true, "production": false, "my prod": false, "test-a\nprod": false, "": false} {
		if rule.MatchString(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	if rule, err := (tenancy.Policy{}).NameRule(); rule != nil || err != nil {
		t.Errorf("no pattern is %v, %v", rule, err)
	}
}
