package authority

import (
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// keepingAdministrator runs a change that may take away rights and refuses it when the
// tenant had an administrator before and has none after. Write transactions run one after
// another, so two administrators can't take each other's rights at once. A tenant that has
// no administrator yet can still be worked on.
func (c *change) keepingAdministrator(do func() error) error {
	before, err := c.hasAdministrator()
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if !before {
		return nil
	}
	after, err := c.hasAdministrator()
	if err != nil {
		return err
	}
	if !after {
		return problem.New(problem.Conflict, "last_administrator", "The tenant would be left without an administrator. Make someone else one first.")
	}
	return nil
}

// hasAdministrator looks for an active user in active organizations who may give roles at
// the root. It reads the transaction's own state, never what is remembered.
func (c *change) hasAdministrator() (bool, error) {
	roles, err := c.tx.Roles()
	if err != nil {
		return false, err
	}
	var able []access.RoleID
	for id := range roles {
		if access.ResolveRole(id, roles).Allows(access.AssignmentsManage) {
			able = append(able, id)
		}
	}
	if len(able) == 0 {
		return false, nil
	}
	held, err := c.tx.Administrators(able...)
	if err != nil {
		return false, err
	}
	for _, as := range held {
		u, err := c.tx.User(tenancy.UserID(as.Principal.ID))
		if err != nil {
			return false, err
		}
		rights := access.UserRights{User: u.ID, State: u.State, AtRoot: access.ResolveRole(as.RoleID, roles)}
		if !access.KeepsAdministrator([]access.UserRights{rights}) {
			continue
		}
		stopped, err := c.organizationStopped(u.OrganizationID)
		if err != nil {
			return false, err
		}
		if !stopped {
			return true, nil
		}
	}
	return false, nil
}

// organizationStopped says whether an organization or one above it is not active.
func (c *change) organizationStopped(id tenancy.OrgID) (bool, error) {
	home, err := c.tx.Organization(id)
	if err != nil {
		return true, err
	}
	for _, above := range home.Path {
		o, err := c.tx.Organization(above)
		if err != nil {
			return true, err
		}
		if o.State != tenancy.Active {
			return true, nil
		}
	}
	return false, nil
}
