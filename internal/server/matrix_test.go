package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// The matrix says for every route who gets through: route × where the target is, seen from
// the caller × the caller's role. Whoever isn't named must be refused, must change nothing,
// and must not learn that another tenant's object exists. A route without a row fails.

// relation is where the target is, seen from the caller.
type relation string

const (
	own         relation = "own"
	below       relation = "below"
	above       relation = "above"
	otherBranch relation = "other branch"
	otherTenant relation = "other tenant"
)

var relations = []relation{own, below, above, otherBranch, otherTenant}

// Roles of the matrix. nobodysRole is a user who holds nothing.
const nobodysRole = ""

var matrixRoles = []string{
	access.RoleSystemAdministrator, access.RoleSuperAdmin, access.RoleCompanyAdmin, access.RoleCustomerAdministrator,
	access.RoleAdmin, access.RoleSupervisor, access.RoleTeamLeader, access.RoleAnalyst, access.RoleAgent, nobodysRole,
}

// Who has which right, written down here once more so that a template can't widen unseen.
var (
	superAdmins  = []string{access.RoleSuperAdmin}
	orgManagers  = []string{access.RoleSuperAdmin, access.RoleCompanyAdmin, access.RoleCustomerAdministrator}
	userManagers = append(slices.Clone(orgManagers), access.RoleAdmin)
	readers      = append(slices.Clone(userManagers), access.RoleSupervisor, access.RoleTeamLeader)
	roleReaders  = userManagers
	auditReaders = userManagers
	everybody    = append(slices.Clone(matrixRoles[1:]), access.RoleSystemAdministrator)
	systemOnly   = []string{}
)

// where says what the relations mean for a row.
type where int

const (
	// byPlace: the caller holds the role at mid; the target is at mid, below, above, in the
	// other branch, or in the other tenant. The role reaches own and below.
	byPlace where = iota
	// byRoot: the target belongs to the whole tenant; the caller holds the role at the root
	// (own), or further down (the other relations), which does not reach it.
	byRoot
	// anywhere: the target belongs to the whole tenant, and holding the role anywhere will do.
	anywhere
	// systemWide: the target is no tenant's.
	systemWide
	// personal: the target is the caller's own account; there is nothing else to reach.
	personal
	// outside: answered without this kind of caller; tested elsewhere.
	outside
)

type row struct {
	where where
	roles []string // beside the system administrator
	// noSystem: the system administrator has no part in it, or it needs an owner.
	noSystem bool
	call     func(w *world, c *client, at place) reply
	// found: for lists, the ID that must be in the answer of whoever may see it.
	found func(w *world, at place) string
}

// place is where a target is.
type place struct {
	tenant tenancy.Tenant
	org    tenancy.OrgID
	ghost  bool // nothing is there: IDs are made up
}

// ghosts are IDs in the right form of things that never were.
const (
	ghostObject     = "xxx_06h00a1rp1s45bm83cbwgn4adg"
	ghostCredential = "crd_000000000000"
	ghostTenant     = "ten_06h00a1rp1s45bm83cbwgn4adg"
)

func target(w *world, wh where, rel relation) place {
	if rel == otherTenant {
		return place{tenant: w.b, org: w.b.RootOrg}
	}
	if wh == byPlace {
		return place{tenant: w.a, org: w.orgs[map[relation]string{own: "mid", below: "deep", above: "root", otherBranch: "branch"}[rel]]}
	}
	return place{tenant: w.a, org: w.a.RootOrg}
}

func caller(w *world, wh where, role string, rel relation) *client {
	if role == access.RoleSystemAdministrator {
		return w.admin
	}
	if wh == byPlace {
		return w.person(role, "mid")
	}
	return w.person(role, map[relation]string{own: "root", below: "deep", above: "mid", otherBranch: "branch", otherTenant: "root"}[rel])
}

// mayPass is the oracle: a few lines, and none of them the server's.
func (r row) mayPass(role string, rel relation) bool {
	if role == access.RoleSystemAdministrator {
		return !r.noSystem
	}
	if !slices.Contains(r.roles, role) {
		return false
	}
	switch r.where {
	case byPlace:
		return rel == own || rel == below
	case byRoot, systemWide:
		return rel == own
	default:
		return rel != otherTenant
	}
}

