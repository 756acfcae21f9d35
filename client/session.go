package client

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/claviger-io/claviger/api"
)

// cookie is the session's, kept where fmt doesn't follow it.
type cookie struct {
	mu    sync.Mutex // guards value
	value string     // name=value
}

// SignIn begins a session with a password and returns a Client that acts in it, without
// the credential of c. It is for programs that stand in for a person, such as tests and
// the first set-up; what programs do in the long run, they should do with a key of their
// own. End the session with SignOut.
func (c *Client) SignIn(ctx context.Context, r api.SignInRequest) (*Client, error) {
	in := *c
	in.credential = func() string { return "" }
	in.cookie = &cookie{}
	if err := in.do(ctx, request{method: http.MethodPost, path: "/v1/sessions", body: r}); err != nil {
		return nil, err
	}
	return &in, nil
}

// SignOut ends the session of a Client that SignIn returned.
func (c *Client) SignOut(ctx context.Context) error {
	return c.do(ctx, modify(http.MethodDelete, "/v1/sessions/current", nil))
}

// Sessions lists the caller's own sessions that are alive.
func (c *Client) Sessions(ctx context.Context) ([]api.Session, error) {
	var list api.List[api.Session]
	if err := c.do(ctx, read("/v1/sessions", nil, &list)); err != nil {
		return nil, err
	}
	return list.Items, nil
}

// EndSession ends another of the caller's own sessions.
func (c *Client) EndSession(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", "sessions", id), nil))
}

// Reauthenticate proves that the person in the session still knows the password; what
// reveals secrets asks for it within the last five minutes.
func (c *Client) Reauthenticate(ctx context.Context, password api.Secret) error {
	return c.do(ctx, request{
		method: http.MethodPost, path: "/v1/sessions/current/reauthenticate",
		body: api.ReauthenticateRequest{Password: password},
	})
}

// ChangePassword sets a new password and ends the person's other sessions.
func (c *Client) ChangePassword(ctx context.Context, r api.ChangePasswordRequest) error {
	return c.do(ctx, request{method: http.MethodPost, path: "/v1/me/password", body: r})
}

// Me says who the caller is and what it may do.
func (c *Client) Me(ctx context.Context) (*api.Me, error) {
	var out api.Me
	if err := c.do(ctx, read("/v1/me", nil, &out)); err != nil {
		return nil, err
	}
	return &out, nil
}

// keep remembers a cookie that the server set: it changes during the session.
func (k *cookie) keep(res *http.Response) {
	if k == nil {
		return
	}
	for _, set := range res.Cookies() {
		k.mu.Lock()
		if set.MaxAge < 0 || set.Value == "" {
			k.value = ""
		} else {
			k.value = strings.Join([]string{set.Name, set.Value}, "=")
		}
		k.mu.Unlock()
	}
}

// header is the Cookie header's value; empty when there is no session.
func (k *cookie) header() string {
	if k == nil {
		return ""
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value
}
