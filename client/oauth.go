package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/claviger-io/claviger/api"
)

// Login is a client's ID and secret: of a client credential, or the key and secret of
// an app.
type Login struct {
	ID     string
	Secret api.Secret
}

// errNoToken is for a success without a token: whatever answered, it was no Claviger.
var errNoToken = errors.New("asking for a token: the server's answer has none; is the base URL that of Claviger?")

// Token exchanges a client's ID and secret for an access token that is good for the scopes
// asked for. A client credential must ask; an app that doesn't gets all that it has. Use the
// token until it is over: making one costs a signature. Refusals are *api.OAuthError.
func (c *Client) Token(ctx context.Context, login Login, scopes ...string) (api.AccessToken, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	var out api.AccessToken
	if err := c.form(ctx, "/oauth2/token", &login, form, &out); err != nil {
		return api.AccessToken{}, err
	}
	if out.AccessToken == "" {
		return api.AccessToken{}, errNoToken
	}
	return out, nil
}

// Introspect tells a resource server about a token or a key (RFC 7662). It is the same
// decision as Verify, charged as one call, in the form that OAuth libraries know. The caller
// needs a verifier key or claviger.credentials:verify. sourceIP is where the call came from;
// empty means that it isn't known.
func (c *Client) Introspect(ctx context.Context, token api.Secret, sourceIP string) (api.Introspection, error) {
	form := url.Values{"token": {token.Reveal()}}
	if sourceIP != "" {
		form.Set("source_ip", sourceIP)
	}
	var out api.Introspection
	err := c.form(ctx, "/oauth2/introspect", nil, form, &out)
	return out, err
}

// RevokeToken ends an access token before its time. Only the client that got it can (RFC
// 7009); a token that is over or unknown is no error.
func (c *Client) RevokeToken(ctx context.Context, login Login, token api.Secret) error {
	return c.form(ctx, "/oauth2/revoke", &login, url.Values{"token": {token.Reveal()}}, nil)
}

// SignInAutomatically signs somebody in to a desktop client that holds an organization's key.
// It needs no credential but that key.
func (c *Client) SignInAutomatically(ctx context.Context, r api.AutomaticSignInRequest) (api.AutomaticSession, error) {
	var out api.AutomaticSession
	err := c.do(ctx, request{method: http.MethodPost, path: "/v1/sign-in/automatic", body: r, into: &out})
	return out, err
}

// RenewAutomaticSignIn gives the session's token a successor, until 12 hours after the
// sign-in.
func (c *Client) RenewAutomaticSignIn(ctx context.Context, token api.Secret) (api.AutomaticSession, error) {
	var out api.AutomaticSession
	err := c.do(ctx, request{
		method: http.MethodPost, path: "/v1/sign-in/automatic/renew",
		body: api.RenewAutomaticSignInRequest{SessionToken: token}, into: &out,
	})
	return out, err
}

// form posts to an OAuth endpoint: as the client of login, or with the Client's own
// credential where that is nil. It is sent once.
func (c *Client) form(ctx context.Context, path string, login *Login, form url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return errors.New("making the request: the path is not valid")
	}
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if login != nil {
		req.SetBasicAuth(url.QueryEscape(login.ID), url.QueryEscape(login.Secret.Reveal()))
	} else if credential := c.credential(); credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return withoutURL(request{method: http.MethodPost, path: path}, err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := readAll(res.Body)
	if err != nil {
		return fmt.Errorf("reading the answer to POST %s: %w", path, err)
	}
	if res.StatusCode != http.StatusOK {
		refusal := &api.OAuthError{}
		if json.Unmarshal(data, refusal) == nil && refusal.Code != "" {
			refusal.Status = res.StatusCode
			return refusal
		}
		return problemOf(res, data)
	}
	return decode(request{method: http.MethodPost, path: path, into: into}, data)
}
