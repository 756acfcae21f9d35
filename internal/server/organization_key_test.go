package server_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
)

// organizationKey makes one through the API.
func (c *client) organizationKey(at string, more ...any) api.IssuedAPIKey {
	c.w.Helper()
	body := map[string]any{"kind": "organization_key", "organization_id": at, "name": c.w.unique("Desktops")}
	for i := 0; i+1 < len(more); i += 2 {
		body[fmt.Sprint(more[i])] = more[i+1]
	}
	return c.issue(body)
}

func namesOf[T any](list api.List[T], name func(T) string) []string {
	out := []string{}
	for _, item := range list.Items {
		out = append(out, name(item))
	}
	slices.Sort(out)
	return out
}

func (c *client) keyNames(query string) []string {
	c.w.Helper()
	list := into[api.List[api.APIKey]](c.w, c.must(http.StatusOK, http.MethodGet, "/v1/api-keys?limit=200&"+query, nil))
	return namesOf(list, func(k api.APIKey) string { return k.Name })
}

// NV1: Customer Administrators at system or tenant level generate keys for an organization;
// deeper administrators do not get the page.
func TestNV1WhoHasOrganizationKeys(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		carl := w.person(access.RoleCustomerAdministrator, "root")
		key := carl.organizationKey(string(w.orgs["deep"]))
		if key.Kind != "organization_key" || key.Owner.Type != "organization" || key.Owner.ID != string(w.orgs["deep"]) || !strings.HasPrefix(key.Key.Reveal(), "clv_ok_") {
			t.Errorf("the key is %+v", key)
		}
		if got := w.verify(map[string]any{"credential": key.Key.Reveal()}); !got.Valid || got.Kind != "organization_key" ||
			!slices.Equal(got.Permissions, []string{"claviger.sign_in:automatic"}) || got.OrganizationID != string(w.orgs["deep"]) {
			t.Errorf("the verdict is %+v", got)
		}
		ask := map[string]any{"kind": "organization_key", "organization_id": string(w.orgs["deep"]), "name": "Mine"}
		for _, who := range []*client{w.person(access.RoleCustomerAdministrator, "mid"), w.person(access.RoleCompanyAdmin, "root"), w.person(access.RoleAgent, "root")} {
			for name, r := range map[string]reply{
				"list": who.do(http.MethodGet, "/v1/api-keys", nil), "make": who.do(http.MethodPost, "/v1/api-keys", ask),
				"show": who.do(http.MethodGet, "/v1/api-keys/"+key.ID, nil), "reveal": who.do(http.MethodPost, "/v1/api-keys/"+key.ID+"/reveal", nil),
				"end": who.do(http.MethodDelete, "/v1/api-keys/"+key.ID, nil), "rotate": who.do(http.MethodPost, "/v1/api-keys/"+key.ID+"/rotate", nil),
			} {
				if r.status != http.StatusForbidden {
					t.Errorf("%s: status %d: %s", name, r.status, r.body)
				}
			}
		}
		made := into[api.IssuedAPIKey](t, w.admin.must(http.StatusCreated, http.MethodPost, "/v1/api-keys?tenant_id="+string(w.a.ID), ask))
		if made.CreatedBy.ID != string(w.admin.user.ID) {
			t.Errorf("by the system: %+v", made)
		}
		// A Super Admin sees both kinds, a Customer Administrator the organizations' only.
		ada := w.person(access.RoleSuperAdmin, "root")
		own := ada.issue(map[string]any{"name": "A person's"})
		if got := ada.keyNames(""); !slices.Contains(got, own.Name) || !slices.Contains(got, key.Name) {
			t.Errorf("a Super Admin sees %v", got)
		}
		if got := carl.keyNames(""); slices.Contains(got, own.Name) || !slices.Contains(got, key.Name) {
			t.Errorf("a Customer Administrator sees %v", got)
		}
		if got := ada.keyNames("kind=user_key"); slices.Contains(got, key.Name) || !slices.Contains(got, own.Name) {
			t.Errorf("of users: %v", got)
		}
	})
}

