package verify

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// directory is everything around the credentials: catalogue, plans, tenants, organizations,
// roles, principals. It belongs to whoever applies the feed. What verification needs of it is
// worked into the holders, so that a verification reads one of these and no more.
type directory struct {
	holders table[holder]
	rares   table[atomic.Pointer[rare]]

	catalogue  catalogue
	plans      map[tenancy.PlanID]*plan
	tenants    map[tenancy.TenantID]*tenant
	orgs       map[tenancy.OrgID]*org
	principals map[access.Principal]*principal

	interned interner
}

// holder is a principal at an organization: whom credentials speak for, where.
type holder struct {
	standing atomic.Pointer[standing]
	who      access.Principal
	tenantID tenancy.TenantID
	orgID    tenancy.OrgID
	labels   atomic.Pointer[tenancy.Labels] // the principal's
	tenant   *tenant
}

// standing is what everything around a credential says about it at one moment. It is one
// value behind one pointer, so that no verification mixes two moments. Equal ones are shared.
type standing struct {
	stop     Code // TENANT_SUSPENDED, REVOKED or SUSPENDED; empty when nothing stops it
	planless bool // the plan has no API access
	set      *PermissionSet
}

// basis is what a credential's permissions are computed from.
type basis uint8

const (
	byNothing      basis = iota
	byRoles              // the principal's roles, within the plan
	byRolesOrBasic       // the same, and without any role the basic permissions within the plan
	byLicence            // what the user's licence offers as scopes, within roles and plan
	byAPIs               // the APIs chosen for the app, within the plan
	byCatalogue          // every API that isn't legacy, within the plan
	byPlan               // everything the plan includes
	byVerifier           // verification and nothing else
	bySignIn             // automatic sign-in and nothing else
)

type plan struct {
	apiAccess bool
	set       *PermissionSet
	tenants   map[*tenant]bool
}

// tenant is the zero but for its ID until the feed has told of it, and then counts as deleted.
type tenant struct {
	id        tenancy.TenantID
	account   atomic.Pointer[string] // the account ID in decimal, for the ID form
	legacy    atomic.Bool            // account keys may come as query parameters
	tokenLife atomic.Int64           // of tokens; a time.Duration
	state     tenancy.State
	held      bool  // its credentials are suspended, all of them
	plan      *plan // never nil
	root      *org
	labels    *tenancy.Labels

	roles  map[access.RoleID]access.Role
	rights map[string]*rights
	orgs   []*org
	places []*place
}

type org struct {
	id     tenancy.OrgID
	tenant *tenant
	path   []*org        // from the root to itself
	own    tenancy.State // empty while it is only known by name
	state  tenancy.State // of the path: suspended or deleted anywhere on it counts
	labels *tenancy.Labels
}

type principal struct {
	who         access.Principal
	tenant      *tenant
	state       tenancy.State // empty while it is only known by name
	labels      *tenancy.Labels
	own         string // of a user the licence, of an app its choice
	home        *org   // of a user; nil for others
	assignments []assignment
	places      []*place
}

type assignment struct {
	role access.RoleID
	org  *org
}

// place is a holder as applying sees it.
type place struct {
	holder    *holder
	at        uint32 // in holders
	basis     basis
	principal *principal
	org       *org    // nil for none
	rights    *rights // nil for a basis that is the same for the whole tenant
}

func newDirectory() directory {
	return directory{
		plans:      make(map[tenancy.PlanID]*plan),
		tenants:    make(map[tenancy.TenantID]*tenant),
		orgs:       make(map[tenancy.OrgID]*org),
		principals: make(map[access.Principal]*principal),
		interned:   newInterner(),
	}
}

// planOf returns the plan of an ID. One that is unknown, as that of no ID always is, gives
// no API access and includes nothing.
func (d *directory) planOf(id tenancy.PlanID) *plan {
	p := d.plans[id]
	if p == nil {
		p = &plan{set: &emptySet, tenants: make(map[*tenant]bool)}
		d.plans[tenancy.PlanID(strings.Clone(string(id)))] = p
	}
	return p
}

func (d *directory) tenantOf(id tenancy.TenantID) *tenant {
	t := d.tenants[id]
	if t == nil {
		t = &tenant{
			id: tenancy.TenantID(strings.Clone(string(id))), state: tenancy.Deleted, plan: d.planOf(""),
			roles: make(map[access.RoleID]access.Role), rights: make(map[string]*rights),
		}
		t.plan.tenants[t] = true
		d.tenants[t.id] = t
	}
	return t
}

// orgOf returns the organization of an ID; nil for no ID.
func (d *directory) orgOf(id tenancy.OrgID, t *tenant) *org {
	if id == "" {
		return nil
	}
	o := d.orgs[id]
	if o == nil {
		o = &org{id: tenancy.OrgID(strings.Clone(string(id))), tenant: t, state: tenancy.Deleted}
		d.orgs[o.id] = o
		t.orgs = append(t.orgs, o)
	}
	return o
}

