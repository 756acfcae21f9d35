// Package middleware lets a Go program accept the credentials that Claviger issues.
//
//	c, err := client.New("https://claviger.internal", client.WithCredential(verifierKey))
//	protect := middleware.New(middleware.Config{Client: c, Permissions: "call_recordings:read"})
//	http.ListenAndServe(addr, protect(recordings))
//
// Its promises: a request reaches the handler only after Claviger said VALID for it;
// nothing is cached, so that a revoked key is refused on the very next call; when Claviger
// can't be asked the answer is 503, never a pass; and headers that begin with "Claviger-",
// by which a gateway names the caller, are removed, so that nobody names themselves.
//
// A credential is taken from Authorization: Bearer, from X-API-Key, or from HTTP Basic with
// the user ID as the user name and the key as the password. A request with more than one
// is refused.
package middleware

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

const defaultTimeout = 5 * time.Second

// Config says what is asked of a credential. Client is required.
type Config struct {
	// Client asks Claviger. It carries a verifier key, or another credential that holds
	// claviger.credentials:verify.
	Client *client.Client

	// Permissions is the permission query for every request, such as
	// "call_recordings:read AND reports:read". Empty asks only whether the credential is
	// good.
	Permissions string
	// PermissionsFor gives the permission query of one request; nil means Permissions.
	PermissionsFor func(*http.Request) string

	// SourceIP tells where a request came from, for credentials that are restricted to
	// networks. Nil means the address of the connection, which behind a proxy is the
	// proxy's: then read the header that your proxy overwrites.
	SourceIP func(*http.Request) string
	// Cost is what a request costs of the credential's limits; nil means 1 each.
	Cost func(*http.Request) int64

	// Realm is named in WWW-Authenticate; empty means "api".
	Realm string
	// Timeout bounds the question to Claviger; 0 means 5 s.
	Timeout time.Duration
	// Now is the clock that Retry-After is reckoned by; nil means time.Now.
	Now func() time.Time
	// Logger gets the questions that could not be decided, and why; nil discards.
	Logger *slog.Logger
}

// New returns the middleware. It panics when the Client is missing, since no request
// could ever pass.
func New(c Config) func(http.Handler) http.Handler {
	if c.Client == nil {
		panic("middleware: Config.Client is nil")
	}
	if c.PermissionsFor == nil {
		fixed := c.Permissions
		c.PermissionsFor = func(*http.Request) string { return fixed }
	}
	if c.SourceIP == nil {
		c.SourceIP = connectionAddress
	}
	if c.Cost == nil {
		c.Cost = func(*http.Request) int64 { return 0 }
	}
	if c.Realm == "" {
		c.Realm = "api"
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, next) })
	}
}

func (c *Config) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	question, ok := presented(r.Header)
	if !ok {
		c.refuse(w, missing)
		return
	}
	question.Permissions = c.PermissionsFor(r)
	question.SourceIP = c.SourceIP(r)
	question.Cost = c.Cost(r)
	question.UserAgent = agentOf(r.UserAgent())

	ctx, cancel := context.WithTimeout(r.Context(), c.Timeout)
	verdict, err := c.Client.Verify(ctx, question)
	cancel()
	if malformed(err) {
		c.refuse(w, missing)
		return
	}
	if err != nil {
		c.Logger.ErrorContext(r.Context(), "claviger could not decide", slog.Any("error", err))
		c.refuse(w, undecided(err))
		return
	}
	if !verdict.Valid || verdict.Code != api.VerifyValid {
		c.refuse(w, refusalOf(verdict, c.Now()))
		return
	}
	next.ServeHTTP(w, withoutIdentity(r.WithContext(context.WithValue(r.Context(), verdictKey{}, verdict))))
}

// maxAgent is more than is kept of a user agent, in bytes.
const maxAgent = 256

func agentOf(name string) string {
	return strings.ToValidUTF8(name[:min(len(name), maxAgent)], "")
}

type verdictKey struct{}

// FromContext returns the verdict under which a request was let through: whose credential
// it is, which tenant's, and what it may do. ok is false outside the middleware.
func FromContext(ctx context.Context) (verdict api.VerifyResponse, ok bool) {
	verdict, ok = ctx.Value(verdictKey{}).(api.VerifyResponse)
	return verdict, ok
}

// withoutIdentity removes the headers with which gateways name callers, the forms with an
// underscore included, which some programs take for the same. r is already a copy; its
// headers are not.
func withoutIdentity(r *http.Request) *http.Request {
	for name := range r.Header {
		if isIdentity(name) {
			h := make(http.Header, len(r.Header))
			for name, values := range r.Header {
				if !isIdentity(name) {
					h[name] = values
				}
			}
			r.Header = h
			return r
		}
	}
	return r
}

func isIdentity(name string) bool {
	const prefix = "claviger"
	return len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) &&
		(name[len(prefix)] == '-' || name[len(prefix)] == '_')
}

func connectionAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	if i := strings.IndexByte(host, '%'); i >= 0 { // a zone names this machine's interface
		host = host[:i]
	}
	return host
}
