package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/claviger-io/claviger/api"
)

// Catalog shows the vendor's APIs, desktop clients and licences, and which APIs the caller may
// choose for an app.
func (c *Client) Catalog(ctx context.Context) (*api.CatalogView, error) {
	return one[api.CatalogView](ctx, c, read(at("v1", "catalog"), nil, nil))
}

// ChangeCatalog replaces the catalogue. Its Revision is the one that was changed: when
// somebody else was quicker, the answer is a conflict.
func (c *Client) ChangeCatalog(ctx context.Context, to api.Catalog) (*api.Catalog, error) {
	return one[api.Catalog](ctx, c, modify(http.MethodPut, at("v1", "catalog"), to))
}

// Operation shows how far a bulk change is.
func (c *Client) Operation(ctx context.Context, id string) (*api.Operation, error) {
	return one[api.Operation](ctx, c, read(at("v1", "operations", id), nil, nil))
}

// UsageFilter says of what usage is asked. The zero filter is the whole tenant's last 24
// hours, by hour.
type UsageFilter struct {
	CredentialID   string
	OrganizationID string    // without CredentialID: there and below
	From, To       time.Time // To is exclusive; zero means now
	By             string    // hour or day
}

// Usage shows how one credential was used, or all together.
func (c *Client) Usage(ctx context.Context, f UsageFilter) (*api.Usage, error) {
	v := url.Values{}
	set(v, "credential_id", f.CredentialID)
	set(v, "organization_id", f.OrganizationID)
	setTime(v, "from", f.From)
	setTime(v, "to", f.To)
	set(v, "by", f.By)
	return one[api.Usage](ctx, c, read(at("v1", "usage"), v, nil))
}