func TestAuthorizationMatrix(t *testing.T) {
	eachEngineApart(t, func(t *testing.T, w *world) {
		t.Helper()
		for _, rt := range w.server.Routes() {
			name := rt.Method + " " + rt.Pattern
			r, known := matrix[name]
			if !known {
				t.Errorf("%s has no row in the matrix", name)
				continue
			}
			if !rt.Public && r.call != nil {
				checkAnonymous(t, w, name, r)
			}
			if r.where == outside || r.call == nil {
				continue
			}
			rels := relations
			if r.where == personal || r.where == systemWide {
				rels = []relation{own}
			}
			for _, rel := range rels {
				for _, role := range matrixRoles {
					checkCell(t, w, name, r, role, rel)
				}
			}
		}
		for name := range matrix {
			if !slices.ContainsFunc(w.server.Routes(), func(rt route) bool { return rt.Method+" "+rt.Pattern == name }) {
				t.Errorf("%s is in the matrix and not served", name)
			}
		}
	})
}

func checkAnonymous(t *testing.T, w *world, name string, r row) {
	t.Helper()
	at := target(w, r.where, own)
	for who, c := range map[string]*client{"nobody": {w: w}, "a made-up key": w.bearer("clv_uk_nonsense"), "a stale cookie": {w: w, cookie: "__Host-claviger=stale"}} {
		spy := c.watch()
		if got := r.call(w, c, at); got.status != http.StatusUnauthorized || spy.before != spy.after {
			t.Errorf("%s as %s: status %d, want 401 and no change: %.200s", name, who, got.status, got.body)
		}
	}
}

func checkCell(t *testing.T, w *world, name string, r row, role string, rel relation) {
	t.Helper()
	at, c := target(w, r.where, rel), caller(w, r.where, role, rel)
	spy := c.watch()
	got := r.call(w, c, at)
	cell := name + " as " + strings.TrimSpace(role+" ") + ", target " + string(rel)
	found := true
	if r.found != nil {
		found = strings.Contains(string(got.body), `"id":"`+r.found(w, at)+`"`)
	}
	if r.mayPass(role, rel) {
		if got.status < 200 || got.status > 299 || !found {
			t.Errorf("%s: status %d, found %v, want it to pass: %.300s", cell, got.status, found, got.body)
		}
		return
	}
	if r.found != nil && got.status == http.StatusOK && !found {
		return // a list that doesn't show it
	}
	if got.status != http.StatusForbidden && got.status != http.StatusNotFound {
		t.Errorf("%s: status %d, want a refusal: %.300s", cell, got.status, got.body)
	}
	p := got.problem(t)
	if rel == otherTenant && role != access.RoleSystemAdministrator {
		// Another tenant's object does not exist, as far as the caller can tell.
		at.ghost = true
		c.watch()
		if ghost := r.call(w, c, at); ghost.status != got.status || ghost.problem(t).Code != p.Code || ghost.problem(t).Detail != p.Detail {
			t.Errorf("%s: %s, but %s for what never was", cell, got.body, ghost.body)
		}
	}
	if p.Code == "" || p.RequestID == "" || p.Detail == "" {
		t.Errorf("%s: the problem is %+v", cell, p)
	}
	if spy.after != spy.before {
		t.Errorf("%s: it was refused, and something was written", cell)
	}
}

// spied counts audit events around the call that is under test, and not around those that
// make its target.
type spied struct{ before, after int64 }

// watch puts a spy on the caller's next call.
func (c *client) watch() *spied {
	c.spy = &spied{}
	return c.spy
}

// Makers of targets: fresh ones, so that no cell feels another.

func (w *world) targetUser(at place) string {
	w.Helper()
	return string(ok2(w.node.Authority().CreateUser(w.Context(), w.system, authority.CreateUserInput{
		Tenant: at.tenant.ID, OrganizationID: at.org, Username: w.unique("target"),
	}))(w).User.ID)
}

