package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/claviger-io/claviger/api"
)

const verifierKeys = "verifier-keys"

// VerifierKeyFilter narrows a list of verifier keys. The zero filter is every key of the
// caller's tenant, except deleted and expired ones.
type VerifierKeyFilter struct {
	State          string    // active, suspended, revoked or expired
	Search         string    // part of a word in a visible column
	ExpiringBefore time.Time // zero means no matter when
	IncludeDeleted bool      // also deleted and expired ones
}

func (f VerifierKeyFilter) values() url.Values {
	v := url.Values{}
	set(v, "state", f.State)
	set(v, "search", f.Search)
	setTime(v, "expiring_before", f.ExpiringBefore)
	setBool(v, "include_deleted", f.IncludeDeleted)
	return v
}

// VerifierKeys lists verifier keys, page after page, as the loop asks for them. After an error
// nothing follows.
func (c *Client) VerifierKeys(ctx context.Context, f VerifierKeyFilter) iter.Seq2[api.VerifierKey, error] {
	return each[api.VerifierKey](ctx, c, at("v1", verifierKeys), f.values)
}

// VerifierKeyPage lists one page of verifier keys.
func (c *Client) VerifierKeyPage(ctx context.Context, f VerifierKeyFilter, p Page) (*api.List[api.VerifierKey], error) {
	return page[api.VerifierKey](ctx, c, at("v1", verifierKeys), f.values(), p)
}

// VerifierKey shows one verifier key, without its secret.
func (c *Client) VerifierKey(ctx context.Context, id string) (*api.VerifierKey, error) {
	return one[api.VerifierKey](ctx, c, read(at("v1", verifierKeys, id), nil, nil))
}

// IssueVerifierKey makes a key with which a program may verify credentials of the
// caller's tenant, or of every tenant where that is the system tenant, and nothing else. The answer holds the whole key: it is shown this
// once. When an error other than a *api.Problem comes back, the key may exist unseen; list
// the keys, and revoke what nobody holds.
func (c *Client) IssueVerifierKey(ctx context.Context, r api.IssueVerifierKeyRequest) (*api.IssuedVerifierKey, error) {
	return one[api.IssuedVerifierKey](ctx, c, change(at("v1", verifierKeys), r))
}

// RenameVerifierKey gives a key another name.
func (c *Client) RenameVerifierKey(ctx context.Context, id, name string) (*api.VerifierKey, error) {
	return one[api.VerifierKey](ctx, c, modify(http.MethodPatch, at("v1", verifierKeys, id), api.ChangeVerifierKeyRequest{Name: name}))
}

// SuspendVerifierKey stops a key until it is resumed.
func (c *Client) SuspendVerifierKey(ctx context.Context, id string) (*api.VerifierKey, error) {
	return one[api.VerifierKey](ctx, c, change(at("v1", verifierKeys, id, "suspend"), nil))
}

// ResumeVerifierKey lets a suspended key verify again.
func (c *Client) ResumeVerifierKey(ctx context.Context, id string) (*api.VerifierKey, error) {
	return one[api.VerifierKey](ctx, c, change(at("v1", verifierKeys, id, "resume"), nil))
}

// RotateVerifierKey gives a key a new secret under the same ID. The one before goes on
// verifying for grace, whole seconds up to 30 days; 0 ends it at once.
func (c *Client) RotateVerifierKey(ctx context.Context, id string, grace time.Duration) (*api.IssuedVerifierKey, error) {
	return one[api.IssuedVerifierKey](ctx, c, change(at("v1", verifierKeys, id, "rotate"), rotation(grace)))
}

// RevokeVerifierKey ends a key for good. When it returns without an error, the server that
// answered refuses the key.
func (c *Client) RevokeVerifierKey(ctx context.Context, id string) (*api.VerifierKey, error) {
	return one[api.VerifierKey](ctx, c, change(at("v1", verifierKeys, id, "revoke"), nil))
}

// DeleteVerifierKey ends a key for good and hides it from lists.
func (c *Client) DeleteVerifierKey(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", verifierKeys, id), nil))
}
