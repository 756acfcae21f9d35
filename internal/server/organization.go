package server

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) organizationRoutes() {
	const tag = "Organizations"
	const read, manage = access.OrganizationsRead, access.OrganizationsManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/organizations", Operation: "CreateOrganization", Permission: manage, tag: tag,
		summary: "Make an organization below another", status: http.StatusCreated,
	}, s.createOrganization)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/organizations", Operation: "Organizations", Permission: read, tag: tag,
		summary: "Organizations that you may see",
	}, s.organizations)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/organizations/{id}", Operation: "Organization", Permission: read, tag: tag,
		summary: "One organization",
	}, s.organization)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/organizations/{id}/impact", Operation: "OrganizationImpact", Permission: manage, tag: tag,
		summary: "What there is at an organization and below it, and whether it can be removed",
	}, s.organizationImpact)
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/organizations/{id}", Operation: "ChangeOrganization", Permission: manage, tag: tag,
		summary: "Rename an organization, or move it with everything below",
	}, s.changeOrganization)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/organizations/{id}/suspend", Operation: "SuspendOrganization", Permission: manage, tag: tag,
		summary: "Stop everything at and below an organization",
	}, s.suspendOrganization)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/organizations/{id}/resume", Operation: "ResumeOrganization", Permission: manage, tag: tag,
		summary: "Let a suspended organization go on",
	}, s.resumeOrganization)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/organizations/{id}", Operation: "RemoveOrganization", Permission: manage, tag: tag,
		summary: "Remove an organization that is empty", status: http.StatusNoContent,
	}, s.removeOrganization)
}

type createOrganizationInput struct {
	TenantInput
	OnceInput
	Body api.CreateOrganizationRequest
}

func (s *Server) createOrganization(ctx context.Context, c *call, in *createOrganizationInput) (*body[api.Organization], error) {
	once, err := in.once("CreateOrganization", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	org, err := s.authority.CreateOrganization(ctx, c.caller, authority.CreateOrganizationInput{
		Tenant: in.tenant(), Parent: tenancy.OrgID(in.Body.ParentID), Name: in.Body.Name, Domains: in.Body.Domains,
		Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	})
	return answerWith(org, err, organizationOf)
}

type organizationsInput struct {
	TenantInput
	PageInput
	SearchInput
	OrganizationID string `query:"organization_id" maxLength:"64" doc:"This organization and all below it."`
	State          string `query:"state" enum:"active,suspended,deleted"`
	IncludeDeleted bool   `query:"include_deleted"`
}

func (s *Server) organizations(ctx context.Context, c *call, in *organizationsInput) (*body[api.List[api.Organization]], error) {
	list, err := s.authority.Organizations(ctx, c.caller, authority.OrganizationsInput{
		Tenant: in.tenant(), At: tenancy.OrgID(in.OrganizationID), Search: in.Search,
		State: tenancy.State(in.State), IncludeDeleted: in.IncludeDeleted, Page: in.page(),
	})
	return listAnswer(list, err, organizationOf)
}

func (s *Server) organization(ctx context.Context, c *call, in *IDInput) (*body[api.Organization], error) {
	org, err := s.authority.Organization(ctx, c.caller, authority.OrganizationInput{ID: tenancy.OrgID(in.ID)})
	return answerWith(org, err, organizationOf)
}

func (s *Server) organizationImpact(ctx context.Context, c *call, in *IDInput) (*body[api.OrganizationImpact], error) {
	impact, err := s.authority.OrganizationImpact(ctx, c.caller, authority.OrganizationInput{ID: tenancy.OrgID(in.ID)})
	return answerWith(impact, err, func(i authority.OrganizationImpact) api.OrganizationImpact {
		out := api.OrganizationImpact{
			Organizations: i.Organizations, Users: i.Users, ServiceAccounts: i.ServiceAccounts, Apps: i.Apps, Assignments: i.Assignments,
			CredentialsByKind: byKind(i.Credentials), Removable: i.Removable, Reason: i.Reason,
		}
		for _, n := range out.CredentialsByKind {
			out.Credentials += n
		}
		return out
	})
}

type changeOrganizationInput struct {
	IDInput
	Body api.ChangeOrganizationRequest
}

func (s *Server) changeOrganization(ctx context.Context, c *call, in *changeOrganizationInput) (*body[api.Organization], error) {
	ask := authority.ChangeOrganizationInput{
		ID: tenancy.OrgID(in.ID), Name: in.Body.Name, Parent: retyped[tenancy.OrgID](in.Body.ParentID), Domains: in.Body.Domains,
	}
	if in.Body.ExternalID != nil || in.Body.Metadata != nil {
		now, err := s.authority.Organization(ctx, c.caller, authority.OrganizationInput{ID: ask.ID})
		if err != nil {
			return nil, err
		}
		ask.Labels = changedLabels(now.Labels, in.Body.ExternalID, in.Body.Metadata)
	}
	org, err := s.authority.ChangeOrganization(ctx, c.caller, ask)
	return answerWith(org, err, organizationOf)
}

func (in *idOnceInput) organizationAsk(operation string) (authority.OrganizationInput, error) {
	once, err := in.once(operation, in.ID)
	return authority.OrganizationInput{ID: tenancy.OrgID(in.ID), Idempotency: once}, err
}

func (s *Server) suspendOrganization(ctx context.Context, c *call, in *idOnceInput) (*body[api.Organization], error) {
	ask, err := in.organizationAsk("SuspendOrganization")
	if err != nil {
		return nil, err
	}
	org, err := s.authority.SuspendOrganization(ctx, c.caller, ask)
	return answerWith(org, err, organizationOf)
}

func (s *Server) resumeOrganization(ctx context.Context, c *call, in *idOnceInput) (*body[api.Organization], error) {
	ask, err := in.organizationAsk("ResumeOrganization")
	if err != nil {
		return nil, err
	}
	org, err := s.authority.ResumeOrganization(ctx, c.caller, ask)
	return answerWith(org, err, organizationOf)
}

func (s *Server) removeOrganization(ctx context.Context, c *call, in *IDInput) (*none, error) {
	_, err := s.authority.RemoveOrganization(ctx, c.caller, authority.OrganizationInput{ID: tenancy.OrgID(in.ID)})
	return nil, err
}

func organizationOf(o tenancy.Organization) api.Organization {
	return api.Organization{
		ID: string(o.ID), TenantID: string(o.TenantID), ParentID: string(o.ParentID), Path: texts(o.Path),
		Name: o.Name, State: string(o.State), Domains: slices.Clone(o.Domains), ExternalID: o.Labels.ExternalID, Metadata: maps.Clone(o.Labels.Metadata),
		CreatedAt: o.CreatedAt,
	}
}
