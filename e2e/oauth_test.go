package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
)

// credential finds one of the demo's.
func (d *demo) credential(t *testing.T, slug, name string) (c demoCredential, account int64) {
	t.Helper()
	for _, tenant := range d.Tenants {
		for _, c := range tenant.Credentials {
			if tenant.Slug == slug && c.Name == name {
				return c, tenant.AccountID
			}
		}
	}
	t.Fatalf("the demo's tenant %s has no credential %q", slug, name)
	return c, 0
}

// VC6, EE7: Go's own OAuth client gets tokens in every way it knows, and they open an API
// behind a proxy.
func TestGoOAuthClient(t *testing.T) {
	d := mustDemo(t)
	client, _ := d.credential(t, "alder", "Claims wallboard")
	app, _ := d.credential(t, "cobalt", "Shop analytics")
	gate := mustStartGateway(t, strings.TrimPrefix(d.URL, "http://")).URL
	for name, style := range map[string]oauth2.AuthStyle{"header": oauth2.AuthStyleInHeader, "body": oauth2.AuthStyleInParams, "auto": oauth2.AuthStyleAutoDetect} {
		t.Run(name, func(t *testing.T) {
			for _, row := range []struct {
				config clientcredentials.Config
				scope  string
				kind   string
			}{
				{clientcredentials.Config{ClientID: client.ClientID, ClientSecret: client.ClientSecret.Reveal(), Scopes: []string{"recent_calls:read"}}, "recent_calls:read", "client_credential"},
				{clientcredentials.Config{ClientID: app.Key.Reveal(), ClientSecret: app.Secret.Reveal()}, "contact_center_analytics:read recent_calls:read", "app"},
			} {
				row.config.TokenURL, row.config.AuthStyle = d.URL+"/oauth2/token", style
				token, err := row.config.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if token.TokenType != "Bearer" || token.Extra("scope") != row.scope || time.Until(token.Expiry) < 14*time.Minute {
					t.Errorf("%s: the token is %+v", row.kind, token)
				}
				v := d.verify(t, map[string]any{"credential": token.AccessToken})
				if !v.Valid || v.Kind != row.kind || !slices.Equal(v.Permissions, strings.Fields(row.scope)) {
					t.Errorf("%s: %+v", row.kind, v)
				}
				res, err := row.config.Client(t.Context()).Get(gate + "/calls")
				if err != nil || res.StatusCode != http.StatusOK {
					t.Fatalf("%s: at the API: %v, %v", row.kind, res, err)
				}
				_ = res.Body.Close()
			}
			config := clientcredentials.Config{ClientID: client.ClientID, ClientSecret: "wrong", TokenURL: d.URL + "/oauth2/token", AuthStyle: style}
			var refused *oauth2.RetrieveError
			if _, err := config.Token(t.Context()); !errors.As(err, &refused) || refused.ErrorCode != "invalid_client" {
				t.Errorf("a wrong secret: %v", err)
			}
		})
	}
}

