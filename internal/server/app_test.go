package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
)

// app makes one through the API.
func (c *client) app(apis ...string) api.IssuedApp {
	c.w.Helper()
	return into[api.IssuedApp](c.w, c.must(http.StatusCreated, http.MethodPost, "/v1/apps", map[string]any{"name": c.w.unique("App"), "apis": apis}))
}

// holder is a user who holds one custom role at the root.
func (w *world) holder(permissions ...access.Grant) *client {
	w.Helper()
	role := ok2(w.node.Authority().CreateRole(w.Context(), w.system, authority.CreateRoleInput{
		Tenant: w.a.ID, Name: w.unique("Role"), Permissions: permissions,
	}))(w)
	c := w.signedIn(w.a, w.a.RootOrg)
	w.assign(w.a.ID, c.user.ID, role.ID, w.a.RootOrg)
	return c
}

// EE1: the permission "Application Credentials" opens the page; the Company Admin has it;
// custom roles can be given it.
func TestEE1WhoHasApps(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		infos := into[api.List[api.Permission]](t, w.admin.must(http.StatusOK, http.MethodGet, "/v1/permissions", nil))
		i := slices.IndexFunc(infos.Items, func(p api.Permission) bool { return p.Name == "Application Credentials" })
		if i < 0 || infos.Items[i].Permission != "claviger.apps:manage" {
			t.Fatalf("no permission is called so: %+v", infos.Items)
		}
		w.person(access.RoleCompanyAdmin, "root").app("recent_calls")
		w.holder("claviger.apps:manage").app("recent_calls")
		for _, role := range []string{access.RoleAdmin, access.RoleSupervisor, access.RoleAgent} {
			for _, r := range []reply{
				w.person(role, "root").do(http.MethodGet, "/v1/apps", nil),
				w.person(role, "root").do(http.MethodPost, "/v1/apps", map[string]any{"name": "Mine", "apis": []string{"recent_calls"}}),
			} {
				if r.status != http.StatusForbidden {
					t.Errorf("%s: %d: %s", role, r.status, r.body)
				}
			}
		}
	})
}

// EE2: a name and one or more APIs; key and secret are generated. EE3: each app has its own;
// the choice can be edited and takes effect at once. EE4: each API has a documentation link,
// shown with the app. EE6: deleting the app ends its key.
func TestEE2EE3EE4EE6Apps(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		paul := w.person(access.RoleCompanyAdmin, "root")
		one, two := paul.app("recent_calls", "post_call_survey"), paul.app("contact_center_chat")
		if !strings.HasPrefix(one.Key.Reveal(), "clv_app_") || !strings.HasPrefix(one.Secret.Reveal(), "clv_aps_") || !one.SecretAvailable || one.State != "active" {
			t.Errorf("EE2: %+v", one.App)
		}
		if len(one.APIs) != 2 || one.APIs[0].Name != "Customer Experience Recent Calls" || !strings.HasPrefix(one.APIs[0].DocumentationURL, "https://") {
			t.Errorf("EE4: %+v", one.APIs)
		}
		may := func(app api.IssuedApp) []string {
			got := w.verify(map[string]any{"credential": app.Key.Reveal()})
			if !got.Valid || got.Kind != "app" || got.CredentialID != app.CredentialID || got.Principal.ID != app.ID {
				t.Errorf("the verdict is %+v", got)
			}
			return got.Permissions
		}
		if got := may(one); !slices.Equal(got, []string{"recent_calls:read", "surveys:read"}) {
			t.Errorf("EE3: the first may %v", got)
		}
		if got := may(two); !slices.Equal(got, []string{"contact_center_chat:read", "contact_center_chat:write"}) {
			t.Errorf("EE3: the second may %v", got)
		}
		changed := into[api.App](t, paul.must(http.StatusOK, http.MethodPatch, "/v1/apps/"+one.ID, map[string]any{"apis": []string{"recent_calls"}, "name": "Renamed"}))
		if changed.Name != "Renamed" || len(changed.APIs) != 1 {
			t.Errorf("EE3: changed to %+v", changed)
		}
		if got := may(one); !slices.Equal(got, []string{"recent_calls:read"}) {
			t.Errorf("EE3: after the change it may %v", got)
		}
		if got := w.code(one.Secret.Reveal()); got != api.VerifyNotFound {
			t.Errorf("the secret alone is %s", got)
		}
		for name, body := range map[string]map[string]any{
			"no API": {"name": "x", "apis": []string{}}, "unknown": {"name": "x", "apis": []string{"no_such_api"}},
			"twice": {"name": "x", "apis": []string{"recent_calls", "recent_calls"}}, "legacy": {"name": "x", "apis": []string{"statistics"}}, "no name": {"apis": []string{"recent_calls"}},
		} {
			if r := paul.do(http.MethodPost, "/v1/apps", body); r.status != http.StatusBadRequest {
				t.Errorf("%s: %d: %s", name, r.status, r.body)
			}
		}
		paul.must(http.StatusNoContent, http.MethodDelete, "/v1/apps/"+one.ID, nil)
		if got := w.code(one.Key.Reveal()); got != api.VerifyRevoked {
			t.Errorf("EE6: deleted: %s", got)
		}
		list := into[api.List[api.App]](t, paul.must(http.StatusOK, http.MethodGet, "/v1/apps", nil))
		if got := namesOf(list, func(a api.App) string { return a.ID }); !slices.Equal(got, []string{two.ID}) {
			t.Errorf("EE6: listed %v", got)
		}
	})
}

