package access_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Whatever sequence of changes random callers make, guarded by the rules of this package as
// the authority applies them: nobody ends with more than the giver could give, nobody lifts
// themselves, no tenant's caller changes anything in another tenant, nothing given outlives
// the credential it was given with, and each tenant keeps an administrator.
func TestNobodyGivesWhatTheyMayNotGive(t *testing.T) {
	accepted := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		m := &model{world: newWorld(t), accepted: accepted}
		m.before, m.tenantsBefore = m.rights(), m.tenants()
		operations := map[string]func(*rapid.T){
			"create a role":        m.try(m.createRole),
			"edit a role":          m.try(m.editRole),
			"edit a role again":    m.try(m.editRole),
			"delete a role":        m.try(m.deleteRole),
			"assign":               m.try(m.assign),
			"assign again":         m.try(m.assign),
			"unassign":             m.try(m.unassign),
			"suspend or resume":    m.try(m.toggleUser),
			"issue a key":          m.try(m.issueKey),
			"make an app":          m.try(m.makeApp),
			"change an app":        m.try(m.changeApp),
			"revoke":               m.try(m.revoke),
			"move an organization": m.try(m.move),
			"change a plan":        m.try(m.changePlan),
		}
		for range 3 { // one round is about 30 operations
			t.Repeat(operations)
		}
	})
	for _, name := range []string{"create role", "edit role", "delete role", "assign", "unassign", "toggle user", "issue key", "make app", "change app", "revoke", "move", "change plan"} {
		if accepted[name] == 0 {
			t.Errorf("%q was never accepted, so this test says nothing about it", name)
		}
	}
}

// model applies operations to a world as the authority does.
type model struct {
	*world
	accepted map[string]int

	// What the oracle said after the last change.
	before        map[right]bool
	tenantsBefore map[tenancy.TenantID]string
}

// acting is a caller and the oracle's name of it.
type acting struct {
	access.Caller
	who     string // as in right
	expires int
}

// gifts is what an operation lets the caller give beyond what they hold, and to whom.
type gifts struct {
	to    string // as in right; never the caller
	extra []access.Grant
}

// try runs an operation of a random caller and, if it was accepted, asks the oracle.
func (m *model) try(operation func(*rapid.T, acting) (string, gifts, error)) func(*rapid.T) {
	return func(t *rapid.T) {
		caller := m.drawCaller(t)
		keysBefore := maps.Clone(m.keys)
		name, given, err := operation(t, caller)
		if err != nil {
			if !problem.Is(err, problem.Denied) && !problem.Is(err, problem.Conflict) && !problem.Is(err, problem.Invalid) {
				t.Fatalf("%s: not a refusal: %v", name, err)
			}
			return
		}
		m.accepted[name]++
		after := m.rights()
		for r := range after {
			if !m.before[r] {
				m.gained(t, name, caller, given, r)
			}
		}
		for id, k := range m.keys {
			if _, old := keysBefore[id]; !old && caller.expires != 0 && (k.expires == 0 || k.expires > caller.expires) {
				t.Fatalf("%s: key %s outlives the credential it was made with", name, id)
			}
		}
		m.checkTenants(t, name, caller)
		m.before, m.tenantsBefore = after, m.tenants()
	}
}

// gained checks one right that somebody has after an operation and hadn't before.
func (m *model) gained(t *rapid.T, name string, c acting, given gifts, r right) {
	if c.Via == access.ViaSystem || c.Tenant == tenancy.SystemTenantID {
		return // the system's administrator holds everything
	}
	if m.tenantOf[r.org] != c.Tenant {
		t.Fatalf("%s: %s of %s gave %v in another tenant", name, c.who, c.Tenant, r)
	}
	if r.who == c.who || (c.Principal.Type == access.PrincipalUser && r.who == "user "+c.Principal.ID) {
		t.Fatalf("%s: %s lifted themselves: %v", name, c.who, r)
	}
	if m.couldThemselves(c, r) || (r.who == given.to && says(given.extra, r.permission)) {
		return
	}
	t.Fatalf("%s: %s gave %v and couldn't do that themselves", name, c.who, r)
}

// couldThemselves reports whether a caller could do what somebody else now may. A key
// reaches its own organization and below.
func (m *model) couldThemselves(c acting, r right) bool {
	if c.Via == access.ViaSession {
		return m.before[right{c.who, r.org, r.permission}]
	}
	home := m.keys[c.CredentialID].org
	return slices.Contains(m.above(r.org), home) && m.before[right{c.who, home, r.permission}]
}