// VC6, EE7, VX4, VX5: Node's OAuth client gets, introspects and revokes tokens, and its JOSE
// library checks them offline and signs a service account's.
func TestNodeOAuthClients(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		_, err := exec.LookPath(program)
		mustHave(t, err == nil, program)
	}
	dir := mustInstallNode(t)
	d := mustDemo(t)
	client, _ := d.credential(t, "alder", "Claims wallboard")
	app, _ := d.credential(t, "cobalt", "Shop analytics")
	account, number := d.credential(t, "pebble", "Production signing key")
	key, err := os.ReadFile(account.PrivateKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	given, err := json.Marshal(map[string]any{
		"issuer":   d.URL,
		"client":   map[string]any{"id": client.ClientID, "secret": client.ClientSecret.Reveal(), "scope": "recent_calls:read"},
		"app":      map[string]any{"key": app.Key.Reveal(), "secret": app.Secret.Reveal()},
		"verifier": map[string]any{"id": idOf(d.VerifierKey), "key": d.VerifierKey.Reveal()},
		"account":  map[string]any{"account_id": number, "key_id": account.KeyID, "private_key": string(key)},
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(dir, "clients.mjs"))
	cmd.Stdin, cmd.Env = bytes.NewReader(given), append(os.Environ(), "no_proxy=*")
	var errOut strings.Builder
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the clients failed: %v\n%s", err, errOut.String())
	}
	var found struct {
		Basic, Post struct {
			TokenType string `json:"token_type"`
			ExpiresIn int    `json:"expires_in"`
			Scope     string
			Token     string
		}
		App          map[string]any
		Claims       map[string]any
		Header       map[string]any
		Changed      string
		Introspected map[string]any
		Revoked      map[string]any
		Assertion    string

		PostRefused   string         `json:"post without scope"`
		BasicRefused  string         `json:"basic without scope"`
		BasicWrong    string         `json:"basic with another secret"`
		PostWrong     string         `json:"post with another secret"`
		OtherAudience string         `json:"another audience"`
		Key           map[string]any `json:"introspected key"`
		NotRevoked    bool           `json:"not revoked"`
		RevokedAgain  string         `json:"revoked again"`
		OfAssertion   map[string]any `json:"assertion introspected"`
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, got := range map[string]any{"Basic": found.Basic, "body": found.Post} {
		text, err := json.Marshal(got)
		if err != nil || !strings.Contains(strings.ToLower(string(text)), `"token_type":"bearer","expires_in":900,"scope":"recent_calls:read"`) {
			t.Errorf("VC6: %s: %s, %v", name, text, err)
		}
	}
	const challenged = "OAUTH_WWW_AUTHENTICATE_CHALLENGE" // what the library makes of a 401
	if found.BasicRefused != "invalid_scope" || found.PostRefused != "invalid_scope" || found.BasicWrong != challenged || found.PostWrong != challenged {
		t.Errorf("VC6: the refusals are %+v", found)
	}
	token, _ := found.App["access_token"].(string)
	if v := d.verify(t, map[string]any{"credential": token}); !v.Valid || v.CredentialID != app.ID {
		t.Errorf("EE7: the app's token is %+v", v)
	}
	claims := map[string]any{
		"iss": d.URL, "aud": d.URL, "sub": app.Owner, "client_id": app.ID, "scope": "contact_center_analytics:read recent_calls:read",
	}
	for name, want := range claims {
		if found.Claims[name] != want || found.Introspected[name] != want {
			t.Errorf("%s is %v offline and %v introspected, want %v", name, found.Claims[name], found.Introspected[name], want)
		}
	}
	if found.Header["alg"] != "ES256" || found.Header["typ"] != "at+jwt" || found.Changed != "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" || found.OtherAudience != "ERR_JWT_CLAIM_VALIDATION_FAILED" {
		t.Errorf("offline: %v, %s, %s", found.Header, found.Changed, found.OtherAudience)
	}
	if found.Introspected["active"] != true || found.Key["active"] != true || found.Key["client_id"] != app.ID {
		t.Errorf("introspected: %v, %v", found.Introspected, found.Key)
	}
	if diff := cmp.Diff(map[string]any{"active": false}, found.Revoked); diff != "" || !found.NotRevoked || found.RevokedAgain != "none" {
		t.Errorf("revoked: %s, the other is %v, again %s", diff, found.NotRevoked, found.RevokedAgain)
	}
	if v := d.verify(t, map[string]any{"credential": found.Assertion}); v.Code != api.VerifyValid || v.CredentialID != account.ID {
		t.Errorf("VX4: the service account's own token is %+v", v)
	}
	if a := mustSend(t, "GET", d.URL+"/gateway/auth", nil, bearer(found.Assertion)); a.Status != 204 {
		t.Errorf("VX5: at the gateway: status %d", a.Status)
	}
	if found.OfAssertion["active"] != true || found.OfAssertion["sub"] != account.Owner {
		t.Errorf("VX5: introspected: %v", found.OfAssertion)
	}
}

// idOf is the ID of the credential whose key it is.
func idOf(key api.Secret) string { return "crd_" + strings.Split(key.Reveal(), "_")[2] }

// mustInstallNode installs the clients of e2e/oauth, exactly as locked, in a folder that goes
// with the test.
func mustInstallNode(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "clients.mjs"} {
		data, err := os.ReadFile(filepath.Join("oauth", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--prefer-offline", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}
