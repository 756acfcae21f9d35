package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/access"
)

func TestZeroSetAllowsNothing(t *testing.T) {
	var s access.Set
	if !s.Empty() || s.Allows("a:b") || s.Allows("") || len(s.Grants()) != 0 || s.Covers(access.NewSet("a:b")) {
		t.Error("the zero Set allows something")
	}
	if !s.Covers(access.Set{}) {
		t.Error("nothing doesn't cover nothing")
	}
	if !access.NewSet("", "bad", "A:b", "a:b:c").Empty() {
		t.Error("malformed grants are in the set")
	}
}

func TestGrantsAreSortedAndMinimal(t *testing.T) {
	got := access.NewSet("b:read", "a:read", "a:*", "b:read", "c:read", "*:read", "claviger.users:read", "claviger.*:read", "x.y:z").Grants()
	want := []access.Grant{"*:read", "a:*", "claviger.*:read", "x.y:z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEffective(t *testing.T) {
	tests := []struct {
		name             string
		held, plan, want []access.Grant
	}{
		{"the plan bounds the vendor's", []access.Grant{"*:*"}, []access.Grant{"surveys:read"}, []access.Grant{"surveys:read"}},
		{"the role bounds the plan", []access.Grant{"surveys:read"}, []access.Grant{"*:*"}, []access.Grant{"surveys:read"}},
		{"wildcards meet", []access.Grant{"*:read"}, []access.Grant{"surveys:*"}, []access.Grant{"surveys:read"}},
		{"ours are as held", []access.Grant{"claviger.users:read", "a:b"}, nil, []access.Grant{"claviger.users:read"}},
		{"a plan gives none of ours", nil, []access.Grant{"claviger.*:*", "*:*"}, nil},
		{"dotted ones need their own", []access.Grant{"*.*:*"}, []access.Grant{"*:*"}, nil},
	}
	for _, test := range tests {
		got := access.Effective(access.NewSet(test.held...), access.NewSet(test.plan...))
		if want := access.NewSet(test.want...); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", test.name, got, want)
		}
	}
}

func TestSetsAreWhatTheyMean(t *testing.T) {
	all := universe()
	list := rapid.SliceOfN(grants, 0, 6)
	rapid.Check(t, func(t *rapid.T) {
		a, b := list.Draw(t, "a"), list.Draw(t, "b")
		s, o := access.NewSet(a...), access.NewSet(b...)
		same := func(what string, got access.Set, want []string) {
			for _, g := range got.Grants() {
				if _, err := access.ParseGrant(string(g)); err != nil {
					t.Fatalf("%s has the malformed %q", what, g)
				}
			}
			if diff := cmp.Diff(want, naiveAllowed(got.Grants(), all)); diff != "" {
				t.Fatalf("%s: grants mean something else: %s", what, diff)
			}
			var allowed []string
			for _, p := range all {
				if got.Allows(access.Permission(p)) {
					allowed = append(allowed, p)
				}
			}
			if diff := cmp.Diff(want, allowed); diff != "" {
				t.Fatalf("%s: %s", what, diff)
			}
		}
		inA, inB := naiveAllowed(a, all), naiveAllowed(b, all)
		same("a", s, inA)
		same("union", s.Union(o), naiveAllowed(append(append([]access.Grant{}, a...), b...), all))
		same("intersection", s.Intersect(o), keep(inA, inB, true))
		if !s.Intersect(o).Equal(o.Intersect(s)) || !s.Union(o).Equal(o.Union(s)) {
			t.Fatal("the order matters")
		}
		if got, want := s.Covers(o), len(keep(inB, inA, false)) == 0; got != want {
			t.Fatalf("%v covers %v: %v, want %v", s, o, got, want)
		}
		if left := access.NewSet(o.Without(s)...); !s.Union(left).Covers(o) || (left.Empty() != s.Covers(o)) {
			t.Fatalf("%v without %v: %v", o, s, left)
		}
		if !s.Claviger().Union(s.Vendor()).Equal(s) || !s.Claviger().Intersect(s.Vendor()).Empty() {
			t.Fatalf("%v splits into %v and %v", s, s.Claviger(), s.Vendor())
		}
	})
}

// keep is the members of list that are in other, or the ones that aren't.
func keep(list, other []string, in bool) []string {
	has := map[string]bool{}
	for _, s := range other {
		has[s] = true
	}
	var kept []string
	for _, s := range list {
		if has[s] == in {
			kept = append(kept, s)
		}
	}
	return kept
}

func TestAllowsAllocatesNothing(t *testing.T) {
	s := superAdmin()
	for _, p := range []access.Permission{"call_recordings:read", access.APIKeysManage, "claviger.tenants:manage", "bad"} {
		if n := testing.AllocsPerRun(100, func() { s.Allows(p) }); n != 0 {
			t.Errorf("%s: %v allocations", p, n)
		}
	}
}

func superAdmin() access.Set { return builtIn(access.RoleSuperAdmin) }

func builtIn(key string) access.Set {
	for _, role := range access.BuiltInRoles() {
		if role.Key == key {
			return access.NewSet(role.Permissions...)
		}
	}
	return access.Set{}
}

func BenchmarkAllows(b *testing.B) {
	s := superAdmin()
	for name, p := range map[string]access.Permission{"wildcard": "call_recordings:read", "exact": access.APIKeysManage} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !s.Allows(p) {
					b.Fatal("not allowed")
				}
			}
		})
	}
}
