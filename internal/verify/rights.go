package verify

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// rights is what one basis gives in a tenant within its plan. Everyone for whom it is the
// same, as those who hold the same roles, shares one: a change is computed once for each.
type rights struct {
	key   string // in the tenant's map
	basis basis
	own   string          // of the principal: byLicence and byAPIs
	roles []access.RoleID // sorted
	now   *PermissionSet
	held  int // by how many places
}

// assign finds a place's rights anew, after something of its principal's or the tree changed.
func (d *directory) assign(pl *place) {
	var r rights
	switch pl.basis {
	case byRoles, byRolesOrBasic:
		r.roles = rolesAt(pl.principal.assignments, pl.org)
	case byLicence:
		r.own, r.roles = pl.principal.own, rolesAt(pl.principal.assignments, pl.org)
	case byAPIs:
		r.own = pl.principal.own
	case byCatalogue:
	case byNothing, byPlan, byVerifier, bySignIn:
		return
	}
	r.basis = pl.basis
	old := pl.rights
	pl.rights = d.share(pl.principal.tenant, r)
	pl.rights.held++
	if old != nil {
		if old.held--; old.held == 0 {
			delete(pl.principal.tenant.rights, old.key)
		}
	}
}

// rolesAt are the roles that are assigned at or above an organization.
func rolesAt(list []assignment, o *org) []access.RoleID {
	var roles []access.RoleID
	for _, a := range list {
		if o != nil && slices.Contains(o.path, a.org) {
			roles = append(roles, a.role)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// share returns the tenant's rights that are the same as r.
func (d *directory) share(t *tenant, r rights) *rights {
	var key strings.Builder
	key.WriteByte(byte(r.basis))
	key.WriteString(r.own)
	for _, id := range r.roles {
		key.WriteByte(0)
		key.WriteString(string(id))
	}
	known := t.rights[key.String()]
	if known == nil {
		r.key, known = key.String(), &r
		known.now = d.resolve(t, known)
		t.rights[r.key] = known
	}
	return known
}

// resolve computes what rights give in a tenant now.
func (d *directory) resolve(t *tenant, r *rights) *PermissionSet {
	plan := t.plan.set.Set
	var held access.Set
	switch r.basis {
	case byRoles:
		held = rolesGive(t, r.roles)
	case byRolesOrBasic:
		if held = access.BasicPermissions(); len(r.roles) > 0 {
			held = rolesGive(t, r.roles)
		}
	case byLicence:
		held = rolesGive(t, r.roles).Intersect(d.catalogue.licences[r.own])
	case byAPIs:
		held = d.catalogue.chosen(r.own)
	case byCatalogue:
		held = d.catalogue.all
	case byNothing, byPlan, byVerifier, bySignIn:
	}
	return d.interned.set(access.Effective(held, plan))
}

func rolesGive(t *tenant, roles []access.RoleID) access.Set {
	// The assignments that count were chosen already: here they all stand at one place.
	here := []tenancy.OrgID{"here"}
	list := make([]access.Assignment, len(roles))
	for i, r := range roles {
		list[i] = access.Assignment{RoleID: r, OrganizationID: here[0]}
	}
	return access.EffectiveAt(list, t.roles, here)
}

// resolveAll computes the rights of a tenant again, after its plan changed.
func (d *directory) resolveAll(t *tenant) { d.resolveWhere(t, func(*rights) bool { return true }) }

// resolveRoles computes the rights of which one of the roles is part.
func (d *directory) resolveRoles(t *tenant, changed map[access.RoleID]bool) (any bool) {
	return d.resolveWhere(t, func(r *rights) bool {
		return slices.ContainsFunc(r.roles, func(id access.RoleID) bool { return changed[id] })
	})
}

// resolveCatalogue computes the rights that the catalogue decides about.
func (d *directory) resolveCatalogue(t *tenant) (any bool) {
	return d.resolveWhere(t, func(r *rights) bool {
		return r.basis == byLicence || r.basis == byAPIs || r.basis == byCatalogue
	})
}

func (d *directory) resolveWhere(t *tenant, which func(*rights) bool) (any bool) {
	for _, r := range t.rights {
		if !which(r) {
			continue
		}
		if set := d.resolve(t, r); set != r.now {
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
	texts     map[string]string
	standings map[standing]*standing
}

const maxInterned = 16_384

func newInterner() interner {
	return interner{
		sets: make(map[string]*PermissionSet), grants: make(map[string][]access.Grant), texts: make(map[string]string),
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
	kept := s // s itself would be allocated by each call
	in.standings[s] = &kept
	return &kept
}

func (in *interner) text(s string) string {
	if s == "" {
		return ""
	}
	if known, ok := in.texts[s]; ok {
		return known
	}
	if len(in.texts) >= maxInterned {
		clear(in.texts)
	}
	s = strings.Clone(s)
	in.texts[s] = s
	return s
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

func scopeOf(list []access.Grant) string {
	var b strings.Builder
	for i, g := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(g))
	}
	return b.String()
}

func setOf(s access.Set) *PermissionSet {
	// Grants are of [a-z0-9_.:*]: marshalling them can't fail.
	list := s.Grants()
	text, _ := json.Marshal(list)
	return &PermissionSet{Set: s, JSON: text, Scope: scopeOf(list)}
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