// principalOf returns a principal. One that the feed hasn't told of counts as deleted,
// except those that are a tenant, an organization or the system itself: they have no state
// of their own.
func (d *directory) principalOf(who access.Principal, t *tenant) *principal {
	p := d.principals[who]
	if p == nil {
		p = &principal{who: access.Principal{Type: principalType(who.Type), ID: strings.Clone(who.ID)}, tenant: t, state: tenancy.Deleted}
		switch who.Type {
		case access.PrincipalTenant, access.PrincipalOrganization, access.PrincipalSystem:
			p.state = tenancy.Active
		case access.PrincipalUser, access.PrincipalServiceAccount, access.PrincipalApp:
		}
		d.principals[p.who] = p
	}
	return p
}

// placeOf returns the place of a principal at an organization, with its holder.
func (d *directory) placeOf(p *principal, o *org, b basis) *place {
	for _, pl := range p.places {
		if pl.org == o && pl.basis == b {
			return pl
		}
	}
	pl := &place{basis: b, principal: p, org: o}
	pl.at, pl.holder = d.holders.add()
	pl.holder.who, pl.holder.tenantID, pl.holder.tenant = p.who, p.tenant.id, p.tenant
	if o != nil {
		pl.holder.orgID = o.id
	}
	p.places = append(p.places, pl)
	p.tenant.places = append(p.tenant.places, pl)
	d.assign(pl)
	d.judge(pl)
	return pl
}

// judge computes a place's standing and labels.
func (d *directory) judge(pl *place) {
	p, t := pl.principal, pl.principal.tenant
	orgState := tenancy.Active
	if pl.org != nil {
		orgState = pl.org.state
	}
	s := standing{set: &emptySet, planless: !t.plan.apiAccess}
	s.stop = stopOf(t, p.state, orgState)
	if t.id == tenancy.SystemTenantID {
		s.planless = false // the installation's own operators have bought no plan
	}
	switch pl.basis {
	case byRoles, byRolesOrBasic, byLicence, byAPIs, byCatalogue:
		s.set = pl.rights.now
	case byPlan:
		s.set = t.plan.set
	case byVerifier:
		s.set = d.interned.set(access.SetOf(access.CredentialsVerify))
	case bySignIn:
		s.set = d.interned.set(access.SetOf(access.SignInAutomatic))
	case byNothing:
	}
	if old := pl.holder.standing.Load(); old == nil || *old != s {
		pl.holder.standing.Store(d.interned.standing(s))
	}
	labels := p.labels
	switch p.who.Type {
	case access.PrincipalTenant:
		labels = t.labels
	case access.PrincipalOrganization:
		if o := d.orgs[tenancy.OrgID(p.who.ID)]; o != nil {
			labels = o.labels
		}
	case access.PrincipalUser, access.PrincipalApp, access.PrincipalServiceAccount, access.PrincipalSystem:
	}
	pl.holder.labels.Store(labels)
}

// stopOf is why a principal at an organization can't be spoken for; empty when nothing stops it.
func stopOf(t *tenant, principal, organization tenancy.State) Code {
	switch {
	case t.state == tenancy.Suspended:
		return TenantSuspended
	case t.state != tenancy.Active, principal == tenancy.Deleted, organization == tenancy.Deleted:
		return Revoked // what is deleted doesn't come back
	case t.held, principal != tenancy.Active, organization != tenancy.Active:
		return Suspended
	}
	return ""
}

// judgeAll computes the standing of everyone in a tenant.
func (d *directory) judgeAll(t *tenant) {
	for _, pl := range t.places {
		d.judge(pl)
	}
}

// regrantAll gives everyone in a tenant the set that their rights have now. It is what judgeAll
// does where nothing else has changed, without looking at what else a standing comes from:
// a hundred thousand may hold the role that changed.
func (d *directory) regrantAll(t *tenant) {
	var before, after *standing // of the place before: most have one and the same
	for _, pl := range t.places {
		if pl.rights == nil {
			continue
		}
		old := pl.holder.standing.Load()
		if old.set == pl.rights.now {
			continue
		}
		if old != before || after.set != pl.rights.now {
			s := *old
			s.set = pl.rights.now
			before, after = old, d.interned.standing(s)
		}
		pl.holder.standing.Store(after)
	}
}

// stateBelow computes the state of an organization and of everything below it.
func (d *directory) stateBelow(top *org) {
	for _, o := range top.tenant.orgs {
		if o != top && !slices.Contains(o.path, top) {
			continue
		}
		o.state = stateOf(o.own)
		for _, above := range o.path {
			if above != o {
				o.state = worse(o.state, stateOf(above.own))
			}
		}
	}
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

// stateOf treats a state that it doesn't know as deleted: undecided means no.
func stateOf(s tenancy.State) tenancy.State {
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
	for _, s := range [...]tenancy.State{tenancy.Deleted, tenancy.Suspended} {
		if a == s || b == s {
			return s
		}
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

func accountText(id int64) *string {
	if id == 0 {
		return nil
	}
	s := strconv.FormatInt(id, 10)
	return &s
}
