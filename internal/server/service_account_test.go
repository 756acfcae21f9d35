package server_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/server"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/verify"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// VX1: any number of roles, an optional description, a key as the JSON file; roles can be
// changed later. VX3: the private key is never stored; only the public key is.
func TestVX1VX3ServiceAccount(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		olga := w.person(access.RoleSuperAdmin, "root")
		made := into[api.ServiceAccount](t, olga.must(http.StatusCreated, http.MethodPost, "/v1/service-accounts", map[string]any{
			"description": "Scenario runner", "roles": []string{string(w.roles[access.RoleAnalyst]), string(w.roles[access.RoleAgent])},
		}))
		if len(made.Roles) != 2 || made.OrganizationID != string(w.a.RootOrg) || !strings.Contains(made.AccountEmail, "@") || made.Description != "Scenario runner" {
			t.Errorf("made %+v", made)
		}
		path := "/v1/service-accounts/" + made.ID
		r := olga.must(http.StatusCreated, http.MethodPost, path+"/keys", nil)
		key := into[api.IssuedServiceAccountKey](t, r)
		var whole struct {
			KeyFile map[string]any `json:"key_file"`
		}
		if err := json.Unmarshal(r.body, &whole); err != nil || len(whole.KeyFile) != 4 {
			t.Fatalf("the file has %d fields: %v", len(whole.KeyFile), err)
		}
		if _, number := whole.KeyFile["account_id"].(float64); !number || key.KeyFile.AccountID != w.a.AccountID || key.KeyFile.AccountEmail != made.AccountEmail ||
			key.KeyFile.KeyID != key.KeyID || !uuid.MatchString(key.KeyID) {
			t.Errorf("the file is for %v, account %v, key %s", whole.KeyFile["account_email"], whole.KeyFile["account_id"], key.KeyID)
		}
		if now := into[api.ServiceAccount](t, olga.must(http.StatusOK, http.MethodGet, path, nil)); made.Keys != 0 || now.Keys != 1 || now.LastUsedAt != nil {
			t.Errorf("it has %d keys, then %d, used %v", made.Keys, now.Keys, now.LastUsedAt)
		}
		block, rest := pem.Decode([]byte(key.KeyFile.PrivateKey.Reveal()))
		if block == nil || len(rest) != 0 {
			t.Fatal("the private key is no PEM")
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		private, ok := parsed.(*rsa.PrivateKey)
		if err != nil || !ok || private.N.BitLen() < 2048 {
			t.Fatalf("the private key: %v", err)
		}
		id, err := credential.ParseID(key.ID)
		if err != nil {
			t.Fatal(err)
		}
		var material []credential.Material
		err = w.node.Store().Read(t.Context(), w.a.ID, func(tx *store.Tx) (err error) { material, err = tx.Material(id); return err })
		if err != nil || len(material) != 1 || len(material[0].Sealed) != 0 {
			t.Fatalf("VX3: %d pieces, %v", len(material), err)
		}
		public, err := x509.ParsePKIXPublicKey(material[0].PublicKey)
		if err != nil || !private.PublicKey.Equal(public) {
			t.Errorf("VX3: another public key is kept: %v", err)
		}
		if log := w.log.String(); strings.Contains(log, "PRIVATE KEY") {
			t.Error("VX3: the log holds a private key")
		}

		// A second key for rotation; keys are revoked singly.
		own := publicKey()
		second := into[api.IssuedServiceAccountKey](t, olga.must(http.StatusCreated, http.MethodPost, path+"/keys", map[string]any{"name": "Own pair", "public_key": own}))
		if second.KeyFile != nil || second.PrivateKeyAvailable || second.Name != "Own pair" {
			t.Errorf("an uploaded key: %+v", second)
		}
		olga.must(http.StatusOK, http.MethodPost, "/v1/service-account-keys/"+key.ID+"/revoke", nil)
		keys := into[api.List[api.ServiceAccountKey]](t, olga.must(http.StatusOK, http.MethodGet, path+"/keys", nil))
		states := map[string]string{}
		for _, k := range keys.Items {
			states[k.ID] = k.State
		}
		if len(states) != 2 || states[key.ID] != "revoked" || states[second.ID] != "active" {
			t.Errorf("the keys are %v", states)
		}
		for name, bad := range map[string]string{"no PEM": "nonsense", "a private key": key.KeyFile.PrivateKey.Reveal(), "used already": own} {
			r := olga.do(http.MethodPost, path+"/keys", map[string]any{"public_key": bad})
			if r.status < 400 || r.status >= 500 || strings.Contains(string(r.body), bad) {
				t.Errorf("%s: %d: %s", name, r.status, r.body)
			}
		}
		changed := into[api.ServiceAccount](t, olga.must(http.StatusOK, http.MethodPatch, path, map[string]any{"roles": []string{string(w.roles[access.RoleAgent])}}))
		if len(changed.Roles) != 1 || changed.Roles[0].RoleID != string(w.roles[access.RoleAgent]) {
			t.Errorf("VX1: changed to %+v", changed.Roles)
		}
	})
}

