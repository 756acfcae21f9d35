package verify

import (
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// directory is everything around the credentials: plans, tenants, organizations, roles,
// principals. Verification reads the tables; the maps belong to whoever applies the feed.
type directory struct {
	tenants    table[tenant]
	orgs       table[org]
	principals table[principal]
	rares      table[rare]

	plans        map[tenancy.PlanID]*plan
	tenantsByID  map[tenancy.TenantID]*tenantWork
	orgsByID     map[tenancy.OrgID]uint32
	principalsBy map[access.Principal]uint32

	interned interner
}

// tenant is a tenant as verification sees it. Records are never changed, only replaced.
type tenant struct {
	id      tenancy.TenantID
	account string // the account ID in decimal, for the ID form; empty when there is none
	state   tenancy.State
	plan    *plan // nil when there is none
	labels  *tenancy.Labels
}

// plan stays the same object for all its tenants; what it means may change.
type plan struct {
	id  tenancy.PlanID
	now atomic.Pointer[planTerms] // nil while there is no such plan
}

type planTerms struct {
	apiAccess bool
	set       *PermissionSet
}

// terms never returns nil: without a plan there is no API access and nothing is included.
func (p *plan) terms() *planTerms {
	if p != nil {
		if t := p.now.Load(); t != nil {
			return t
		}
	}
	return &noPlan
}

var noPlan = planTerms{set: &emptySet}

var emptySet = PermissionSet{JSON: []byte("[]")}

type org struct {
	id     tenancy.OrgID
	tenant uint32
	path   []uint32      // from the root to itself
	own    tenancy.State // empty while it is only known by name
	state  tenancy.State // of the path: suspended or deleted anywhere on it counts
	labels *tenancy.Labels
}

type principal struct {
	who         access.Principal
	tenant      uint32
	state       tenancy.State // empty while it is only known by name
	labels      *tenancy.Labels
	assignments []assignment
	placed      []placed // for every organization where a credential of the principal is
}

type assignment struct {
	role access.RoleID
	org  uint32
}

type placed struct {
	org    uint32
	rights *rights
}

// at returns what the principal may do at an organization; nothing where it was never placed.
func (p *principal) at(org uint32) *PermissionSet {
	for i := range p.placed {
		if p.placed[i].org == org {
			return p.placed[i].rights.now.Load()
		}
	}
	return &emptySet
}

// tenantWork is what applying needs to know of a tenant beyond its record.
type tenantWork struct {
	at         uint32 // in tenants
	root       tenancy.OrgID
	roles      map[access.RoleID]access.Role
	rights     map[string]*rights
	orgs       []uint32
	principals []uint32 // those with assignments or credentials
}

func newDirectory() directory {
	return directory{
		plans:        make(map[tenancy.PlanID]*plan),
		tenantsByID:  make(map[tenancy.TenantID]*tenantWork),
		orgsByID:     make(map[tenancy.OrgID]uint32),
		principalsBy: make(map[access.Principal]uint32),
		interned:     newInterner(),
	}
}

// planOf returns the plan of an ID, known or not; nil for no ID.
func (d *directory) planOf(id tenancy.PlanID) *plan {
	if id == "" {
		return nil
	}
	p := d.plans[id]
	if p == nil {
		p = &plan{id: tenancy.PlanID(strings.Clone(string(id)))}
		d.plans[p.id] = p
	}
	return p
}

// tenantOf returns the tenant of an ID. One that the feed hasn't told of yet counts as
// deleted until it does.
func (d *directory) tenantOf(id tenancy.TenantID) *tenantWork {
	w := d.tenantsByID[id]
	if w == nil {
		id = tenancy.TenantID(strings.Clone(string(id)))
		w = &tenantWork{roles: make(map[access.RoleID]access.Role), rights: make(map[string]*rights)}
		w.at = d.tenants.add(&tenant{id: id, state: tenancy.Deleted})
		d.tenantsByID[id] = w
	}
	return w
}

// orgOf returns the position of an organization; unknown ones count as deleted.
func (d *directory) orgOf(id tenancy.OrgID, w *tenantWork) uint32 {
	if id == "" {
		return 0
	}
	at, ok := d.orgsByID[id]
	if !ok {
		id = tenancy.OrgID(strings.Clone(string(id)))
		at = d.orgs.add(&org{id: id, tenant: w.at, state: tenancy.Deleted})
		d.orgsByID[id] = at
		w.orgs = append(w.orgs, at)
	}
	return at
}

// principalOf returns the position of a principal; unknown ones count as deleted, except
// those that are a tenant, an organization or the system itself: they have no state of
// their own.
func (d *directory) principalOf(who access.Principal, w *tenantWork) uint32 {
	at, ok := d.principalsBy[who]
	if !ok {
		who = access.Principal{Type: principalType(who.Type), ID: strings.Clone(who.ID)}
		p := &principal{who: who, tenant: w.at, state: tenancy.Deleted}
		switch who.Type {
		case access.PrincipalTenant, access.PrincipalOrganization, access.PrincipalSystem:
			p.state = tenancy.Active
		case access.PrincipalUser, access.PrincipalServiceAccount, access.PrincipalApp:
		}
		at = d.principals.add(p)
		d.principalsBy[who] = at
		w.principals = append(w.principals, at)
	}
	return at
}

// principalType returns the constant of the same name, so that a million principals share it.
func principalType(t access.PrincipalType) access.PrincipalType {
	for _, known := range [...]access.PrincipalType{
		access.PrincipalUser, access.PrincipalServiceAccount, access.PrincipalApp,
		access.PrincipalOrganization, access.PrincipalTenant, access.PrincipalSystem,
	} {
		if t == known {
			return known
		}
	}
	return access.PrincipalType(strings.Clone(string(t)))
}

// stateOfThing treats a state that it doesn't know as deleted: undecided means no.
func stateOfThing(s tenancy.State) tenancy.State {
	switch s {
	case tenancy.Active:
		return tenancy.Active
	case tenancy.Suspended:
		return tenancy.Suspended
	case tenancy.Deleted:
	}
	return tenancy.Deleted
}

// worse is the state of something that stands in both.
func worse(a, b tenancy.State) tenancy.State {
	if a == tenancy.Deleted || b == tenancy.Deleted {
		return tenancy.Deleted
	}
	if a == tenancy.Suspended || b == tenancy.Suspended {
		return tenancy.Suspended
	}
	return tenancy.Active
}

// labelsOf copies labels; nil when there are none.
func labelsOf(l tenancy.Labels) *tenancy.Labels {
	if l.ExternalID == "" && len(l.Metadata) == 0 {
		return nil
	}
	c := &tenancy.Labels{ExternalID: strings.Clone(l.ExternalID)}
	if len(l.Metadata) > 0 {
		c.Metadata = make(map[string]string, len(l.Metadata))
		for k, v := range l.Metadata {
			c.Metadata[strings.Clone(k)] = strings.Clone(v)
		}
	}
	return c
}

func accountText(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}
