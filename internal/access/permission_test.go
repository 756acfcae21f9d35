package access_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("a", access.MaxPermission-5)
	tests := []struct {
		text              string
		permission, grant bool
	}{
		{"call_recordings:read", true, true},
		{"claviger.api_keys:generate", true, true},
		{"a.b.c:d_1", true, true},
		{"0:0", true, true},
		{"a.b.c.d.e.f.g.h:i", true, true},
		{"a.b.c.d.e.f.g.h.i:j", false, false},
		{long + ":read", true, true},
		{long + "a:read", false, false},
		{"*:*", false, true},
		{"call_recordings:*", false, true},
		{"*:read", false, true},
		{"claviger.*:read", false, true},
		{"*.users:read", false, true},
		{"re*d:x", false, false},
		{"**:x", false, false},
		{"x:*a", false, false},
		{"*", false, false},
		{"", false, false},
		{":", false, false},
		{"a", false, false},
		{"a:", false, false},
		{":a", false, false},
		{"a.:b", false, false},
		{".a:b", false, false},
		{"a..b:c", false, false},
		{"a:b:c", false, false},
		{"a:b.c", false, false},
		{"A:b", false, false},
		{"a-b:c", false, false},
		{"a :b", false, false},
		{" a:b", false, false},
		{"a:b\n", false, false},
		{"a:b\x00", false, false},
		{"ä:b", false, false},
		{"a\u202e:b", false, false},
		{strings.Repeat("a:", 500_000), false, false},
	}
	for _, test := range tests {
		p, err := access.ParsePermission(test.text)
		if got := err == nil; got != test.permission || (got && string(p) != test.text) {
			t.Errorf("permission %.40q: %v", test.text, err)
		}
		if err != nil && !problem.Is(err, problem.Invalid) {
			t.Errorf("permission %.40q: not Invalid: %v", test.text, err)
		}
		g, err := access.ParseGrant(test.text)
		if got := err == nil; got != test.grant || (got && string(g) != test.text) {
			t.Errorf("grant %.40q: %v", test.text, err)
		}
	}
}

func TestParseDoesNotRepeatTheText(t *testing.T) {
	for _, text := range []string{"canary", "canary:Canary", "canary:re*d"} {
		_, err1 := access.ParsePermission(text)
		_, err2 := access.ParseGrant(text)
		if strings.Contains(err1.Error()+err2.Error(), "canary") {
			t.Errorf("%q comes back", text)
		}
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		grant       access.Grant
		allow, deny []access.Permission
	}{
		{
			"call_recordings:read",
			[]access.Permission{"call_recordings:read"},
			[]access.Permission{"call_recordings:delete", "call_recordings:reads", "call_recordings:rea", "call_recording:read", "a.call_recordings:read", ""},
		},
		{
			"call_recordings:*",
			[]access.Permission{"call_recordings:read", "call_recordings:delete", "call_recordings:*"},
			[]access.Permission{"call_recordings.old:read", "call_record:read", "call_recordings:", "call_recordings", "call_recordings:a:b"},
		},
		{
			"*:read",
			[]access.Permission{"surveys:read", "claviger_like:read"},
			[]access.Permission{"surveys:write", "a.surveys:read", ":read", "Surveys:read", "claviger:read"},
		},
		{
			"*:*",
			[]access.Permission{"surveys:read", "x:y", "*:*"},
			[]access.Permission{"claviger.users:read", "a.b:c", "claviger:x", "", ":", "x:", "x", "X:Y"},
		},
		{
			"*.*:*",
			[]access.Permission{"voice.calls:read"},
			[]access.Permission{"claviger.users:read", "surveys:read", "a.b.c:d"},
		},
		{
			"claviger.*:read",
			[]access.Permission{"claviger.users:read", "claviger.roles:read"},
			[]access.Permission{"claviger.users:manage", "other.users:read", "claviger:read", "claviger.a.b:read"},
		},
		{
			"voice.*.legs:read",
			[]access.Permission{"voice.calls.legs:read"},
			[]access.Permission{"voice.calls.arms:read", "voice..legs:read", "voice.legs:read"},
		},
	}
	for _, test := range tests {
		for _, p := range test.allow {
			if !test.grant.Matches(p) {
				t.Errorf("%s doesn't match %s", test.grant, p)
			}
		}
		for _, p := range test.deny {
			if test.grant.Matches(p) {
				t.Errorf("%s matches %q", test.grant, p)
			}
		}
	}
}