// EE4: groups with APIs, each with its permissions and documentation; a system administrator
// edits them.
func TestEE4Catalogue(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		paul := w.person(access.RoleCompanyAdmin, "root")
		view := into[api.CatalogView](t, paul.must(http.StatusOK, http.MethodGet, "/v1/catalog", nil))
		var groups []string
		for _, g := range view.Groups {
			groups = append(groups, g.Name)
			for _, a := range g.APIs {
				if a.DocumentationURL == "" || len(a.Permissions) == 0 {
					t.Errorf("%s: %+v", a.Name, a)
				}
			}
		}
		if !slices.Equal(groups, []string{"Analytics & Content", "Actions", "Older APIs"}) || len(view.Groups[0].APIs) != 5 || len(view.Groups[1].APIs) != 2 {
			t.Errorf("the groups are %v", groups)
		}
		if !slices.Contains(view.Choosable, "recent_calls") || slices.Contains(view.Choosable, "call_recordings_storage") ||
			!strings.Contains(view.NotChoosable["call_recordings_storage"], "You need the Storage API assignment") {
			t.Errorf("may choose %v, not %v", view.Choosable, view.NotChoosable)
		}
		if r := paul.do(http.MethodPut, "/v1/catalog", view.Catalog); r.status != http.StatusForbidden {
			t.Errorf("a tenant's administrator changes it: %d", r.status)
		}
		app := paul.app("recent_calls")
		next := view.Catalog
		for _, g := range next.Groups {
			for i := range g.APIs {
				if g.APIs[i].Key == "recent_calls" {
					g.APIs[i].Permissions = []string{"recent_calls:read", "recent_calls:listen"}
				}
			}
		}
		made := into[api.Catalog](t, w.admin.must(http.StatusOK, http.MethodPut, "/v1/catalog", next))
		if made.Revision <= view.Revision {
			t.Errorf("revision %d after %d", made.Revision, view.Revision)
		}
		if got := w.verify(map[string]any{"credential": app.Key.Reveal()}); !slices.Equal(got.Permissions, []string{"recent_calls:listen", "recent_calls:read"}) {
			t.Errorf("the app may %v", got.Permissions)
		}
		if r := w.admin.do(http.MethodPut, "/v1/catalog", next); r.status != http.StatusConflict {
			t.Errorf("of an old revision: %d: %s", r.status, r.body)
		}
	})
}

