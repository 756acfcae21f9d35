package oauth

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

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
			w.Header()["Www-Authenticate"] = []string{bearerChallenge}
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
	return appendActive(make([]byte, 0, 1024), &res), nil
}

// appendActive appends what is said of a good credential: RFC 7662 §2.2, with members of our
// own for what verification says besides. scope is what it may do now.
func appendActive(b []byte, res *verify.Result) []byte {
	b = append(b, `{"active":true`...)
	if res.Permissions != nil && res.Permissions.Scope != "" {
		b = appendText(append(b, `,"scope":`...), res.Permissions.Scope)
	}
	id := res.CredentialID.String()
	b = append(b, `,"client_id":`...)
	if c := res.Token; c != nil && c.ClientID != "" {
		b = appendText(b, c.ClientID)
	} else {
		b = appendText(b, id)
	}
	if res.Form != verify.FormKey {
		b = append(b, `,"token_type":"Bearer"`...)
	}
	b = appendToken(b, res)
	b = appendText(append(b, `,"sub":`...), res.Principal.ID)
	b = appendText(append(b, `,"credential_id":`...), id)
	b = appendText(append(b, `,"kind":`...), string(res.Kind))
	b = appendText(append(b, `,"tenant_id":`...), string(res.TenantID))
	if res.OrganizationID != "" {
		b = appendText(append(b, `,"organization_id":`...), string(res.OrganizationID))
	}
	b = appendText(append(b, `,"principal_type":`...), string(res.Principal.Type))
	return append(b, '}', '\n')
}

// appendToken appends when it ends, and what one of the installation's own tokens says.
func appendToken(b []byte, res *verify.Result) []byte {
	c := res.Token
	if c == nil {
		if !res.ExpiresAt.IsZero() {
			b = strconv.AppendInt(append(b, `,"exp":`...), res.ExpiresAt.Unix(), 10)
		}
		return b
	}
	b = strconv.AppendInt(append(b, `,"exp":`...), c.ExpiresAt.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"iat":`...), c.IssuedAt.Unix(), 10)
	b = appendText(append(b, `,"aud":`...), c.Audience)
	b = appendText(append(b, `,"iss":`...), c.Issuer)
	return appendText(append(b, `,"jti":`...), c.ID)
}

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			text, _ := json.Marshal(s) // a string always marshals
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