// Few values, so that generated grants meet each other.
var (
	segments    = rapid.SampledFrom([]string{"claviger", "a", "b"})
	starred     = rapid.SampledFrom([]string{"claviger", "a", "b", "*", "*"})
	permissions = rapid.Custom(func(t *rapid.T) access.Permission { return access.Permission(drawName(t, segments)) })
	grants      = rapid.Custom(func(t *rapid.T) access.Grant { return access.Grant(drawName(t, starred)) })
)

func drawName(t *rapid.T, segment *rapid.Generator[string]) string {
	resource := rapid.SliceOfN(segment, 1, 3).Draw(t, "resource")
	return strings.Join(resource, ".") + ":" + segment.Draw(t, "action")
}

// naiveMatch says what a grant means, by splitting it.
func naiveMatch(grant, permission string) bool {
	g, p := strings.FieldsFunc(grant, isSep), strings.FieldsFunc(permission, isSep)
	if len(g) != len(p) || (g[0] == "*" && p[0] == "claviger") {
		return false
	}
	for i := range g {
		if g[i] != "*" && g[i] != p[i] {
			return false
		}
	}
	return true
}

func isSep(r rune) bool { return r == '.' || r == ':' }

func TestMatchesIsWhatItMeans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, p := grants.Draw(t, "grant"), permissions.Draw(t, "permission")
		if got, want := g.Matches(p), naiveMatch(string(g), string(p)); got != want {
			t.Fatalf("%s matches %s: %v, want %v", g, p, got, want)
		}
	})
}

// universe is every permission over the values of the generators and one that no grant names.
func universe() []string {
	values := []string{"claviger", "a", "b", "never_named"}
	var all, resources []string
	resources = append(resources, values...)
	level := values
	for range 2 {
		var next []string
		for _, r := range level {
			for _, v := range values {
				next = append(next, r+"."+v)
			}
		}
		resources, level = append(resources, next...), next
	}
	for _, r := range resources {
		for _, v := range values {
			all = append(all, r+":"+v)
		}
	}
	return all
}

// naiveAllowed is what of the universe the grants allow.
func naiveAllowed(grants []access.Grant, all []string) []string {
	var allowed []string
	for _, p := range all {
		if slices.ContainsFunc(grants, func(g access.Grant) bool { return naiveMatch(string(g), p) }) {
			allowed = append(allowed, p)
		}
	}
	return allowed
}

func FuzzParsePermission(f *testing.F) {
	for _, s := range []string{"a:b", "claviger.api_keys:generate", "*:*", "a..b:c", ":", "a:b:c", "*.b:c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := access.ParsePermission(s)
		g, grantErr := access.ParseGrant(s)
		if err == nil {
			if grantErr != nil || strings.Contains(s, "*") || len(s) > access.MaxPermission {
				t.Fatalf("%q is a permission but not a grant: %v", s, grantErr)
			}
			if !g.Matches(p) || !access.SetOf(p).Allows(p) || !access.Everything().Allows(p) {
				t.Fatalf("%q doesn't allow itself", s)
			}
		}
		if grantErr != nil {
			if !access.NewSet(access.Grant(s)).Empty() {
				t.Fatalf("%q is malformed but in a set", s)
			}
			for _, every := range access.Everything().Grants() {
				if len(s) <= access.MaxPermission && every.Matches(access.Permission(s)) {
					t.Fatalf("%q is malformed but matched by %s", s, every)
				}
			}
			return
		}
		if !g.Covers(g) {
			t.Fatalf("%q doesn't cover itself", s)
		}
	})
}