// tenants is what belongs to each tenant, as one text.
func (m *model) tenants() map[tenancy.TenantID]string {
	all := map[tenancy.TenantID]string{}
	for _, tenant := range []tenancy.TenantID{"ten_a", "ten_b"} {
		roles := maps.Clone(m.roles)
		maps.DeleteFunc(roles, func(_ access.RoleID, r access.Role) bool { return r.TenantID != tenant })
		assignments := maps.Clone(m.assignments)
		maps.DeleteFunc(assignments, func(_ access.AssignmentID, a access.Assignment) bool { return a.TenantID != tenant })
		users := maps.Clone(m.users)
		maps.DeleteFunc(users, func(_ tenancy.UserID, u tenancy.User) bool { return u.TenantID != tenant })
		keys := maps.Clone(m.keys)
		maps.DeleteFunc(keys, func(_ string, k key) bool { return m.tenantOf[k.org] != tenant })
		orgs := maps.Clone(m.parent)
		maps.DeleteFunc(orgs, func(o, _ tenancy.OrgID) bool { return m.tenantOf[o] != tenant })
		all[tenant] = fmt.Sprint(roles, assignments, users, keys, orgs, m.plan[tenant])
	}
	return all
}

func (m *model) checkTenants(t *rapid.T, name string, c acting) {
	if c.Via == access.ViaCredential && slices.Contains([]string{"create role", "edit role", "delete role", "assign", "unassign", "toggle user"}, name) {
		t.Fatalf("%s: done with a tenant's credential", name)
	}
	for tenant, was := range m.tenantsBefore {
		if tenant != c.Tenant && !c.System() && m.tenants()[tenant] != was {
			t.Fatalf("%s: a caller of %s changed %s", name, c.Tenant, tenant)
		}
	}
	for _, root := range []tenancy.OrgID{"a", "b"} {
		if !m.administrated(root) {
			t.Fatalf("%s: %s left tenant %s without an administrator", name, c.who, root)
		}
	}
}

func newWorld(t *rapid.T) *world {
	w := &world{
		parent: map[tenancy.OrgID]tenancy.OrgID{
			tenancy.SystemRootOrg: "", "a": "", "a1": "a", "a11": "a1", "a2": "a", "a21": "a2", "b": "", "b1": "b",
		},
		tenantOf:    map[tenancy.OrgID]tenancy.TenantID{tenancy.SystemRootOrg: tenancy.SystemTenantID},
		plan:        map[tenancy.TenantID][]access.Grant{"ten_a": {"*:*"}, "ten_b": {"surveys:*", "chat:read"}},
		roles:       map[access.RoleID]access.Role{},
		assignments: map[access.AssignmentID]access.Assignment{},
		users:       map[tenancy.UserID]tenancy.User{},
		keys:        map[string]key{},
	}
	for org := range w.parent {
		if org != tenancy.SystemRootOrg {
			w.tenantOf[org] = tenancy.TenantID("ten_" + org[:1])
		}
	}
	w.addUser("operator", tenancy.SystemTenantID, tenancy.SystemRootOrg)
	w.addRole("system", tenancy.SystemTenantID, access.Everything().Grants())
	w.addAssignment("operator", "system", tenancy.SystemRootOrg)
	for _, tenant := range []tenancy.OrgID{"a", "b"} {
		id := w.tenantOf[tenant]
		w.addRole(access.RoleID(tenant+" super"), id, superAdmin().Grants())
		w.addUser(tenancy.UserID(tenant+" chief"), id, tenant)
		w.addAssignment(tenancy.UserID(tenant+" chief"), access.RoleID(tenant+" super"), tenant)
	}
	// Tenant a is where most happens: people with parts of the rights at random places.
	for i := range 3 {
		id := access.RoleID(fmt.Sprintf("a role%d", i))
		var includes []access.RoleID
		if i > 0 && rapid.Bool().Draw(t, "includes the role before") {
			includes = []access.RoleID{access.RoleID(fmt.Sprintf("a role%d", i-1))}
		}
		w.addRole(id, "ten_a", someGrants(managing.Draw(t, "manages")...).Draw(t, "permissions"), includes...)
	}
	for i := range 4 {
		user := tenancy.UserID(fmt.Sprintf("a user%d", i))
		home := oneOf([]tenancy.OrgID{"a", "a1", "a11", "a2", "a21"}).Draw(t, "home")
		w.addUser(user, "ten_a", home)
		for range rapid.IntRange(1, 2).Draw(t, "assignments") {
			r := oneOf([]access.RoleID{"a role0", "a role1", "a role2"}).Draw(t, "role")
			w.addAssignment(user, r, oneOf([]tenancy.OrgID{"a", "a1", "a11", "a2", "a21"}).Draw(t, "where"))
		}
	}
	return w
}

// pick and oneOf draw each value as often as any other; rapid's own generators prefer small
// numbers, and then nearly all callers are the same.
func pick(n int) *rapid.Generator[int] {
	return rapid.Custom(func(t *rapid.T) int {
		v := 0
		for range 6 {
			v *= 2
			if rapid.Bool().Draw(t, "") {
				v++
			}
		}
		return v * n / 64
	})
}

func oneOf[T any](list []T) *rapid.Generator[T] {
	return rapid.Map(pick(len(list)), func(i int) T { return list[i] })
}

