// Package oauth is the installation as an OAuth 2 authorization server: it answers the
// token endpoint (RFC 6749, client credentials), introspection (RFC 7662), revocation (RFC
// 7009), and tells about itself (RFC 8414, RFC 7517).
//
// What it promises: what a client sends is read in one way only, so that a parameter that is
// there twice, or two kinds of client authentication, are refused instead of guessed at; a
// token never allows more than its client may do at that moment; and an answer tells a
// client nothing about credentials that are not its own. Whether a token may be used is not
// decided here but in package verify, at every use.
package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/verify"
)

// Where the endpoints are, below the issuer.
const (
	TokenPath      = "/oauth2/token" //nolint:gosec // no credential, an address
	IntrospectPath = "/oauth2/introspect"
	RevokePath     = "/oauth2/revoke"
	MetadataPath   = "/.well-known/oauth-authorization-server"
	JWKSPath       = "/.well-known/jwks.json"
)

// Config says what the endpoints work with. All but Logger, Now and Seen are required.
type Config struct {
	Index     *verify.Index
	Authority *authority.Authority
	Tokens    *token.Ring // its issuer is the URL at which the endpoints are
	Format    secret.Format
	// Source is where a request came from, for credentials that are bound to networks.
	Source func(*http.Request) netip.Addr
	// RequestID names a request in the log and in audit.
	RequestID func(*http.Request) string
	// Seen is told whose credential a request came with, for the log; nil means nobody wants
	// to know.
	Seen   func(*http.Request, *verify.Result)
	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil discards
}

// Endpoints answers the requests. It is safe for concurrent use.
type Endpoints struct {
	cfg      Config
	metadata []byte
}

// New checks the configuration.
func New(c Config) (*Endpoints, error) {
	if c.Index == nil || c.Authority == nil || c.Tokens == nil || c.Source == nil || c.RequestID == nil {
		return nil, errors.New("oauth: something that is required is not configured")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Seen == nil {
		c.Seen = func(*http.Request, *verify.Result) {}
	}
	e := &Endpoints{cfg: c}
	var err error
	e.metadata, err = describe(c.Tokens.Issuer())
	return e, err
}

// metadata is RFC 8414's.
type metadata struct {
	Issuer               string   `json:"issuer"`
	Token                string   `json:"token_endpoint"`
	JWKS                 string   `json:"jwks_uri"`
	Introspection        string   `json:"introspection_endpoint"`
	Revocation           string   `json:"revocation_endpoint"`
	GrantTypes           []string `json:"grant_types_supported"`
	ResponseTypes        []string `json:"response_types_supported"` // required; there is no authorization endpoint
	TokenMethods         []string `json:"token_endpoint_auth_methods_supported"`
	IntrospectionMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	RevocationMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
}

func describe(issuer string) ([]byte, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("oauth: the issuer must be a URL without query and fragment")
	}
	pair := []string{"client_secret_basic", "client_secret_post"}
	out, err := json.Marshal(metadata{
		Issuer: issuer, Token: issuer + TokenPath, JWKS: issuer + JWKSPath,
		Introspection: issuer + IntrospectPath, Revocation: issuer + RevokePath,
		GrantTypes: []string{clientCredentials}, ResponseTypes: []string{},
		TokenMethods: pair, IntrospectionMethods: append(pair[:2:2], "Bearer"), RevocationMethods: pair,
	})
	if err != nil {
		return nil, fmt.Errorf("oauth: encoding the metadata: %w", err)
	}
	return append(out, '\n'), nil
}

// Metadata answers GET MetadataPath.
func (e *Endpoints) Metadata(w http.ResponseWriter, _ *http.Request) {
	public(w, "application/json", e.metadata)
}

// JWKS answers GET JWKSPath. The keys may be kept for five minutes: a new one is published
// longer than that before it signs.
func (e *Endpoints) JWKS(w http.ResponseWriter, _ *http.Request) {
	public(w, "application/jwk-set+json", e.cfg.Tokens.JWKS())
}

func public(w http.ResponseWriter, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*") // it is nobody's secret
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Del("Vary")
	_, _ = w.Write(body)
}

// private writes what is for the client alone.
func private(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	h["Pragma"] = noCache
	h["X-Content-Type-Options"] = noSniff
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec,nolintlint // JSON of our own; seen only when the callers are looked at as well
}

// Header values that never change. They have no room to append to, so sharing is safe.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
	noCache  = []string{"no-cache"}
	noSniff  = []string{"nosniff"}
)

// failed makes a fault of an error of ours, and logs what the client must not see.
func (e *Endpoints) failed(ctx context.Context, requestID string, err error) *fault {
	p := problem.As(err)
	switch p.Kind {
	case problem.Unavailable:
		if p.Err != nil {
			e.cfg.Logger.WarnContext(ctx, "request undecided", slog.String("request_id", requestID), slog.Any("error", p.Err))
		}
		return undecided(p.RetryAfter)
	case problem.TooMany:
		return undecided(p.RetryAfter)
	case problem.Unauthenticated, problem.Denied, problem.NotFound:
		return errClient
	case problem.Internal, problem.Invalid, problem.Conflict:
	}
	e.cfg.Logger.ErrorContext(ctx, "request failed", slog.String("request_id", requestID), slog.Any("error", err))
	return errServer
}
