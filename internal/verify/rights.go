package verify

import (
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// rights is what a set of a tenant's roles gives. Everyone who holds the same roles
// shares one, so a change to a role held by 100,000 users changes a few of these.
type rights struct {
	key   string          // in the tenant's map
	roles []access.RoleID // sorted
	now   atomic.Pointer[PermissionSet]
	held  int // by how many principals and places; applying only
}

// place makes sure that a principal has rights at an organization.
func (d *directory) place(w *tenantWork, at, org uint32) {
	p := d.principals.at(at)
	for i := range p.placed {
		if p.placed[i].org == org {
			return
		}
	}
	next := *p
	next.placed = append(slices.Clip(p.placed), placed{org, d.rightsFor(w, p.assignments, org)})
	d.principals.set(at, &next)
}

// replace puts a principal's record in place of the one before, with its rights at every
// place computed again.
func (d *directory) replace(w *tenantWork, at uint32, next principal) {
	old := next.placed
	next.placed = make([]placed, len(old))
	for i := range old {
		next.placed[i] = placed{old[i].org, d.rightsFor(w, next.assignments, old[i].org)}
	}
	d.principals.set(at, &next)
	for i := range old {
		d.release(w, old[i].rights)
	}
}

// rightsFor finds the rights of the roles that are assigned at or above an organization.
func (d *directory) rightsFor(w *tenantWork, list []assignment, org uint32) *rights {
	var path []uint32
	if o := d.orgs.at(org); o != nil {
		path = o.path
	}
	var roles []access.RoleID
	for _, a := range list {
		if slices.Contains(path, a.org) {
			roles = append(roles, a.role)
		}
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	var key strings.Builder
	for _, r := range roles {
		key.WriteString(string(r))
		key.WriteByte(0)
	}
	r := w.rights[key.String()]
	if r == nil {
		r = &rights{key: key.String(), roles: roles}
		r.now.Store(d.resolve(w, roles))
		w.rights[r.key] = r
	}
	r.held++
	return r
}

func (d *directory) release(w *tenantWork, r *rights) {
	if r.held--; r.held == 0 {
		delete(w.rights, r.key)
	}
}

// resolve computes what roles give in a tenant now.
func (d *directory) resolve(w *tenantWork, roles []access.RoleID) *PermissionSet {
	// The assignments that count were chosen already: here they all stand at one place.
	here := []tenancy.OrgID{"here"}
	list := make([]access.Assignment, len(roles))
	for i, r := range roles {
		list[i] = access.Assignment{RoleID: r, OrganizationID: here[0]}
	}
	held := access.EffectiveAt(list, w.roles, here)
	return d.interned.set(access.Effective(held, d.tenants.at(w.at).plan.terms().set.Set))
}

// resolveAll computes the rights of a tenant again, after its plan changed.
func (d *directory) resolveAll(w *tenantWork) {
	for _, r := range w.rights {
		r.now.Store(d.resolve(w, r.roles))
	}
}

// resolveRole computes again what a role is part of, before or after its change.
func (d *directory) resolveRole(w *tenantWork, reached map[access.RoleID]bool) {
	for _, r := range w.rights {
		if slices.ContainsFunc(r.roles, func(id access.RoleID) bool { return reached[id] }) {
			r.now.Store(d.resolve(w, r.roles))
		}
	}
}

// replaceAll computes the rights of all principals of a tenant again, after its tree changed.
func (d *directory) replaceAll(w *tenantWork) {
	for _, at := range w.principals {
		if p := d.principals.at(at); len(p.placed) > 0 {
			d.replace(w, at, *p)
		}
	}
}

// interner lets equal values be one value: a thousand tenants have the same built-in
// roles. It forgets all when it has grown large; what is in use stays, unshared with what
// comes later.
type interner struct {
	sets   map[string]*PermissionSet
	grants map[string][]access.Grant
}

const maxInterned = 16_384

func newInterner() interner {
	return interner{sets: make(map[string]*PermissionSet), grants: make(map[string][]access.Grant)}
}

func (in *interner) set(s access.Set) *PermissionSet {
	list := s.Grants()
	if len(list) == 0 {
		return &emptySet
	}
	// Grants are of [a-z0-9_.:*]: marshalling them can't fail.
	text, _ := json.Marshal(list)
	if known := in.sets[string(text)]; known != nil {
		return known
	}
	if len(in.sets) >= maxInterned {
		clear(in.sets)
	}
	p := &PermissionSet{Set: s, JSON: text}
	in.sets[string(text)] = p
	return p
}

func (in *interner) list(grants []access.Grant) []access.Grant {
	var key strings.Builder
	for _, g := range grants {
		key.WriteString(string(g))
		key.WriteByte(0)
	}
	if known, ok := in.grants[key.String()]; ok {
		return known
	}
	if len(in.grants) >= maxInterned {
		clear(in.grants)
	}
	list := make([]access.Grant, len(grants))
	for i, g := range grants {
		list[i] = access.Grant(strings.Clone(string(g)))
	}
	in.grants[key.String()] = list
	return list
}