// EE5: key and secret are masked; each can be shown again by a person who just proved who
// they are, and both can be rotated.
func TestEE5RevealAndRotate(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		paul := w.person(access.RoleCompanyAdmin, "root")
		app := paul.app("recent_calls")
		path := "/v1/apps/" + app.ID
		shown := string(paul.must(http.StatusOK, http.MethodGet, path, nil).body)
		if strings.Contains(shown, app.Key.Reveal()) || strings.Contains(shown, app.Secret.Reveal()) || !strings.Contains(shown, app.Hint) {
			t.Errorf("the page shows %s", shown)
		}
		if got := into[api.RevealedApp](t, paul.must(http.StatusOK, http.MethodPost, path+"/reveal", nil)); got.Key != app.Key || got.Secret != app.Secret {
			t.Error("something else is revealed")
		}
		next := into[api.IssuedApp](t, paul.must(http.StatusOK, http.MethodPost, path+"/rotate", map[string]any{"grace_period_seconds": 60}))
		if next.CredentialID != app.CredentialID || next.Key == app.Key || next.Secret == app.Secret || next.SecretVersion != 2 || next.PreviousUntil == nil {
			t.Errorf("rotated to %+v", next.App)
		}
		for _, key := range []api.Secret{app.Key, next.Key} {
			if got := w.code(key.Reveal()); got != api.VerifyValid {
				t.Errorf("in grace: %s", got)
			}
		}
		if got := into[api.RevealedApp](t, paul.must(http.StatusOK, http.MethodPost, path+"/reveal", nil)); got.Key != next.Key || got.Secret != next.Secret {
			t.Error("the old ones are revealed")
		}
		w.advance(6 * time.Minute)
		if r := paul.do(http.MethodPost, path+"/reveal", nil); r.status != http.StatusForbidden || r.problem(t).Code != "reauthentication_required" {
			t.Errorf("after six minutes: %d: %s", r.status, r.body)
		}
		paul.must(http.StatusOK, http.MethodPost, "/v1/sessions/current/reauthenticate", map[string]any{"password": password})
		paul.must(http.StatusOK, http.MethodPost, path+"/suspend", nil)
		if got := w.code(next.Key.Reveal()); got != api.VerifySuspended {
			t.Errorf("suspended: %s", got)
		}
		paul.must(http.StatusOK, http.MethodPost, path+"/resume", nil)
		if got := w.code(next.Key.Reveal()); got != api.VerifyValid {
			t.Errorf("resumed: %s", got)
		}
		if got := w.code(app.Key.Reveal()); got != api.VerifyNotFound {
			t.Errorf("after the grace period: %s", got)
		}
	})
}

// EE8: "Call Recordings & Storage" can only be chosen by someone who also holds the Storage
// API assignment, which a Super Admin grants.
func TestEE8Prerequisite(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		nadia, paul := w.person(access.RoleSuperAdmin, "root"), w.signedIn(w.a, w.a.RootOrg, access.RoleCompanyAdmin)
		ask := map[string]any{"name": "Vault", "apis": []string{"call_recordings_storage"}}
		if r := paul.do(http.MethodPost, "/v1/apps", ask); r.status != http.StatusForbidden || r.problem(t).Code != "prerequisite_missing" {
			t.Errorf("without: %d: %s", r.status, r.body)
		}
		other := paul.app("recent_calls")
		if r := paul.do(http.MethodPatch, "/v1/apps/"+other.ID, map[string]any{"apis": []string{"call_recordings_storage"}}); r.status != http.StatusForbidden {
			t.Errorf("by editing: %d: %s", r.status, r.body)
		}
		role := into[api.Role](t, nadia.must(http.StatusCreated, http.MethodPost, "/v1/roles", map[string]any{"name": "Storage API", "permissions": []string{"storage_api:use"}}))
		give := map[string]any{"principal_id": string(paul.user.ID), "role_id": role.ID, "organization_id": string(w.a.RootOrg)}
		if r := paul.do(http.MethodPost, "/v1/assignments", give); r.status != http.StatusForbidden {
			t.Errorf("gives it to himself: %d: %s", r.status, r.body)
		}
		assignment := into[api.Assignment](t, nadia.must(http.StatusCreated, http.MethodPost, "/v1/assignments", give))
		app := into[api.IssuedApp](t, paul.must(http.StatusCreated, http.MethodPost, "/v1/apps", ask))
		if got := w.verify(map[string]any{"credential": app.Key.Reveal(), "permissions": "call_recordings:delete"}); !got.Valid {
			t.Errorf("with: %+v", got)
		}
		// Whoever may not give it may not hand it out again either.
		nadia.must(http.StatusNoContent, http.MethodDelete, "/v1/assignments/"+assignment.ID, nil)
		for _, op := range []string{"/reveal", "/rotate"} {
			if r := paul.do(http.MethodPost, "/v1/apps/"+app.ID+op, nil); r.status != http.StatusForbidden {
				t.Errorf("%s without: %d: %s", op, r.status, r.body)
			}
		}
	})
}
