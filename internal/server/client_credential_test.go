package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// clientCredential makes one through the API.
func (c *client) clientCredential(level string, scopes ...string) api.IssuedClientCredential {
	c.w.Helper()
	return into[api.IssuedClientCredential](c.w, c.must(http.StatusCreated, http.MethodPost, "/v1/client-credentials", map[string]any{
		"name": c.w.unique("Report"), "scopes": scopes, "level": level,
	}))
}

// licensed signs in somebody with a licence of their own.
func (w *world) licensed(licence string, roles ...string) *client {
	w.Helper()
	c := w.signedIn(w.a, w.a.RootOrg, roles...)
	ok2(w.node.Authority().ChangeUser(w.Context(), w.system, authority.ChangeUserInput{Tenant: w.a.ID, ID: c.user.ID, Licence: &licence}))(w)
	return c
}

// VC1: name and scopes; client ID and secret are shown once; the licence decides the scopes
// offered: an admin all, a supervisor a named few, other licences don't get the page.
func TestVC1Scopes(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		grace := w.licensed("admin", access.RoleAdmin)
		omar := w.licensed("supervisor", access.RoleSupervisor)
		felix := w.licensed("agent", access.RoleSupervisor) // the role, without the licence for it
		for c, want := range map[*client]bool{
			grace: true, omar: true, felix: false, w.licensed("admin", access.RoleAgent): false, w.licensed("", access.RoleAdmin): true,
		} {
			if me := into[api.Me](t, c.must(http.StatusOK, http.MethodGet, "/v1/me", nil)); me.APICredentials != want {
				t.Errorf("%s with the licence %q gets the page: %t", me.Username, me.Licence, me.APICredentials)
			}
		}
		offered := func(c *client) []string {
			return into[api.OfferedScopes](t, c.must(http.StatusOK, http.MethodGet, "/v1/client-credentials/scopes", nil)).Scopes
		}
		if got := offered(omar); !slices.Equal(got, []string{"contact_center_analytics:read", "evaluations:read", "recent_calls:read"}) {
			t.Errorf("a supervisor is offered %v", got)
		}
		if got := offered(grace); len(got) < 8 || !slices.Contains(got, "surveys:read") || slices.Contains(got, "statistics:read") {
			t.Errorf("an admin is offered %v", got)
		}
		made := omar.clientCredential("user", "recent_calls:read", "evaluations:read")
		if !uuid.MatchString(made.ClientID) || !strings.HasPrefix(made.ClientSecret.Reveal(), "clv_ccs_") || made.Level != "user" || made.Owner.ID != string(omar.user.ID) ||
			!slices.Equal(made.Scopes, []string{"evaluations:read", "recent_calls:read"}) && !slices.Equal(made.Scopes, []string{"recent_calls:read", "evaluations:read"}) {
			t.Errorf("made %+v", made.ClientCredential)
		}
		if shown := string(omar.must(http.StatusOK, http.MethodGet, "/v1/client-credentials/"+made.ID, nil).body); strings.Contains(shown, made.ClientSecret.Reveal()) || strings.Contains(shown, "client_secret") {
			t.Errorf("shown again: %s", shown)
		}
		if got := w.code(made.ClientSecret.Reveal()); got != api.VerifyNotFound {
			t.Errorf("the secret alone is %s", got)
		}
		if r := omar.do(http.MethodPost, "/v1/client-credentials", map[string]any{"name": "More", "scopes": []string{"surveys:read"}}); r.status < 400 || r.status >= 500 {
			t.Errorf("a scope that is not offered: %d: %s", r.status, r.body)
		}
		for name, r := range map[string]reply{
			"the page":        felix.do(http.MethodGet, "/v1/client-credentials/scopes", nil),
			"making one":      felix.do(http.MethodPost, "/v1/client-credentials", map[string]any{"name": "x", "scopes": []string{"recent_calls:read"}}),
			"without a right": w.licensed("admin", access.RoleAgent).do(http.MethodGet, "/v1/client-credentials", nil),
		} {
			if r.status != http.StatusForbidden {
				t.Errorf("%s: %d: %s", name, r.status, r.body)
			}
		}
	})
}

