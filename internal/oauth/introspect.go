package oauth

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// introspection is RFC 7662 §2.2, with members of our own for what verification says besides.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"` // what it may do now
	ClientID  string `json:"client_id,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	ExpiresAt int64  `json:"exp,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ID        string `json:"jti,omitempty"`

	CredentialID   string `json:"credential_id,omitempty"`
	Kind           string `json:"kind,omitempty"`
	TenantID       string `json:"tenant_id,omitempty"`
	OrganizationID string `json:"organization_id,omitempty"`
	PrincipalType  string `json:"principal_type,omitempty"`
}

// inactive is the whole answer about whatever is no good, or none of the caller's business.
var inactive = []byte(`{"active":false}` + "\n")

// Introspect answers POST IntrospectPath: the same decision as a verification, of a token or
// an API key, for one call. The caller needs claviger.credentials:verify; a tenant's sees that
// tenant's credentials only. The parameter source_ip, which is ours, says where the call came
// from: what is bound to networks is inactive without it.
func (e *Endpoints) Introspect(w http.ResponseWriter, r *http.Request) {
	body, ft := e.introspect(w, r)
	if ft != nil {
		if ft.status == http.StatusUnauthorized {
			w.Header()["Www-Authenticate"] = []string{bearerChallenge, basicChallenge}
		}
		ft.write(w)
		return
	}
	private(w, http.StatusOK, body)
}

// errPermission is RFC 6750's: who asks is known, and may not.
var errPermission = &fault{
	status: http.StatusForbidden, code: "insufficient_scope",
	description: "This needs a verifier key, or the permission " + string(access.CredentialsVerify) + ".",
}

func (e *Endpoints) introspect(w http.ResponseWriter, r *http.Request) ([]byte, *fault) {
	f, ft := readForm(w, r)
	if ft != nil {
		return nil, ft
	}
	l, ft := loginOf(r, f, true)
	if ft != nil {
		return nil, ft
	}
	who, ft := e.caller(r, l)
	if ft != nil {
		return nil, ft
	}
	if who.Kind != credential.VerifierKey && (who.Permissions == nil || !who.Permissions.Set.Allows(access.CredentialsVerify)) {
		return nil, errPermission
	}
	raw := f.get("token")
	if raw == "" {
		return nil, invalidRequest("The parameter token is missing.")
	}
	q := verify.Request{Credential: raw}
	if who.TenantID != tenancy.SystemTenantID {
		q.OnlyTenant = who.TenantID
	}
	if source := f.get("source_ip"); source != "" {
		addr, err := netip.ParseAddr(source)
		if err != nil || addr.Zone() != "" {
			return nil, invalidRequest("The parameter source_ip must be an IP address.")
		}
		q.SourceIP = addr.Unmap()
	}
	res, err := e.cfg.Index.Verify(&q)
	if err != nil {
		return nil, e.failed(r.Context(), e.cfg.RequestID(r), err)
	}
	if !res.Valid {
		return inactive, nil
	}
	body, err := json.Marshal(told(&res))
	if err != nil {
		return nil, e.failed(r.Context(), e.cfg.RequestID(r), err)
	}
	return append(body, '\n'), nil
}

// told is what is said of a good credential.
func told(res *verify.Result) introspection {
	out := introspection{
		Active: true, ClientID: res.CredentialID.String(), Subject: res.Principal.ID,
		CredentialID: res.CredentialID.String(), Kind: string(res.Kind), TenantID: string(res.TenantID),
		OrganizationID: string(res.OrganizationID), PrincipalType: string(res.Principal.Type),
	}
	if res.Permissions != nil {
		out.Scope = joined(res.Permissions.Set.Grants())
	}
	if !res.ExpiresAt.IsZero() {
		out.ExpiresAt = res.ExpiresAt.Unix()
	}
	switch {
	case res.Token != nil:
		c := res.Token
		out.TokenType, out.ExpiresAt, out.IssuedAt = "Bearer", c.ExpiresAt.Unix(), c.IssuedAt.Unix()
		out.Issuer, out.Audience, out.ID = c.Issuer, c.Audience, c.ID
		if c.ClientID != "" {
			out.ClientID = c.ClientID
		}
	case res.Form == verify.FormAssertion:
		out.TokenType = "Bearer"
	}
	return out
}

func joined(grants []access.Grant) string {
	var b strings.Builder
	for i, g := range grants {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(g))
	}
	return b.String()
}
