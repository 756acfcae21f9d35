package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/claviger-io/claviger/api"
)

const apiKeys = "api-keys"

// APIKeyFilter narrows a list of API keys. The zero filter is every key that the caller
// may see, except deleted and expired ones.
type APIKeyFilter struct {
	Kind           string    // user_key or organization_key; empty means both
	OrganizationID string    // keys at this organization and below
	OwnerID        string    // keys of this user
	State          string    // active, suspended, revoked or expired
	Search         string    // part of a word in a visible column
	ExpiringBefore time.Time // zero means no matter when
	IncludeDeleted bool      // also deleted and expired ones
}

func (f APIKeyFilter) values() url.Values {
	v := url.Values{}
	set(v, "kind", f.Kind)
	set(v, "organization_id", f.OrganizationID)
	set(v, "owner_id", f.OwnerID)
	set(v, "state", f.State)
	set(v, "search", f.Search)
	setTime(v, "expiring_before", f.ExpiringBefore)
	setBool(v, "include_deleted", f.IncludeDeleted)
	return v
}

// APIKeys lists API keys, page after page, as the loop asks for them. After an error
// nothing follows.
func (c *Client) APIKeys(ctx context.Context, f APIKeyFilter) iter.Seq2[api.APIKey, error] {
	return each[api.APIKey](ctx, c, at("v1", apiKeys), f.values)
}

// APIKeyPage lists one page of API keys.
func (c *Client) APIKeyPage(ctx context.Context, f APIKeyFilter, p Page) (*api.List[api.APIKey], error) {
	return page[api.APIKey](ctx, c, at("v1", apiKeys), f.values(), p)
}

// APIKey shows one API key, without its secret.
func (c *Client) APIKey(ctx context.Context, id string) (*api.APIKey, error) {
	return one[api.APIKey](ctx, c, read(at("v1", apiKeys, id), nil, nil))
}

// IssueAPIKey makes a key for the caller. The answer holds the whole key: it is shown this
// once. When an error other than a *api.Problem comes back, the key may exist unseen; list
// the keys, and revoke what nobody holds.
func (c *Client) IssueAPIKey(ctx context.Context, r api.IssueAPIKeyRequest) (*api.IssuedAPIKey, error) {
	return one[api.IssuedAPIKey](ctx, c, change(at("v1", apiKeys), r))
}

// RenameAPIKey gives a key another name.
func (c *Client) RenameAPIKey(ctx context.Context, id, name string) (*api.APIKey, error) {
	return c.ChangeAPIKey(ctx, id, api.ChangeAPIKeyRequest{Name: &name})
}

// ChangeAPIKey changes what is set in the request. Of a user's key that can be its name
// alone; of an organization's its expiry too.
func (c *Client) ChangeAPIKey(ctx context.Context, id string, r api.ChangeAPIKeyRequest) (*api.APIKey, error) {
	return one[api.APIKey](ctx, c, modify(http.MethodPatch, at("v1", apiKeys, id), r))
}

// RevealAPIKey shows the whole key again, where it is recoverable: organization keys are,
// unless the tenant shows them once. It needs a session that gave its password within the
// last five minutes.
func (c *Client) RevealAPIKey(ctx context.Context, id string) (*api.RevealedKey, error) {
	return one[api.RevealedKey](ctx, c, request{method: http.MethodPost, path: at("v1", apiKeys, id, "reveal")})
}

// CountAPIKeys says how many keys the filter finds, and as of which revision: what a bulk
// change by filter needs to know.
func (c *Client) CountAPIKeys(ctx context.Context, f APIKeyFilter) (*api.APIKeyCount, error) {
	return one[api.APIKeyCount](ctx, c, read(at("v1", apiKeys, "count"), f.values(), nil))
}

// BulkAPIKeys begins to change many keys. Ask Operation how far it is.
func (c *Client) BulkAPIKeys(ctx context.Context, r api.BulkAPIKeysRequest) (*api.Operation, error) {
	return one[api.Operation](ctx, c, change(at("v1", apiKeys, "bulk"), r))
}

// SuspendAPIKey stops a key until it is resumed.
func (c *Client) SuspendAPIKey(ctx context.Context, id string) (*api.APIKey, error) {
	return one[api.APIKey](ctx, c, change(at("v1", apiKeys, id, "suspend"), nil))
}

// ResumeAPIKey lets a suspended key verify again.
func (c *Client) ResumeAPIKey(ctx context.Context, id string) (*api.APIKey, error) {
	return one[api.APIKey](ctx, c, change(at("v1", apiKeys, id, "resume"), nil))
}

// RotateAPIKey gives a key a new secret under the same ID. The one before goes on
// verifying for grace, whole seconds up to 30 days; 0 ends it at once.
func (c *Client) RotateAPIKey(ctx context.Context, id string, grace time.Duration) (*api.IssuedAPIKey, error) {
	return one[api.IssuedAPIKey](ctx, c, change(at("v1", apiKeys, id, "rotate"), rotation(grace)))
}

// RevokeAPIKey ends a key for good. When it returns without an error, the server that
// answered refuses the key.
func (c *Client) RevokeAPIKey(ctx context.Context, id string) (*api.APIKey, error) {
	return one[api.APIKey](ctx, c, change(at("v1", apiKeys, id, "revoke"), nil))
}

// DeleteAPIKey ends a key for good and hides it from lists.
func (c *Client) DeleteAPIKey(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", apiKeys, id), nil))
}

func rotation(grace time.Duration) api.RotateRequest {
	return api.RotateRequest{GracePeriodSeconds: int64(grace / time.Second)}
}

// one sends a request whose answer is one object.
func one[T any](ctx context.Context, c *Client, r request) (*T, error) {
	out := new(T)
	r.into = out
	if err := c.do(ctx, r); err != nil {
		return nil, err
	}
	return out, nil
}
