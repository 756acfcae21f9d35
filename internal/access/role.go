package access

import (
	"slices"

	"github.com/claviger-io/claviger/internal/tenancy"
)

// ResolveRole is what a role grants with all it includes. Cycles are harmless; roles that
// are unknown or another tenant's grant nothing.
func ResolveRole(id RoleID, roles map[RoleID]Role) Set {
	top, ok := roles[id]
	if !ok {
		return Set{}
	}
	var grants []Grant
	seen := map[RoleID]bool{id: true}
	for todo := []RoleID{id}; len(todo) > 0; {
		role := roles[todo[0]]
		todo = todo[1:]
		if role.TenantID != top.TenantID {
			continue
		}
		grants = append(grants, role.Permissions...)
		for _, next := range role.Includes {
			if _, ok := roles[next]; ok && !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	return NewSet(grants...)
}

// RolesWith lists the roles that a change of the role reaches: itself and all that include
// it, directly or not. The order is by ID.
func RolesWith(id RoleID, roles map[RoleID]Role) []RoleID {
	reached := map[RoleID]bool{id: true}
	for grown := true; grown; {
		grown = false
		for other, role := range roles {
			if !reached[other] && slices.ContainsFunc(role.Includes, func(i RoleID) bool { return reached[i] }) {
				reached[other], grown = true, true
			}
		}
	}
	list := make([]RoleID, 0, len(reached))
	for other := range reached {
		list = append(list, other)
	}
	slices.Sort(list)
	return list
}

// EffectiveAt is what the assignments, all of one principal, grant at the organization
// whose path is given, root first and itself last: those made there or above it count. An
// empty path grants nothing.
func EffectiveAt(assignments []Assignment, roles map[RoleID]Role, path []tenancy.OrgID) Set {
	var held Set
	for _, a := range assignments {
		if tenancy.IsWithin(path, a.OrganizationID) {
			held = held.Union(ResolveRole(a.RoleID, roles))
		}
	}
	return held
}

// HoldingsOf is what the assignments, all of one principal, grant: one holding for each
// organization at which there is one, in order of organization ID.
func HoldingsOf(assignments []Assignment, roles map[RoleID]Role) []Holding {
	sets := map[tenancy.OrgID]Set{}
	for _, a := range assignments {
		sets[a.OrganizationID] = sets[a.OrganizationID].Union(ResolveRole(a.RoleID, roles))
	}
	holdings := make([]Holding, 0, len(sets))
	for org, set := range sets {
		holdings = append(holdings, Holding{Organization: org, Set: set})
	}
	slices.SortFunc(holdings, func(a, b Holding) int {
		if a.Organization < b.Organization {
			return -1
		}
		return 1
	})
	return holdings
}

// UserRights is what one user holds at the root of a tenant's tree.
type UserRights struct {
	User   tenancy.UserID
	State  tenancy.State
	AtRoot Set
}

// KeepsAdministrator reports whether among the users is an administrator: an active user
// who may give roles at the root. A change after which there is none is refused, so a
// tenant can't lock itself out.
func KeepsAdministrator(users []UserRights) bool {
	for _, u := range users {
		if u.State == tenancy.Active && u.AtRoot.Allows(AssignmentsManage) {
			return true
		}
	}
	return false
}
