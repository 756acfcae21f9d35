package verify

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// rights is what a set of a tenant's roles gives within its plan. Everyone who holds the
// same roles shares one, so a change to a role is computed once for each set it is in.
type rights struct {
	key   string          // in the tenant's map
	roles []access.RoleID // sorted
	now   *PermissionSet
	held  int // by how many places
}

// assign finds a place's rights anew, after assignments or the tree changed.
func (d *directory) assign(pl *place) {
	if pl.basis != byRoles {
		return
	}
	t, old := pl.principal.tenant, pl.rights
	pl.rights = d.rightsOf(t, pl.principal.assignments, pl.org)
	pl.rights.held++
	if old != nil {
		if old.held--; old.held == 0 {
			delete(t.rights, old.key)
		}
	}
}

// rightsOf finds the rights of the roles that are assigned at or above an organization.
func (d *directory) rightsOf(t *tenant, list []assignment, o *org) *rights {
	var roles []access.RoleID
	for _, a := range list {
		if o != nil && slices.Contains(o.path, a.org) {
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
	r := t.rights[key.String()]
	if r == nil {
		r = &rights{key: key.String(), roles: roles}
		r.now = d.resolve(t, roles)
		t.rights[r.key] = r
	}
	return r
}

// resolve computes what roles give in a tenant now.
func (d *directory) resolve(t *tenant, roles []access.RoleID) *PermissionSet {
	// The assignments that count were chosen already: here they all stand at one place.
	here := []tenancy.OrgID{"here"}
	list := make([]access.Assignment, len(roles))
	for i, r := range roles {
		list[i] = access.Assignment{RoleID: r, OrganizationID: here[0]}
	}
	held := access.EffectiveAt(list, t.roles, here)
	return d.interned.set(access.Effective(held, t.plan.set.Set))
}

// resolveAll computes the rights of a tenant again, after its plan changed.
func (d *directory) resolveAll(t *tenant) {
	for _, r := range t.rights {
		r.now = d.resolve(t, r.roles)
	}
}

// resolveRoles computes the rights of which one of the roles is part.
func (d *directory) resolveRoles(t *tenant, changed map[access.RoleID]bool) (any bool) {
	for _, r := range t.rights {
		if !slices.ContainsFunc(r.roles, func(id access.RoleID) bool { return changed[id] }) {
			continue
		}
		if set := d.resolve(t, r.roles); set != r.now {
			r.now, any = set, true
		}
	}
	return any
}

var emptySet = PermissionSet{JSON: []byte("[]")}

// interner lets equal values be one value: a thousand tenants have the same built-in
// roles. It forgets all when it has grown large; what is in use stays, unshared with what
// comes later.
type interner struct {
	sets      map[string]*PermissionSet
	grants    map[string][]access.Grant
	standings map[standing]*standing
}

const maxInterned = 16_384

func newInterner() interner {
	return interner{
		sets: make(map[string]*PermissionSet), grants: make(map[string][]access.Grant),
		standings: make(map[standing]*standing),
	}
}

func (in *interner) standing(s standing) *standing {
	if known := in.standings[s]; known != nil {
		return known
	}
	if len(in.standings) >= maxInterned {
		clear(in.standings)
	}
	in.standings[s] = &s
	return &s
}

func (in *interner) set(s access.Set) *PermissionSet {
	if s.Empty() {
		return &emptySet
	}
	p := setOf(s)
	if known := in.sets[string(p.JSON)]; known != nil {
		return known
	}
	if len(in.sets) >= maxInterned {
		clear(in.sets)
	}
	in.sets[string(p.JSON)] = p
	return p
}

func setOf(s access.Set) *PermissionSet {
	// Grants are of [a-z0-9_.:*]: marshalling them can't fail.
	text, _ := json.Marshal(s.Grants())
	return &PermissionSet{Set: s, JSON: text}
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
