package notice

import (
	"cmp"
	"slices"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Administrators are whom a tenant's digests go to: its Customer Administrators, whose role
// is the built-in one, or includes it, at the root. Where none of them can be written to it
// is whoever may give roles at the root. In the order of their IDs.
func Administrators(tx *store.Tx) ([]tenancy.User, error) {
	roles, err := tx.Roles()
	if err != nil {
		return nil, err
	}
	var customer, able []access.RoleID
	for id, role := range roles {
		if role.BuiltIn == access.RoleCustomerAdministrator {
			customer = append(customer, access.RolesWith(id, roles)...)
		}
		if access.ResolveRole(id, roles).Allows(access.AssignmentsManage) {
			able = append(able, id)
		}
	}
	for _, any := range [][]access.RoleID{customer, able} {
		list, err := holders(tx, any)
		if err != nil || len(list) > 0 {
			return list, err
		}
	}
	return nil, nil
}

// holders are those with one of the roles at the root who can be written to.
func holders(tx *store.Tx, roles []access.RoleID) (list []tenancy.User, err error) {
	if len(roles) == 0 {
		return nil, nil
	}
	held, err := tx.Administrators(roles...)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, as := range held {
		if seen[as.Principal.ID] {
			continue
		}
		seen[as.Principal.ID] = true
		u, ok, err := reachable(tx, tenancy.UserID(as.Principal.ID))
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, u)
		}
	}
	slices.SortFunc(list, func(a, b tenancy.User) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// reachable finds a user who can be written to: active, at an organization that is, too, and
// with an e-mail address.
func reachable(tx *store.Tx, id tenancy.UserID) (u tenancy.User, ok bool, err error) {
	u, err = tx.User(id)
	if problem.Is(err, problem.NotFound) {
		return u, false, nil
	}
	if err != nil || u.State != tenancy.Active || u.Email == "" {
		return u, false, err
	}
	home, err := tx.Organization(u.OrganizationID)
	if err != nil {
		return u, false, err
	}
	for _, above := range home.Path {
		o, err := tx.Organization(above)
		if err != nil || o.State != tenancy.Active {
			return u, false, err
		}
	}
	return u, true, nil
}
