// Package gateway answers what proxies ask before they let a request through:
// auth_request of nginx, forward auth of Caddy and Traefik.
//
// It takes exactly one credential out of a request's headers, asks the resident index,
// and turns the verdict into a status and identity headers. Whatever is doubtful, such
// as two credentials in one request, is refused.
package gateway

import (
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/claviger-io/claviger/internal/verify"
)

// Config is what the handler works with.
type Config struct {
	Index *verify.Index
	// TrustedProxies may say where a request came from (X-Forwarded-For) and what was
	// asked for (X-Original-URI); none means nobody may.
	TrustedProxies []netip.Prefix
	Logger         *slog.Logger // nil discards
}

// Presented is the one credential of a request: Credential alone, or ID with Secret.
type Presented struct {
	Credential string
	ID, Secret string
}

// FromHeader takes the credential out of the headers: Authorization Bearer or Basic, or
// X-API-Key. ok is false when there is none, more than one, or one that is malformed.
func FromHeader(h http.Header) (p Presented, ok bool) { return Presented{}, false }

// FromAuthorization takes the credential out of one Authorization value.
func FromAuthorization(value string) (p Presented, ok bool) { return Presented{}, false }

// New makes the handler of GET /gateway/auth.
func New(cfg Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
}
