package oauth

import (
	"net/http"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/verify"
)

// Revoke answers POST RevokePath: the credential that got a token ends it. What is no token,
// or over, or another tenant's, is answered as if it had been revoked (RFC 7009 §2.2).
func (e *Endpoints) Revoke(w http.ResponseWriter, r *http.Request) {
	if ft := e.revoke(w, r); ft != nil {
		ft.write(w)
		return
	}
	h := w.Header()
	h["Cache-Control"], h["Pragma"], h["X-Content-Type-Options"] = noStore, noCache, noSniff
	w.WriteHeader(http.StatusOK)
}

func (e *Endpoints) revoke(w http.ResponseWriter, r *http.Request) *fault {
	f, ft := readForm(w, r)
	if ft != nil {
		return ft
	}
	l, ft := loginOf(r, f, true)
	if ft != nil {
		return ft
	}
	who, ft := e.caller(r, l)
	if ft != nil {
		return ft
	}
	raw := f.get("token")
	if raw == "" {
		return invalidRequest("The parameter token is missing.")
	}
	if _, ok := e.cfg.Format.Parse(raw); ok {
		return bad("unsupported_token_type", "Keys and secrets are not revoked here. Use the console or the management API.")
	}
	claims, ok := e.cfg.Tokens.Read(raw, e.cfg.Now())
	switch {
	case !ok || claims.Tenant != who.TenantID:
		return nil
	case claims.Credential != who.CredentialID:
		return errNotYours
	}
	_, err := e.cfg.Authority.RevokeToken(r.Context(), e.callerOf(r, &who), authority.RevokeTokenInput{
		ID: claims.ID, Credential: claims.Credential, ExpiresAt: claims.ExpiresAt,
	})
	if err == nil || problem.Is(err, problem.NotFound) {
		return nil
	}
	return e.failed(r.Context(), e.cfg.RequestID(r), err)
}

// callerOf is a credential as the authority knows callers.
func (e *Endpoints) callerOf(r *http.Request, res *verify.Result) access.Caller {
	return access.Caller{
		Tenant: res.TenantID, Principal: res.Principal, Organization: res.OrganizationID, Via: access.ViaCredential,
		CredentialID: res.CredentialID.String(), CredentialExpires: res.ExpiresAt,
		Source: e.cfg.Source(r), UserAgent: r.UserAgent(), RequestID: e.cfg.RequestID(r),
	}
}