// NV6: part of a word in any visible column, never the hidden characters of a key. NV7: all
// keys at and below the chosen organization.
func TestNV6NV7SearchAndOrganizationFilter(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		carl := w.person(access.RoleCustomerAdministrator, "root")
		made := map[string]api.IssuedAPIKey{}
		for place, name := range map[string]string{"root": "Zebra workstation", "mid": "Radiology reading", "deep": "Night desk", "branch": "Theatre"} {
			made[place] = carl.organizationKey(string(w.orgs[place]), "name", name, "expires_at", "2031-07-09T00:00:00Z")
		}
		for at, want := range map[string][]string{
			"root": {"Night desk", "Radiology reading", "Theatre", "Zebra workstation"}, "mid": {"Night desk", "Radiology reading"},
			"deep": {"Night desk"}, "branch": {"Theatre"},
		} {
			if got := carl.keyNames("organization_id=" + string(w.orgs[at])); !slices.Equal(got, want) {
				t.Errorf("NV7: at %s: %v, want %v", at, got, want)
			}
		}
		organization := into[api.Organization](t, carl.must(http.StatusOK, http.MethodGet, "/v1/organizations/"+string(w.orgs["deep"]), nil))
		hidden := made["root"].Key.Reveal()
		hidden = hidden[len(hidden)-30 : len(hidden)-20]
		for search, want := range map[string][]string{
			"ebra": {"Zebra workstation"}, "READING": {"Radiology reading"}, "z": {"Zebra workstation"}, organization.Name: {"Night desk"},
			"2031-07-09": {"Night desk", "Radiology reading", "Theatre", "Zebra workstation"}, "nothing of the kind": {}, hidden: {},
			made["branch"].Key.Reveal()[:11]: {"Theatre"}, // "clv_ok_Ab3d": the prefix and what is shown
		} {
			if got := carl.keyNames("search=" + url.QueryEscape(search)); !slices.Equal(got, want) {
				t.Errorf("NV6: %q finds %v, want %v", search, got, want)
			}
		}
		if got := carl.keyNames("search=" + url.QueryEscape(carl.user.Username)); len(got) != 4 {
			t.Errorf("NV6: by who made them: %v", got)
		}
	})
}

// NV10: an organization key ends one year after it was made, the other kinds never.
func TestNV10ExpiryAfterAYear(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		carl, ada := w.person(access.RoleCustomerAdministrator, "root"), w.person(access.RoleSuperAdmin, "root")
		key := carl.organizationKey(string(w.orgs["mid"]))
		if key.ExpiresAt == nil || !key.ExpiresAt.Equal(key.CreatedAt.AddDate(1, 0, 0)) {
			t.Errorf("made %s, ends %v", key.CreatedAt, key.ExpiresAt)
		}
		if own := ada.issue(map[string]any{"name": "Own"}); own.ExpiresAt != nil {
			t.Errorf("a person's ends %s", own.ExpiresAt)
		}
		w.advance(364 * 24 * time.Hour)
		if got := w.code(key.Key.Reveal()); got != api.VerifyValid {
			t.Errorf("after 364 days: %s", got)
		}
		w.advance(3 * 24 * time.Hour)
		if got := w.code(key.Key.Reveal()); got != api.VerifyExpired {
			t.Errorf("after a year: %s", got)
		}
	})
}

// NV13: the key's page has the full key, and name and expiry can be changed. NV14: edit,
// copy, delete. Showing it needs the person, not a credential, and is audited.
func TestNV13NV14EditRevealDelete(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		carl := w.person(access.RoleCustomerAdministrator, "root")
		key := carl.organizationKey(string(w.orgs["mid"]))
		path := "/v1/api-keys/" + key.ID
		if got := into[api.RevealedKey](t, carl.must(http.StatusOK, http.MethodPost, path+"/reveal", nil)); got.Key != key.Key {
			t.Error("NV13: another key is shown")
		}
		events := into[api.List[api.AuditEvent]](t, carl.must(http.StatusOK, http.MethodGet, "/v1/audit-events?action=organization_key.reveal&target_id="+key.ID, nil))
		if len(events.Items) != 1 || events.Items[0].Actor.ID != string(carl.user.ID) {
			t.Errorf("audited as %+v", events.Items)
		}
		changed := into[api.APIKey](t, carl.must(http.StatusOK, http.MethodPatch, path, map[string]any{"name": "Renamed", "expires_at": "2030-01-01T00:00:00Z"}))
		if changed.Name != "Renamed" || changed.ExpiresAt == nil || changed.ExpiresAt.Year() != 2030 {
			t.Errorf("NV13: changed to %+v", changed)
		}
		if got := into[api.APIKey](t, carl.must(http.StatusOK, http.MethodPatch, path, map[string]any{"never_expires": true})); got.ExpiresAt != nil || got.Name != "Renamed" {
			t.Errorf("NV13: never ends: %+v", got)
		}
		w.advance(6 * time.Minute)
		if r := carl.do(http.MethodPost, path+"/reveal", nil); r.status != http.StatusForbidden || r.problem(t).Code != "reauthentication_required" {
			t.Errorf("after six minutes: %d: %s", r.status, r.body)
		}
		carl.must(http.StatusOK, http.MethodPost, "/v1/sessions/current/reauthenticate", map[string]any{"password": password})
		carl.must(http.StatusOK, http.MethodPost, path+"/reveal", nil)

		ada := w.person(access.RoleSuperAdmin, "root")
		program := w.bearer(ada.issue(map[string]any{"name": "Program"}).Key.Reveal())
		if r := program.do(http.MethodPost, path+"/reveal", nil); r.status != http.StatusForbidden || strings.Contains(string(r.body), key.Key.Reveal()) {
			t.Errorf("a credential is shown it: %d: %s", r.status, r.body)
		}
		own := ada.issue(map[string]any{"name": "Own"})
		if r := ada.do(http.MethodPost, "/v1/api-keys/"+own.ID+"/reveal", nil); r.status != http.StatusConflict {
			t.Errorf("a person's key is shown again: %d: %s", r.status, r.body)
		}

		carl.must(http.StatusNoContent, http.MethodDelete, path, nil)
		if got := w.code(key.Key.Reveal()); got != api.VerifyRevoked {
			t.Errorf("NV14: deleted: %s", got)
		}
		if r := carl.do(http.MethodPost, path+"/reveal", nil); r.status < 400 {
			t.Errorf("a deleted key is shown: %s", r.body)
		}
		if got := carl.keyNames(""); slices.Contains(got, "Renamed") {
			t.Errorf("a deleted key is listed: %v", got)
		}
	})
}

