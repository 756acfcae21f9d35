package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// AssignInput gives a principal a role at an organization and everything below it.
type AssignInput struct {
	Tenant         tenancy.TenantID
	Principal      access.Principal
	RoleID         access.RoleID
	OrganizationID tenancy.OrgID // empty means the root
	Idempotency
}

// AssignmentInput names one assignment.
type AssignmentInput struct {
	Tenant tenancy.TenantID
	ID     access.AssignmentID
}

// AssignmentsInput filters the list of assignments.
type AssignmentsInput struct {
	Tenant    tenancy.TenantID
	Principal access.Principal
	Role      access.RoleID
	At        tenancy.OrgID
	Page      store.Page
}

func assignmentTarget(as access.Assignment) target {
	return target{kind: "assignment", id: string(as.ID), name: as.Principal.ID, org: as.OrganizationID}
}

func assignmentFields(as access.Assignment) fields {
	return fields{"principal": as.Principal.ID, "role_id": as.RoleID, "organization_id": as.OrganizationID}
}

// Assign gives a user or a service account a role. It needs claviger.assignments:manage at
// the organization (for service accounts claviger.service_accounts:manage does), by a
// session, and everything that the role grants there (VX7). Problems:
// already_assigned. Audited as assignment.create.
func (a *Authority) Assign(ctx context.Context, caller access.Caller, in AssignInput) (out access.Assignment, err error) {
	tenant, err := a.assignTenant(ctx, caller, in)
	if err != nil {
		return out, err
	}
	id, err := newID("asg_")
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		path, err := c.path(in.OrganizationID)
		if err != nil {
			return err
		}
		if err := c.mayAssign(in.Principal, path); err != nil {
			return err
		}
		as := access.Assignment{
			ID: access.AssignmentID(id), TenantID: c.tenant.ID, Principal: in.Principal, RoleID: in.RoleID,
			OrganizationID: path[len(path)-1], CreatedAt: c.now,
		}
		out, err = once(c, "assignment.create", in.Idempotency, func() (access.Assignment, string, error) {
			return as, id, c.assign(as, path)
		}, func(id string) (access.Assignment, error) { return c.tx.Assignment(access.AssignmentID(id)) })
		return err
	})
	return out, err
}

// mayAssign needs the right to give roles to a principal, or take them: to service
// accounts, whoever manages those may too, in a session (VX1).
func (c *change) mayAssign(p access.Principal, path []tenancy.OrgID) error {
	if c.all() {
		return nil
	}
	if p.Type == access.PrincipalServiceAccount && !c.holds(access.AssignmentsManage, path) && c.holds(access.ServiceAccountsManage, path) {
		return access.MayAdminister(c.caller, access.AssignmentsManage)
	}
	return c.administer(access.AssignmentsManage, path)
}

func (c *change) assign(as access.Assignment, path []tenancy.OrgID) error {
	p, err := c.recipient(as.Principal)
	if err != nil {
		return err
	}
	roles, err := c.roles(c.target)
	if err != nil {
		return err
	}
	role, ok := roles[as.RoleID]
	if !ok {
		return problem.InvalidField("/role_id", "There is no such role.")
	}
	if err := c.mayGive(access.Gift{Permissions: access.ResolveRole(role.ID, roles), Path: path, Recipient: as.Principal}); err != nil {
		return err
	}
	for _, has := range p.assignments {
		if has.RoleID == as.RoleID && has.OrganizationID == as.OrganizationID {
			return problem.New(problem.Conflict, "already_assigned", "This role is given here already.")
		}
	}
	if err := c.tx.InsertAssignment(as); err != nil {
		return err
	}
	after := assignmentFields(as)
	after["role_name"] = role.Name
	return c.record("assignment.create", assignmentTarget(as), nil, after)
}

// recipient is who gets a role: a user or a service account of the tenant.
func (c *change) recipient(who access.Principal) (principalFacts, error) {
	if who.Type != access.PrincipalUser && who.Type != access.PrincipalServiceAccount {
		return principalFacts{}, problem.InvalidField("/principal/type", "Roles can be given to users and service accounts.")
	}
	p, err := c.principalFacts(c.target, who)
	if err != nil {
		return p, err
	}
	switch {
	case p.user != nil && p.user.State != tenancy.Deleted, p.account != nil && p.account.State != tenancy.Deleted:
		return p, nil
	case who.Type == access.PrincipalUser:
		return p, problem.InvalidField("/principal/id", "There is no such user.")
	}
	return p, problem.InvalidField("/principal/id", "There is no such service account.")
}

// assignTenant finds the tenant by the organization, the role or the user, whichever is given.
func (a *Authority) assignTenant(ctx context.Context, caller access.Caller, in AssignInput) (tenancy.TenantID, error) {
	if in.OrganizationID != "" {
		return a.organizationTenant(ctx, caller, in.Tenant, in.OrganizationID)
	}
	return a.roleTenant(ctx, caller, in.Tenant, in.RoleID)
}

// Unassign takes a role away. It needs claviger.assignments:manage at the organization, by
// a session, and the role's administrative rights. Problems: last_administrator. Audited
// as assignment.delete.
func (a *Authority) Unassign(ctx context.Context, caller access.Caller, in AssignmentInput) (out access.Assignment, err error) {
	tenant, err := a.locate(ctx, caller, in.Tenant, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsAssignmentTenant(in.ID) })
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		as, err := c.tx.Assignment(in.ID)
		if err != nil {
			return err
		}
		path, err := c.path(as.OrganizationID)
		if err != nil {
			return err
		}
		if err := c.mayAssign(as.Principal, path); err != nil {
			return err
		}
		out = as
		return c.unassign(as)
	})
	if err != nil {
		return access.Assignment{}, err
	}
	return out, nil
}

// unassign takes a role whose administrative rights the caller has.
func (c *change) unassign(as access.Assignment) error {
	roles, err := c.roles(c.target)
	if err != nil {
		return err
	}
	if err := c.outranks([]access.Holding{{Organization: as.OrganizationID, Set: access.ResolveRole(as.RoleID, roles)}}); err != nil {
		return err
	}
	if err := c.keepingAdministrator(func() error { return c.tx.DeleteAssignment(as.ID) }); err != nil {
		return err
	}
	before := assignmentFields(as)
	before["role_name"] = roles[as.RoleID].Name
	return c.record("assignment.delete", assignmentTarget(as), before, nil)
}

// Assignments lists who has which role in the part of the tree where the caller has
// claviger.roles:read, claviger.users:read or claviger.assignments:manage. Everyone may
// list their own.
func (a *Authority) Assignments(ctx context.Context, caller access.Caller, in AssignmentsInput) (out store.List[Assignment], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		f := store.AssignmentFilter{Role: in.Role, At: in.At}
		if in.Principal.ID != "" {
			f.Principal = &in.Principal
		}
		if in.Principal != s.caller.Principal || s.caller.Tenant != s.target {
			if f.At, err = s.visible(in.At, access.RolesRead, access.UsersRead, access.AssignmentsManage); err != nil {
				return err
			}
		}
		list, err := s.tx.AssignmentsOf(f, in.Page)
		if err != nil {
			return err
		}
		out, err = pageOf(list, s.showAssignments)
		return err
	})
	return out, err
}
