// Package client is the Go client of Claviger's verification and management API.
//
//	c, err := client.New("https://claviger.example.com", client.WithCredential(key))
//	verdict, err := c.Verify(ctx, api.VerifyRequest{Credential: presented})
//	if err != nil || !verdict.Valid { … refuse … }
//
// Its promises: the credential it was given appears in no error, no log and no printed
// form of the Client; redirects are refused, so that the credential goes to the server
// that was named and to no other; answers are read up to a limit; and a request is
// repeated only where repeating it cannot do a thing twice.
//
// Problems that the server reports are *api.Problem, found with errors.As. Any other
// error means that no answer came, and for a verification that means: refuse.
package client

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultTimeout   = 10 * time.Second
	defaultUserAgent = "claviger-go"
	maxAttempts      = 3
	maxResponse      = 64 << 20 // bytes; a batch of 1,000 verdicts stays far under it
	maxRetryAfter    = 5 * time.Second
	connsPerHost     = 128
)

// Client speaks to one Claviger. It is safe for concurrent use; make one and keep it, so
// that connections are reused.
type Client struct {
	base      string
	http      *http.Client
	userAgent string
	// A closure, since fmt prints unexported strings and never the inside of a function.
	credential func() string
	cookie     *cookie // of a session; nil when there is none
	tenant     string  // whose lists are read and added to; empty means the caller's own
}

// Option changes how a Client works.
type Option func(*settings) error

type settings struct {
	credential string
	userAgent  string
	timeout    time.Duration
	http       *http.Client
}

// WithCredential sets the credential that every request carries as Authorization: Bearer:
// a verifier key, or a key of a user whose roles allow what is asked.
func WithCredential(secret string) Option {
	return func(s *settings) error {
		if strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("the credential has characters that no credential has; was a line end copied with it?")
		}
		s.credential = secret
		return nil
	}
}

// WithHTTPClient sets the HTTP client, for a proxy, a private certificate authority or a
// custom transport. It is copied; the copy refuses redirects whatever CheckRedirect says.
func WithHTTPClient(h *http.Client) Option {
	return func(s *settings) error {
		if h == nil {
			return errors.New("the HTTP client is nil")
		}
		s.http = h
		return nil
	}
}

// WithUserAgent sets the User-Agent header; the default is "claviger-go".
func WithUserAgent(name string) Option {
	return func(s *settings) error {
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			return errors.New("the user agent may have printable ASCII characters only")
		}
		s.userAgent = name
		return nil
	}
}

// WithTimeout bounds each attempt of a request, from dialling to the last byte of the
// answer. The default is 10 s; zero means no bound but the context's.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return errors.New("the timeout is negative")
		}
		s.timeout = d
		return nil
	}
}

// New returns a client of the Claviger at baseURL, such as "https://claviger.example.com"
// or "http://127.0.0.1:8080". The URL may have a path, and no user, query or fragment.
func New(baseURL string, options ...Option) (*Client, error) {
	base, err := parseBase(baseURL)
	if err != nil {
		return nil, err
	}
	s := settings{userAgent: defaultUserAgent, timeout: defaultTimeout}
	for _, option := range options {
		if err := option(&s); err != nil {
			return nil, fmt.Errorf("making the client: %w", err)
		}
	}
	c := &Client{base: base, userAgent: s.userAgent, credential: func() string { return s.credential }}
	c.http = httpClient(s)
	return c, nil
}

// parseBase never repeats the URL in its errors: it might hold a password.
func parseBase(baseURL string) (string, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", errors.New("making the client: the base URL must be like https://claviger.example.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("making the client: the base URL may not have a user, a query or a fragment")
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

func httpClient(s settings) *http.Client {
	h := http.Client{Timeout: s.timeout}
	if s.http != nil {
		h = *s.http
		if s.timeout != defaultTimeout || h.Timeout == 0 {
			h.Timeout = s.timeout
		}
	} else {
		// A bare clone keeps two idle connections per host, so that under load most
		// requests would dial anew.
		t := defaultTransport()
		t.MaxIdleConns = connsPerHost
		t.MaxIdleConnsPerHost = connsPerHost
		h.Transport = t
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &h
}

func defaultTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ForceAttemptHTTP2:     true,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   5 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// InTenant returns a client that lists and makes things in the tenant with the ID. It is for
// system callers; others may name their own tenant only. What is named by its ID is found
// wherever it is, also without this.
func (c *Client) InTenant(id string) *Client {
	in := *c
	in.tenant = id
	return &in
}

// BaseURL returns the server's address as it was given to New.
func (c *Client) BaseURL() string { return c.base }

// CloseIdleConnections closes connections that no request uses.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// newIdempotencyKey names one intent, so that the server can tell a repeated request from
// a second one.
func newIdempotencyKey() string { return rand.Text() }