// VX2: without a role a service account may call the basic methods only. VX7: roles decide;
// one may include others; nobody grants a role with more than they hold.
func TestVX2VX7Roles(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		olga, ben := w.person(access.RoleSuperAdmin, "root"), w.person(access.RoleCompanyAdmin, "root")
		made := into[api.ServiceAccount](t, ben.must(http.StatusCreated, http.MethodPost, "/v1/service-accounts", map[string]any{}))
		key := into[api.IssuedServiceAccountKey](t, ben.must(http.StatusCreated, http.MethodPost, "/v1/service-accounts/"+made.ID+"/keys", map[string]any{"public_key": publicKey()}))
		may := func() []string {
			t.Helper()
			got := w.proved(key.ID)
			out := []string{}
			for _, g := range got.Grants() {
				out = append(out, string(g))
			}
			return out
		}
		if got := may(); !slices.Equal(got, []string{"account:read", "service_status:read"}) {
			t.Errorf("VX2: it may %v", got)
		}
		reader := into[api.Role](t, olga.must(http.StatusCreated, http.MethodPost, "/v1/roles", map[string]any{"name": "Reader", "permissions": []string{"call_recordings:read"}}))
		runner := into[api.Role](t, olga.must(http.StatusCreated, http.MethodPost, "/v1/roles", map[string]any{
			"name": "Runner", "permissions": []string{"scenarios:start"}, "includes": []string{reader.ID},
		}))
		give := map[string]any{"roles": []string{runner.ID}}
		if r := ben.do(http.MethodPatch, "/v1/service-accounts/"+made.ID, give); r.status != http.StatusForbidden {
			t.Errorf("VX7: a Company Admin gives scenarios:start: %d: %s", r.status, r.body)
		}
		if r := ben.do(http.MethodPost, "/v1/service-accounts", give); r.status != http.StatusForbidden {
			t.Errorf("VX7: makes one with it: %d: %s", r.status, r.body)
		}
		olga.must(http.StatusOK, http.MethodPatch, "/v1/service-accounts/"+made.ID, give)
		if got := may(); !slices.Equal(got, []string{"call_recordings:read", "scenarios:start"}) {
			t.Errorf("VX7: with the role it may %v", got)
		}
		if r := ben.do(http.MethodPost, "/v1/service-accounts/"+made.ID+"/keys", map[string]any{"public_key": publicKey()}); r.status != http.StatusForbidden {
			t.Errorf("VX7: a Company Admin makes a key that may more than they: %d: %s", r.status, r.body)
		}
		olga.must(http.StatusOK, http.MethodPatch, "/v1/roles/"+reader.ID, map[string]any{"permissions": []string{"recordings_index:read"}})
		if got := may(); !slices.Equal(got, []string{"recordings_index:read", "scenarios:start"}) {
			t.Errorf("VX7: after the included role changed it may %v", got)
		}
	})
}

