package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/claviger-io/claviger/api"
)

const tenants = "tenants"

// TenantFilter narrows a list of tenants. System callers only.
type TenantFilter struct {
	Search string // part of the name, slug or external ID
	State  string // active, suspended or deleted
}

func (f TenantFilter) values() url.Values {
	v := url.Values{}
	set(v, "search", f.Search)
	set(v, "state", f.State)
	return v
}

// Tenants lists tenants, page after page, as the loop asks for them. After an error
// nothing follows.
func (c *Client) Tenants(ctx context.Context, f TenantFilter) iter.Seq2[api.Tenant, error] {
	return each[api.Tenant](ctx, c, at("v1", tenants), f.values)
}

// TenantPage lists one page of tenants.
func (c *Client) TenantPage(ctx context.Context, f TenantFilter, p Page) (*api.List[api.Tenant], error) {
	return page[api.Tenant](ctx, c, at("v1", tenants), f.values(), p)
}

// Tenant shows one tenant.
func (c *Client) Tenant(ctx context.Context, id string) (*api.Tenant, error) {
	return one[api.Tenant](ctx, c, read(at("v1", tenants, id), nil, nil))
}

// CreateTenant makes a tenant with its root organization and the built-in roles.
func (c *Client) CreateTenant(ctx context.Context, r api.CreateTenantRequest) (*api.Tenant, error) {
	return one[api.Tenant](ctx, c, change(at("v1", tenants), r))
}

// ChangeTenant changes what is set in the request.
func (c *Client) ChangeTenant(ctx context.Context, id string, r api.ChangeTenantRequest) (*api.Tenant, error) {
	return one[api.Tenant](ctx, c, modify(http.MethodPatch, at("v1", tenants, id), r))
}

// SuspendTenant stops every credential and every session of a tenant until it is resumed.
func (c *Client) SuspendTenant(ctx context.Context, id string) (*api.Tenant, error) {
	return one[api.Tenant](ctx, c, change(at("v1", tenants, id, "suspend"), nil))
}

// ResumeTenant lets a suspended tenant go on.
func (c *Client) ResumeTenant(ctx context.Context, id string) (*api.Tenant, error) {
	return one[api.Tenant](ctx, c, change(at("v1", tenants, id, "resume"), nil))
}

// DeleteTenant ends a tenant and every credential in it for good.
func (c *Client) DeleteTenant(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", tenants, id), nil))
}

// APIAccess shows whether the tenant's plan includes API access, and what depends on it.
func (c *Client) APIAccess(ctx context.Context) (*api.APIAccess, error) {
	return one[api.APIAccess](ctx, c, read(at("v1", "api-access"), nil, nil))
}

// RequestAPIAccess asks the operators for a plan with API access. Asking again changes
// nothing.
func (c *Client) RequestAPIAccess(ctx context.Context) (*api.APIAccess, error) {
	return one[api.APIAccess](ctx, c, change(at("v1", "api-access", "request"), nil))
}

// Find looks for things of any type that the caller may see by part of their name, or for a
// credential by its ID.
func (c *Client) Find(ctx context.Context, text string) ([]api.Found, error) {
	list, err := page[api.Found](ctx, c, at("v1", "find"), url.Values{"q": {text}}, Page{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}
