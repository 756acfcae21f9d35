package server_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
)

func basic(user, key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+key))
}

// PV1: a credential is a pair, user ID and API key, used as HTTP Basic.
func TestPV1PairOfUserIDAndKey(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada, eve := w.person(access.RoleSuperAdmin, "root"), w.person(access.RoleSuperAdmin, "mid")
		key := ada.issue(map[string]any{"name": "Reports"})
		id := string(ada.user.ID)
		if key.Owner.ID != id {
			t.Fatalf("the key is %s's, want %s's", key.Owner.ID, id)
		}

		me := into[api.Me](t, (&client{w: w, authorization: basic(id, key.Key.Reveal())}).must(http.StatusOK, http.MethodGet, "/v1/me", nil))
		if me.Principal.ID != id || me.CredentialID != key.ID || me.Via != "credential" {
			t.Errorf("the pair is %+v", me)
		}
		for name, row := range map[string]struct {
			ask  map[string]any
			want api.VerifyCode
		}{
			"pair":           {map[string]any{"id": id, "secret": key.Key.Reveal()}, api.VerifyValid},
			"Basic":          {map[string]any{"authorization": basic(id, key.Key.Reveal())}, api.VerifyValid},
			"Bearer":         {map[string]any{"authorization": "Bearer " + key.Key.Reveal()}, api.VerifyValid},
			"key alone":      {map[string]any{"credential": key.Key.Reveal()}, api.VerifyValid},
			"another's ID":   {map[string]any{"id": string(eve.user.ID), "secret": key.Key.Reveal()}, api.VerifyNotFound},
			"no such user":   {map[string]any{"authorization": basic("usr_none", key.Key.Reveal())}, api.VerifyNotFound},
			"ID as key":      {map[string]any{"authorization": basic(id, id)}, api.VerifyNotFound},
			"no such scheme": {map[string]any{"authorization": "Digest " + key.Key.Reveal()}, api.VerifyNotFound},
		} {
			if got := w.verify(row.ask); got.Code != row.want {
				t.Errorf("%s: %s, want %s", name, got.Code, row.want)
			}
		}
		if r := (&client{w: w, authorization: basic(string(eve.user.ID), key.Key.Reveal())}).do(http.MethodGet, "/v1/me", nil); r.status != http.StatusUnauthorized {
			t.Errorf("with another's user ID: status %d, want 401", r.status)
		}
	})
}

// PV2, PV7, PV8, PV9: a user makes a key, sees all its details at once, renames and
// revokes it; the name is all that can be edited; once revoked, calls with it fail.
func TestPV2PV7PV8PV9SelfService(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		key := ada.issue(map[string]any{"name": "Reports", "external_id": "bi-7", "metadata": map[string]string{"team": "bi"}})
		if !key.SecretAvailable || !strings.HasPrefix(key.Key.Reveal(), "clv_uk_") || key.State != "active" ||
			key.Owner.ID != string(ada.user.ID) || key.CreatedBy.ID != string(ada.user.ID) || key.SecretVersion != 1 ||
			key.Name != "Reports" || key.ExternalID != "bi-7" || key.Metadata["team"] != "bi" || key.ExpiresAt != nil {
			t.Errorf("the details are %+v", key)
		}
		if got := w.verify(map[string]any{"credential": key.Key.Reveal()}); !got.Valid || got.CredentialID != key.ID ||
			got.ExternalID != "bi-7" || got.Principal.ID != string(ada.user.ID) || got.TenantID != string(w.a.ID) {
			t.Errorf("the verdict is %+v", got)
		}

		path := "/v1/api-keys/" + key.ID
		shown := ada.must(http.StatusOK, http.MethodGet, path, nil)
		if strings.Contains(string(shown.body), key.Key.Reveal()) || strings.Contains(string(shown.body), `"key"`) {
			t.Error("the key is shown again")
		}
		renamed := into[api.APIKey](t, ada.must(http.StatusOK, http.MethodPatch, path, map[string]any{"name": "Weekly reports"}))
		if renamed.Name != "Weekly reports" || renamed.ID != key.ID {
			t.Errorf("renamed to %+v", renamed)
		}
		for _, field := range []string{"owner_id", "expires_at", "networks", "limits", "state", "external_id", "not_before"} {
			if r := ada.do(http.MethodPatch, path, map[string]any{"name": "x", field: "x"}); r.status != http.StatusBadRequest {
				t.Errorf("PV8: %s can be edited: status %d", field, r.status)
			}
		}

		if got := w.code(key.Key.Reveal()); got != api.VerifyValid {
			t.Fatalf("before the revocation: %s", got)
		}
		gone := into[api.APIKey](t, ada.must(http.StatusOK, http.MethodPost, path+"/revoke", nil))
		if gone.State != "revoked" || gone.EndedAt == nil {
			t.Errorf("PV9: revoked is %+v", gone)
		}
		if got := w.verify(map[string]any{"credential": key.Key.Reveal()}); got.Valid || got.Code != api.VerifyRevoked {
			t.Errorf("PV9: the very next call says %s", got.Code)
		}
		if r := w.bearer(key.Key.Reveal()).do(http.MethodGet, "/v1/me", nil); r.status != http.StatusUnauthorized {
			t.Errorf("PV9: the management API says %d", r.status)
		}
		for _, again := range []string{"/resume", "/rotate", "/suspend"} {
			if r := ada.do(http.MethodPost, path+again, nil); r.status != http.StatusConflict {
				t.Errorf("%s of a revoked key: status %d, want 409", again, r.status)
			}
		}
	})
}

