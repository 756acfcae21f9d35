package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) assignmentRoutes() {
	const tag = "Assignments"
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/assignments", Operation: "Assign", Permission: access.AssignmentsManage, tag: tag,
		summary: "Give a role at an organization and everything below", status: http.StatusCreated,
	}, s.assign)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/assignments", Operation: "Assignments", Permission: access.RolesRead, tag: tag,
		summary: "Who has which role where",
	}, s.assignments)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/assignments/{id}", Operation: "Unassign", Permission: access.AssignmentsManage, tag: tag,
		summary: "Take a role away", status: http.StatusNoContent,
	}, s.unassign)
}

type assignInput struct {
	TenantInput
	OnceInput
	Body api.CreateAssignmentRequest
}

func (s *Server) assign(ctx context.Context, c *call, in *assignInput) (*body[api.Assignment], error) {
	once, err := in.once("Assign", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	assignment, err := s.authority.Assign(ctx, c.caller, authority.AssignInput{
		Tenant:    in.tenant(),
		Principal: access.Principal{Type: access.PrincipalType(in.Body.PrincipalType), ID: in.Body.PrincipalID},
		RoleID:    access.RoleID(in.Body.RoleID), OrganizationID: tenancy.OrgID(in.Body.OrganizationID), Idempotency: once,
	})
	return answerWith(assignment, err, assignmentOf)
}

type assignmentsInput struct {
	TenantInput
	PageInput
	PrincipalID    string `query:"principal_id" maxLength:"64"`
	PrincipalType  string `query:"principal_type" enum:"user,service_account" default:"user" doc:"What principal_id names."`
	RoleID         string `query:"role_id" maxLength:"64"`
	OrganizationID string `query:"organization_id" maxLength:"64" doc:"Assignments at this organization and all below it."`
}

func (s *Server) assignments(ctx context.Context, c *call, in *assignmentsInput) (*body[api.List[api.Assignment]], error) {
	ask := authority.AssignmentsInput{
		Tenant: in.tenant(), Role: access.RoleID(in.RoleID), At: tenancy.OrgID(in.OrganizationID), Page: in.page(),
	}
	if in.PrincipalID != "" {
		ask.Principal = access.Principal{Type: access.PrincipalType(in.PrincipalType), ID: in.PrincipalID}
	}
	list, err := s.authority.Assignments(ctx, c.caller, ask)
	return listAnswer(list, err, namedAssignmentOf)
}

func (s *Server) unassign(ctx context.Context, c *call, in *IDInput) (*none, error) {
	_, err := s.authority.Unassign(ctx, c.caller, authority.AssignmentInput{ID: access.AssignmentID(in.ID)})
	return nil, err
}

func assignmentOf(a access.Assignment) api.Assignment {
	return api.Assignment{
		ID: string(a.ID), TenantID: string(a.TenantID), Principal: principalOf(a.Principal, ""),
		RoleID: string(a.RoleID), OrganizationID: string(a.OrganizationID), CreatedAt: a.CreatedAt,
	}
}

func principalOf(p access.Principal, name string) api.Principal {
	return api.Principal{Type: string(p.Type), ID: p.ID, Name: name}
}

// personOf is principalOf with what people are called.
func personOf(p access.Principal, name, displayName string) api.Principal {
	out := principalOf(p, name)
	out.DisplayName = displayName
	return out
}

func namedAssignmentOf(a authority.Assignment) api.Assignment {
	out := assignmentOf(a.Assignment)
	out.Principal = personOf(a.Principal, a.PrincipalName, a.PrincipalDisplayName)
	out.RoleName, out.OrganizationName = a.RoleName, a.OrganizationName
	return out
}
