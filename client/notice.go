package client

import (
	"context"

	"github.com/claviger-io/claviger/api"
)

// NoticePreview answers what people will be told next of credentials that expire, and who.
func (c *Client) NoticePreview(ctx context.Context) (*api.NoticePreview, error) {
	return one[api.NoticePreview](ctx, c, read(at("v1", "notices", "preview"), nil, nil))
}