// VC2: a supervisor sees only their own, an admin all, by level and by "my". VC3: one edits
// one's own; account-level ones administrators only. VC4: supervisors delete their own,
// admins any.
func TestVC2VC3VC4SeeEditDelete(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		grace, omar, julia := w.licensed("admin", access.RoleSuperAdmin), w.licensed("supervisor", access.RoleSupervisor), w.licensed("supervisor", access.RoleSupervisor)
		admins, omars, julias := grace.clientCredential("user", "surveys:read"), omar.clientCredential("user", "recent_calls:read"), julia.clientCredential("user", "recent_calls:read")
		account := grace.clientCredential("account", "surveys:read")
		if account.Owner.Type != "tenant" || account.Level != "account" {
			t.Errorf("account-level is %+v", account.ClientCredential)
		}
		sees := func(c *client, query string, want ...string) {
			t.Helper()
			list := into[api.List[api.ClientCredential]](t, c.must(http.StatusOK, http.MethodGet, "/v1/client-credentials?"+query, nil))
			slices.Sort(want)
			if got := namesOf(list, func(k api.ClientCredential) string { return k.ID }); !slices.Equal(got, want) {
				t.Errorf("VC2: %q: %v, want %v", query, got, want)
			}
		}
		sees(omar, "", omars.ID)
		sees(grace, "", admins.ID, omars.ID, julias.ID, account.ID)
		sees(grace, "level=user", admins.ID, omars.ID, julias.ID)
		sees(grace, "level=account", account.ID)
		sees(grace, "mine=true", admins.ID)
		for _, id := range []string{julias.ID, account.ID, admins.ID} {
			path := "/v1/client-credentials/" + id
			for name, r := range map[string]reply{
				"show": omar.do(http.MethodGet, path, nil), "edit": omar.do(http.MethodPatch, path, map[string]any{"name": "Mine"}),
				"delete": omar.do(http.MethodDelete, path, nil), "rotate": omar.do(http.MethodPost, path+"/rotate", nil),
			} {
				if r.status != http.StatusForbidden && r.status != http.StatusNotFound {
					t.Errorf("%s another's: %d: %s", name, r.status, r.body)
				}
			}
		}
		changed := into[api.ClientCredential](t, omar.must(http.StatusOK, http.MethodPatch, "/v1/client-credentials/"+omars.ID, map[string]any{"name": "Renamed", "scopes": []string{"evaluations:read"}}))
		if changed.Name != "Renamed" || !slices.Equal(changed.Scopes, []string{"evaluations:read"}) {
			t.Errorf("VC3: changed to %+v", changed)
		}
		if r := grace.do(http.MethodPatch, "/v1/client-credentials/"+julias.ID, map[string]any{"scopes": []string{"surveys:read"}}); r.status != http.StatusForbidden {
			t.Errorf("VC3: an admin edits another's: %d: %s", r.status, r.body)
		}
		grace.must(http.StatusOK, http.MethodPatch, "/v1/client-credentials/"+account.ID, map[string]any{"name": "Group"})
		next := into[api.IssuedClientCredential](t, omar.must(http.StatusOK, http.MethodPost, "/v1/client-credentials/"+omars.ID+"/rotate", nil))
		if next.ClientID != omars.ClientID || next.ClientSecret == omars.ClientSecret {
			t.Errorf("rotated to %+v", next.ClientCredential)
		}
		omar.must(http.StatusNoContent, http.MethodDelete, "/v1/client-credentials/"+omars.ID, nil)
		grace.must(http.StatusNoContent, http.MethodDelete, "/v1/client-credentials/"+julias.ID, nil)
		sees(grace, "level=user", admins.ID)
	})
}

// VC5: a user who owns user-level credentials cannot be deleted: the refusal names them.
func TestVC5DeleteUser(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada, omar := w.person(access.RoleSuperAdmin, "root"), w.licensed("supervisor", access.RoleSupervisor)
		one, two := omar.clientCredential("user", "recent_calls:read"), omar.clientCredential("user", "recent_calls:read")
		ada.must(http.StatusOK, http.MethodPost, "/v1/client-credentials/"+two.ID+"/suspend", nil)
		r := ada.do(http.MethodDelete, "/v1/users/"+string(omar.user.ID), nil)
		if r.status != http.StatusConflict || !strings.Contains(string(r.body), one.Name) || !strings.Contains(string(r.body), two.Name) {
			t.Errorf("%d: %s", r.status, r.body)
		}
		for _, k := range []api.IssuedClientCredential{one, two} {
			ada.must(http.StatusNoContent, http.MethodDelete, "/v1/client-credentials/"+k.ID, nil)
		}
		ada.must(http.StatusNoContent, http.MethodDelete, "/v1/users/"+string(omar.user.ID), nil)
	})
}

