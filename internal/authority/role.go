package authority

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// CreateRoleInput describes a new custom role.
type CreateRoleInput struct {
	Tenant      tenancy.TenantID
	Name        string
	Description string
	Permissions []access.Grant
	Includes    []access.RoleID
	Idempotency
}

// ChangeRoleInput changes what is not nil.
type ChangeRoleInput struct {
	Tenant      tenancy.TenantID
	ID          access.RoleID
	Name        *string
	Description *string
	Permissions *[]access.Grant
	Includes    *[]access.RoleID
}

// RoleInput names one role.
type RoleInput struct {
	Tenant tenancy.TenantID
	ID     access.RoleID
}

// RolesInput lists a tenant's roles, sorted by name.
type RolesInput struct{ Tenant tenancy.TenantID }

func roleTarget(r access.Role) target { return target{kind: "role", id: string(r.ID), name: r.Name} }

func roleFields(r access.Role) fields {
	return fields{"name": r.Name, "description": r.Description, "permissions": r.Permissions, "includes": r.Includes}
}

// CreateRole makes a custom role. It needs claviger.roles:manage at the root, by a
// session, and everything that the role grants. Problems: name_taken. Audited as
// role.create.
func (a *Authority) CreateRole(ctx context.Context, caller access.Caller, in CreateRoleInput) (out access.Role, err error) {
	id, err := newID("rol_")
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, in.Tenant, func(c *change) error {
		if err := c.administer(access.RolesManage, c.rootPath()); err != nil {
			return err
		}
		out, err = once(c, "role.create", in.Idempotency, func() (access.Role, string, error) {
			r := access.Role{
				ID: access.RoleID(id), TenantID: c.tenant.ID, Name: in.Name, Description: in.Description,
				Permissions: in.Permissions, Includes: in.Includes, CreatedAt: c.now,
			}
			if err := c.mayShapeRole(r); err != nil {
				return r, "", err
			}
			if err := c.tx.InsertRole(r); err != nil {
				return r, "", err
			}
			return r, id, c.record("role.create", roleTarget(r), nil, roleFields(r))
		}, func(id string) (access.Role, error) { return c.tx.Role(access.RoleID(id)) })
		return err
	})
	return out, err
}

// mayShapeRole checks a role as it is to be: its texts, that it includes no circle, and
// that the caller holds at the root whatever it will grant. A role can be given anywhere
// in the tenant, and others may include it, so the root is where it counts.
func (c *change) mayShapeRole(r access.Role) error {
	if err := tenancy.ValidateName("/name", r.Name); err != nil {
		return err
	}
	if r.Description != "" {
		if err := tenancy.ValidateName("/description", r.Description); err != nil {
			return err
		}
	}
	if err := validateGrants(r.Permissions); err != nil {
		return err
	}
	known, err := c.tx.Roles()
	if err != nil {
		return err
	}
	roles := maps.Clone(known)
	if err := validateIncludes(r, roles); err != nil {
		return err
	}
	for _, other := range roles {
		if other.ID != r.ID && FoldUsername(other.Name) == FoldUsername(r.Name) {
			return taken("name_taken", "/name", "Another role has this name. Choose another one.")
		}
	}
	roles[r.ID] = r
	return c.mayGiveRoleAnywhere(access.ResolveRole(r.ID, roles))
}

func validateIncludes(r access.Role, roles map[access.RoleID]access.Role) error {
	if len(r.Includes) > mostGrants {
		return problem.InvalidField("/includes", "Include at most 1,000 roles.")
	}
	above := access.RolesWith(r.ID, roles)
	for i, id := range r.Includes {
		pointer := "/includes/" + strconv.Itoa(i)
		if _, ok := roles[id]; !ok {
			return problem.InvalidField(pointer, "There is no such role.")
		}
		if slices.Contains(above, id) {
			return problem.InvalidField(pointer, "This role includes the one you are changing. Roles cannot include each other.")
		}
	}
	return nil
}

func (c *change) mayGiveRoleAnywhere(s access.Set) error {
	return c.mayGive(access.Gift{Permissions: s, Path: c.rootPath()})
}

func builtInRole(message string) error {
	return problem.New(problem.Conflict, "built_in_role", message)
}

// editableRole loads a role that may be edited, by someone who holds all that it grants.
func (c *change) editableRole(id access.RoleID) (access.Role, error) {
	if err := c.administer(access.RolesManage, c.rootPath()); err != nil {
		return access.Role{}, err
	}
	r, err := c.tx.Role(id)
	if err != nil {
		return r, err
	}
	if r.BuiltIn == access.RoleSuperAdmin || r.BuiltIn == access.RoleSystemAdministrator {
		return r, builtInRole("This role cannot be changed, so that someone can always do everything. Make a role of your own that includes it.")
	}
	roles, err := c.tx.Roles()
	if err != nil {
		return r, err
	}
	return r, c.mayGiveRoleAnywhere(access.ResolveRole(id, roles))
}