// NV4: a .csv of all keys shown, whole where recoverable, safe against formula injection.
func TestNV4Export(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		evil := []string{`=HYPERLINK("x")`, "+1", "-1", "@SUM(A1)", "＝1", `a,"b`}
		whole := map[string]string{}
		for _, name := range evil {
			whole[name] = ada.organizationKey(string(w.orgs["mid"]), "name", name).Key.Reveal()
		}
		ada.organizationKey(string(w.orgs["branch"]), "name", "Elsewhere")
		ada.issue(map[string]any{"name": "A person's"})
		ended := ada.organizationKey(string(w.orgs["mid"]), "name", "Ended")
		ada.must(http.StatusOK, http.MethodPost, "/v1/api-keys/"+ended.ID+"/revoke", nil)

		path := "/v1/api-keys/export?organization_id=" + string(w.orgs["mid"])
		r := ada.must(http.StatusOK, http.MethodGet, path, nil)
		if got := r.header.Get("Content-Type"); !strings.HasPrefix(got, "text/csv") {
			t.Errorf("Content-Type %q", got)
		}
		if got := r.header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="api-keys-`) || !strings.HasSuffix(got, `.csv"`) {
			t.Errorf("Content-Disposition %q", got)
		}
		if r.header.Get("Claviger-Total") != "7" || r.trailer.Get("Claviger-Rows") != "7" {
			t.Errorf("total %q, rows %q, want 7", r.header.Get("Claviger-Total"), r.trailer.Get("Claviger-Rows"))
		}
		rows, err := csv.NewReader(strings.NewReader(string(r.body))).ReadAll()
		if err != nil || len(rows) != 8 {
			t.Fatalf("%d rows, %v:\n%s", len(rows), err, r.body)
		}
		column := func(name string) int { return slices.Index(rows[0], name) }
		if diff := slices.Compare(rows[0][:5], []string{"Name", "Organization", "Expiration date", "Created by", "Key"}); diff != 0 {
			t.Errorf("the columns are %v", rows[0])
		}
		for _, row := range rows[1:] {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
					t.Errorf("the cell %q is a formula", cell)
				}
			}
			name := strings.TrimPrefix(row[column("Name")], "'")
			if name == "Ended" {
				if row[column("Key")] != "" || row[column("No key because")] == "" {
					t.Errorf("an ended key: %v", row)
				}
				continue
			}
			if want, known := whole[name]; !known || row[column("Key")] != want {
				t.Errorf("%q has the key %q", name, row[column("Key")])
			}
		}
		// Filters apply; a person's key is shown once, and says so.
		mine := string(ada.must(http.StatusOK, http.MethodGet, "/v1/api-keys/export?kind=user_key", nil).body)
		if !strings.Contains(mine, `"A person's"`) || strings.Contains(mine, "Elsewhere") || !strings.Contains(mine, "it was shown once") {
			t.Errorf("of people:\n%s", mine)
		}
		if events := into[api.List[api.AuditEvent]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/audit-events?action=api_key.export", nil)); len(events.Items) != 2 {
			t.Errorf("%d exports were audited", len(events.Items))
		}
		for name, r := range map[string]reply{
			"another site's page": ada.do(http.MethodGet, path, nil, "Sec-Fetch-Site", "cross-site"),
			"who may not":         w.person(access.RoleAgent, "root").do(http.MethodGet, path, nil),
			"a credential":        w.bearer(ada.issue(map[string]any{"name": "Program"}).Key.Reveal()).do(http.MethodGet, path, nil),
		} {
			if r.status != http.StatusForbidden || r.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %d: %.100s", name, r.status, r.body)
			}
		}
	})
}

// NV3: delete the selected keys; the filter form does what was seen, or nothing.
func TestNV3BulkDelete(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		carl := w.person(access.RoleCustomerAdministrator, "root")
		var ids []string
		var keys []api.IssuedAPIKey
		for range 5 {
			k := carl.organizationKey(string(w.orgs["deep"]))
			ids, keys = append(ids, k.ID), append(keys, k)
		}
		foreign := w.person(access.RoleSuperAdmin, "root").issue(map[string]any{"name": "A person's"})
		r := carl.must(http.StatusAccepted, http.MethodPost, "/v1/api-keys/bulk", map[string]any{"action": "delete", "ids": append(ids[:3:3], foreign.ID)})
		op := w.finished(carl, into[api.Operation](t, r))
		if r.header.Get("Location") != "/v1/operations/"+op.ID || op.Total != 4 || op.Done != 4 || len(op.Failed) != 1 || op.Failed[0].ID != foreign.ID || op.FailedTotal != 1 {
			t.Errorf("the operation is %+v", op)
		}
		for i, k := range keys {
			want := api.VerifyValid
			if i < 3 {
				want = api.VerifyRevoked
			}
			if got := w.code(k.Key.Reveal()); got != want {
				t.Errorf("key %d: %s, want %s", i, got, want)
			}
		}
		if got := w.code(foreign.Key.Reveal()); got != api.VerifyValid {
			t.Errorf("a key that was none of theirs: %s", got)
		}

		filter := map[string]any{"organization_id": string(w.orgs["deep"])}
		count := into[api.APIKeyCount](t, carl.must(http.StatusOK, http.MethodGet, "/v1/api-keys/count?organization_id="+string(w.orgs["deep"]), nil))
		if count.Count != 2 || count.Revision == 0 {
			t.Fatalf("counted %+v", count)
		}
		later := carl.organizationKey(string(w.orgs["deep"]))
		ask := map[string]any{"action": "revoke", "filter": filter, "as_of": count.Revision, "expected_count": 3}
		if r := carl.do(http.MethodPost, "/v1/api-keys/bulk", ask); r.status != http.StatusConflict {
			t.Errorf("another count: %d: %s", r.status, r.body)
		}
		ask["expected_count"] = 2
		op = w.finished(carl, into[api.Operation](t, carl.must(http.StatusAccepted, http.MethodPost, "/v1/api-keys/bulk", ask)))
		if op.Done != 2 || len(op.Failed) != 0 {
			t.Errorf("the operation is %+v", op)
		}
		if got := w.code(later.Key.Reveal()); got != api.VerifyValid {
			t.Errorf("a key made later: %s", got)
		}
		for name, body := range map[string]map[string]any{
			"neither": {"action": "revoke"}, "both": {"action": "revoke", "ids": ids, "filter": filter, "as_of": 1, "expected_count": 1},
			"no count": {"action": "revoke", "filter": filter, "as_of": 1}, "no revision": {"action": "revoke", "filter": filter, "expected_count": 1},
			"no ID": {"action": "revoke", "ids": []string{"nonsense"}},
		} {
			if r := carl.do(http.MethodPost, "/v1/api-keys/bulk", body); r.status != http.StatusBadRequest {
				t.Errorf("%s: %d: %s", name, r.status, r.body)
			}
		}
	})
}

// finished asks until an operation is done.
func (w *world) finished(c *client, op api.Operation) api.Operation {
	w.Helper()
	tick := time.NewTicker(5 * time.Millisecond) // what goes on in the background can only be polled
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); op.State != "done"; <-tick.C {
		if time.Now().After(deadline) {
			w.Fatalf("the operation does not end: %+v", op)
		}
		op = into[api.Operation](w, c.must(http.StatusOK, http.MethodGet, "/v1/operations/"+op.ID, nil))
	}
	return op
}
