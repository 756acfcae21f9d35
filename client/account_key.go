package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/claviger-io/claviger/api"
)

const accountKeys = "account-keys"

// AccountKeyFilter narrows a list of account keys. The zero filter is every one of the
// caller's tenant, except deleted and expired ones.
type AccountKeyFilter struct {
	State          string // active, suspended, revoked or expired
	Search         string // part of a word in a visible column
	IncludeDeleted bool   // also deleted and expired ones
}

func (f AccountKeyFilter) values() url.Values {
	v := url.Values{}
	set(v, "state", f.State)
	set(v, "search", f.Search)
	setBool(v, "include_deleted", f.IncludeDeleted)
	return v
}

// AccountKeys lists account keys, page after page, as the loop asks for them. After an
// error nothing follows. Account keys are deprecated: use service accounts.
func (c *Client) AccountKeys(ctx context.Context, f AccountKeyFilter) iter.Seq2[api.AccountKey, error] {
	return each[api.AccountKey](ctx, c, at("v1", accountKeys), f.values)
}

// AccountKey shows one account key, without its secret.
func (c *Client) AccountKey(ctx context.Context, id string) (*api.AccountKey, error) {
	return one[api.AccountKey](ctx, c, read(at("v1", accountKeys, id), nil, nil))
}

// IssueAccountKey makes a key that may do everything that the plan allows. The answer holds
// the whole key: it is shown this once. Account keys are deprecated: use service accounts.
func (c *Client) IssueAccountKey(ctx context.Context, r api.IssueAccountKeyRequest) (*api.IssuedAccountKey, error) {
	return one[api.IssuedAccountKey](ctx, c, change(at("v1", accountKeys), r))
}

// RenameAccountKey gives a key another name.
func (c *Client) RenameAccountKey(ctx context.Context, id, name string) (*api.AccountKey, error) {
	return one[api.AccountKey](ctx, c, modify(http.MethodPatch, at("v1", accountKeys, id), api.ChangeAccountKeyRequest{Name: name}))
}

// SuspendAccountKey stops a key until it is resumed.
func (c *Client) SuspendAccountKey(ctx context.Context, id string) (*api.AccountKey, error) {
	return one[api.AccountKey](ctx, c, change(at("v1", accountKeys, id, "suspend"), nil))
}

// ResumeAccountKey lets a suspended key verify again.
func (c *Client) ResumeAccountKey(ctx context.Context, id string) (*api.AccountKey, error) {
	return one[api.AccountKey](ctx, c, change(at("v1", accountKeys, id, "resume"), nil))
}

// RotateAccountKey gives a key a new secret under the same ID. The one before goes on
// verifying for grace, whole seconds up to 30 days; 0 ends it at once.
func (c *Client) RotateAccountKey(ctx context.Context, id string, grace time.Duration) (*api.IssuedAccountKey, error) {
	return one[api.IssuedAccountKey](ctx, c, change(at("v1", accountKeys, id, "rotate"), rotation(grace)))
}

// RevokeAccountKey ends a key for good.
func (c *Client) RevokeAccountKey(ctx context.Context, id string) (*api.AccountKey, error) {
	return one[api.AccountKey](ctx, c, change(at("v1", accountKeys, id, "revoke"), nil))
}

// DeleteAccountKey ends a key for good and hides it from lists.
func (c *Client) DeleteAccountKey(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", accountKeys, id), nil))
}
