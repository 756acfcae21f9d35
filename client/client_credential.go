package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/claviger-io/claviger/api"
)

const clientCredentials = "client-credentials"

// ClientCredentialFilter narrows a list of client credentials. The zero filter is every
// one that the caller may see, except deleted and expired ones.
type ClientCredentialFilter struct { //nolint:revive // a client credential is the thing's name, not the package's
	Level          string // user or account; empty means both
	Mine           bool   // the caller's own
	State          string // active, suspended, revoked or expired
	Search         string // part of a word in a visible column
	IncludeDeleted bool   // also deleted and expired ones
}

func (f ClientCredentialFilter) values() url.Values {
	v := url.Values{}
	set(v, "level", f.Level)
	setBool(v, "mine", f.Mine)
	set(v, "state", f.State)
	set(v, "search", f.Search)
	setBool(v, "include_deleted", f.IncludeDeleted)
	return v
}

// ClientCredentials lists client credentials, page after page, as the loop asks for them.
// After an error nothing follows.
func (c *Client) ClientCredentials(ctx context.Context, f ClientCredentialFilter) iter.Seq2[api.ClientCredential, error] {
	return each[api.ClientCredential](ctx, c, at("v1", clientCredentials), f.values)
}

// ClientCredentialPage lists one page of client credentials.
func (c *Client) ClientCredentialPage(ctx context.Context, f ClientCredentialFilter, p Page) (*api.List[api.ClientCredential], error) {
	return page[api.ClientCredential](ctx, c, at("v1", clientCredentials), f.values(), p)
}

// ClientCredential shows one client credential, without its secret.
func (c *Client) ClientCredential(ctx context.Context, id string) (*api.ClientCredential, error) {
	return one[api.ClientCredential](ctx, c, read(at("v1", clientCredentials, id), nil, nil))
}

// ClientCredentialScopes says which scopes the caller may give a client credential.
func (c *Client) ClientCredentialScopes(ctx context.Context) (*api.OfferedScopes, error) {
	return one[api.OfferedScopes](ctx, c, read(at("v1", clientCredentials, "scopes"), nil, nil))
}

// IssueClientCredential makes a client credential. The answer holds the client secret: it
// is shown this once.
func (c *Client) IssueClientCredential(ctx context.Context, r api.IssueClientCredentialRequest) (*api.IssuedClientCredential, error) {
	return one[api.IssuedClientCredential](ctx, c, change(at("v1", clientCredentials), r))
}

// ChangeClientCredential changes what is set in the request, at once.
func (c *Client) ChangeClientCredential(ctx context.Context, id string, r api.ChangeClientCredentialRequest) (*api.ClientCredential, error) {
	return one[api.ClientCredential](ctx, c, modify(http.MethodPatch, at("v1", clientCredentials, id), r))
}

// RotateClientCredential gives a client credential a new secret under the same client ID.
// The one before goes on working for grace, whole seconds up to 30 days; 0 ends it at once.
func (c *Client) RotateClientCredential(ctx context.Context, id string, grace time.Duration) (*api.IssuedClientCredential, error) {
	return one[api.IssuedClientCredential](ctx, c, change(at("v1", clientCredentials, id, "rotate"), rotation(grace)))
}

// SuspendClientCredential stops a client credential until it is resumed.
func (c *Client) SuspendClientCredential(ctx context.Context, id string) (*api.ClientCredential, error) {
	return one[api.ClientCredential](ctx, c, change(at("v1", clientCredentials, id, "suspend"), nil))
}

// ResumeClientCredential lets a suspended client credential work again.
func (c *Client) ResumeClientCredential(ctx context.Context, id string) (*api.ClientCredential, error) {
	return one[api.ClientCredential](ctx, c, change(at("v1", clientCredentials, id, "resume"), nil))
}

// RevokeClientCredential ends a client credential for good.
func (c *Client) RevokeClientCredential(ctx context.Context, id string) (*api.ClientCredential, error) {
	return one[api.ClientCredential](ctx, c, change(at("v1", clientCredentials, id, "revoke"), nil))
}

// DeleteClientCredential ends a client credential for good and hides it from lists.
func (c *Client) DeleteClientCredential(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", clientCredentials, id), nil))
}
