package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/claviger-io/claviger/api"
)

// request is one operation before it is sent, perhaps more than once.
type request struct {
	method string
	path   string // escaped, from the base on
	query  url.Values
	body   any // nil: none
	into   any // nil: the answer's body is not wanted

	// idempotent requests can be repeated when no answer came.
	idempotent bool
	// key names the intent of a POST that changes something.
	key string
}

// read is a request that changes nothing.
func read(path string, query url.Values, into any) request {
	return request{method: http.MethodGet, path: path, query: query, into: into, idempotent: true}
}

// change is a POST with an Idempotency-Key: the server does it once, however often it
// arrives. It isn't repeated when no answer came all the same, since a replay answers
// without the secret that the first answer carried.
func change(path string, body any) request {
	return request{method: http.MethodPost, path: path, body: body, key: newIdempotencyKey()}
}

// modify is a PATCH or DELETE. It isn't repeated when no answer came: a second DELETE of
// what the first one deleted would be answered as a mistake.
func modify(method, path string, body any) request {
	return request{method: method, path: path, body: body}
}

// do sends the request and decodes the answer. A 503 that names a Retry-After says that
// nothing was done, so that any request can be repeated after it.
func (c *Client) do(ctx context.Context, r request) error {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return fmt.Errorf("encoding the request: %w", err)
		}
	}
	for attempt := 1; ; attempt++ {
		again, wait, err := c.attempt(ctx, r, body)
		if err == nil || !again || attempt == maxAttempts || ctx.Err() != nil {
			return err
		}
		if !sleep(ctx, wait) {
			return err
		}
	}
}

// attempt sends the request once. again says that repeating it is safe and may help.
func (c *Client) attempt(ctx context.Context, r request, body []byte) (again bool, wait time.Duration, err error) {
	req, err := c.newRequest(ctx, r, body)
	if err != nil {
		return false, 0, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return r.idempotent, backoff, withoutURL(r, err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := readAll(res.Body)
	if err != nil {
		return r.idempotent, backoff, fmt.Errorf("reading the answer to %s %s: %w", r.method, r.path, err)
	}
	c.cookie.keep(res)
	if res.StatusCode >= 300 {
		p := problemOf(res, data)
		after, named := retryAfter(res.Header)
		p.RetryAfter = after
		again := p.Status == http.StatusServiceUnavailable && named && after <= maxRetryAfter
		return again, after, p
	}
	return false, 0, decode(r, data)
}

// perTenant are the lists that each tenant has its own of.
var perTenant = map[string]bool{
	"/v1/" + apiKeys: true, "/v1/" + verifierKeys: true, "/v1/" + organizations: true, "/v1/" + users: true,
	"/v1/" + roles: true, "/v1/" + assignments: true, "/v1/" + auditEvents: true,
	"/v1/" + apiKeys + "/bulk": true, "/v1/" + apiKeys + "/count": true, "/v1/" + apiKeys + "/export": true, "/v1/" + accountKeys: true, "/v1/" + apps: true,
	"/v1/" + clientCredentials: true, "/v1/" + clientCredentials + "/scopes": true, "/v1/" + serviceAccounts: true, "/v1/usage": true,
	"/v1/" + auditEvents + "/export": true, "/v1/audit-checkpoints/latest": true, "/v1/audit-checkpoints/check": true,
	"/v1/api-access": true, "/v1/" + imports: true, "/v1/api-access/request": true, "/v1/find": true, "/v1/permissions": true, "/v1/catalog": true,
	"/v1/notices/preview": true,
	"/v1/" + webhooks:     true,
}

const backoff = 50 * time.Millisecond

func (c *Client) newRequest(ctx context.Context, r request, body []byte) (*http.Request, error) {
	target := c.base + r.path
	if c.tenant != "" && perTenant[r.path] {
		q := url.Values{"tenant_id": {c.tenant}}
		maps.Copy(q, r.query)
		r.query = q
	}
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, reader)
	if err != nil {
		return nil, errors.New("making the request: the path is not valid")
	}
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Accept", "application/json, application/problem+json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	if credential := c.credential(); credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	if session := c.cookie.header(); session != "" {
		req.Header.Set("Cookie", session)
	}
	return req, nil
}

// withoutURL drops the URL that net/http puts into its errors: a query may say more than
// a log should keep.
func withoutURL(r request, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("calling %s %s: %w", r.method, r.path, err)
}

func readAll(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxResponse+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxResponse {
		return nil, fmt.Errorf("it is longer than %d bytes", maxResponse)
	}
	return data, nil
}

func decode(r request, data []byte) error {
	if r.into == nil || len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, r.into); err != nil {
		return fmt.Errorf("decoding the answer to %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// problemOf makes the problem of an answer that isn't a success. What isn't Claviger's,
// such as a proxy's page, becomes a problem with the status alone.
func problemOf(res *http.Response, data []byte) *api.Problem {
	p := &api.Problem{}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "application/problem+json" || json.Unmarshal(data, p) != nil || p.Title == "" && p.Detail == "" {
		p = &api.Problem{Title: http.StatusText(res.StatusCode)}
		if res.StatusCode < 400 {
			p.Detail = "The server answered with a redirect, which is not followed so that the credential goes nowhere else."
		}
	}
	p.Status = res.StatusCode
	if p.RequestID == "" {
		p.RequestID = res.Header.Get("X-Request-Id")
	}
	return p
}

// retryAfter reads the header's form in seconds, the only one that Claviger sends.
func retryAfter(h http.Header) (time.Duration, bool) {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0, false
	}
	return time.Duration(seconds) * time.Second, true
}

// sleep waits and reports whether the context still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
