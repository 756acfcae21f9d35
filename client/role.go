package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/claviger-io/claviger/api"
)

const (
	roles       = "roles"
	assignments = "assignments"
)

// Roles lists the roles of a tenant; there are few.
func (c *Client) Roles(ctx context.Context) ([]api.Role, error) {
	list, err := page[api.Role](ctx, c, at("v1", roles), url.Values{}, Page{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Role shows one role.
func (c *Client) Role(ctx context.Context, id string) (*api.Role, error) {
	return one[api.Role](ctx, c, read(at("v1", roles, id), nil, nil))
}

// CreateRole makes a custom role, with no more than the caller may give.
func (c *Client) CreateRole(ctx context.Context, r api.CreateRoleRequest) (*api.Role, error) {
	return one[api.Role](ctx, c, change(at("v1", roles), r))
}

// ChangeRole changes what is set in the request; everyone who holds the role feels it at once.
func (c *Client) ChangeRole(ctx context.Context, id string, r api.ChangeRoleRequest) (*api.Role, error) {
	return one[api.Role](ctx, c, modify(http.MethodPatch, at("v1", roles, id), r))
}

// DeleteRole removes a custom role that nobody holds.
func (c *Client) DeleteRole(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", roles, id), nil))
}

// Permissions lists Claviger's own permissions, as a role's page shows them, and which of
// them the caller may grant.
func (c *Client) Permissions(ctx context.Context) ([]api.Permission, error) {
	list, err := page[api.Permission](ctx, c, at("v1", "permissions"), url.Values{}, Page{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// AssignmentFilter narrows a list of assignments. The zero filter is every assignment that the caller may see.
type AssignmentFilter struct {
	PrincipalID    string // of this user or service account
	RoleID         string // of this role
	OrganizationID string // at this organization and below
}

func (f AssignmentFilter) values() url.Values {
	v := url.Values{}
	set(v, "principal_id", f.PrincipalID)
	set(v, "role_id", f.RoleID)
	set(v, "organization_id", f.OrganizationID)
	return v
}

// Assignments lists assignments, page after page, as the loop asks for them. After an error
// nothing follows.
func (c *Client) Assignments(ctx context.Context, f AssignmentFilter) iter.Seq2[api.Assignment, error] {
	return each[api.Assignment](ctx, c, at("v1", assignments), f.values)
}

// AssignmentPage lists one page of assignments.
func (c *Client) AssignmentPage(ctx context.Context, f AssignmentFilter, p Page) (*api.List[api.Assignment], error) {
	return page[api.Assignment](ctx, c, at("v1", assignments), f.values(), p)
}

// Assign gives a principal a role at an organization and below, at once.
func (c *Client) Assign(ctx context.Context, r api.CreateAssignmentRequest) (*api.Assignment, error) {
	return one[api.Assignment](ctx, c, change(at("v1", assignments), r))
}

// Unassign takes a role away again, at once.
func (c *Client) Unassign(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", assignments, id), nil))
}
