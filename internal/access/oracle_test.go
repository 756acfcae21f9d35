package access_test

import (
	"slices"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// The oracle says who may do what, from first principles: parents instead of paths, single
// permissions instead of sets, recursion instead of anything clever. It shares nothing with
// the package but the names of its types.

// world is everything that decides, of two tenants and the system.
type world struct {
	parent      map[tenancy.OrgID]tenancy.OrgID // empty for a root
	tenantOf    map[tenancy.OrgID]tenancy.TenantID
	plan        map[tenancy.TenantID][]access.Grant
	roles       map[access.RoleID]access.Role
	assignments map[access.AssignmentID]access.Assignment
	users       map[tenancy.UserID]tenancy.User
	keys        map[string]key // user keys and apps, living ones
	serial      int
}

// key is a credential: what it may do is what its user may (a user key), or what was
// chosen for it (an app), as far as the plan goes.
type key struct {
	principal access.Principal
	org       tenancy.OrgID
	scopes    []access.Grant // of an app
	expires   int            // 0 means never
}

// asked are the permissions the oracle asks about. Some are named by no grant in the test,
// so that a wildcard counts as more than the list of what it matches.
var asked = []string{
	"surveys:read", "surveys:write", "surveys:unnamed", "chat:read", "chat:write", "unnamed:read", "unnamed:unnamed",
	"claviger.roles:manage", "claviger.assignments:manage", "claviger.organizations:manage", "claviger.apps:manage",
	"claviger.api_keys:generate", "claviger.unnamed:manage",
}

// right is one thing that somebody may do somewhere.
type right struct {
	who        string
	org        tenancy.OrgID
	permission string
}

// above lists the organization and everything over it.
func (w *world) above(org tenancy.OrgID) []tenancy.OrgID {
	if org == "" {
		return nil
	}
	return append([]tenancy.OrgID{org}, w.above(w.parent[org])...)
}

// grantsOf is what a role says with all it includes.
func (w *world) grantsOf(id access.RoleID, entered []access.RoleID) []access.Grant {
	role, ok := w.roles[id]
	if !ok || slices.Contains(entered, id) {
		return nil
	}
	all := slices.Clone(role.Permissions)
	for _, next := range role.Includes {
		all = append(all, w.grantsOf(next, append(slices.Clone(entered), id))...)
	}
	return all
}

func says(grants []access.Grant, permission string) bool {
	return slices.ContainsFunc(grants, func(g access.Grant) bool { return naiveMatch(string(g), permission) })
}

// holds reports whether a principal has a permission at an organization by its roles.
// said remembers what each role says, which doesn't change while the oracle is asked.
func (w *world) holds(said map[saying]bool, who access.Principal, org tenancy.OrgID, permission string) bool {
	over := w.above(org)
	for _, a := range w.assignments {
		// The system's root stands over every tenant.
		system := w.tenantOf[a.OrganizationID] == tenancy.SystemTenantID && w.parent[a.OrganizationID] == ""
		if a.Principal != who || (!system && !slices.Contains(over, a.OrganizationID)) {
			continue
		}
		key := saying{a.RoleID, permission}
		if _, known := said[key]; !known {
			said[key] = says(w.grantsOf(a.RoleID, nil), permission)
		}
		if said[key] {
			return true
		}
	}
	return false
}

type saying struct {
	role       access.RoleID
	permission string
}

// inPlan reports whether a permission is ours or in what the tenant has bought.
func (w *world) inPlan(org tenancy.OrgID, permission string) bool {
	return strings.HasPrefix(permission, "claviger.") || says(w.plan[w.tenantOf[org]], permission)
}

// rights is everything that everybody may do everywhere.
func (w *world) rights() map[right]bool {
	all, said := map[right]bool{}, map[saying]bool{}
	for _, permission := range asked {
		for id := range w.users {
			who := access.Principal{Type: access.PrincipalUser, ID: string(id)}
			for org := range w.parent {
				if w.holds(said, who, org, permission) {
					all[right{"user " + string(id), org, permission}] = true
				}
			}
		}
		for name := range w.keys {
			if w.keyMay(said, name, permission) {
				all[right{"key " + name, w.keys[name].org, permission}] = true
			}
		}
	}
	return all
}

func (w *world) keyMay(said map[saying]bool, name, permission string) bool {
	k := w.keys[name]
	if !w.inPlan(k.org, permission) {
		return false
	}
	if k.principal.Type == access.PrincipalUser {
		return w.holds(said, k.principal, k.org, permission)
	}
	return says(k.scopes, permission)
}

// administrated reports whether a tenant has an active user of its own who may give roles at the root.
func (w *world) administrated(root tenancy.OrgID) bool {
	said := map[saying]bool{}
	for id, u := range w.users {
		who := access.Principal{Type: access.PrincipalUser, ID: string(id)}
		if u.TenantID == w.tenantOf[root] && u.State == tenancy.Active && w.holds(said, who, root, "claviger.assignments:manage") {
			return true
		}
	}
	return false
}
