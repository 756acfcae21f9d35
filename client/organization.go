package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/claviger-io/claviger/api"
)

const organizations = "organizations"

// OrganizationFilter narrows a list of organizations. The zero filter is every organization that the caller may see.
type OrganizationFilter struct {
	OrganizationID string // this organization and below
	Search         string // part of the name or external ID
	State          string // active, suspended or deleted
	IncludeDeleted bool   // also deleted ones
}

func (f OrganizationFilter) values() url.Values {
	v := url.Values{}
	set(v, "organization_id", f.OrganizationID)
	set(v, "search", f.Search)
	set(v, "state", f.State)
	setBool(v, "include_deleted", f.IncludeDeleted)
	return v
}

// Organizations lists organizations, page after page, as the loop asks for them. After an error
// nothing follows.
func (c *Client) Organizations(ctx context.Context, f OrganizationFilter) iter.Seq2[api.Organization, error] {
	return each[api.Organization](ctx, c, at("v1", organizations), f.values)
}

// OrganizationPage lists one page of organizations.
func (c *Client) OrganizationPage(ctx context.Context, f OrganizationFilter, p Page) (*api.List[api.Organization], error) {
	return page[api.Organization](ctx, c, at("v1", organizations), f.values(), p)
}

// Organization shows one organization.
func (c *Client) Organization(ctx context.Context, id string) (*api.Organization, error) {
	return one[api.Organization](ctx, c, read(at("v1", organizations, id), nil, nil))
}

// OrganizationImpact shows what there is at an organization and below it, and whether it can
// be removed.
func (c *Client) OrganizationImpact(ctx context.Context, id string) (*api.OrganizationImpact, error) {
	return one[api.OrganizationImpact](ctx, c, read(at("v1", organizations, id, "impact"), nil, nil))
}

// CreateOrganization makes an organization below another.
func (c *Client) CreateOrganization(ctx context.Context, r api.CreateOrganizationRequest) (*api.Organization, error) {
	return one[api.Organization](ctx, c, change(at("v1", organizations), r))
}

// ChangeOrganization changes what is set in the request; another parent moves the
// organization with everything below it.
func (c *Client) ChangeOrganization(ctx context.Context, id string, r api.ChangeOrganizationRequest) (*api.Organization, error) {
	return one[api.Organization](ctx, c, modify(http.MethodPatch, at("v1", organizations, id), r))
}

// SuspendOrganization stops everything at and below an organization until it is resumed.
func (c *Client) SuspendOrganization(ctx context.Context, id string) (*api.Organization, error) {
	return one[api.Organization](ctx, c, change(at("v1", organizations, id, "suspend"), nil))
}

// ResumeOrganization lets a suspended organization go on.
func (c *Client) ResumeOrganization(ctx context.Context, id string) (*api.Organization, error) {
	return one[api.Organization](ctx, c, change(at("v1", organizations, id, "resume"), nil))
}

// RemoveOrganization removes an organization that is empty.
func (c *Client) RemoveOrganization(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", organizations, id), nil))
}
