package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/gateway"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/signin"
	"github.com/claviger-io/claviger/internal/verify"
)

// sessionCookie is bound to this host and to TLS (or loopback) by its prefix.
const sessionCookie = "__Host-claviger"

// call is one management request: who asks, and from where.
type call struct {
	id      string // of the request
	from    signin.Origin
	caller  access.Caller
	session *signin.Session // nil when the caller came with a credential
	token   string          // of the session's cookie, as it is now
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		st := stateOf(ctx)
		return &call{id: st.id, from: st.from}
	}
	return c
}

// identify finds out who asks, before anything else of the request is read.
func (s *Server) identify(rt Route) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		st := stateOf(r.Context())
		c := &call{id: st.id, from: st.from, token: sessionToken(r)}
		if !rt.Public {
			if err := s.authenticate(r, w, c); err != nil {
				s.logCause(r.Context(), err, st.id)
				answerOf(err, st.id).write(w)
				return
			}
			st.tenant, st.credentialID, st.sessionID = string(c.caller.Tenant), c.caller.CredentialID, c.caller.SessionID
		}
		next(huma.WithValue(hc, callKey{}, c))
	}
}

// authenticate takes a credential that Claviger issued, or else the session's cookie.
func (s *Server) authenticate(r *http.Request, w http.ResponseWriter, c *call) error {
	if len(r.Header["Authorization"]) > 0 || len(r.Header["X-Api-Key"]) > 0 {
		return s.byCredential(r, c)
	}
	if c.token == "" {
		return problem.New(problem.Unauthenticated, "credential_required", "Sign in, or give a credential that Claviger issued.")
	}
	session, err := s.signin.Load(r.Context(), c.token)
	if err != nil {
		if problem.Is(err, problem.Unauthenticated) {
			setCookie(w, "")
		}
		return err
	}
	if !session.Token.IsZero() {
		c.token = session.Token.Reveal()
		setCookie(w, c.token)
	}
	c.session, c.caller = &session, session.Caller(c.from)
	return nil
}

func (s *Server) byCredential(r *http.Request, c *call) error {
	p, ok := gateway.FromHeader(r.Header)
	if !ok {
		return errCredential(r.Header)
	}
	res, err := s.index.Verify(&verify.Request{Credential: p.Credential, ID: p.ID, Secret: p.Secret, SourceIP: c.from.Source, UserAgent: c.from.UserAgent})
	if err != nil {
		return err
	}
	if err := notValid(&res); err != nil {
		return err
	}
	if res.Kind == credential.VerifierKey {
		return problem.New(problem.Denied, "verifier_key", "A verifier key may verify credentials and do nothing else.")
	}
	if err := notForSessions(&res); err != nil {
		return err
	}
	c.caller = access.Caller{
		Tenant: res.TenantID, Principal: res.Principal, Organization: res.OrganizationID,
		Via: access.ViaCredential, CredentialID: res.CredentialID.String(), CredentialExpires: res.ExpiresAt,
		Source: c.from.Source, UserAgent: c.from.UserAgent, RequestID: c.id,
	}
	if res.Token != nil {
		ceiling := res.Permissions.Set
		c.caller.Ceiling = &ceiling
	}
	return nil
}

// notForSessions keeps session tokens of desktop clients out of everything of ours: they
// are for the vendor's APIs (NV2).
func notForSessions(res *verify.Result) error {
	if res.Form != verify.FormSessionToken {
		return nil
	}
	return problem.New(problem.Denied, "session_token", "A session token of a desktop client is not accepted here.")
}

// sessionToken is the cookie's value; empty when there is none, or more than one.
func sessionToken(r *http.Request) string {
	cookies := r.CookiesNamed(sessionCookie)
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}

// setCookie gives the browser the session's token, or takes it away.
func setCookie(w http.ResponseWriter, token string) {
	w.Header().Set("Set-Cookie", cookieFor(token))
}

func cookieFor(token string) string {
	c := http.Cookie{ //nolint:gosec // it has Secure, HttpOnly and SameSite; Lax lets links from mails work
		Name: sessionCookie, Value: token, Path: "/",
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if token == "" {
		c.MaxAge = -1
	}
	return c.String()
}

// person returns the session that the caller is in; credentials have none.
func (c *call) person() (signin.Session, error) {
	if c.session == nil {
		return signin.Session{}, problem.New(problem.Denied, "session_required", "Only a person who signed in with a password may do this, not a credential.")
	}
	return *c.session, nil
}
