package server_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// What a row of the table shows comes with the list: names, whether it rotates, whether it
// can be shown (NV9); and the bar's counts.
func TestRowsOfAPIKeys(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		key, org := ada.issue(map[string]any{"name": "Own"}), ada.organizationKey(string(w.orgs["mid"]))
		rotated := into[api.IssuedAPIKey](t, ada.must(http.StatusOK, http.MethodPost, "/v1/api-keys/"+key.ID+"/rotate", map[string]any{"grace_period_seconds": 3600}))
		if rotated.PreviousUntil == nil {
			t.Errorf("the answer to a rotation is %+v", rotated)
		}
		list := into[api.List[api.APIKey]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/api-keys?sort=created_at", nil))
		if len(list.Items) != 2 {
			t.Fatalf("%d rows", len(list.Items))
		}
		own, theirs := list.Items[0], list.Items[1]
		if own.Owner.Name != ada.user.Username || own.OrganizationName != "Northwind" || own.PreviousUntil == nil || own.Recoverable || own.CreatedBy.Name != ada.user.Username {
			t.Errorf("a user's row is %+v", own)
		}
		if theirs.ID != org.ID || theirs.OrganizationName == "" || theirs.Owner.Name != theirs.OrganizationName || !theirs.Recoverable || theirs.PreviousUntil != nil {
			t.Errorf("an organization's row is %+v", theirs)
		}
		n := into[api.APIKeyCount](t, ada.must(http.StatusOK, http.MethodGet, "/v1/api-keys/count", nil))
		if n.Count != 2 || n.ByKind["user_key"] != 1 || n.ByKind["organization_key"] != 1 || n.UsedLately != 0 || n.ExpiringSoon != 0 {
			t.Errorf("the counts are %+v", n)
		}
	})
}

// PV4: the gate's page and "Ask for API access", once.
func TestAskForAPIAccess(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada, agent := w.person(access.RoleSuperAdmin, "root"), w.person(access.RoleAgent, "mid")
		ada.issue(map[string]any{"name": "Own"})
		if r := ada.do(http.MethodPost, "/v1/api-access/request", nil); r.status != http.StatusConflict || r.problem(t).Code != "api_access_included" {
			t.Errorf("with access: %d %s", r.status, r.body)
		}
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/tenants/"+string(w.a.ID), map[string]any{"plan_id": w.starter})
		gate := into[api.APIAccess](t, ada.must(http.StatusOK, http.MethodGet, "/v1/api-access", nil))
		if gate.APIAccess || gate.TenantName != "Northwind" || gate.PlanName != "Starter" || gate.ExistingKeys != 1 || gate.RequestedAt != nil {
			t.Errorf("the gate says %+v", gate)
		}
		first := into[api.APIAccess](t, ada.must(http.StatusOK, http.MethodPost, "/v1/api-access/request", nil))
		before := w.auditCount()
		second := into[api.APIAccess](t, ada.must(http.StatusOK, http.MethodPost, "/v1/api-access/request", nil))
		if first.RequestedAt == nil || second.RequestedAt == nil || !first.RequestedAt.Equal(*second.RequestedAt) || w.auditCount() != before {
			t.Errorf("first %+v, second %+v", first, second)
		}
		if r := agent.do(http.MethodPost, "/v1/api-access/request", nil); r.status != http.StatusForbidden {
			t.Errorf("an agent: %d", r.status)
		}
		seen := into[api.Tenant](t, w.admin.must(http.StatusOK, http.MethodGet, "/v1/tenants/"+string(w.a.ID), nil))
		if seen.APIAccessRequestedAt == nil || !seen.APIAccessRequestedAt.Equal(*first.RequestedAt) {
			t.Errorf("the operators see %+v", seen)
		}
	})
}

