// Package server is Claviger over HTTP: it decodes, asks the package that decides, and
// encodes.
//
// Verification (POST /v1/verify, its batch, GET /gateway/auth) is answered before any
// router by handlers written by hand, since it is most of the traffic. Everything else is
// the management API, described to callers by the OpenAPI document that its own
// registrations make.
//
// What it promises: problems are RFC 9457 and never hold a value that was sent; whatever
// arrives, the answer is a problem with a request ID, not a stack trace; the caller's
// rights are decided in authority, never here.
package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	built "github.com/claviger-io/claviger/console"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/gateway"
	"github.com/claviger-io/claviger/internal/oauth"
	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/signin"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/verify"
)

// Config says what a Server answers with. Authority, Index and Signin are required.
type Config struct {
	Authority *authority.Authority
	Index     *verify.Index
	Signin    *signin.Manager
	// Tokens signs and reads tokens, and its issuer is where the OAuth endpoints are; nil
	// means that there are none.
	Tokens *token.Ring
	// Format is that of keys; its zero value is the default.
	Format secret.Format
	// Gateway answers GET /gateway/auth; nil means the one of package gateway.
	Gateway http.Handler
	// Store is asked by /readyz whether the database can be reached; nil means it isn't.
	Store *store.Store
	// Outbox delivers mail and webhooks; /metrics tells of it. Nil means that nothing is told.
	Outbox *outbox.Worker
	// Registry receives our metrics, and /metrics shows it. Nil means a fresh one.
	Registry *prometheus.Registry
	Logger   *slog.Logger // nil discards
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Version is what /healthz tells.
	Version string
	// Console is the built web console; nil means the one that this program was built with.
	Console fs.FS
	// PublicURL is where people reach the console, such as "https://keys.example.com"; it
	// begins the links of invitations. Empty means links without a host.
	PublicURL string
	// TrustedProxies may say in X-Forwarded-For where a request came from; none means
	// nobody may.
	TrustedProxies []netip.Prefix
	// Hosts are the Host headers that are answered, without port; none means all. The demo
	// answers loopback names only, so that no web page can reach it under another name.
	Hosts []string
	// LogVerifications writes a log line per verification.
	LogVerifications bool
}

// Server answers HTTP requests. It is safe for concurrent use.
type Server struct {
	authority        *authority.Authority
	index            *verify.Index
	signin           *signin.Manager
	store            *store.Store
	log              *slog.Logger
	now              func() time.Time
	version          string
	publicURL        string
	proxies          []netip.Prefix
	sourceMatters    bool // some proxies are trusted
	hosts            map[string]bool
	logVerifications bool

	gateway http.Handler
	oauth   *oauth.Endpoints // nil: there are none
	console *console
	manage  http.Handler // everything but verification, with its middleware
	mux     *http.ServeMux
	api     huma.API
	routes  []Route
	// document is the OpenAPI document, made once.
	document []byte
	metrics  *metrics
}

var _ http.Handler = (*Server)(nil)

// New makes the server. It listens to nothing: an http.Server with timeouts does.
func New(c Config) (*Server, error) {
	if c.Authority == nil || c.Index == nil || c.Signin == nil {
		return nil, errors.New("server: authority, index and sign-in are required")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.Gateway == nil {
		c.Gateway = gateway.New(gateway.Config{Index: c.Index, TrustedProxies: c.TrustedProxies, Logger: c.Logger})
	}
	if _, err := url.Parse(c.PublicURL); err != nil {
		return nil, errors.New("server: the public URL is not a URL")
	}
	s := &Server{
		authority: c.Authority, index: c.Index, signin: c.Signin, store: c.Store,
		log: c.Logger, now: c.Now, version: c.Version, publicURL: strings.TrimSuffix(c.PublicURL, "/"),
		proxies: c.TrustedProxies, sourceMatters: len(c.TrustedProxies) > 0,
		logVerifications: c.LogVerifications, gateway: c.Gateway,
	}
	if c.Console == nil {
		c.Console = built.Files()
	}
	var err error
	if s.console, err = newConsole(c.Console, c.Version); err != nil {
		return nil, fmt.Errorf("server: reading the console: %w", err)
	}
	if len(c.Hosts) > 0 {
		s.hosts = map[string]bool{}
		for _, h := range c.Hosts {
			s.hosts[strings.ToLower(h)] = true
		}
	}
	if err := s.openOAuth(c); err != nil {
		return nil, err
	}
	s.metrics = newMetrics(c.Registry, c.Index)
	if c.Outbox != nil && c.Store != nil {
		c.Registry.MustRegister(newOutboxMetrics(s, c.Outbox))
	}
	s.mux = http.NewServeMux()
	s.plainRoutes(c.Registry)
	s.api = humago.New(s.mux, s.apiConfig())
	s.register()
	s.oauthRoutes()
	s.describeVerify()
	if s.document, err = json.Marshal(s.api.OpenAPI()); err != nil {
		return nil, fmt.Errorf("server: describing the API: %w", err)
	}
	s.manage = s.middleware(s.mux)
	return s, nil
}

// Routes lists what is served, for tests that walk it.
func (s *Server) Routes() []Route { return s.routes }

// ServeHTTP answers one request. Verification goes its own, short way.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.hosts != nil && !s.hostAllowed(r) {
		plainAnswer(http.StatusMisdirectedRequest, "unknown_host",
			"This address is answered under its own name only.", newRequestID()).write(w)
		return
	}
	switch r.URL.Path {
	case "/v1/verify":
		s.only(http.MethodPost, w, r, s.verifyOne)
	case "/v1/verify/batch":
		s.only(http.MethodPost, w, r, s.verifyBatch)
	case "/gateway/auth":
		s.only(http.MethodGet, w, r, s.gateway.ServeHTTP)
	case oauth.IntrospectPath:
		if s.oauth != nil {
			s.oauth.Introspect(w, r)
			return
		}
		s.manage.ServeHTTP(w, r)
	default:
		s.manage.ServeHTTP(w, r)
	}
}

// only calls h for one method, and answers others.
func (s *Server) only(method string, w http.ResponseWriter, r *http.Request, h http.HandlerFunc) {
	if r.Method == method {
		h(w, r)
		return
	}
	w.Header().Set("Allow", method)
	plainAnswer(http.StatusMethodNotAllowed, "method_not_allowed", "This address takes "+method+" only.", newRequestID()).write(w)
}

func (s *Server) hostAllowed(r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return s.hosts[host]
}
