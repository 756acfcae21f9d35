package access

import (
	"slices"
	"sort"
	"strings"
)

// Set is a set of grants. The zero Set allows nothing. A Set never changes, so it can be
// shared; its methods allocate only where they return a new Set or slice.
type Set struct {
	exact []Permission // sorted; none of them is granted by wild
	wild  []Grant      // sorted; none of them covers another
}

// NewSet makes a set. Malformed grants are left out: they allow nothing.
func NewSet(grants ...Grant) Set {
	var wild, exact []Grant
	for _, g := range grants {
		switch {
		case !wellFormed(string(g), true):
		case g.wild():
			wild = append(wild, g)
		default:
			exact = append(exact, g)
		}
	}
	slices.Sort(wild)
	wild = slices.Compact(wild)
	var s Set
	for i, g := range wild {
		if !coveredByOther(wild, i) {
			s.wild = append(s.wild, g)
		}
	}
	slices.Sort(exact)
	for _, g := range slices.Compact(exact) {
		if p := Permission(g); !s.allowsWild(p) {
			s.exact = append(s.exact, p)
		}
	}
	return s
}

func coveredByOther(wild []Grant, i int) bool {
	for j, g := range wild {
		if j != i && g.Covers(wild[i]) {
			return true
		}
	}
	return false
}

// SetOf is the set of exactly these permissions.
func SetOf(permissions ...Permission) Set {
	grants := make([]Grant, len(permissions))
	for i, p := range permissions {
		grants[i] = Grant(p)
	}
	return NewSet(grants...)
}

// Allows reports whether s grants p. Malformed permissions are never allowed. It
// allocates nothing.
func (s Set) Allows(p Permission) bool {
	i, j := 0, len(s.exact)
	for i < j {
		h := int(uint(i+j) >> 1)
		if s.exact[h] < p {
			i = h + 1
		} else {
			j = h
		}
	}
	if i < len(s.exact) && s.exact[i] == p {
		return true
	}
	return s.allowsWild(p)
}

func (s Set) allowsWild(p Permission) bool {
	for _, g := range s.wild {
		if g.Matches(p) {
			return true
		}
	}
	return false
}

// Covers reports whether everything that o grants is granted by s. There are infinitely
// many values of a segment, so a "*" is covered by another "*" alone, never by a list.
func (s Set) Covers(o Set) bool {
	for _, p := range o.exact {
		if !s.Allows(p) {
			return false
		}
	}
	for _, g := range o.wild {
		if !s.allowsWild(Permission(g)) {
			return false
		}
	}
	return true
}

// Without is the grants of s that o doesn't cover: what is missing from o to cover s.
func (s Set) Without(o Set) []Grant {
	var left []Grant
	for _, g := range s.Grants() {
		if !o.Allows(Permission(g)) {
			left = append(left, g)
		}
	}
	return left
}

// Union is what s or o grants.
func (s Set) Union(o Set) Set {
	if s.Empty() {
		return o
	}
	if o.Empty() {
		return s
	}
	return NewSet(append(s.Grants(), o.Grants()...)...)
}

// Intersect is what both s and o grant.
func (s Set) Intersect(o Set) Set {
	var both []Grant
	for _, g := range s.Grants() {
		for _, h := range o.Grants() {
			if m, ok := meet(g, h); ok {
				both = append(both, m)
			}
		}
	}
	return NewSet(both...)
}

// Grants lists s, sorted and minimal: no grant in it covers another. The slice is the caller's.
func (s Set) Grants() []Grant {
	all := make([]Grant, 0, len(s.exact)+len(s.wild))
	for _, p := range s.exact {
		all = append(all, Grant(p))
	}
	all = append(all, s.wild...)
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return all
}

// Empty reports whether s allows nothing.
func (s Set) Empty() bool { return len(s.exact) == 0 && len(s.wild) == 0 }

// Equal reports whether s and o allow the same.
func (s Set) Equal(o Set) bool {
	return slices.Equal(s.exact, o.exact) && slices.Equal(s.wild, o.wild)
}

// String lists the grants for logs and tests.
func (s Set) String() string {
	names := make([]string, 0, len(s.exact)+len(s.wild))
	for _, g := range s.Grants() {
		names = append(names, string(g))
	}
	return "[" + strings.Join(names, " ") + "]"
}

// Claviger is the part of s that is Claviger's own permissions.
func (s Set) Claviger() Set { return s.part(true) }

// Vendor is the part of s that is the vendor's permissions.
func (s Set) Vendor() Set { return s.part(false) }

func (s Set) part(ours bool) Set {
	var part Set
	for _, p := range s.exact {
		if p.Own() == ours {
			part.exact = append(part.exact, p)
		}
	}
	for _, g := range s.wild {
		if g.Own() == ours {
			part.wild = append(part.wild, g)
		}
	}
	return part
}

// Everything is the set that allows every well-formed permission.
func Everything() Set {
	var all []Grant
	for n := range MaxSegments {
		rest := strings.Repeat(".*", n) + ":*"
		all = append(all, Grant("*"+rest), Grant(own+rest))
	}
	return NewSet(all...)
}

// Effective is what a principal may do that holds held in a tenant whose plan includes
// plan: Claviger's own permissions as held, the vendor's only as far as the plan goes.
func Effective(held, plan Set) Set {
	return held.Claviger().Union(held.Vendor().Intersect(plan.Vendor()))
}
