package server_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
)

// PV4: a tenant on a plan without API access may manage no kind of key: the API says so,
// and its keys stop verifying while the plan lacks it.
func TestPV4EveryKind(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		person, organization, app := ada.issue(map[string]any{"name": "Own"}), ada.organizationKey(string(w.orgs["mid"])), ada.app("recent_calls")
		keys := []api.Secret{person.Key, organization.Key, app.Key}
		plan := func(id any) {
			t.Helper()
			w.admin.must(http.StatusOK, http.MethodPatch, "/v1/tenants/"+string(w.a.ID), map[string]any{"plan_id": id})
		}
		plan(w.starter)
		for _, k := range keys {
			if got := w.code(k.Reveal()); got != api.VerifyForbidden {
				t.Errorf("a key is %s", got)
			}
		}
		me := into[api.Me](t, ada.must(http.StatusOK, http.MethodGet, "/v1/me", nil))
		if me.Tenant.APIAccess || me.Tenant.PlanName != "Starter" {
			t.Errorf("the page cannot tell: %+v", me.Tenant)
		}
		for name, r := range map[string]reply{
			"list": ada.do(http.MethodGet, "/v1/api-keys", nil), "make": ada.do(http.MethodPost, "/v1/api-keys", map[string]any{"name": "Another"}),
			"rename": ada.do(http.MethodPatch, "/v1/api-keys/"+person.ID, map[string]any{"name": "Another"}),
			"bulk":   ada.do(http.MethodPost, "/v1/api-keys/bulk", map[string]any{"action": "revoke", "ids": []string{person.ID}}),
			"export": ada.do(http.MethodGet, "/v1/api-keys/export", nil), "reveal": ada.do(http.MethodPost, "/v1/api-keys/"+organization.ID+"/reveal", nil),
			"make an app": ada.do(http.MethodPost, "/v1/apps", map[string]any{"name": "x", "apis": []string{"recent_calls"}}),
		} {
			if r.status != http.StatusForbidden || r.problem(t).Code != "plan_without_api_access" {
				t.Errorf("%s: %d: %s", name, r.status, r.body)
			}
		}
		plan(w.plan)
		for _, k := range keys {
			if got := w.code(k.Reveal()); got != api.VerifyValid {
				t.Errorf("with the plan again a key is %s", got)
			}
		}
		ada.must(http.StatusOK, http.MethodGet, "/v1/api-keys", nil)
	})
}

// PV5: other roles are given the right on the role's page: group "API Keys Permissions",
// checkbox "Grant access to API keys generation".
func TestPV5GiveARoleTheRight(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		infos := into[api.List[api.Permission]](t, w.admin.must(http.StatusOK, http.MethodGet, "/v1/permissions", nil))
		i := slices.IndexFunc(infos.Items, func(p api.Permission) bool { return p.Label == "Grant access to API keys generation" })
		if i < 0 || infos.Items[i].Group != "API Keys Permissions" {
			t.Fatalf("there is no such checkbox: %+v", infos.Items)
		}
		ada, leader := w.person(access.RoleSuperAdmin, "root"), w.person(access.RoleTeamLeader, "mid")
		make := func() reply { return leader.do(http.MethodPost, "/v1/api-keys", map[string]any{"name": "Own"}) }
		if r := make(); r.status != http.StatusForbidden {
			t.Fatalf("before: %d: %s", r.status, r.body)
		}
		path := "/v1/roles/" + string(w.roles[access.RoleTeamLeader])
		role := into[api.Role](t, ada.must(http.StatusOK, http.MethodGet, path, nil))
		saved := into[api.Role](t, ada.must(http.StatusOK, http.MethodPatch, path, map[string]any{"permissions": append(role.Permissions, infos.Items[i].Permission)}))
		if !slices.Contains(saved.Permissions, infos.Items[i].Permission) {
			t.Errorf("saved %v", saved.Permissions)
		}
		r := make()
		if r.status != http.StatusCreated {
			t.Fatalf("after: %d: %s", r.status, r.body)
		}
		if got := w.code(into[api.IssuedAPIKey](t, r).Key.Reveal()); got != api.VerifyValid {
			t.Errorf("the key is %s", got)
		}
		// The roles that keep an account running can't be changed.
		if r := ada.do(http.MethodPatch, "/v1/roles/"+string(w.roles[access.RoleSuperAdmin]), map[string]any{"permissions": []string{}}); r.status < 400 {
			t.Errorf("Super Admin is changed: %s", r.body)
		}
	})
}
