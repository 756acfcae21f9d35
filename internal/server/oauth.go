package server

import (
	"fmt"
	"net/http"
	"net/netip"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/oauth"
	"github.com/claviger-io/claviger/internal/verify"
)

// openOAuth makes the OAuth endpoints. Without a ring of keys there are none.
func (s *Server) openOAuth(c Config) error {
	if c.Tokens == nil {
		return nil
	}
	endpoints, err := oauth.New(oauth.Config{
		Index: s.index, Authority: s.authority, Tokens: c.Tokens, Format: c.Format, Now: s.now, Logger: s.log,
		Source: s.callSource, RequestID: requestIDOf,
		Seen: func(r *http.Request, res *verify.Result) {
			if st, ok := r.Context().Value(stateKey{}).(*requestState); ok {
				st.tenant, st.credentialID = string(res.TenantID), res.CredentialID.String()
			}
		},
	})
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	s.oauth = endpoints
	return nil
}

// oauthRoutes are not in the OpenAPI document: RFC 8414 describes them. Introspection is
// answered before the router, as verification is.
func (s *Server) oauthRoutes() {
	if s.oauth == nil {
		return
	}
	for _, rt := range []struct {
		Route
		handle http.HandlerFunc
	}{
		{Route{Method: http.MethodPost, Pattern: oauth.TokenPath, Operation: "Token", Public: true}, s.oauth.Token},
		{Route{Method: http.MethodPost, Pattern: oauth.RevokePath, Operation: "RevokeToken", Public: true}, s.oauth.Revoke},
		{Route{Method: http.MethodPost, Pattern: oauth.IntrospectPath, Operation: "Introspect", Permission: access.CredentialsVerify}, nil},
		{Route{Method: http.MethodGet, Pattern: oauth.MetadataPath, Operation: "AuthorizationServer", Public: true}, s.oauth.Metadata},
		{Route{Method: http.MethodGet, Pattern: oauth.JWKSPath, Operation: "JWKS", Public: true}, s.oauth.JWKS},
	} {
		s.routes = append(s.routes, rt.Route)
		switch {
		case rt.handle == nil:
		case rt.Method == http.MethodGet:
			s.mux.HandleFunc("GET "+rt.Pattern, rt.handle)
		default:
			// Other methods get an answer of OAuth's own shape.
			s.mux.HandleFunc(rt.Pattern, rt.handle)
		}
	}
}

// callSource is where a request came from, whichever way it was answered.
func (s *Server) callSource(r *http.Request) netip.Addr {
	if st, ok := r.Context().Value(stateKey{}).(*requestState); ok {
		return st.from.Source
	}
	if s.sourceMatters {
		return s.source(r)
	}
	return remote(r)
}

func requestIDOf(r *http.Request) string { return stateOf(r.Context()).id }