// PV7: another owner can be named by system callers only.
func TestPV7OwnerIsTheCreator(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada, bob := w.person(access.RoleSuperAdmin, "root"), w.person(access.RoleAgent, "mid")
		ask := map[string]any{"name": "For Bob", "owner_id": string(bob.user.ID)}
		if r := ada.do(http.MethodPost, "/v1/api-keys", ask); r.status != http.StatusForbidden {
			t.Errorf("a Super Admin for somebody else: status %d: %s", r.status, r.body)
		}
		key := into[api.IssuedAPIKey](t, w.admin.must(http.StatusCreated, http.MethodPost, "/v1/api-keys?tenant_id="+string(w.a.ID), ask))
		if key.Owner.ID != string(bob.user.ID) || key.CreatedBy.ID != string(w.admin.user.ID) {
			t.Errorf("the key is %+v", key)
		}
		if got := w.verify(map[string]any{"credential": key.Key.Reveal()}); !got.Valid || got.Principal.ID != string(bob.user.ID) {
			t.Errorf("the verdict is %+v", got)
		}
	})
}

// PV6: all keys of the account are listed, without any secret.
func TestPV6ListsAllKeysOfTheAccount(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada, bob := w.person(access.RoleSuperAdmin, "root"), w.person(access.RoleSuperAdmin, "deep")
		hers, his := ada.issue(map[string]any{"name": "Hers"}), bob.issue(map[string]any{"name": "His"})
		stranger := w.signedIn(w.b, w.b.RootOrg, access.RoleSuperAdmin)
		theirs := stranger.issue(map[string]any{"name": "Theirs"})

		r := ada.must(http.StatusOK, http.MethodGet, "/v1/api-keys", nil)
		list := into[api.List[api.APIKey]](t, r)
		seen := map[string]bool{}
		for _, k := range list.Items {
			seen[k.ID] = true
		}
		if !seen[hers.ID] || !seen[his.ID] || seen[theirs.ID] || list.Total != int64(len(list.Items)) {
			t.Errorf("the list is %+v", list)
		}
		for _, k := range []api.IssuedAPIKey{hers, his} {
			if strings.Contains(string(r.body), k.Key.Reveal()) {
				t.Error("the list shows a secret")
			}
		}
		filtered := into[api.List[api.APIKey]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/api-keys?owner_id="+string(bob.user.ID), nil))
		if len(filtered.Items) != 1 || filtered.Items[0].ID != his.ID {
			t.Errorf("by owner: %+v", filtered.Items)
		}
		one := into[api.List[api.APIKey]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/api-keys?limit=1", nil))
		two := into[api.List[api.APIKey]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/api-keys?limit=1&cursor="+one.NextCursor, nil))
		if len(one.Items) != 1 || len(two.Items) != 1 || one.Items[0].ID == two.Items[0].ID {
			t.Errorf("pages: %+v and %+v", one, two)
		}
	})
}

// PV4: on a plan without API access keys can't be managed, and none verifies; with another
// plan the same keys work again.
func TestPV4PlanWithoutAPIAccess(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		key := ada.issue(map[string]any{"name": "Reports"})
		change := func(plan string) {
			w.admin.must(http.StatusOK, http.MethodPatch, "/v1/tenants/"+string(w.a.ID), map[string]any{"plan_id": plan})
		}
		change(string(w.starter))
		if got := w.verify(map[string]any{"credential": key.Key.Reveal()}); got.Valid || got.Code != api.VerifyForbidden {
			t.Errorf("the key's verdict is %s, want FORBIDDEN", got.Code)
		}
		for name, r := range map[string]reply{
			"issue":  ada.do(http.MethodPost, "/v1/api-keys", map[string]any{"name": "Another"}),
			"rename": ada.do(http.MethodPatch, "/v1/api-keys/"+key.ID, map[string]any{"name": "Another"}),
			"rotate": ada.do(http.MethodPost, "/v1/api-keys/"+key.ID+"/rotate", nil),
		} {
			p := r.problem(t)
			if r.status != http.StatusForbidden || p.Detail == "" || p.Code == api.CodeDenied {
				t.Errorf("%s: status %d, %+v: want a 403 that says why", name, r.status, p)
			}
		}
		me := into[api.Me](t, ada.must(http.StatusOK, http.MethodGet, "/v1/me", nil))
		if me.Tenant.APIAccess || me.Tenant.PlanKey != "starter-test" {
			t.Errorf("me says %+v", me.Tenant)
		}
		change(string(w.plan))
		if got := w.code(key.Key.Reveal()); got != api.VerifyValid {
			t.Errorf("back on the plan: %s", got)
		}
	})
}

