package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
)

// VX5, EE7, NV2: a small voice API, behind nginx and behind the Go middleware, with each kind
// of token. None of the two holds a line about tokens.
func TestVoiceAPI(t *testing.T) {
	d := mustDemo(t)
	addr := strings.TrimPrefix(d.URL, "http://")
	app, _ := d.credential(t, "cobalt", "Recording vault")
	key, _ := d.credential(t, "meadowbrook", "Dictation desktops")
	account, _ := d.credential(t, "pebble", "Production signing key")
	robot := d.assertion(t, account)
	vault := d.appToken(t, app)
	raj := d.automatic(t, key, `NORTH\RAJ.PATEL`)
	for name, gate := range map[string]string{"nginx": mustStartGateway(t, addr).URL, "middleware": mustStartProtectedAPI(t, d)} {
		t.Run(name, func(t *testing.T) {
			a := mustSend(t, "POST", gate+"/scenarios", map[string]any{"name": "Night campaign"}, bearer(robot))
			started := mustDecode[struct {
				ID        string
				StartedBy struct{ Tenant, Type, ID, Credential string } `json:"started_by"`
			}](t, a)
			if a.Status != http.StatusCreated || started.StartedBy.Type != "service_account" || started.StartedBy.ID != account.Owner || started.StartedBy.Credential != account.ID {
				t.Errorf("VX5: status %d: %s", a.Status, a.Body)
			}
			for what, row := range map[string]struct {
				method, path, token string
				status              int
				has                 string
			}{
				"VX5: its recordings":                 {"GET", "/recordings", robot, 200, started.ID},
				"EE7: the app's recordings":           {"GET", "/recordings", vault, 200, `"items":[]`},
				"EE7: what the app may not":           {"POST", "/scenarios", vault, 403, ""},
				"NV2: any call by the person":         {"GET", "/calls", raj.SessionToken.Reveal(), 200, "/calls"},
				"NV2: beyond the client":              {"GET", "/recordings", raj.SessionToken.Reveal(), 403, ""},
				"NV2: beyond the client, changed":     {"POST", "/scenarios", raj.SessionToken.Reveal(), 403, ""},
				"a token that somebody changed":       {"GET", "/recordings", vault[:len(vault)-3] + "AAA", 401, ""},
				"a service account's that is changed": {"GET", "/recordings", robot[:len(robot)-3] + "AAA", 401, ""},
			} {
				a := mustSend(t, row.method, gate+row.path, map[string]any{"name": "x"}, bearer(row.token))
				if a.Status != row.status || !strings.Contains(a.Body, row.has) {
					t.Errorf("%s: status %d, want %d: %s", what, a.Status, row.status, a.Body)
				}
			}
		})
	}
}

// assertion is a JWT that a service account signs for itself, with the program.
func (d *demo) assertion(t *testing.T, account demoCredential) string {
	t.Helper()
	pem, err := os.ReadFile(account.PrivateKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	var number int64
	for _, tenant := range d.Tenants {
		if tenant.Slug == "pebble" {
			number = tenant.AccountID
		}
	}
	data, err := json.Marshal(map[string]any{"account_id": number, "key_id": account.KeyID, "private_key": string(pem)})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), clavigerBinary, "service-account", "jwt", file).Output()
	if err != nil {
		t.Fatalf("service-account jwt: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// appToken exchanges an app's key and secret.
func (d *demo) appToken(t *testing.T, app demoCredential) string {
	t.Helper()
	res, err := testClient.PostForm(d.URL+"/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {app.Key.Reveal()}, "client_secret": {app.Secret.Reveal()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var token api.AccessToken
	if err := json.NewDecoder(res.Body).Decode(&token); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("no token: status %d, %v", res.StatusCode, err)
	}
	return token.AccessToken.Reveal()
}

// automatic signs somebody in to the demo's desktop client.
func (d *demo) automatic(t *testing.T, key demoCredential, username string) api.AutomaticSession {
	t.Helper()
	a := mustSend(t, "POST", d.URL+"/v1/sign-in/automatic", map[string]any{"key": key.Key.Reveal(), "username": username, "client": "desktop"})
	if a.Status != http.StatusOK {
		t.Fatalf("NV2: status %d: %s", a.Status, a.Body)
	}
	return mustDecode[api.AutomaticSession](t, a)
}

// mustStartProtectedAPI starts the sample API with the middleware in it.
func mustStartProtectedAPI(t *testing.T, d *demo) string {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	p := mustSpawnWith(t, []string{"CLAVIGER_VERIFIER_KEY=" + d.VerifierKey.Reveal()}, "sample-api", sampleAPIBinary,
		"--addr", "127.0.0.1:0", "--ready-file", ready, "--claviger", d.URL)
	return p.mustBeReady(t, ready)
}
