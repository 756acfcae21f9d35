package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
)

func TestQuery(t *testing.T) {
	tests := []struct {
		query   string
		held    []access.Grant
		missing []access.Permission // nil: satisfied
	}{
		{"a:read", []access.Grant{"a:read"}, nil},
		{"a:read", nil, []access.Permission{"a:read"}},
		{"  a:read  ", []access.Grant{"*:read"}, nil},
		{"a:read AND b:write", []access.Grant{"a:read"}, []access.Permission{"b:write"}},
		{"a:read AND b:write AND c:x", nil, []access.Permission{"a:read", "b:write", "c:x"}},
		{"a:read OR b:write", []access.Grant{"b:write"}, nil},
		{"a:read OR b:write", nil, []access.Permission{"a:read"}},
		{"a:read AND (b:write OR c:x)", []access.Grant{"a:read", "c:x"}, nil},
		{"a:read AND (b:write OR c:x)", []access.Grant{"c:x"}, []access.Permission{"a:read"}},
		{"a:read AND(b:write OR c:x)AND d:x", []access.Grant{"*:*"}, nil},
		// AND binds tighter.
		{"a:x OR b:x AND c:x", []access.Grant{"a:x"}, nil},
		{"a:x AND b:x OR c:x", []access.Grant{"c:x"}, nil},
		{"(a:x OR b:x) AND c:x", []access.Grant{"a:x"}, []access.Permission{"c:x"}},
		// Of an OR the branch of which least is missing.
		{"a:x AND b:x AND c:x OR d:x AND e:x", []access.Grant{"b:x", "c:x"}, []access.Permission{"a:x"}},
		{"a:x AND b:x OR c:x", nil, []access.Permission{"c:x"}},
		{"a:x AND a:x", nil, []access.Permission{"a:x"}},
		{"a:x AND (b:x OR a:x)", nil, []access.Permission{"a:x"}},
		{"((a:x))", []access.Grant{"a:x"}, nil},
		// A star is literal.
		{"a:*", []access.Grant{"a:read"}, []access.Permission{"a:*"}},
		{"a:*", []access.Grant{"a:*"}, nil},
		{"*:*", []access.Grant{"a:*"}, []access.Permission{"*:*"}},
	}
	for _, test := range tests {
		q, err := access.ParseQuery(test.query)
		if err != nil {
			t.Errorf("%q: %v", test.query, err)
			continue
		}
		ok, missing := q.Check(access.NewSet(test.held...))
		if ok != (test.missing == nil) {
			t.Errorf("%q with %v: %v", test.query, test.held, ok)
		}
		if diff := cmp.Diff(test.missing, missing); diff != "" {
			t.Errorf("%q with %v: %s", test.query, test.held, diff)
		}
	}
}

func TestQueryErrorsGiveThePosition(t *testing.T) {
	tests := []struct {
		query    string
		position int
	}{
		{"", 1},
		{"   ", 4},
		{"canary", 1},
		{"a:b canary:x", 5},
		{"a:b AND", 8},
		{"a:b AND ", 9},
		{"AND a:b", 1},
		{"a:b and b:c", 5},
		{"a:b ANDb:c", 5},
		{"a:b AND OR b:c", 9},
		{"(a:b", 5},
		{"a:b)", 4},
		{"()", 2},
		{"a:b AND (b:c OR )", 17},
		{"a:b AND canary:c:d", 9},
		{"a:b AND canary:re*d", 9},
		{"a:b\tAND b:c", 4},
		{"a:b\nAND b:c", 4},
		{"a:b AND \x00", 9},
		{"ä:b", 1},
		{"a:b && b:c", 5},
		{"a:b,b:c", 4},
		{strings.Repeat("(", 17) + "a:b" + strings.Repeat(")", 17), 17},
		{strings.Repeat("a:b OR ", 64) + "a:b", 64*7 + 1},
		{strings.Repeat("a:b OR ", 146) + "aa:b", access.MaxQuery + 1},
		{strings.Repeat("a", 1<<20), access.MaxQuery + 1},
	}
	for _, test := range tests {
		_, err := access.ParseQuery(test.query)
		if !problem.HasCode(err, "bad_permission_query") || !problem.Is(err, problem.Invalid) {
			t.Errorf("%.40q: got %v", test.query, err)
			continue
		}
		if want := fmt.Sprintf("at position %d:", test.position); !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want it %s", test.query, err, want)
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%q comes back: %v", test.query, err)
		}
	}
}

