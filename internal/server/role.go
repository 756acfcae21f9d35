package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/store"
)

func (s *Server) roleRoutes() {
	const tag = "Roles"
	const read, manage = access.RolesRead, access.RolesManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/roles", Operation: "CreateRole", Permission: manage, tag: tag,
		summary: "Make a custom role", status: http.StatusCreated,
	}, s.createRole)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/roles", Operation: "Roles", Permission: read, tag: tag,
		summary: "All roles; there are few, so there is one page",
	}, s.roles)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/roles/{id}", Operation: "Role", Permission: read, tag: tag,
		summary: "One role",
	}, s.role)
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/roles/{id}", Operation: "ChangeRole", Permission: manage, tag: tag,
		summary: "Change a role; everyone who holds it feels it at once",
	}, s.changeRole)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/roles/{id}", Operation: "DeleteRole", Permission: manage, tag: tag,
		summary: "Remove a custom role that nobody holds", status: http.StatusNoContent,
	}, s.deleteRole)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/permissions", Operation: "Permissions", tag: tag,
		summary: "The permissions of a role's page, in its groups, and which of them you may grant",
	}, s.permissions)
}

type createRoleInput struct {
	TenantInput
	OnceInput
	Body api.CreateRoleRequest
}

func (s *Server) createRole(ctx context.Context, c *call, in *createRoleInput) (*body[api.Role], error) {
	once, err := in.once("CreateRole", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	role, err := s.authority.CreateRole(ctx, c.caller, authority.CreateRoleInput{
		Tenant: in.tenant(), Name: in.Body.Name, Description: in.Body.Description,
		Permissions: typed[access.Grant](in.Body.Permissions), Includes: typed[access.RoleID](in.Body.Includes), Idempotency: once,
	})
	return answerWith(role, err, roleOf)
}

func (s *Server) roles(ctx context.Context, c *call, in *TenantInput) (*body[api.List[api.Role]], error) {
	all, err := s.authority.Roles(ctx, c.caller, authority.RolesInput{Tenant: in.tenant()})
	return listAnswer(store.List[authority.Role]{Items: all, Total: int64(len(all))}, err, resolvedRoleOf)
}

func (s *Server) role(ctx context.Context, c *call, in *IDInput) (*body[api.Role], error) {
	role, err := s.authority.Role(ctx, c.caller, authority.RoleInput{ID: access.RoleID(in.ID)})
	return answerWith(role, err, resolvedRoleOf)
}

type changeRoleInput struct {
	IDInput
	Body api.ChangeRoleRequest
}

func (s *Server) changeRole(ctx context.Context, c *call, in *changeRoleInput) (*body[api.Role], error) {
	role, err := s.authority.ChangeRole(ctx, c.caller, authority.ChangeRoleInput{
		ID: access.RoleID(in.ID), Name: in.Body.Name, Description: in.Body.Description,
		Permissions: retypedList[access.Grant](in.Body.Permissions), Includes: retypedList[access.RoleID](in.Body.Includes),
	})
	return answerWith(role, err, roleOf)
}

func (s *Server) deleteRole(ctx context.Context, c *call, in *IDInput) (*none, error) {
	_, err := s.authority.DeleteRole(ctx, c.caller, authority.RoleInput{ID: access.RoleID(in.ID)})
	return nil, err
}

type permissionsInput struct {
	TenantInput
	Vendor bool `query:"vendor" doc:"The vendor's permissions too, from the API catalogue."`
}

func (s *Server) permissions(ctx context.Context, c *call, in *permissionsInput) (*body[api.List[api.Permission]], error) {
	all, err := s.authority.Permissions(ctx, c.caller, authority.PermissionsInput{Tenant: in.tenant(), Vendor: in.Vendor})
	return listAnswer(store.List[authority.Permission]{Items: all, Total: int64(len(all))}, err, func(p authority.Permission) api.Permission {
		return api.Permission{
			Permission: string(p.Permission), Name: p.Name, Label: p.Label, Group: p.Group, System: p.System, Vendor: p.Vendor,
			Grantable: p.Grantable, Reason: p.Reason,
		}
	})
}

func resolvedRoleOf(r authority.Role) api.Role {
	out := roleOf(r.Role)
	out.Resolved, out.Holders = grantsOf(r.Resolved), r.Holders
	return out
}

func roleOf(r access.Role) api.Role {
	return api.Role{
		ID: string(r.ID), TenantID: string(r.TenantID), Name: r.Name, Description: r.Description, BuiltIn: r.BuiltIn,
		Permissions: texts(r.Permissions), Includes: texts(r.Includes), CreatedAt: r.CreatedAt,
	}
}
