package e2e

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
)

// demo is demo.json.
type demo struct {
	URL            string     `json:"url"`
	VerifierKey    api.Secret `json:"verifier_key"`
	SystemTenantID string     `json:"system_tenant_id"`
	SystemAdmin    person     `json:"system_admin"`
	Tenants        []struct {
		ID, Slug, Name, Model string
		AccountID             int64 `json:"account_id"`
		Organizations         []struct {
			ID, Name string
			ParentID *string `json:"parent_id"`
		}
		Users       []person
		Credentials []demoCredential
	}
	dir string
}

type person struct {
	ID, Username, Role string
	Tenant             string
	Password           api.Secret
	OrganizationID     string `json:"organization_id"`
}

type demoCredential struct {
	ID, Kind, Name, State, Owner string
	OrganizationID               string     `json:"organization_id"`
	Permissions                  []string   `json:"permissions"`
	ExpiresAt                    *string    `json:"expires_at"`
	Key                          api.Secret `json:"key"`
	Secret                       api.Secret `json:"secret"`
	UserID                       string     `json:"user_id"`
	ClientID                     string     `json:"client_id"`
	ClientSecret                 api.Secret `json:"client_secret"`
	Scopes                       []string   `json:"scopes"`
	KeyID                        string     `json:"key_id"`
	PrivateKeyFile               string     `json:"private_key_file"`
}