func (w *world) targetOrganization(at place) string {
	w.Helper()
	return string(w.organization(at.tenant.ID, at.org))
}

func (w *world) targetRole(at place) string {
	w.Helper()
	return string(ok2(w.node.Authority().CreateRole(w.Context(), w.system, authority.CreateRoleInput{
		Tenant: at.tenant.ID, Name: w.unique("Role"), Permissions: []access.Grant{"call_recordings:read"},
	}))(w).ID)
}

func (w *world) targetAssignment(at place) string {
	w.Helper()
	return string(w.assign(at.tenant.ID, tenancy.UserID(w.targetUser(at)), w.roleOf(at.tenant.ID, access.RoleAgent), at.org).ID)
}

func (w *world) targetKey(at place) string {
	w.Helper()
	return ok2(w.node.Authority().IssueAPIKey(w.Context(), w.system, authority.IssueAPIKeyInput{
		Tenant: at.tenant.ID, Owner: tenancy.UserID(w.targetUser(at)), Name: w.unique("Key"),
	}))(w).ID.String()
}

func (w *world) targetVerifierKey(at place) string {
	w.Helper()
	return ok2(w.node.Authority().IssueVerifierKey(w.Context(), w.system, authority.IssueVerifierKeyInput{
		Tenant: at.tenant.ID, Name: w.unique("Verifier"),
	}))(w).ID.String()
}

func (w *world) targetPlan() string {
	w.Helper()
	return string(ok2(w.node.Authority().CreatePlan(w.Context(), w.system, authority.CreatePlanInput{
		Key: w.unique("plan"), Name: "Plan", Permissions: []access.Grant{"*:*"},
	}))(w).ID)
}

func (w *world) targetTenant() string {
	w.Helper()
	return string(ok2(w.node.Authority().CreateTenant(w.Context(), w.system, authority.CreateTenantInput{
		Slug: w.unique("tenant"), Name: "Tenant", PlanID: w.plan,
	}))(w).ID)
}

// on calls a route of one object.
func on(method, path string, make func(*world, place) string, body any) func(*world, *client, place) reply {
	return func(w *world, c *client, at place) reply {
		id, used := at.id(w, method+path, make)
		return used(c.observed(method, strings.Replace(path, "{id}", id, 1), body))
	}
}

// resumable suspends the object first, by the system.
func resumable(path string, make func(*world, place) string) func(*world, *client, place) reply {
	suspended := func(w *world, at place) string {
		id := make(w, at)
		w.admin.must(http.StatusOK, http.MethodPost, strings.Replace(path, "{id}/resume", id+"/suspend", 1), nil)
		return id
	}
	return on(http.MethodPost, path, suspended, nil)
}

// id is the target, or a made-up ID. A target is made anew once a call got through to it,
// so that no cell feels another; those that are refused leave it as it is.
func (at place) id(w *world, route string, make func(*world, place) string) (id string, used func(reply) reply) {
	w.Helper()
	name := route + "@" + string(at.org)
	used = func(r reply) reply {
		if r.status < 300 {
			delete(w.targets, name)
		}
		return r
	}
	switch {
	case !at.ghost:
		return w.kept(name, at, make), used
	case strings.Contains(route, "-keys/") || strings.Contains(route, "-credentials/"):
		return ghostCredential, used
	case strings.Contains(route, "/tenants/"):
		return ghostTenant, used
	}
	return ghostObject, used
}

// of adds the tenant for callers of the system, and for those who try another's.
func of(at place, path string) string {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	if at.ghost {
		return path + separator + "tenant_id=" + ghostTenant
	}
	return path + separator + "tenant_id=" + string(at.tenant.ID)
}

// observed is do under the spy's eye.
func (c *client) observed(method, path string, body any) reply {
	c.w.Helper()
	if c.spy == nil {
		return c.do(method, path, body)
	}
	spy := c.spy
	c.spy = nil
	spy.before = c.w.auditCount()
	r := c.do(method, path, body)
	spy.after = c.w.auditCount()
	return r
}

func listed(path string) func(*world, *client, place) reply {
	return func(_ *world, c *client, at place) reply { return c.observed(http.MethodGet, of(at, path), nil) }
}