// PV10: a key carries the current permissions of its user's roles, at once; a suspended
// user's keys stop.
func TestPV10KeyFollowsItsUser(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		root := w.person(access.RoleSuperAdmin, "root")
		role := into[api.Role](t, root.must(http.StatusCreated, http.MethodPost, "/v1/roles", map[string]any{
			"name": "Reporter", "permissions": []string{"reports:read", "claviger.api_keys:generate"},
		}))
		user := w.user(w.a, w.orgs["mid"])
		given := into[api.Assignment](t, root.must(http.StatusCreated, http.MethodPost, "/v1/assignments", map[string]any{
			"principal_id": string(user.ID), "role_id": role.ID, "organization_id": string(w.orgs["mid"]),
		}))
		bob := w.signIn(w.a.Slug, user.Username)
		key := bob.issue(map[string]any{"name": "Mine"}).Key.Reveal()
		check := func(step, permission string, want api.VerifyCode) {
			t.Helper()
			if got := w.verify(map[string]any{"credential": key, "permissions": permission}); got.Code != want {
				t.Errorf("%s: %s is %s, want %s (missing %v)", step, permission, got.Code, want, got.Missing)
			}
		}
		check("at first", "reports:read", api.VerifyValid)
		check("at first", "reports:write", api.VerifyInsufficientPermissions)

		root.must(http.StatusOK, http.MethodPatch, "/v1/roles/"+role.ID, map[string]any{"permissions": []string{"reports:write"}})
		check("role changed", "reports:read", api.VerifyInsufficientPermissions)
		check("role changed", "reports:write", api.VerifyValid)

		root.must(http.StatusNoContent, http.MethodDelete, "/v1/assignments/"+given.ID, nil)
		check("role taken", "reports:write", api.VerifyInsufficientPermissions)
		if got := w.verify(map[string]any{"credential": key}); len(got.Permissions) != 0 {
			t.Errorf("role taken: still %v", got.Permissions)
		}

		root.must(http.StatusOK, http.MethodPost, "/v1/users/"+string(user.ID)+"/suspend", nil)
		check("suspended", "", api.VerifySuspended)
		if r := bob.do(http.MethodGet, "/v1/me", nil); r.status != http.StatusUnauthorized {
			t.Errorf("the suspended user's session: status %d", r.status)
		}
		root.must(http.StatusOK, http.MethodPost, "/v1/users/"+string(user.ID)+"/resume", nil)
		check("resumed", "", api.VerifyValid)
		root.must(http.StatusNoContent, http.MethodDelete, "/v1/users/"+string(user.ID), nil)
		check("deleted", "", api.VerifyRevoked)
	})
}