// managing is what someone needs to change anything that matters here.
var managing = oneOf([][]access.Grant{
	nil,
	{access.Grant(access.RolesManage), access.Grant(access.OrganizationsManage)},
	{access.Grant(access.AssignmentsManage), access.Grant(access.RolesManage), access.Grant(access.OrganizationsManage)},
})

func someGrants(always ...access.Grant) *rapid.Generator[[]access.Grant] {
	return rapid.Map(rapid.SliceOfN(oneOf([]access.Grant{
		"surveys:read", "surveys:write", "surveys:*", "chat:read", "*:read", "*:*", "claviger.*:manage", "*.*:manage",
		access.Grant(access.AppsManage), access.Grant(access.APIKeysGenerate), access.Grant(access.AssignmentsManage),
		access.Grant(access.RolesManage), access.Grant(access.OrganizationsManage),
	}), 0, 3), func(list []access.Grant) []access.Grant { return append(list, always...) })
}

func (w *world) addUser(id tenancy.UserID, tenant tenancy.TenantID, org tenancy.OrgID) {
	w.users[id] = tenancy.User{ID: id, TenantID: tenant, OrganizationID: org, State: tenancy.Active}
}

func (w *world) addRole(id access.RoleID, tenant tenancy.TenantID, permissions []access.Grant, includes ...access.RoleID) {
	w.roles[id] = access.Role{ID: id, TenantID: tenant, Permissions: permissions, Includes: includes}
}

func (w *world) addAssignment(user tenancy.UserID, role access.RoleID, org tenancy.OrgID) access.AssignmentID {
	id := access.AssignmentID(w.next("asg"))
	w.assignments[id] = access.Assignment{
		ID: id, TenantID: w.tenantOf[org], RoleID: role, OrganizationID: org,
		Principal: access.Principal{Type: access.PrincipalUser, ID: string(user)},
	}
	return id
}

func (w *world) next(prefix string) string {
	w.serial++
	return fmt.Sprintf("%s%d", prefix, w.serial)
}

// path is what stores keep of an organization: from the root to itself.
func (w *world) path(org tenancy.OrgID) []tenancy.OrgID {
	path := w.above(org)
	slices.Reverse(path)
	return path
}

func (w *world) assignmentsOf(p access.Principal) []access.Assignment {
	var list []access.Assignment
	for _, id := range sorted(w.assignments) {
		if w.assignments[id].Principal == p {
			list = append(list, w.assignments[id])
		}
	}
	return list
}

func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// drawCaller is a user by session, the same by one of their keys, an app, or this process.
func (m *model) drawCaller(t *rapid.T) acting {
	if pick(20).Draw(t, "is a job") == 19 {
		return acting{Caller: access.Caller{Tenant: tenancy.SystemTenantID, Via: access.ViaSystem, Principal: access.Principal{Type: access.PrincipalSystem}}}
	}
	if names := m.liveKeys(); len(names) > 0 && pick(4).Draw(t, "uses a key") == 3 {
		name := oneOf(names).Draw(t, "key")
		k := m.keys[name]
		c := acting{who: "key " + name, expires: k.expires}
		c.Tenant, c.Principal, c.Via, c.CredentialID = m.tenantOf[k.org], k.principal, access.ViaCredential, name
		c.CredentialExpires = moment(k.expires)
		held := access.NewSet(k.scopes...)
		if k.principal.Type == access.PrincipalUser {
			held = access.EffectiveAt(m.assignmentsOf(k.principal), m.roles, m.path(k.org))
		}
		c.Holdings = []access.Holding{{Organization: k.org, Set: access.Effective(held, access.NewSet(m.plan[c.Tenant]...))}}
		return c
	}
	people := m.people()
	if len(people) == 0 {
		return acting{who: "nobody"}
	}
	id := oneOf(people).Draw(t, "caller")
	u := m.users[id]
	c := acting{who: "user " + string(id)}
	c.Tenant, c.Via = u.TenantID, access.ViaSession
	c.Principal = access.Principal{Type: access.PrincipalUser, ID: string(id)}
	c.Holdings = access.HoldingsOf(m.assignmentsOf(c.Principal), m.roles)
	return c
}

// people are the active users who have any role: the others may do nothing anyway.
func (m *model) people() []tenancy.UserID {
	return slices.DeleteFunc(sorted(m.users), func(id tenancy.UserID) bool {
		return m.users[id].State != tenancy.Active || len(m.assignmentsOf(access.Principal{Type: access.PrincipalUser, ID: string(id)})) == 0
	})
}

// liveKeys are the keys whose user isn't suspended.
func (m *model) liveKeys() []string {
	return slices.DeleteFunc(sorted(m.keys), func(name string) bool {
		k := m.keys[name]
		return k.principal.Type == access.PrincipalUser && m.users[tenancy.UserID(k.principal.ID)].State != tenancy.Active
	})
}

func moment(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(n) * time.Hour)
}
