package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/authority"
)

func (s *Server) apiAccessRoutes() {
	const tag = "API access"
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/api-access", Operation: "APIAccess", tag: tag,
		summary: "Whether the plan includes API access, and what depends on it; for whoever may use a page of credentials",
	}, s.apiAccess)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/api-access/request", Operation: "RequestAPIAccess", tag: tag,
		summary: "Ask the operators for a plan with API access; asking again changes nothing",
	}, s.requestAPIAccess)
}

func (s *Server) apiAccess(ctx context.Context, c *call, in *TenantInput) (*body[api.APIAccess], error) {
	out, err := s.authority.APIAccess(ctx, c.caller, authority.APIAccessInput{Tenant: in.tenant()})
	return answerWith(out, err, apiAccessOf)
}

func (s *Server) requestAPIAccess(ctx context.Context, c *call, in *TenantInput) (*body[api.APIAccess], error) {
	out, err := s.authority.RequestAPIAccess(ctx, c.caller, authority.APIAccessInput{Tenant: in.tenant()})
	return answerWith(out, err, apiAccessOf)
}

func apiAccessOf(a authority.APIAccess) api.APIAccess {
	return api.APIAccess{
		APIAccess: a.Included, TenantName: a.TenantName, PlanKey: a.PlanKey, PlanName: a.PlanName,
		ExistingKeys: a.ExistingKeys, RequestedAt: optional(a.RequestedAt),
	}
}
