package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/claviger-io/claviger/api"
)

const users = "users"

// UserFilter narrows a list of users. The zero filter is every user that the caller may see.
type UserFilter struct {
	OrganizationID string // users of this organization and below
	Search         string // part of the user name, display name, e-mail address or external ID
	State          string // active, suspended or deleted
}

func (f UserFilter) values() url.Values {
	v := url.Values{}
	set(v, "organization_id", f.OrganizationID)
	set(v, "search", f.Search)
	set(v, "state", f.State)
	return v
}

// Users lists users, page after page, as the loop asks for them. After an error
// nothing follows.
func (c *Client) Users(ctx context.Context, f UserFilter) iter.Seq2[api.User, error] {
	return each[api.User](ctx, c, at("v1", users), f.values)
}

// UserPage lists one page of users.
func (c *Client) UserPage(ctx context.Context, f UserFilter, p Page) (*api.List[api.User], error) {
	return page[api.User](ctx, c, at("v1", users), f.values(), p)
}

// User shows one user.
func (c *Client) User(ctx context.Context, id string) (*api.User, error) {
	return one[api.User](ctx, c, read(at("v1", users, id), nil, nil))
}

// CreateUser makes a user without a password. The answer holds a one-time invitation, shown
// this once, with which the person sets one.
func (c *Client) CreateUser(ctx context.Context, r api.CreateUserRequest) (*api.CreatedUser, error) {
	return one[api.CreatedUser](ctx, c, change(at("v1", users), r))
}

// ChangeUser changes what is set in the request; another organization takes the user's keys along.
func (c *Client) ChangeUser(ctx context.Context, id string, r api.ChangeUserRequest) (*api.User, error) {
	return one[api.User](ctx, c, modify(http.MethodPatch, at("v1", users, id), r))
}

// InviteUser makes a new invitation for a user, shown this once; an earlier one no longer
// works.
func (c *Client) InviteUser(ctx context.Context, id string) (*api.CreatedUser, error) {
	return one[api.CreatedUser](ctx, c, change(at("v1", users, id, "invite"), nil))
}

// AcceptInvitation sets the password of an invited user and tells what they sign in as. The
// invitation's token is the proof: no credential is needed.
func (c *Client) AcceptInvitation(ctx context.Context, r api.AcceptInvitationRequest) (*api.AcceptedInvitation, error) {
	return one[api.AcceptedInvitation](ctx, c, request{method: http.MethodPost, path: at("v1", "invitations", "accept"), body: r})
}

// AcceptFirstAdmin makes the installation's first administrator, once. The token of
// "claviger first-admin" is the proof: no credential is needed.
func (c *Client) AcceptFirstAdmin(ctx context.Context, r api.FirstAdminRequest) (*api.User, error) {
	return one[api.User](ctx, c, request{method: http.MethodPost, path: at("v1", "first-admin"), body: r})
}

// SuspendUser stops a user's keys and sessions until the user is resumed.
func (c *Client) SuspendUser(ctx context.Context, id string) (*api.User, error) {
	return one[api.User](ctx, c, change(at("v1", users, id, "suspend"), nil))
}

// ResumeUser lets a suspended user go on.
func (c *Client) ResumeUser(ctx context.Context, id string) (*api.User, error) {
	return one[api.User](ctx, c, change(at("v1", users, id, "resume"), nil))
}

// DeleteUser ends a user, and the user's keys, for good.
func (c *Client) DeleteUser(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", users, id), nil))
}

// UserCredentials lists a user's active and suspended credentials, of every kind, with what
// the caller may let happen to each when the user leaves. After an error nothing follows.
func (c *Client) UserCredentials(ctx context.Context, id string) iter.Seq2[api.UserCredential, error] {
	return each[api.UserCredential](ctx, c, at("v1", users, id, "credentials"), func() url.Values { return url.Values{} })
}

// NewOwners says to whom a user's credentials could be handed over: up to 20 active users by
// name, of those that the search finds, and what each of them could not get.
func (c *Client) NewOwners(ctx context.Context, id, search string) (*api.NewOwners, error) {
	v := url.Values{}
	set(v, "search", search)
	return one[api.NewOwners](ctx, c, read(at("v1", users, id, "new-owners"), v, nil))
}

// OffboardUser suspends, revokes or hands over a user's credentials, and then suspends or
// deletes the user: all at once, or nothing. What is handed over gets a new secret at once,
// which the answer holds only for its new owner and for system callers.
func (c *Client) OffboardUser(ctx context.Context, id string, r api.OffboardUserRequest) (*api.OffboardedUser, error) {
	return one[api.OffboardedUser](ctx, c, change(at("v1", users, id, "offboard"), r))
}