func TestQueryCapsAreReachable(t *testing.T) {
	for _, query := range []string{
		strings.Repeat("(", 16) + "a:b" + strings.Repeat(")", 16),
		strings.Repeat("a:b OR ", 63) + "a:b",
		"a:b" + strings.Repeat(" ", access.MaxQuery-3),
	} {
		if _, err := access.ParseQuery(query); err != nil {
			t.Errorf("%.40q: %v", query, err)
		}
	}
}

func TestSatisfiedQueryAllocatesNothing(t *testing.T) {
	s := superAdmin()
	q, err := access.ParseQuery("call_recordings:read AND (claviger.tenants:manage OR claviger.users:read)")
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if ok, _ := q.Check(s); !ok {
			t.Error("not satisfied")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// expression is a query built by hand: its text and what it means.
type expression struct {
	text string
	ok   func(access.Set) bool
}

func expressions(depth int) *rapid.Generator[expression] {
	return rapid.Custom(func(t *rapid.T) expression {
		shape := rapid.IntRange(0, 2).Draw(t, "shape")
		if depth == 0 || shape == 0 {
			p := permissions.Draw(t, "permission")
			return expression{string(p), func(s access.Set) bool { return slices.Contains(allowedOf(s), string(p)) }}
		}
		parts := rapid.SliceOfN(expressions(depth-1), 2, 3).Draw(t, "parts")
		word, isAnd := " OR ", shape == 1
		if isAnd {
			word = " AND "
		}
		var texts []string
		for _, p := range parts {
			texts = append(texts, "("+p.text+")")
		}
		return expression{strings.Join(texts, word), func(s access.Set) bool {
			for _, p := range parts {
				if p.ok(s) != isAnd {
					return !isAnd
				}
			}
			return isAnd
		}}
	})
}

func allowedOf(s access.Set) []string { return naiveAllowed(s.Grants(), universe()) }

func TestQueryIsWhatItMeans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := expressions(2).Draw(t, "expression")
		s := access.NewSet(rapid.SliceOfN(grants, 0, 5).Draw(t, "held")...)
		q, err := access.ParseQuery(e.text)
		if err != nil {
			t.Fatalf("%s: %v", e.text, err)
		}
		ok, missing := q.Check(s)
		if want := e.ok(s); ok != want || ok != (len(missing) == 0) {
			t.Fatalf("%s with %v: %v, missing %v, want %v", e.text, s, ok, missing, want)
		}
		for i, p := range missing {
			if s.Allows(p) || slices.Contains(missing[:i], p) {
				t.Fatalf("%s isn't missing, or is there twice", p)
			}
		}
		if ok, _ := q.Check(s.Union(access.SetOf(missing...))); !ok {
			t.Fatalf("%s with %v and what was missing, %v, is still not satisfied", e.text, s, missing)
		}
	})
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"a:b", "a:b AND (b:c OR c:*)", "((", "a:b OR", "\x00", strings.Repeat("(", 20)} {
		f.Add(s)
	}
	nothing, everything := access.Set{}, access.Everything()
	f.Fuzz(func(t *testing.T, s string) {
		q, err := access.ParseQuery(s)
		if err != nil {
			if !problem.HasCode(err, "bad_permission_query") {
				t.Fatalf("not the problem: %v", err)
			}
			return
		}
		if ok, missing := q.Check(nothing); ok || len(missing) == 0 || len(missing) > access.MaxQueryNames {
			t.Fatalf("%q: nothing satisfies it, or nothing is missing: %v", s, missing)
		}
		if ok, _ := q.Check(everything); !ok && !slices.ContainsFunc(q.Names(), func(p access.Permission) bool { return !everything.Allows(p) }) {
			t.Fatalf("%q: everything doesn't satisfy it", s)
		}
		if len(q.Names()) > access.MaxQueryNames || len(s) > access.MaxQuery {
			t.Fatalf("%q is over the caps", s)
		}
	})
}

func BenchmarkQuery(b *testing.B) {
	s := superAdmin()
	q, err := access.ParseQuery("call_recordings:read AND claviger.users:read")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, _ := q.Check(s); !ok {
			b.Fatal("not satisfied")
		}
	}
}

func BenchmarkParseQuery(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := access.ParseQuery("call_recordings:read AND claviger.users:read"); err != nil {
			b.Fatal(err)
		}
	}
}
