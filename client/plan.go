package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/claviger-io/claviger/api"
)

const plans = "plans"

// Plans lists all plans; there are few.
func (c *Client) Plans(ctx context.Context) ([]api.Plan, error) {
	list, err := page[api.Plan](ctx, c, at("v1", plans), url.Values{}, Page{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Plan shows one plan.
func (c *Client) Plan(ctx context.Context, id string) (*api.Plan, error) {
	return one[api.Plan](ctx, c, read(at("v1", plans, id), nil, nil))
}

// CreatePlan makes a plan.
func (c *Client) CreatePlan(ctx context.Context, r api.CreatePlanRequest) (*api.Plan, error) {
	return one[api.Plan](ctx, c, change(at("v1", plans), r))
}

// ChangePlan changes what is set in the request; every tenant on the plan feels it at once.
func (c *Client) ChangePlan(ctx context.Context, id string, r api.ChangePlanRequest) (*api.Plan, error) {
	return one[api.Plan](ctx, c, modify(http.MethodPatch, at("v1", plans, id), r))
}

// DeletePlan removes a plan that no tenant is on.
func (c *Client) DeletePlan(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", plans, id), nil))
}
