package e2e

import (
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
)

func basic(user, password string) header {
	return header{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

// PV1, PV7, PV9: an administrator signs in and issues a key for themselves; a call with it
// passes a real nginx in each form; the key is revoked, and the very next call is refused.
func TestFirstKeyEndToEnd(t *testing.T) {
	for _, name := range engines {
		t.Run(name, func(t *testing.T) {
			e := mustEngine(t, name)
			i := mustStart(t, e)
			ada := i.mustTenant(t, i.mustAdministrator(t), "northwind")
			gate := mustStartGateway(t, i.addr())

			issued := mustIssue(t, ada.admin, "nightly report")
			key := issued.Key.Reveal()
			if issued.Owner.ID != ada.user.ID || issued.State != "active" {
				t.Errorf("the key belongs to %s and is %s", issued.Owner.ID, issued.State)
			}
			forms := []struct {
				name string
				send header
			}{{"bearer", bearer(key)}, {"X-API-Key", apiKey(key)}, {"Basic user-id:key", basic(ada.user.ID, key)}} // PV1
			for _, form := range forms {
				a := mustSend(t, "GET", gate.URL+"/recordings/7", nil, form.send)
				if a.Status != 200 {
					t.Fatalf("%s: status %d: %s", form.name, a.Status, a.Body)
				}
				want := map[string]string{
					"Claviger-Credential": issued.ID, "Claviger-Tenant": ada.ID, "Claviger-Principal": ada.user.ID,
					"Claviger-Principal-Type": "user", "Claviger-External-Id": "crm-Ada",
				}
				if diff := cmp.Diff(want, mustDecode[seen](t, a).Identity); diff != "" {
					t.Errorf("%s: identity (-want +got):\n%s", form.name, diff)
				}
			}

			mustDo[api.APIKey](t, ada.admin, 200, "POST", "/v1/api-keys/"+issued.ID+"/revoke", nil)
			for _, form := range forms {
				if a := mustSend(t, "GET", gate.URL+"/recordings/7", nil, form.send); a.Status != 401 {
					t.Errorf("%s after the revocation: status %d, want 401", form.name, a.Status)
				}
			}
			got := mustDo[api.APIKey](t, ada.admin, 200, "GET", "/v1/api-keys/"+issued.ID, nil)
			if got.State != "revoked" {
				t.Errorf("the revoked key is listed as %s", got.State)
			}
		})
	}
}

func TestGatewayRefusals(t *testing.T) {
	i := mustStart(t, engine{name: "SQLite"})
	root := i.mustAdministrator(t)
	ada := i.mustTenant(t, root, "northwind")
	gate := mustStartGateway(t, i.addr())
	key := mustIssue(t, ada.admin, "good").Key.Reveal()
	limited := mustIssue(t, ada.admin, "limited", map[string]any{
		"limits": map[string]any{"rates": []any{map[string]any{"name": "slow", "limit": 2, "window_seconds": 3600}}},
	}).Key.Reveal()
	agent := mustIssueFor(t, root, i.mustUser(t, ada.admin, ada.RootOrganizationID, "Bob", ada.role(t, "agent")))
	elsewhere := mustIssue(t, ada.admin, "elsewhere", map[string]any{"networks": []string{"192.0.2.0/24"}}).Key.Reveal()

	tests := []struct {
		name    string
		path    string
		send    []header
		want    int
		refusal string
	}{
		{"no credential", "/", nil, 401, "unauthenticated"},
		{"a good key", "/", []header{bearer(key)}, 200, ""},
		{"a wrong key", "/", []header{bearer(key[:len(key)-1] + "!")}, 401, "unauthenticated"},
		{"a wrong user with a good key", "/", []header{basic("usr_somebodyelse", key)}, 401, "unauthenticated"}, // PV1
		{"two credentials", "/", []header{bearer(key), apiKey(key)}, 401, "unauthenticated"},
		{"a permission the role has", "/recordings/7", []header{bearer(agent)}, 200, ""},
		{"a permission the role lacks", "/scenarios/7", []header{bearer(agent)}, 403, "denied"},
		{"and the client's own idea of it", "/scenarios/7?permissions=call_recordings:read", []header{bearer(agent)}, 403, "denied"},
		{"a role that has everything", "/scenarios/7", []header{bearer(limited)}, 200, ""},
		{"from a wrong network", "/", []header{bearer(elsewhere)}, 403, "denied"},
		{"from a wrong network, lying", "/", []header{bearer(elsewhere), {"X-Forwarded-For", "192.0.2.7"}}, 403, "denied"},
		{"within the limit", "/", []header{bearer(limited)}, 200, ""},
		{"past the limit", "/", []header{bearer(limited)}, 429, "too_many"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := mustSend(t, "GET", gate.URL+tt.path, nil, tt.send...)
			if a.Status != tt.want {
				t.Fatalf("status %d, want %d: %s", a.Status, tt.want, a.Body)
			}
			if tt.refusal == "" {
				return
			}
			if got := mustDecode[api.Problem](t, a); got.Code != tt.refusal || got.Status != tt.want {
				t.Errorf("the problem says %d %s", got.Status, got.Code)
			}
			if tt.want == 429 && (a.Header.Get("Retry-After") == "" || a.Header.Get("Retry-After") == "0") {
				t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
			}
		})
	}

	i.stop(t)
	if a := mustSend(t, "GET", gate.URL+"/", nil, bearer(key)); a.Status != 503 {
		t.Errorf("with Claviger stopped: status %d, want 503: %s", a.Status, a.Body)
	}
}

// A forged identity does not survive nginx, also where the key's owner has no external ID.
func TestGatewayIdentityCannotBeForged(t *testing.T) {
	i := mustStart(t, engine{name: "SQLite"})
	ada := i.mustTenant(t, i.mustAdministrator(t), "northwind")
	mustDo[api.User](t, ada.admin, 200, "PATCH", "/v1/users/"+ada.user.ID, map[string]any{"external_id": ""})
	gate := mustStartGateway(t, i.addr())
	issued := mustIssue(t, ada.admin, "good")

	forged := []header{bearer(issued.Key.Reveal())}
	for _, name := range []string{"Credential", "Tenant", "Principal", "Principal-Type", "External-Id", "External_Id", "Principal_Type"} {
		forged = append(forged, header{"Claviger-" + name, "forged"}, header{"claviger_" + name, "forged"})
	}
	a := mustSend(t, "GET", gate.URL+"/", nil, forged...)
	if a.Status != 200 {
		t.Fatalf("status %d: %s", a.Status, a.Body)
	}
	want := seen{Method: "GET", Path: "/", Identity: map[string]string{
		"Claviger-Credential": issued.ID, "Claviger-Tenant": ada.ID, "Claviger-Principal": ada.user.ID, "Claviger-Principal-Type": "user",
	}, Unexpected: []string{}}
	if diff := cmp.Diff(want, mustDecode[seen](t, a)); diff != "" {
		t.Errorf("the API saw (-want +got):\n%s", diff)
	}
}
