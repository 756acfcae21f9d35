package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
)

// policyMatrix has the routes of a tenant's policy.
var policyMatrix = map[string]row{
	"PUT /v1/tenants/{id}/policy": {
		where: byRoot, roles: superAdmins,
		call: on(http.MethodPut, "/v1/tenants/{id}/policy", theTenant, map[string]any{"policy": map[string]any{}}),
	},
	"POST /v1/tenants/{id}/policy/preview": {
		where: byRoot, roles: superAdmins,
		call: on(http.MethodPost, "/v1/tenants/{id}/policy/preview", theTenant, map[string]any{"policy": map[string]any{"suspend_idle_days": 90}}),
	},
}

// B7: a stricter policy is looked at, saved and applied, and says what it did.
func TestB7PolicyOverHTTP(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		super := w.person(access.RoleSuperAdmin, "root")
		tenant := "/v1/tenants/" + string(w.a.ID)
		key := into[api.IssuedAPIKey](w, super.must(http.StatusCreated, http.MethodPost, "/v1/api-keys", map[string]any{"name": "no place"}))
		policy := map[string]any{
			"max_lifetime_seconds": map[string]any{"user_key": 90 * 86400}, "networks": []string{"192.0.2.0/24"}, "show_once": []string{"app"},
			"may_create": map[string]any{"account_key": "nobody"}, "name_pattern": "[a-z]+", "name_hint": "Small letters.", "suspend_idle_days": 90,
		}
		preview := into[api.PolicyPreview](w, super.must(http.StatusOK, http.MethodPost, tenant+"/policy/preview", map[string]any{"policy": policy}))
		said := map[string]api.RulePreview{}
		for _, r := range preview.Rules {
			said[r.Rule+" "+r.Does] = r
		}
		for _, rule := range []string{"max_lifetime ends_earlier", "networks networks_narrowed", "networks suspended", "name_pattern listed", "show_once secret_destroyed", "suspend_idle_days suspended"} {
			if _, ok := said[rule]; !ok {
				t.Errorf("the preview has nothing of %s: %+v", rule, preview.Rules)
			}
		}
		if first := said["max_lifetime ends_earlier"]; first.Count < 1 || !named(first.First, key.ID) || first.Kind != "user_key" || first.First[0].NewExpiresAt == nil {
			t.Errorf("the preview of ends: %+v", first)
		}

		changed := into[api.ChangedPolicy](w, super.must(http.StatusOK, http.MethodPut, tenant+"/policy", map[string]any{"policy": policy, "apply": "all"}))
		if changed.Operation == nil || changed.Operation.Action != "apply_policy" || changed.Tenant.Policy.NameHint != "Small letters." {
			t.Fatalf("the change answers %+v", changed)
		}
		if err := w.node.Authority().WorkOperations(t.Context()); err != nil {
			t.Fatal(err)
		}
		now := into[api.APIKey](w, super.must(http.StatusOK, http.MethodGet, "/v1/api-keys/"+key.ID, nil))
		if now.ExpiresAt == nil || !now.ExpiresAt.Equal(*said["max_lifetime ends_earlier"].First[0].NewExpiresAt) || strings.Join(now.Networks, " ") != "192.0.2.0/24" {
			t.Errorf("the key is %+v", now)
		}
		got := into[api.Tenant](w, super.must(http.StatusOK, http.MethodGet, tenant, nil))
		if got.PolicyFloor != nil || got.Policy.SuspendIdleDays != 90 || got.Policy.MayCreate["account_key"] != "nobody" || got.Policy.ShowOnce[0] != "app" {
			t.Errorf("the tenant is %+v", got)
		}
		refused := super.do(http.MethodPost, "/v1/api-keys", map[string]any{"name": "NOT small"})
		if refused.status != http.StatusUnprocessableEntity && refused.status != http.StatusBadRequest || !strings.Contains(string(refused.body), "Small letters.") {
			t.Errorf("a name that does not fit: %d %s", refused.status, refused.body)
		}

		w.admin.must(http.StatusOK, http.MethodPut, tenant+"/policy", map[string]any{"policy": map[string]any{"suspend_idle_days": 30}})
		floor := into[api.Tenant](w, super.must(http.StatusOK, http.MethodGet, tenant, nil)).PolicyFloor
		if floor == nil || floor.SuspendIdleDays != 30 || len(floor.Networks) > 0 {
			t.Errorf("the floor is %+v", floor)
		}
		loose := super.do(http.MethodPut, tenant+"/policy", map[string]any{"policy": map[string]any{}})
		if loose.status != http.StatusForbidden || loose.problem(t).Code != "policy_floor" {
			t.Errorf("what the operators set was loosened: %d %s", loose.status, loose.body)
		}
	})
}

func named(list []api.PolicyEffect, id string) bool {
	for _, e := range list {
		if e.ID == id {
			return true
		}
	}
	return false
}
