package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/claviger-io/claviger/api"
)

const apps = "apps"

// AppFilter narrows a list of apps. The zero filter is every app that the caller may see,
// except deleted ones.
type AppFilter struct {
	OrganizationID string // apps at this organization and below
	State          string // active or suspended
	Search         string // part of the name or the key's visible characters
	IncludeDeleted bool
}

func (f AppFilter) values() url.Values {
	v := url.Values{}
	set(v, "organization_id", f.OrganizationID)
	set(v, "state", f.State)
	set(v, "search", f.Search)
	setBool(v, "include_deleted", f.IncludeDeleted)
	return v
}

// Apps lists apps, page after page, as the loop asks for them. After an error nothing
// follows.
func (c *Client) Apps(ctx context.Context, f AppFilter) iter.Seq2[api.App, error] {
	return each[api.App](ctx, c, at("v1", apps), f.values)
}

// AppPage lists one page of apps.
func (c *Client) AppPage(ctx context.Context, f AppFilter, p Page) (*api.List[api.App], error) {
	return page[api.App](ctx, c, at("v1", apps), f.values(), p)
}

// App shows one app, without its key and secret.
func (c *Client) App(ctx context.Context, id string) (*api.App, error) {
	return one[api.App](ctx, c, read(at("v1", apps, id), nil, nil))
}

// CreateApp makes an app with its key and secret, which the answer holds.
func (c *Client) CreateApp(ctx context.Context, r api.CreateAppRequest) (*api.IssuedApp, error) {
	return one[api.IssuedApp](ctx, c, change(at("v1", apps), r))
}

// ChangeApp changes what is set in the request, at once.
func (c *Client) ChangeApp(ctx context.Context, id string, r api.ChangeAppRequest) (*api.App, error) {
	return one[api.App](ctx, c, modify(http.MethodPatch, at("v1", apps, id), r))
}

// SuspendApp stops an app until it is resumed.
func (c *Client) SuspendApp(ctx context.Context, id string) (*api.App, error) {
	return one[api.App](ctx, c, change(at("v1", apps, id, "suspend"), nil))
}

// ResumeApp lets a suspended app go on.
func (c *Client) ResumeApp(ctx context.Context, id string) (*api.App, error) {
	return one[api.App](ctx, c, change(at("v1", apps, id, "resume"), nil))
}

// RotateApp gives an app a new key and a new secret. Those before go on working for grace,
// whole seconds up to 30 days; 0 ends them at once.
func (c *Client) RotateApp(ctx context.Context, id string, grace time.Duration) (*api.IssuedApp, error) {
	return one[api.IssuedApp](ctx, c, change(at("v1", apps, id, "rotate"), rotation(grace)))
}

// RevealApp shows key and secret again. It needs a session that gave its password within
// the last five minutes.
func (c *Client) RevealApp(ctx context.Context, id string) (*api.RevealedApp, error) {
	return one[api.RevealedApp](ctx, c, request{method: http.MethodPost, path: at("v1", apps, id, "reveal")})
}

// DeleteApp ends an app, its key and its secret for good.
func (c *Client) DeleteApp(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", apps, id), nil))
}