// The audit log travels as CSV, page by page, safe to open in a spreadsheet; other sites
// can't start it; and the log can be checked at once.
func TestAuditLogOfThePage(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		ada.issue(map[string]any{"name": "=cmd()"})
		r := ada.must(http.StatusOK, http.MethodGet, "/v1/audit-events/export?action=api_key.issue&order=desc", nil)
		rows, err := csv.NewReader(strings.NewReader(string(r.body))).ReadAll()
		if err != nil || len(rows) != 2 || rows[0][0] != "Time" || rows[1][2] != "api_key.issue" || rows[1][3] != "'=cmd()" || rows[1][1] != ada.user.Username {
			t.Errorf("%v, %q", err, rows)
		}
		if r.trailer.Get("Claviger-Rows") != "1" || r.header.Get("Claviger-Total") != "1" || !strings.Contains(r.header.Get("Content-Disposition"), `filename="audit-log-`) {
			t.Errorf("%v %v", r.header, r.trailer)
		}
		if r := ada.do(http.MethodGet, "/v1/audit-events/export", nil, "Sec-Fetch-Site", "cross-site"); r.status != http.StatusForbidden || r.problem(t).Code != "cross_origin" {
			t.Errorf("from another site: %d %s", r.status, r.body)
		}
		if r := ada.do(http.MethodGet, "/v1/audit-events/export?organization_id=org_06h00a1rp1s45bm83cbwgn4adg", nil); r.status != http.StatusNotFound {
			t.Errorf("an organization that never was: %d %s", r.status, r.body)
		}
		found := into[api.List[api.AuditEvent]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/audit-events?who="+ada.user.Username+"&organization_id="+string(w.a.RootOrg), nil))
		if len(found.Items) == 0 || found.Items[0].OrganizationName != "Northwind" {
			t.Errorf("by who and where: %+v", found)
		}
		one := into[api.List[api.AuditEvent]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/audit-events?up_to=2&order=desc&limit=1", nil))
		if len(one.Items) != 1 || one.Items[0].Sequence != 2 || one.Total != 2 {
			t.Errorf("the second event alone: %+v", one)
		}
		last := into[api.AuditCheckpoint](t, ada.must(http.StatusOK, http.MethodGet, "/v1/audit-checkpoints/latest", nil))
		check := into[api.AuditCheck](t, ada.must(http.StatusOK, http.MethodPost, "/v1/audit-checkpoints/check", nil))
		if !check.OK || check.Events == 0 || check.Sequence != last.Sequence {
			t.Errorf("the check says %+v, the last is %+v", check, last)
		}
	})
}