// VX6: the legacy account key may do everything that the plan allows; it is marked
// deprecated, and works in a query where the tenant has it switched on.
func TestVX6AccountKey(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		olga := w.person(access.RoleSuperAdmin, "root")
		key := into[api.IssuedAccountKey](t, olga.must(http.StatusCreated, http.MethodPost, "/v1/account-keys", map[string]any{"name": "Legacy dialler"}))
		if !key.Deprecated || !strings.HasPrefix(key.Key.Reveal(), "clv_ak_") {
			t.Errorf("the key is %+v", key.AccountKey)
		}
		got := w.verify(map[string]any{"credential": key.Key.Reveal()})
		if !got.Valid || got.Kind != "account_key" || !slices.Equal(got.Permissions, []string{"*:*"}) || got.Principal.Type != "tenant" {
			t.Errorf("the verdict is %+v", got)
		}
		doc := into[struct {
			Paths map[string]map[string]struct{ Deprecated bool }
		}](t, olga.must(http.StatusOK, http.MethodGet, "/openapi.json", nil))
		for path, methods := range doc.Paths {
			for method, op := range methods {
				if op.Deprecated != strings.HasPrefix(path, "/v1/account-keys") {
					t.Errorf("%s %s: deprecated is %v", method, path, op.Deprecated)
				}
			}
		}
		// Behind a proxy that is trusted, on and off by the tenant's policy.
		trusting := w.newServer(server.Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}})
		byQuery := func() int {
			r := httptest.NewRequest(http.MethodGet, "/gateway/auth", nil)
			r.RemoteAddr = "192.0.2.1:4711"
			r.Header.Set("X-Original-URI", fmt.Sprintf("/calls?account_id=%d&api_key=%s", w.a.AccountID, key.Key.Reveal()))
			rec := httptest.NewRecorder()
			trusting.ServeHTTP(rec, r)
			return rec.Code
		}
		if got := byQuery(); got != http.StatusUnauthorized {
			t.Errorf("off by default, and the gateway says %d", got)
		}
		tenant := into[api.Tenant](t, olga.must(http.StatusOK, http.MethodGet, "/v1/tenants/"+string(w.a.ID), nil))
		if tenant.Policy.LegacyAccountKeys {
			t.Error("it is switched on by default")
		}
		changed := into[api.Tenant](t, olga.must(http.StatusOK, http.MethodPatch, "/v1/tenants/"+string(w.a.ID), map[string]any{"policy": map[string]any{"legacy_account_keys": true}}))
		if !changed.Policy.LegacyAccountKeys {
			t.Errorf("the policy is %+v", changed.Policy)
		}
		if got := byQuery(); got != http.StatusNoContent {
			t.Errorf("switched on, and the gateway says %d", got)
		}
		olga.must(http.StatusOK, http.MethodPatch, "/v1/tenants/"+string(w.a.ID), map[string]any{"policy": map[string]any{}})
		if got := byQuery(); got != http.StatusUnauthorized {
			t.Errorf("switched off again, and the gateway says %d", got)
		}
		olga.must(http.StatusOK, http.MethodPost, "/v1/account-keys/"+key.ID+"/revoke", nil)
		if got := w.code(key.Key.Reveal()); got != api.VerifyRevoked {
			t.Errorf("revoked: %s", got)
		}
	})
}

// proved is what verification lets a credential do whose proof is not a string of ours.
func (w *world) proved(id string) access.Set {
	w.Helper()
	parsed, err := credential.ParseID(id)
	if err != nil {
		w.Fatal(err)
	}
	res, err := w.node.Index().Proved(parsed, &verify.Request{})
	if err != nil || !res.Valid {
		w.Fatalf("%s: %v", res.Code, err)
	}
	return res.Permissions.Set
}
