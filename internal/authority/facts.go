package authority

import (
	"sync"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// facts remembers what decides about rights, for one rights revision. What a transaction
// read is learned only after it committed: revisions of one that was rolled back are given
// out again with other contents.
type facts struct {
	mu    sync.Mutex
	at    uint64    // guarded by mu
	known knowledge // guarded by mu; of revision at
}

// most is when what is remembered is thrown away, so that it cannot grow without bound.
const most = 20_000

type knowledge struct {
	tenants    map[tenancy.TenantID]tenantFacts
	orgs       map[orgKey]tenancy.Organization
	principals map[principalKey]principalFacts
	roles      map[tenancy.TenantID]map[access.RoleID]access.Role
}

type orgKey struct {
	tenant tenancy.TenantID
	id     tenancy.OrgID
}

type principalKey struct {
	tenant    tenancy.TenantID
	principal access.Principal
}

type tenantFacts struct {
	tenant tenancy.Tenant
	plan   catalog.Plan
}

// principalFacts is a principal with what it holds, before the plan bounds it.
type principalFacts struct {
	user        *tenancy.User           // nil unless the principal is a user
	account     *tenancy.ServiceAccount // nil unless it is a service account
	app         *tenancy.App            // nil unless it is an app
	path        []tenancy.OrgID         // of its organization; nil when it has none
	stopped     bool                    // it, or an organization above it, is suspended or gone
	assignments []access.Assignment
	holdings    []access.Holding
}

func newFacts() *facts { return &facts{known: newKnowledge()} }

func newKnowledge() knowledge {
	return knowledge{
		tenants: map[tenancy.TenantID]tenantFacts{}, orgs: map[orgKey]tenancy.Organization{},
		principals: map[principalKey]principalFacts{}, roles: map[tenancy.TenantID]map[access.RoleID]access.Role{},
	}
}

func (k knowledge) size() int {
	return len(k.tenants) + len(k.orgs) + len(k.principals) + len(k.roles)
}

// learn keeps what a committed transaction read as of its start.
func (f *facts) learn(s *scope) {
	if s == nil || s.fresh.size() == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.rights < f.at {
		return
	}
	if s.rights > f.at || f.known.size()+s.fresh.size() > most {
		f.at, f.known = s.rights, newKnowledge()
	}
	for id, t := range s.fresh.tenants {
		f.known.tenants[id] = t
	}
	for id, o := range s.fresh.orgs {
		f.known.orgs[id] = o
	}
	for id, p := range s.fresh.principals {
		f.known.principals[id] = p
	}
	for id, r := range s.fresh.roles {
		f.known.roles[id] = r
	}
}

// recall looks something up in what this transaction read, then in what is remembered of
// the same rights revision. A transaction that has changed rights itself reads anew.
func recall[K comparable, V any](s *scope, pick func(knowledge) map[K]V, key K, read func() (V, error)) (V, error) {
	if s.tx.RightsRevision() != s.rights {
		return read()
	}
	if v, ok := pick(s.fresh)[key]; ok {
		return v, nil
	}
	if v, ok := remembered(s.a.facts, s.rights, pick, key); ok {
		return v, nil
	}
	v, err := read()
	if err == nil && s.tx.RightsRevision() == s.rights {
		pick(s.fresh)[key] = v
	}
	return v, err
}

func remembered[K comparable, V any](f *facts, at uint64, pick func(knowledge) map[K]V, key K) (V, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at != at {
		var none V
		return none, false
	}
	v, ok := pick(f.known)[key]
	return v, ok
}

func (s *scope) tenantFacts(id tenancy.TenantID) (tenantFacts, error) {
	return recall(s, func(k knowledge) map[tenancy.TenantID]tenantFacts { return k.tenants }, id, func() (tenantFacts, error) {
		t, err := s.tx.AllTenantsTenant(id)
		if err != nil {
			return tenantFacts{}, err
		}
		p, err := s.tx.AllTenantsPlan(t.PlanID)
		if err != nil && !problem.Is(err, problem.NotFound) {
			return tenantFacts{}, err
		}
		return tenantFacts{tenant: t, plan: p}, nil
	})
}

func (s *scope) organization(id tenancy.OrgID) (tenancy.Organization, error) {
	return s.organizationIn(s.tx, s.target, id)
}

func (s *scope) organizationIn(tx *store.Tx, tenant tenancy.TenantID, id tenancy.OrgID) (tenancy.Organization, error) {
	return recall(s, func(k knowledge) map[orgKey]tenancy.Organization { return k.orgs }, orgKey{tenant, id}, func() (tenancy.Organization, error) {
		o, err := tx.Organization(id)
		if err == nil && o.State == tenancy.Deleted {
			return o, problem.Missing("organization")
		}
		return o, err
	})
}

func (s *scope) roles(tenant tenancy.TenantID) (map[access.RoleID]access.Role, error) {
	return recall(s, func(k knowledge) map[tenancy.TenantID]map[access.RoleID]access.Role { return k.roles }, tenant, func() (map[access.RoleID]access.Role, error) {
		return s.tx.AllTenantsIn(tenant).Roles()
	})
}

// principalFacts reads a principal of any tenant with what it holds there.
func (s *scope) principalFacts(tenant tenancy.TenantID, p access.Principal) (principalFacts, error) {
	return recall(s, func(k knowledge) map[principalKey]principalFacts { return k.principals }, principalKey{tenant, p}, func() (principalFacts, error) {
		return s.readPrincipal(tenant, p)
	})
}

func (s *scope) readPrincipal(tenant tenancy.TenantID, p access.Principal) (principalFacts, error) {
	tx := s.tx.AllTenantsIn(tenant)
	f, err := s.readHome(tx, tenant, p)
	if problem.Is(err, problem.NotFound) {
		return principalFacts{stopped: true}, nil
	}
	if err != nil {
		return f, err
	}
	roles, err := s.roles(tenant)
	if err != nil {
		return f, err
	}
	if f.assignments, err = tx.Assignments(p); err != nil {
		return f, err
	}
	f.holdings = access.HoldingsOf(f.assignments, roles)
	return f, nil
}

// readHome reads who a principal is and where; Missing when it never was.
func (s *scope) readHome(tx *store.Tx, tenant tenancy.TenantID, p access.Principal) (f principalFacts, err error) {
	var home tenancy.OrgID
	state := tenancy.Active
	switch p.Type {
	case access.PrincipalUser:
		u, err := tx.User(tenancy.UserID(p.ID))
		if err != nil {
			return f, err
		}
		f.user, home, state = &u, u.OrganizationID, u.State
	case access.PrincipalServiceAccount:
		a, err := tx.ServiceAccount(tenancy.ServiceAccountID(p.ID))
		if err != nil {
			return f, err
		}
		f.account, home, state = &a, a.OrganizationID, a.State
	case access.PrincipalApp:
		a, err := tx.App(tenancy.AppID(p.ID))
		if err != nil {
			return f, err
		}
		f.app, home, state = &a, a.OrganizationID, a.State
	case access.PrincipalOrganization:
		home = tenancy.OrgID(p.ID)
	case access.PrincipalTenant, access.PrincipalSystem:
		return f, nil
	}
	f.stopped = state != tenancy.Active
	return f, s.placePrincipal(tx, tenant, home, &f)
}

func (s *scope) placePrincipal(tx *store.Tx, tenant tenancy.TenantID, at tenancy.OrgID, f *principalFacts) error {
	home, err := s.organizationIn(tx, tenant, at)
	if problem.Is(err, problem.NotFound) {
		f.stopped = true
		return nil
	}
	if err != nil {
		return err
	}
	f.path = home.Path
	for _, id := range home.Path {
		o, err := s.organizationIn(tx, tenant, id)
		if err != nil {
			return err
		}
		f.stopped = f.stopped || o.State != tenancy.Active
	}
	return nil
}

// at is what the principal's roles give at the end of a path.
func (f principalFacts) at(path []tenancy.OrgID) access.Set {
	return access.Caller{Holdings: f.holdings}.At(path)
}
