package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) planRoutes() {
	const tag = "Plans"
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/plans", Operation: "CreatePlan", Permission: access.PlansManage, tag: tag,
		summary: "Make a plan", status: http.StatusCreated,
	}, s.createPlan)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/plans", Operation: "Plans", Permission: access.TenantsRead, tag: tag,
		summary: "All plans; there are few, so there is one page",
	}, s.plans)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/plans/{id}", Operation: "Plan", Permission: access.TenantsRead, tag: tag,
		summary: "One plan",
	}, s.plan)
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/plans/{id}", Operation: "ChangePlan", Permission: access.PlansManage, tag: tag,
		summary: "Change a plan; its tenants feel it at once",
	}, s.changePlan)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/plans/{id}", Operation: "DeletePlan", Permission: access.PlansManage, tag: tag,
		summary: "Remove a plan that no tenant is on", status: http.StatusNoContent,
	}, s.deletePlan)
}

type createPlanInput struct {
	OnceInput
	Body api.CreatePlanRequest
}

func (s *Server) createPlan(ctx context.Context, c *call, in *createPlanInput) (*body[api.Plan], error) {
	once, err := in.once("CreatePlan", in.Body)
	if err != nil {
		return nil, err
	}
	plan, err := s.authority.CreatePlan(ctx, c.caller, authority.CreatePlanInput{
		Key: in.Body.Key, Name: in.Body.Name, APIAccess: in.Body.APIAccess,
		Permissions: typed[access.Grant](in.Body.Permissions), Idempotency: once,
	})
	return answerWith(plan, err, planOf)
}

func (s *Server) plans(ctx context.Context, c *call, _ *struct{}) (*body[api.List[api.Plan]], error) {
	all, err := s.authority.Plans(ctx, c.caller, authority.PlansInput{})
	return listAnswer(store.List[catalog.Plan]{Items: all, Total: int64(len(all))}, err, planOf)
}

func (s *Server) plan(ctx context.Context, c *call, in *IDInput) (*body[api.Plan], error) {
	plan, err := s.authority.Plan(ctx, c.caller, authority.PlanInput{ID: tenancy.PlanID(in.ID)})
	return answerWith(plan, err, planOf)
}

type changePlanInput struct {
	IDInput
	Body api.ChangePlanRequest
}

func (s *Server) changePlan(ctx context.Context, c *call, in *changePlanInput) (*body[api.Plan], error) {
	plan, err := s.authority.ChangePlan(ctx, c.caller, authority.ChangePlanInput{
		ID: tenancy.PlanID(in.ID), Name: in.Body.Name, APIAccess: in.Body.APIAccess,
		Permissions: retypedList[access.Grant](in.Body.Permissions),
	})
	return answerWith(plan, err, planOf)
}

func (s *Server) deletePlan(ctx context.Context, c *call, in *IDInput) (*none, error) {
	_, err := s.authority.DeletePlan(ctx, c.caller, authority.PlanInput{ID: tenancy.PlanID(in.ID)})
	return nil, err
}

func planOf(p catalog.Plan) api.Plan {
	return api.Plan{
		ID: string(p.ID), Key: p.Key, Name: p.Name, APIAccess: p.APIAccess,
		Permissions: texts(p.Permissions), CreatedAt: p.CreatedAt,
	}
}

func retypedList[T ~string](list *[]string) *[]T {
	if list == nil {
		return nil
	}
	out := typed[T](*list)
	return &out
}
