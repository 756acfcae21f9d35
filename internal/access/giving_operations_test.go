package access_test

import (
	"errors"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// The operations of the model: each draws what is asked for, asks the package's rules in
// the way the authority does, and changes the world if they agree.

var errLastAdministrator = problem.New(problem.Conflict, "last_administrator", "A tenant keeps an administrator.")

// home is the root of the tenant that the caller is in, or works in.
func (m *model) home(t *rapid.T, c acting) tenancy.OrgID {
	if c.System() || pick(10).Draw(t, "strays") == 9 {
		return oneOf([]tenancy.OrgID{"a", "b"}).Draw(t, "tenant")
	}
	if c.Tenant == "ten_b" {
		return "b"
	}
	return "a"
}

func (m *model) drawOrg(t *rapid.T, root tenancy.OrgID) tenancy.OrgID {
	return oneOf(slices.DeleteFunc(sorted(m.parent), func(o tenancy.OrgID) bool {
		return m.tenantOf[o] != m.tenantOf[root]
	})).Draw(t, "organization")
}

func (m *model) drawRole(t *rapid.T, root tenancy.OrgID) access.RoleID {
	return oneOf(slices.DeleteFunc(sorted(m.roles), func(r access.RoleID) bool {
		return m.roles[r].TenantID != m.tenantOf[root]
	})).Draw(t, "role")
}

func (m *model) drawUser(t *rapid.T, root tenancy.OrgID) tenancy.UserID {
	return oneOf(slices.DeleteFunc(sorted(m.users), func(u tenancy.UserID) bool {
		return m.users[u].TenantID != m.tenantOf[root]
	})).Draw(t, "user")
}

func (m *model) drawIncludes(t *rapid.T, root tenancy.OrgID) []access.RoleID {
	var list []access.RoleID
	for range pick(3).Draw(t, "includes") {
		list = append(list, m.drawRole(t, root))
	}
	return list
}

// may is what comes before every change: the right, and that this kind of caller may use it.
func may(c acting, p access.Permission, path []tenancy.OrgID) error {
	return errors.Join(c.Require(p, path), access.MayAdminister(c.Caller, p))
}

func (m *model) createRole(t *rapid.T, c acting) (string, gifts, error) {
	root := m.home(t, c)
	if err := may(c, access.RolesManage, m.path(root)); err != nil {
		return "create role", gifts{}, err
	}
	m.addRole(access.RoleID(m.next(string(root)+" new")), m.tenantOf[root], someGrants().Draw(t, "permissions"), m.drawIncludes(t, root)...)
	return "create role", gifts{}, nil
}

func (m *model) editRole(t *rapid.T, c acting) (string, gifts, error) {
	root := m.home(t, c)
	id := m.drawRole(t, root)
	if err := may(c, access.RolesManage, m.path(root)); err != nil {
		return "edit role", gifts{}, err
	}
	changed := m.roles[id]
	changed.Permissions, changed.Includes = someGrants().Draw(t, "permissions"), m.drawIncludes(t, root)
	roles := maps.Clone(m.roles)
	roles[id] = changed
	for _, reached := range access.RolesWith(id, roles) {
		var places []access.Place
		for _, a := range m.assignments {
			if a.RoleID == reached {
				places = append(places, access.Place{Recipient: a.Principal, Path: m.path(a.OrganizationID)})
			}
		}
		if err := c.MayGiveRole(access.ResolveRole(reached, roles), places); err != nil {
			return "edit role", gifts{}, err
		}
	}
	return "edit role", gifts{}, m.keeping(root, roles, m.assignments, m.users)
}

func (m *model) deleteRole(t *rapid.T, c acting) (string, gifts, error) {
	root := m.home(t, c)
	id := m.drawRole(t, root)
	if err := may(c, access.RolesManage, m.path(root)); err != nil {
		return "delete role", gifts{}, err
	}
	roles := maps.Clone(m.roles)
	delete(roles, id)
	return "delete role", gifts{}, m.keeping(root, roles, m.assignments, m.users)
}

func (m *model) assign(t *rapid.T, c acting) (string, gifts, error) {
	root := m.home(t, c)
	org, id, user := m.drawOrg(t, root), m.drawRole(t, root), m.drawUser(t, root)
	recipient := access.Principal{Type: access.PrincipalUser, ID: string(user)}
	gift := access.Gift{Permissions: access.ResolveRole(id, m.roles), Path: m.path(org), Recipient: recipient}
	if err := errors.Join(may(c, access.AssignmentsManage, m.path(org)), c.MayGive(gift)); err != nil {
		return "assign", gifts{}, err
	}
	m.addAssignment(user, id, org)
	return "assign", gifts{}, nil
}

func (m *model) unassign(t *rapid.T, c acting) (string, gifts, error) {
	id := oneOf(sorted(m.assignments)).Draw(t, "assignment")
	a := m.assignments[id]
	if a.TenantID == tenancy.SystemTenantID {
		return "unassign", gifts{}, problem.New(problem.Denied, "", "The model's operator stays.")
	}
	if err := may(c, access.AssignmentsManage, m.path(a.OrganizationID)); err != nil {
		return "unassign", gifts{}, err
	}
	assignments := maps.Clone(m.assignments)
	delete(assignments, id)
	return "unassign", gifts{}, m.keeping(m.path(a.OrganizationID)[0], m.roles, assignments, m.users)
}

func (m *model) toggleUser(t *rapid.T, c acting) (string, gifts, error) {
	root := m.home(t, c)
	id := m.drawUser(t, root)
	u := m.users[id]
	if err := may(c, access.UsersManage, m.path(u.OrganizationID)); err != nil {
		return "toggle user", gifts{}, err
	}
	if u.State == tenancy.Active {
		u.State = tenancy.Suspended
	} else {
		u.State = tenancy.Active
	}
	users := maps.Clone(m.users)
	users[id] = u
	return "toggle user", gifts{}, m.keeping(root, m.roles, m.assignments, users)
}

// keeping makes the change if the tenant keeps an administrator with it.
func (m *model) keeping(root tenancy.OrgID, roles map[access.RoleID]access.Role, assignments map[access.AssignmentID]access.Assignment, users map[tenancy.UserID]tenancy.User) error {
	var rights []access.UserRights
	for id, u := range users {
		var own []access.Assignment
		for _, a := range assignments {
			if a.Principal.ID == string(id) {
				own = append(own, a)
			}
		}
		if u.TenantID == m.tenantOf[root] {
			rights = append(rights, access.UserRights{User: id, State: u.State, AtRoot: access.EffectiveAt(own, roles, m.path(root))})
		}
	}
	if !access.KeepsAdministrator(rights) {
		return errLastAdministrator
	}
	m.roles, m.assignments, m.users = roles, assignments, users
	return nil
}

// issueKey makes a key for the caller themselves, at their own organization (PV7).
func (m *model) issueKey(t *rapid.T, c acting) (string, gifts, error) {
	u, ok := m.users[tenancy.UserID(c.Principal.ID)]
	if !ok || u.TenantID == tenancy.SystemTenantID {
		return "issue key", gifts{}, problem.New(problem.Denied, "", "Only tenants' people have keys in this model.")
	}
	path, expires := m.path(u.OrganizationID), pick(4).Draw(t, "expires")
	carried := access.EffectiveAt(m.assignmentsOf(c.Principal), m.roles, path)
	plan := access.NewSet(m.plan[u.TenantID]...)
	gift := access.Gift{Permissions: access.Effective(carried, plan), Path: path, Recipient: c.Principal, ExpiresAt: moment(expires)}
	if err := errors.Join(may(c, access.APIKeysGenerate, path), c.MayGive(gift)); err != nil {
		return "issue key", gifts{}, err
	}
	name := m.next("uk")
	m.keys[name] = key{principal: c.Principal, org: u.OrganizationID, expires: expires}
	return "issue key", gifts{to: "key " + name}, nil
}

func (m *model) makeApp(t *rapid.T, c acting) (string, gifts, error) {
	name := m.next("app")
	return m.giveApp(t, c, "make app", name, key{
		principal: access.Principal{Type: access.PrincipalApp, ID: name},
		org:       m.drawOrg(t, m.home(t, c)), expires: pick(4).Draw(t, "expires"),
	})
}

func (m *model) changeApp(t *rapid.T, c acting) (string, gifts, error) {
	apps := slices.DeleteFunc(sorted(m.keys), func(name string) bool { return m.keys[name].principal.Type != access.PrincipalApp })
	if len(apps) == 0 {
		return "change app", gifts{}, problem.New(problem.Denied, "", "There is none.")
	}
	name := oneOf(apps).Draw(t, "app")
	return m.giveApp(t, c, "change app", name, m.keys[name])
}

// giveApp gives an app its scopes: what the caller holds, and any API of the plan.
func (m *model) giveApp(t *rapid.T, c acting, what, name string, k key) (string, gifts, error) {
	k.scopes = rapid.SliceOfN(oneOf([]access.Grant{
		"surveys:read", "surveys:write", "chat:read", "chat:write", "unnamed:read", "claviger.roles:manage", "claviger.apps:manage",
	}), 0, 4).Draw(t, "scopes")
	apis := []access.Grant{"surveys:read", "surveys:write", "chat:read", "chat:write"}
	extra := access.NewSet(apis...).Intersect(access.NewSet(m.plan[m.tenantOf[k.org]]...))
	path := m.path(k.org)
	gift := access.Gift{Permissions: access.NewSet(k.scopes...), Extra: extra, Path: path, Recipient: k.principal, ExpiresAt: moment(k.expires)}
	if err := errors.Join(may(c, access.AppsManage, path), c.MayGive(gift)); err != nil {
		return what, gifts{}, err
	}
	m.keys[name] = k
	return what, gifts{to: "key " + name, extra: apis}, nil
}

func (m *model) revoke(t *rapid.T, c acting) (string, gifts, error) {
	if len(m.keys) == 0 {
		return "revoke", gifts{}, problem.New(problem.Denied, "", "There is none.")
	}
	name := oneOf(sorted(m.keys)).Draw(t, "key")
	k := m.keys[name]
	if k.principal != c.Principal {
		if err := may(c, access.APIKeysManage, m.path(k.org)); err != nil {
			return "revoke", gifts{}, err
		}
	}
	delete(m.keys, name)
	return "revoke", gifts{}, nil
}

func (m *model) move(t *rapid.T, c acting) (string, gifts, error) {
	root := m.home(t, c)
	org, parent := m.drawOrg(t, root), m.drawOrg(t, root)
	if org == root {
		return "move", gifts{}, problem.New(problem.Denied, "", "The root stays.")
	}
	err := errors.Join(
		tenancy.ValidatePlacement(org, 1, m.path(parent)),
		c.MayMove(m.path(org), m.path(parent), slices.Collect(maps.Values(m.assignments)), m.roles),
	)
	if err != nil {
		return "move", gifts{}, err
	}
	m.parent[org] = parent
	return "move", gifts{}, nil
}

func (m *model) changePlan(t *rapid.T, c acting) (string, gifts, error) {
	root := m.home(t, c)
	if !c.System() {
		return "change plan", gifts{}, problem.New(problem.Denied, "", "Plans are the system's.")
	}
	if err := may(c, access.PlansManage, m.path(root)); err != nil {
		return "change plan", gifts{}, err
	}
	m.plan[m.tenantOf[root]] = oneOf([][]access.Grant{{"*:*"}, {"surveys:*"}, {"surveys:*", "chat:read"}, nil}).Draw(t, "plan")
	return "change plan", gifts{}, nil
}