// ChangeRole changes what is given, for everyone who has the role, at once (PV10). Of
// built-in roles only permissions and includes can change (PV5), of Super Admin and System
// Administrator nothing. Rights as CreateRole, for what the role grants before and after. Problems: built_in_role,
// name_taken, last_administrator. Audited as role.change.
func (a *Authority) ChangeRole(ctx context.Context, caller access.Caller, in ChangeRoleInput) (out access.Role, err error) {
	tenant, err := a.roleTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		old, err := c.editableRole(in.ID)
		if err != nil {
			return err
		}
		r := old
		set(&r.Name, in.Name)
		set(&r.Description, in.Description)
		set(&r.Permissions, in.Permissions)
		set(&r.Includes, in.Includes)
		if old.BuiltIn != "" && (r.Name != old.Name || r.Description != old.Description) {
			return builtInRole("Built-in roles keep their name and description. Change their permissions, or make a role of your own.")
		}
		if err := c.mayShapeRole(r); err != nil {
			return err
		}
		if err := c.keepingAdministrator(func() error { return c.tx.UpdateRole(r) }); err != nil {
			return err
		}
		out = r
		before, after := differences(roleFields(old), roleFields(r))
		return c.record("role.change", roleTarget(r), before, after)
	})
	return out, err
}

// DeleteRole removes a custom role that nobody has and no role includes. Rights as
// ChangeRole; problems: built_in_role, role_in_use. Audited as role.delete.
func (a *Authority) DeleteRole(ctx context.Context, caller access.Caller, in RoleInput) (out access.Role, err error) {
	tenant, err := a.roleTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		if out, err = c.editableRole(in.ID); err != nil {
			return err
		}
		if out.BuiltIn != "" {
			return builtInRole("Built-in roles cannot be deleted. Take them away from whoever has them instead.")
		}
		if err := c.roleUnused(in.ID); err != nil {
			return err
		}
		if err := c.tx.DeleteRole(in.ID); err != nil {
			return err
		}
		return c.record("role.delete", roleTarget(out), roleFields(out), nil)
	})
	if err != nil {
		return access.Role{}, err
	}
	return out, nil
}

func (c *change) roleUnused(id access.RoleID) error {
	held, err := c.tx.RoleHolders(id, store.Page{Limit: 1})
	if err != nil {
		return err
	}
	if len(held.Items) > 0 {
		return problem.New(problem.Conflict, "role_in_use", "Someone still has this role. Take it away first.")
	}
	roles, err := c.tx.Roles()
	if err != nil {
		return err
	}
	if len(access.RolesWith(id, roles)) > 1 {
		return problem.New(problem.Conflict, "role_in_use", "Another role includes this one. Change that role first.")
	}
	return nil
}

// Role answers one role. It needs claviger.roles:read, claviger.roles:manage or
// claviger.assignments:manage anywhere in the tenant.
func (a *Authority) Role(ctx context.Context, caller access.Caller, in RoleInput) (out Role, err error) {
	tenant, err := a.roleTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		if err := s.mayReadRoles(); err != nil {
			return err
		}
		role, err := s.tx.Role(in.ID)
		if err != nil {
			return err
		}
		shown, err := s.showRoles(role)
		if err != nil {
			return err
		}
		out = shown[0]
		return nil
	})
	return out, err
}

func (s *scope) mayReadRoles() error {
	_, err := s.visible("", access.RolesRead, access.RolesManage, access.AssignmentsManage)
	return err
}

// Roles lists a tenant's roles by name, built-in ones first. Rights as Role.
func (a *Authority) Roles(ctx context.Context, caller access.Caller, in RolesInput) (out []Role, err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.mayReadRoles(); err != nil {
			return err
		}
		roles, err := s.roles(s.target)
		if err != nil {
			return err
		}
		sorted := slices.SortedFunc(maps.Values(roles), func(a, b access.Role) int {
			if (a.BuiltIn == "") != (b.BuiltIn == "") {
				if a.BuiltIn != "" {
					return -1
				}
				return 1
			}
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
		})
		out, err = s.showRoles(sorted...)
		return err
	})
	return out, err
}

func (a *Authority) roleTenant(ctx context.Context, caller access.Caller, named tenancy.TenantID, id access.RoleID) (tenancy.TenantID, error) {
	return a.locate(ctx, caller, named, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsRoleTenant(id) })
}
