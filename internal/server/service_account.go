package server

import (
	"context"
	"maps"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) serviceAccountRoutes() {
	const tag, need = "Service accounts", access.ServiceAccountsManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/service-accounts", Operation: "CreateServiceAccount", Permission: need, tag: tag,
		summary: "Make a service account with any number of roles", status: http.StatusCreated,
	}, s.createServiceAccount)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/service-accounts", Operation: "ServiceAccounts", Permission: need, tag: tag,
		summary: "Service accounts that you may see",
	}, s.serviceAccounts)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/service-accounts/{id}", Operation: "ServiceAccount", Permission: need, tag: tag,
		summary: "One service account",
	}, s.serviceAccount)
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/service-accounts/{id}", Operation: "ChangeServiceAccount", Permission: need, tag: tag,
		summary: "Change a service account or its roles",
	}, s.changeServiceAccount)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/service-accounts/{id}/suspend", Operation: "SuspendServiceAccount", Permission: need, tag: tag,
		summary: "Stop a service account until it is resumed",
	}, serviceAccountAction(s.authority.SuspendServiceAccount, "SuspendServiceAccount"))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/service-accounts/{id}/resume", Operation: "ResumeServiceAccount", Permission: need, tag: tag,
		summary: "Let a suspended service account go on",
	}, serviceAccountAction(s.authority.ResumeServiceAccount, "ResumeServiceAccount"))
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/service-accounts/{id}", Operation: "DeleteServiceAccount", Permission: need, tag: tag,
		summary: "End a service account and its keys for good", status: http.StatusNoContent,
	}, s.deleteServiceAccount)
	s.serviceAccountKeyRoutes()
}

type createServiceAccountInput struct {
	TenantInput
	OnceInput
	Body api.CreateServiceAccountRequest
}

func (s *Server) createServiceAccount(ctx context.Context, c *call, in *createServiceAccountInput) (*body[api.ServiceAccount], error) {
	once, err := in.once("CreateServiceAccount", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	made, err := s.authority.CreateServiceAccount(ctx, c.caller, authority.CreateServiceAccountInput{
		Tenant: in.tenant(), OrganizationID: tenancy.OrgID(in.Body.OrganizationID), Description: in.Body.Description,
		Roles: typed[access.RoleID](in.Body.Roles), Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	})
	return answerWith(made, err, serviceAccountOf)
}

func (s *Server) serviceAccounts(ctx context.Context, c *call, in *PrincipalsInput) (*body[api.List[api.ServiceAccount]], error) {
	list, err := s.authority.ServiceAccounts(ctx, c.caller, authority.ServiceAccountsInput{
		Tenant: in.tenant(), At: tenancy.OrgID(in.OrganizationID), States: in.states(), Search: in.Search,
		IncludeDeleted: in.deletedToo(), Page: in.page(),
	})
	return listAnswer(list, err, serviceAccountOf)
}

func (s *Server) serviceAccount(ctx context.Context, c *call, in *IDInput) (*body[api.ServiceAccount], error) {
	account, err := s.authority.ServiceAccount(ctx, c.caller, authority.ServiceAccountInput{ID: tenancy.ServiceAccountID(in.ID)})
	return answerWith(account, err, serviceAccountOf)
}

type changeServiceAccountInput struct {
	IDInput
	Body api.ChangeServiceAccountRequest
}

func (s *Server) changeServiceAccount(ctx context.Context, c *call, in *changeServiceAccountInput) (*body[api.ServiceAccount], error) {
	ask := authority.ChangeServiceAccountInput{
		ID: tenancy.ServiceAccountID(in.ID), Description: in.Body.Description, Roles: retypedList[access.RoleID](in.Body.Roles),
	}
	if in.Body.ExternalID != nil || in.Body.Metadata != nil {
		now, err := s.authority.ServiceAccount(ctx, c.caller, authority.ServiceAccountInput{ID: ask.ID})
		if err != nil {
			return nil, err
		}
		ask.Labels = changedLabels(now.Labels, in.Body.ExternalID, in.Body.Metadata)
	}
	account, err := s.authority.ChangeServiceAccount(ctx, c.caller, ask)
	return answerWith(account, err, serviceAccountOf)
}

func serviceAccountAction(do func(context.Context, access.Caller, authority.ServiceAccountInput) (authority.ServiceAccount, error), operation string) func(context.Context, *call, *idOnceInput) (*body[api.ServiceAccount], error) {
	return func(ctx context.Context, c *call, in *idOnceInput) (*body[api.ServiceAccount], error) {
		once, err := in.once(operation, in.ID)
		if err != nil {
			return nil, err
		}
		account, err := do(ctx, c.caller, authority.ServiceAccountInput{ID: tenancy.ServiceAccountID(in.ID), Idempotency: once})
		return answerWith(account, err, serviceAccountOf)
	}
}

func (s *Server) deleteServiceAccount(ctx context.Context, c *call, in *IDInput) (*none, error) {
	_, err := s.authority.DeleteServiceAccount(ctx, c.caller, authority.ServiceAccountInput{ID: tenancy.ServiceAccountID(in.ID)})
	return nil, err
}

func serviceAccountOf(a authority.ServiceAccount) api.ServiceAccount {
	out := api.ServiceAccount{
		ID: string(a.ID), TenantID: string(a.TenantID), OrganizationID: string(a.OrganizationID),
		OrganizationName: a.OrganizationName, AccountEmail: a.Email,
		Description: a.Description, State: string(a.State), Roles: make([]api.ServiceAccountRole, 0, len(a.Roles)),
		Keys: int64(a.Keys), CreatedAt: a.CreatedAt, CreatedBy: a.CreatedByName, LastUsedAt: optional(a.LastUsedAt),
		ExternalID: a.Labels.ExternalID, Metadata: maps.Clone(a.Labels.Metadata),
	}
	for _, r := range a.Roles {
		out.Roles = append(out.Roles, api.ServiceAccountRole{
			AssignmentID: string(r.ID), RoleID: string(r.RoleID), RoleName: r.RoleName,
			OrganizationID: string(r.OrganizationID), OrganizationName: r.OrganizationName,
		})
	}
	return out
}
