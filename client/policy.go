package client

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
)

// ChangePolicy replaces a tenant's policy. With Apply "all" the answer names the operation
// that applies it to the credentials that are there.
func (c *Client) ChangePolicy(ctx context.Context, tenant string, r api.ChangePolicyRequest) (*api.ChangedPolicy, error) {
	return one[api.ChangedPolicy](ctx, c, modify(http.MethodPut, at("v1", tenants, tenant, "policy"), r))
}

// PreviewPolicy shows what a policy would do to the credentials that are there if it were
// saved and applied to all. It changes nothing.
func (c *Client) PreviewPolicy(ctx context.Context, tenant string, p api.Policy) (*api.PolicyPreview, error) {
	return one[api.PolicyPreview](ctx, c, modify(http.MethodPost, at("v1", tenants, tenant, "policy", "preview"), api.PreviewPolicyRequest{Policy: p}))
}