// VC7: legacy APIs take account keys only, and say so clearly.
func TestVC7LegacyAPIs(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		account := into[api.IssuedAccountKey](t, ada.must(http.StatusCreated, http.MethodPost, "/v1/account-keys", map[string]any{"name": "Statistics"}))
		person, app := ada.issue(map[string]any{"name": "Own"}), ada.app("recent_calls")
		for name, row := range map[string]struct {
			key  api.Secret
			want api.VerifyCode
		}{"account key": {account.Key, api.VerifyValid}, "a person's": {person.Key, api.VerifyWrongKind}, "an app's": {app.Key, api.VerifyWrongKind}} {
			if got := w.verify(map[string]any{"credential": row.key.Reveal(), "permissions": "statistics:read"}); got.Code != row.want {
				t.Errorf("%s: %s, want %s", name, got.Code, row.want)
			}
			if got := w.verify(map[string]any{"credential": row.key.Reveal(), "permissions": "recent_calls:read"}); !got.Valid {
				t.Errorf("%s for another API: %s", name, got.Code)
			}
		}
		if r := ada.do(http.MethodPost, "/v1/client-credentials", map[string]any{"name": "x", "scopes": []string{"statistics:read"}}); r.status < 400 || r.status >= 500 {
			t.Errorf("as a scope: %d: %s", r.status, r.body)
		}
	})
}

// B12: external_id and metadata on tenants, organizations, users, apps, service accounts and
// credentials, returned by verification.
func TestB12ExternalIDAndMetadata(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.licensed("admin", access.RoleSuperAdmin)
		mid := string(w.orgs["mid"])
		for name, row := range map[string]struct {
			path string
			more map[string]any
		}{
			"organization": {"/v1/organizations", map[string]any{"parent_id": mid, "name": "Named"}}, "user": {"/v1/users", map[string]any{"organization_id": mid, "username": "named"}},
			"app": {"/v1/apps", map[string]any{"name": "Named", "apis": []string{"recent_calls"}}}, "service account": {"/v1/service-accounts", map[string]any{}},
			"API key": {"/v1/api-keys", map[string]any{"name": "Named"}}, "organization key": {"/v1/api-keys", map[string]any{"name": "Named", "kind": "organization_key", "organization_id": mid}},
			"account key": {"/v1/account-keys", map[string]any{"name": "Named"}}, "verifier key": {"/v1/verifier-keys", map[string]any{"name": "Named"}},
			"client credential": {"/v1/client-credentials", map[string]any{"name": "Named", "scopes": []string{"recent_calls:read"}}},
		} {
			ours := "ours-" + strings.ReplaceAll(name, " ", "-")
			row.more["external_id"], row.more["metadata"] = ours, map[string]string{"team": name}
			r := ada.must(http.StatusCreated, http.MethodPost, row.path, row.more)
			made := into[struct {
				labels
				User labels
			}](t, r)
			if made.User.ID != "" {
				made.labels = made.User
			}
			check := func(what string, l labels, id, team string) {
				t.Helper()
				if l.ExternalID != id || l.Metadata["team"] != team {
					t.Errorf("%s %s: %+v", name, what, l)
				}
			}
			check("made", made.labels, ours, name)
			check("shown", into[labels](t, ada.must(http.StatusOK, http.MethodGet, row.path+"/"+made.ID, nil)), ours, name)
			if key := made.Key; key != "" {
				got := w.verify(map[string]any{"credential": key.Reveal()})
				l := labels{ExternalID: got.ExternalID, Metadata: got.Metadata}
				if name == "app" {
					l = labels{ExternalID: got.Principal.ExternalID, Metadata: got.Principal.Metadata}
				}
				check("verified", l, ours, name)
			}
			switch name {
			case "API key", "account key", "verifier key":
				continue // their name alone can be changed
			}
			check("changed", into[labels](t, ada.must(http.StatusOK, http.MethodPatch, row.path+"/"+made.ID, map[string]any{"external_id": "", "metadata": map[string]string{"team": "x"}})), "", "x")
		}
		labelled := tenancy.Labels{ExternalID: "customer-1", Metadata: map[string]string{"team": "x"}}
		got := into[api.Tenant](t, w.admin.must(http.StatusOK, http.MethodPatch, "/v1/tenants/"+string(w.a.ID), map[string]any{"external_id": labelled.ExternalID, "metadata": labelled.Metadata}))
		if got.ExternalID != "customer-1" || got.Metadata["team"] != "x" {
			t.Errorf("the tenant: %+v", got)
		}
	})
}

// labels is what every object has of the vendor's own names.
type labels struct {
	ID         string            `json:"id"`
	ExternalID string            `json:"external_id"`
	Metadata   map[string]string `json:"metadata"`
	Key        api.Secret        `json:"key"`
}