// mustDemo starts a demo in a folder of its own.
func mustDemo(t *testing.T) *demo {
	t.Helper()
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	p := mustSpawn(t, "claviger demo", clavigerBinary, "demo", "--addr", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--ready-file", ready)
	at := p.mustBeReady(t, ready)
	data, err := os.ReadFile(filepath.Join(dir, "data", "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{dir: filepath.Join(dir, "data")}
	if err := json.Unmarshal(data, d); err != nil {
		t.Fatal(err)
	}
	if d.URL != at {
		t.Errorf("demo.json says %s, the ready file %s", d.URL, at)
	}
	return d
}

func (d *demo) verify(t *testing.T, body map[string]any) api.VerifyResponse {
	t.Helper()
	a := mustSend(t, "POST", d.URL+"/v1/verify", body, bearer(d.VerifierKey.Reveal()))
	if a.Status != 200 {
		t.Fatalf("verify: status %d: %s", a.Status, a.Body)
	}
	return mustDecode[api.VerifyResponse](t, a)
}

// Every credential of the demo is what demo.json says, in every state.
func TestDemoCredentialsAreWhatTheySay(t *testing.T) {
	d := mustDemo(t)
	codes := map[string]api.VerifyCode{
		"active": api.VerifyValid, "suspended": api.VerifySuspended, "revoked": api.VerifyRevoked, "deleted": api.VerifyRevoked,
		"expired": api.VerifyExpired, "not_yet_valid": api.VerifyNotYetValid,
	}
	var models []string
	states := map[string][]string{}
	for _, tenant := range d.Tenants {
		models = append(models, tenant.Model)
		if len(tenant.Organizations) < 4 || len(tenant.Users) < 3 || tenant.AccountID == 0 {
			t.Errorf("%s has %d organizations and %d users, account %d", tenant.Slug, len(tenant.Organizations), len(tenant.Users), tenant.AccountID)
		}
		for _, c := range tenant.Credentials {
			states[c.Kind] = append(states[c.Kind], c.State)
			switch c.Kind {
			case "client_credential":
				if c.ClientID == "" || c.ClientSecret == "" || len(c.Scopes) == 0 {
					t.Errorf("%s lacks its values", c.Name)
				}
				if got := d.verify(t, map[string]any{"credential": c.ClientSecret.Reveal()}); got.Code != api.VerifyNotFound {
					t.Errorf("%s verifies as %s", c.Name, got.Code)
				}
				continue
			case "service_account_key":
				pem, err := os.ReadFile(c.PrivateKeyFile)
				if err != nil || !filepath.IsAbs(c.PrivateKeyFile) || c.KeyID == "" || !strings.HasPrefix(string(pem), "-----BEGIN PRIVATE KEY-----") {
					t.Errorf("%s: %s, %v", c.Name, c.PrivateKeyFile, err)
				}
				continue
			case "app":
				if c.Secret == "" {
					t.Errorf("%s has no secret", c.Name)
				}
			case "user_key":
				if c.UserID != c.Owner {
					t.Errorf("%s is %s's and %s's", c.Name, c.UserID, c.Owner)
				}
			}
			got := d.verify(t, map[string]any{"credential": c.Key.Reveal(), "source_ip": "192.0.2.7"})
			if got.Code != codes[c.State] || got.CredentialID != c.ID || got.Kind != c.Kind || got.TenantID != tenant.ID || got.Principal.ID != c.Owner || got.OrganizationID != c.OrganizationID {
				t.Errorf("%s is %s: %+v", c.Name, c.State, got)
			}
			if got.Valid {
				if diff := cmp.Diff(c.Permissions, got.Permissions); diff != "" {
					t.Errorf("%s (-demo.json +verified):\n%s", c.Name, diff)
				}
			}
		}
	}
	if !slices.Equal(models, []string{"PV", "NV", "VX", "EE", "VC"}) {
		t.Errorf("the models are %v", models)
	}
	for kind, want := range map[string][]string{
		"user_key": {"active", "suspended", "revoked", "deleted", "expired", "not_yet_valid"}, "organization_key": {"active", "suspended", "revoked", "deleted", "expired", "not_yet_valid"},
		"service_account_key": {"active", "suspended", "revoked", "deleted", "expired"}, "account_key": {"active", "suspended", "revoked", "deleted", "expired"},
		"app": {"active", "suspended", "deleted", "expired"}, "client_credential": {"active", "suspended", "revoked", "deleted", "expired"},
	} {
		for _, state := range want {
			if !slices.Contains(states[kind], state) {
				t.Errorf("no %s is %s", kind, state)
			}
		}
	}
}

// Every key that verifies passes both proxies, the deprecated query parameters among them
// where the tenant has them on (VX6), and the API learns who it is.
func TestProxiesWithEveryKindOfKey(t *testing.T) {
	d := mustDemo(t)
	addr := strings.TrimPrefix(d.URL, "http://")
	for name, gate := range map[string]string{"nginx": mustStartGateway(t, addr).URL, "Caddy": mustStartCaddy(t, addr).URL} {
		t.Run(name, func(t *testing.T) {
			for _, tenant := range d.Tenants {
				for _, c := range tenant.Credentials {
					if c.Key == "" || c.Name == "Night desk" { // that one is for another network
						continue
					}
					want := 401
					if c.State == "active" {
						want = 200
					}
					a := mustSend(t, "GET", gate+"/calls", nil, apiKey(c.Key.Reveal()))
					if a.Status != want {
						t.Errorf("%s (%s): status %d, want %d", c.Name, c.State, a.Status, want)
					}
					if a.Status == 200 {
						if got := mustDecode[seen](t, a); got.Identity["Claviger-Principal"] != c.Owner || got.Identity["Claviger-Tenant"] != tenant.ID || len(got.Unexpected) > 0 {
							t.Errorf("%s: the API saw %+v", c.Name, got)
						}
					}
					query := url.Values{"account_id": {strconv.FormatInt(tenant.AccountID, 10)}, "api_key": {c.Key.Reveal()}}
					if c.Kind != "account_key" {
						want = 401
					}
					a = mustSend(t, "GET", gate+"/calls?"+query.Encode()+"&page=2", nil)
					if a.Status != want {
						t.Errorf("VX6: %s (%s) in the query: status %d, want %d", c.Name, c.State, a.Status, want)
					}
					if a.Status == 200 {
						if got := mustDecode[seen](t, a); got.Query != "page=2" || got.Identity["Claviger-Principal-Type"] != "tenant" {
							t.Errorf("VX6: the API saw %+v", got)
						}
					}
				}
			}
		})
	}
}
