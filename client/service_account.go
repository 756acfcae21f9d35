package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/claviger-io/claviger/api"
)

const serviceAccounts = "service-accounts"

// ServiceAccountFilter narrows a list of service accounts. The zero filter is every one
// that the caller may see, except deleted ones.
type ServiceAccountFilter struct {
	OrganizationID string // at this organization and below
	State          string // active or suspended
	Search         string // part of the account's e-mail address or description
	IncludeDeleted bool
}

func (f ServiceAccountFilter) values() url.Values {
	v := url.Values{}
	set(v, "organization_id", f.OrganizationID)
	set(v, "state", f.State)
	set(v, "search", f.Search)
	setBool(v, "include_deleted", f.IncludeDeleted)
	return v
}

// ServiceAccounts lists service accounts, page after page, as the loop asks for them. After
// an error nothing follows.
func (c *Client) ServiceAccounts(ctx context.Context, f ServiceAccountFilter) iter.Seq2[api.ServiceAccount, error] {
	return each[api.ServiceAccount](ctx, c, at("v1", serviceAccounts), f.values)
}

// ServiceAccountPage lists one page of service accounts.
func (c *Client) ServiceAccountPage(ctx context.Context, f ServiceAccountFilter, p Page) (*api.List[api.ServiceAccount], error) {
	return page[api.ServiceAccount](ctx, c, at("v1", serviceAccounts), f.values(), p)
}

// ServiceAccount shows one service account.
func (c *Client) ServiceAccount(ctx context.Context, id string) (*api.ServiceAccount, error) {
	return one[api.ServiceAccount](ctx, c, read(at("v1", serviceAccounts, id), nil, nil))
}

// CreateServiceAccount makes a service account with roles at its organization. It has no
// key yet.
func (c *Client) CreateServiceAccount(ctx context.Context, r api.CreateServiceAccountRequest) (*api.ServiceAccount, error) {
	return one[api.ServiceAccount](ctx, c, change(at("v1", serviceAccounts), r))
}

// ChangeServiceAccount changes what is set in the request. Roles are those
// at its own organization.
func (c *Client) ChangeServiceAccount(ctx context.Context, id string, r api.ChangeServiceAccountRequest) (*api.ServiceAccount, error) {
	return one[api.ServiceAccount](ctx, c, modify(http.MethodPatch, at("v1", serviceAccounts, id), r))
}

// SuspendServiceAccount stops a service account until it is resumed.
func (c *Client) SuspendServiceAccount(ctx context.Context, id string) (*api.ServiceAccount, error) {
	return one[api.ServiceAccount](ctx, c, change(at("v1", serviceAccounts, id, "suspend"), nil))
}

// ResumeServiceAccount lets a suspended service account go on.
func (c *Client) ResumeServiceAccount(ctx context.Context, id string) (*api.ServiceAccount, error) {
	return one[api.ServiceAccount](ctx, c, change(at("v1", serviceAccounts, id, "resume"), nil))
}

// DeleteServiceAccount ends a service account and its keys for good.
func (c *Client) DeleteServiceAccount(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", serviceAccounts, id), nil))
}

// ServiceAccountKeys lists the keys of a service account, except deleted and expired ones,
// page after page, as the loop asks for them. After an error nothing follows.
func (c *Client) ServiceAccountKeys(ctx context.Context, id string) iter.Seq2[api.ServiceAccountKey, error] {
	return each[api.ServiceAccountKey](ctx, c, at("v1", serviceAccounts, id, "keys"), func() url.Values { return url.Values{} })
}

// IssueServiceAccountKey makes a key pair for a service account, or registers the public
// half of the caller's own. A private key that the server made is in the answer, this once:
// the server does not keep it.
func (c *Client) IssueServiceAccountKey(ctx context.Context, id string, r api.IssueServiceAccountKeyRequest) (*api.IssuedServiceAccountKey, error) {
	return one[api.IssuedServiceAccountKey](ctx, c, change(at("v1", serviceAccounts, id, "keys"), r))
}

const serviceAccountKeys = "service-account-keys"

// ServiceAccountKey shows one key, without anything secret: nobody has that but its holder.
func (c *Client) ServiceAccountKey(ctx context.Context, id string) (*api.ServiceAccountKey, error) {
	return one[api.ServiceAccountKey](ctx, c, read(at("v1", serviceAccountKeys, id), nil, nil))
}

// RenameServiceAccountKey gives a key another name.
func (c *Client) RenameServiceAccountKey(ctx context.Context, id, name string) (*api.ServiceAccountKey, error) {
	return one[api.ServiceAccountKey](ctx, c, modify(http.MethodPatch, at("v1", serviceAccountKeys, id), api.ChangeServiceAccountKeyRequest{Name: name}))
}

// SuspendServiceAccountKey stops a key until it is resumed.
func (c *Client) SuspendServiceAccountKey(ctx context.Context, id string) (*api.ServiceAccountKey, error) {
	return one[api.ServiceAccountKey](ctx, c, change(at("v1", serviceAccountKeys, id, "suspend"), nil))
}

// ResumeServiceAccountKey lets a suspended key work again.
func (c *Client) ResumeServiceAccountKey(ctx context.Context, id string) (*api.ServiceAccountKey, error) {
	return one[api.ServiceAccountKey](ctx, c, change(at("v1", serviceAccountKeys, id, "resume"), nil))
}

// RevokeServiceAccountKey ends one key of a service account for good; its others go on.
func (c *Client) RevokeServiceAccountKey(ctx context.Context, id string) (*api.ServiceAccountKey, error) {
	return one[api.ServiceAccountKey](ctx, c, change(at("v1", serviceAccountKeys, id, "revoke"), nil))
}

// DeleteServiceAccountKey ends a key for good and hides it from lists.
func (c *Client) DeleteServiceAccountKey(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", serviceAccountKeys, id), nil))
}