// Refusals and pickers say it in the console's words (VC5, EE8), and a page gets what it
// shows in few answers.
func TestWordsOfThePages(t *testing.T) {
	w := newWorld(t, sqlite(t))
	ada, cora := w.person(access.RoleSuperAdmin, "root"), w.person(access.RoleCompanyAdmin, "root")
	sue := w.signedIn(w.a, w.orgs["mid"], access.RoleSupervisor)
	made := into[api.IssuedClientCredential](t, sue.must(http.StatusCreated, http.MethodPost, "/v1/client-credentials", map[string]any{"name": "Claims", "scopes": []string{"recent_calls:read"}}))
	r := ada.do(http.MethodDelete, "/v1/users/"+string(sue.user.ID), nil)
	if p := r.problem(t); r.status != http.StatusConflict || len(p.Credentials) != 1 || p.Credentials[0] != (api.ProblemCredential{ID: made.ID, Name: "Claims", Kind: "client_credential"}) {
		t.Errorf("the refusal is %d %s", r.status, r.body)
	}
	if list := into[api.List[api.ClientCredential]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/client-credentials?owner_id="+string(sue.user.ID), nil)); len(list.Items) != 1 || list.Items[0].OrganizationName == "" {
		t.Errorf("her credentials: %+v", list)
	}
	view := into[api.CatalogView](t, cora.must(http.StatusOK, http.MethodGet, "/v1/catalog", nil))
	const key = "call_recordings_storage"
	if view.NotChoosable[key] != "You need the Storage API assignment to choose this. A Super Admin can grant it." || len(view.Missing[key]) != 1 || view.Missing[key][0] != "Storage API" {
		t.Errorf("the picker says %q, %v", view.NotChoosable[key], view.Missing[key])
	}
	user := into[api.User](t, ada.must(http.StatusOK, http.MethodGet, "/v1/users/"+string(sue.user.ID), nil))
	if len(user.Roles) != 1 || user.Roles[0].RoleName != "Supervisor" || user.OrganizationName == "" || user.InvitedUntil != nil {
		t.Errorf("her page shows %+v", user)
	}
	invited := into[api.CreatedUser](t, ada.must(http.StatusCreated, http.MethodPost, "/v1/users", map[string]any{"organization_id": w.a.RootOrg, "username": "new"}))
	if user = into[api.User](t, ada.must(http.StatusOK, http.MethodGet, "/v1/users/"+invited.User.ID, nil)); user.InvitedUntil == nil || !user.InvitedUntil.Equal(invited.Invitation.ExpiresAt) {
		t.Errorf("an invited user: %+v", user)
	}
	role := into[api.Role](t, ada.must(http.StatusOK, http.MethodGet, "/v1/roles/"+string(w.roles[access.RoleSupervisor]), nil))
	if len(role.Resolved) == 0 || role.Holders != 1 {
		t.Errorf("the role is %+v", role)
	}
	holders := into[api.List[api.Assignment]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/assignments?role_id="+role.ID, nil))
	if len(holders.Items) != 1 || holders.Items[0].Principal.Name != sue.user.Username || holders.Items[0].RoleName != "Supervisor" || holders.Items[0].OrganizationName == "" {
		t.Errorf("holders: %+v", holders.Items)
	}
	all := into[api.List[api.Permission]](t, cora.must(http.StatusOK, http.MethodGet, "/v1/permissions?vendor=true", nil))
	vendor, reasons := 0, 0
	for _, p := range all.Items {
		if p.Vendor {
			vendor++
		}
		if !p.Grantable && p.Reason != "" {
			reasons++
		}
	}
	if vendor == 0 || reasons == 0 {
		t.Errorf("%d of the vendor's, %d with a reason", vendor, reasons)
	}
	found := into[api.List[api.Found]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/find?q="+sue.user.Username, nil))
	if len(found.Items) != 1 || found.Items[0].Type != "user" || found.Items[0].ID != string(sue.user.ID) {
		t.Errorf("found: %+v", found.Items)
	}
	impact := into[api.OrganizationImpact](t, ada.must(http.StatusOK, http.MethodGet, "/v1/organizations/"+string(w.orgs["mid"])+"/impact", nil))
	if impact.Organizations != 1 || impact.Users != 1 || impact.Credentials != 1 || impact.CredentialsByKind["client_credential"] != 1 || impact.Removable || impact.Reason == "" {
		t.Errorf("the impact is %+v", impact)
	}
}

// B5: a tenant's usage over HTTP.
func TestUsageOfATenant(t *testing.T) {
	w := newWorld(t, sqlite(t))
	ada := w.person(access.RoleSuperAdmin, "root")
	key := ada.issue(map[string]any{"name": "Busy"})
	for range 3 {
		w.code(key.Key.Reveal())
	}
	if r := ada.do(http.MethodGet, "/v1/usage?credential_id="+key.ID+"&organization_id="+string(w.a.RootOrg), nil); r.status != http.StatusBadRequest {
		t.Errorf("both: %d %s", r.status, r.body)
	}
	used := into[api.Usage](t, ada.must(http.StatusOK, http.MethodGet, "/v1/usage?by=day&organization_id="+string(w.a.RootOrg), nil))
	if used.By != "day" || used.Items == nil {
		t.Errorf("usage is %+v", used)
	}
	// What is counted in memory is written within a minute; what was written is here at once.
	at := time.Now().UTC()
	if err := w.node.Store().AddUsage(t.Context(), usageRow(w.a.ID, key.ID, at)); err != nil {
		t.Fatal(err)
	}
	used = into[api.Usage](t, ada.must(http.StatusOK, http.MethodGet, "/v1/usage?by=hour&from="+at.Add(-time.Hour).Format(time.RFC3339)+"&to="+at.Add(time.Hour).Format(time.RFC3339), nil))
	if len(used.Items) != 1 || used.Items[0].Valid < 5 || len(used.MostUsed) != 1 || used.MostUsed[0].Name != "Busy" || used.MostUsed[0].Denied != 2 {
		t.Errorf("usage is %+v", used)
	}
}

func usageRow(tenant tenancy.TenantID, id string, at time.Time) []store.UsageRow {
	parsed, _ := credential.ParseID(id)
	return []store.UsageRow{{CredentialID: parsed, TenantID: tenant, Hour: at.Truncate(time.Hour), Valid: 5, Denied: map[verify.Code]int64{verify.Expired: 2}}}
}
