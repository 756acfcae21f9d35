package client

import (
	"context"
	"net/url"

	"github.com/claviger-io/claviger/api"
)

const signingKeys = "signing-keys"

// SigningKeys lists the keys that sign tokens, in the order in which they take over; there
// are few.
func (c *Client) SigningKeys(ctx context.Context) ([]api.SigningKey, error) {
	list, err := page[api.SigningKey](ctx, c, at("v1", signingKeys), url.Values{}, Page{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// RotateSigningKey lets a new key take over. Tokens of the others stay good.
func (c *Client) RotateSigningKey(ctx context.Context, r api.RotateSigningKeyRequest) (*api.SigningKey, error) {
	return one[api.SigningKey](ctx, c, change(at("v1", signingKeys, "rotate"), r))
}

// WithdrawSigningKey ends a key with all its tokens, at once.
func (c *Client) WithdrawSigningKey(ctx context.Context, id string) (*api.SigningKey, error) {
	return one[api.SigningKey](ctx, c, change(at("v1", signingKeys, id, "withdraw"), nil))
}
