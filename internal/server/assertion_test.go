package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/token/tokentest"
)

// serviceAccount is a service account of tenant a that signs for itself.
func (w *world) serviceAccount(roles ...string) (*tokentest.Account, api.ServiceAccountKey) {
	w.Helper()
	olga := w.person(access.RoleSuperAdmin, "root")
	ids := []string{}
	for _, r := range roles {
		ids = append(ids, string(w.roles[r]))
	}
	made := into[api.ServiceAccount](w, olga.must(http.StatusCreated, http.MethodPost, "/v1/service-accounts", map[string]any{"roles": ids}))
	key := into[api.IssuedServiceAccountKey](w, olga.must(http.StatusCreated, http.MethodPost, "/v1/service-accounts/"+made.ID+"/keys",
		map[string]any{"public_key": tokentest.PublicPEM(tokentest.Key())}))
	return &tokentest.Account{Key: tokentest.Key(), KeyID: key.KeyID, Issuer: w.a.AccountID}, key.ServiceAccountKey
}

// VX5: the JWT goes as it is with every request, to all faces; no exchange is needed.
func TestVX5AssertionEverywhere(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		a, key := w.serviceAccount(access.RoleCompanyAdmin)
		jwt := a.Good(w.clock.now())
		for _, body := range []map[string]any{{"credential": jwt}, {"authorization": "Bearer " + jwt}, {"authorization": "bearer " + jwt, "permissions": "call_recordings:read"}} {
			got := w.verify(body)
			if !got.Valid || got.CredentialID != key.ID || got.Kind != "service_account_key" || got.Principal.Type != "service_account" {
				t.Errorf("%+v", got)
			}
		}
		r := w.bearer(jwt).must(http.StatusNoContent, http.MethodGet, "/gateway/auth?permissions=call_recordings:read", nil)
		if got := r.header.Get("Claviger-Credential"); got != key.ID {
			t.Errorf("the gateway says %q", got)
		}
		w.bearer(jwt).must(http.StatusOK, http.MethodGet, "/v1/me", nil)
		w.bearer(jwt).must(http.StatusOK, http.MethodGet, "/v1/service-accounts", nil)
		w.bearer(jwt).must(http.StatusForbidden, http.MethodGet, "/v1/client-credentials", nil)

		// At once, though the signature is remembered.
		w.person(access.RoleSuperAdmin, "root").must(http.StatusOK, http.MethodPost, "/v1/service-account-keys/"+key.ID+"/revoke", nil)
		if code := w.code(jwt); code != api.VerifyRevoked {
			t.Errorf("revoked: %s", code)
		}
		w.bearer(jwt).must(http.StatusUnauthorized, http.MethodGet, "/gateway/auth", nil)
		w.bearer(jwt).must(http.StatusUnauthorized, http.MethodGet, "/v1/me", nil)
	})
}

// VX4: three hundred JWTs that are wrong in one thing each get one and the same answer from
// every face.
func TestVX4HostileAssertions(t *testing.T) {
	w := newWorld(t, sqlite(t))
	a, _ := w.serviceAccount(access.RoleCompanyAdmin)
	if code := w.code(a.Good(w.clock.now())); code != api.VerifyValid {
		t.Fatalf("a good one: %s", code)
	}
	cases := a.Hostile(w.clock.now())
	if len(cases) < 150 {
		t.Fatalf("%d cases", len(cases))
	}
	strip := func(r reply) string { // what differs between any two answers
		body := string(r.body)
		if i := strings.Index(body, `"request_id"`); i >= 0 {
			body = body[:i]
		}
		if i := strings.Index(body, `,"revision"`); i >= 0 {
			body = body[:i]
		}
		return body + r.header.Get("WWW-Authenticate") + r.header.Get("Claviger-Code")
	}
	verifier := w.bearer(w.verifier)
	faces := map[string]struct {
		status int
		ask    func(jwt string) reply
	}{
		"verify": {200, func(jwt string) reply {
			return verifier.do(http.MethodPost, "/v1/verify", map[string]any{"credential": jwt})
		}},
		"gateway": {401, func(jwt string) reply { return w.bearer(jwt).do(http.MethodGet, "/gateway/auth", nil) }},
		"me":      {401, func(jwt string) reply { return w.bearer(jwt).do(http.MethodGet, "/v1/me", nil) }},
		"verifier": {401, func(jwt string) reply {
			return w.bearer(jwt).do(http.MethodPost, "/v1/verify", map[string]any{"credential": "x"})
		}},
	}
	for name, f := range faces {
		want := strip(f.ask("eyJhbGciOiJub25lIn0.e30.x"))
		for _, c := range cases {
			if name != "verify" && !sendable(c.JWT) {
				continue
			}
			if r := f.ask(c.JWT); r.status != f.status || strip(r) != want {
				t.Errorf("%s, %s: status %d, %s; want %d, %s", name, c.Name, r.status, strip(r), f.status, want)
			}
		}
	}
	if log := w.log.String(); !strings.Contains(log, "a token was refused") || strings.Contains(log, a.Good(time.Unix(0, 0))[:20]) {
		t.Error("the log says nothing of why, or holds a token")
	}
}

// sendable reports whether a client can send a text in a header, and the header's own rules
// (empty, joined by commas, too long) don't come first.
func sendable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == ',' {
			return false
		}
	}
	return s != "" && len(s) < 16<<10
}
