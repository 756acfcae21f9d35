package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
)

// B7: operators look at a policy, see what another would do, and apply it.
func TestPolicyCommands(t *testing.T) {
	n, key := mustRunNode(t)
	a, system := n.Authority(), authority.SystemCaller()
	plan, err := a.CreatePlan(t.Context(), system, authority.CreatePlanInput{Key: "full", Name: "Full", APIAccess: true, Permissions: []access.Grant{"*:*"}})
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := a.CreateTenant(t.Context(), system, authority.CreateTenantInput{Slug: "acme", Name: "Acme", PlanID: plan.ID})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := a.IssueOrganizationKey(t.Context(), system, authority.IssueOrganizationKeyInput{Tenant: tenant.ID, OrganizationID: tenant.RootOrg, Name: "Desktops"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(file, []byte(`{"networks": ["192.0.2.0/24"], "show_once": ["organization_key"], "name_pattern": "[a-z]+"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	misspelt, two := file+".misspelt", file+".two"
	for name, text := range map[string]string{misspelt: `{"suspend_idle_day": 90}`, two: `{"suspend_idle_days": 90} {"networks": ["192.0.2.0/24"]}`} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"CLAVIGER_URL": n.URL(), "CLAVIGER_CREDENTIAL": key}
	for _, step := range []struct {
		args   []string
		status int
		want   string // in what it prints, on either
	}{
		{[]string{"show", string(tenant.ID)}, 0, "{}"},
		{[]string{"preview", string(tenant.ID)}, 2, "takes two arguments"},
		{[]string{"preview", string(tenant.ID), file + ".none"}, 1, "reading the policy"},
		{[]string{"set", string(tenant.ID), misspelt}, 1, "suspend_idle_day"},
		{[]string{"preview", string(tenant.ID), misspelt}, 1, "claviger policy show"},
		{[]string{"set", string(tenant.ID), two}, 1, "one JSON object"},
		{[]string{"preview", string(tenant.ID), file}, 0, "1            they work from fewer networks"},
		{[]string{"preview", string(tenant.ID), file, "--json"}, 0, `"name": "Desktops"`},
		{[]string{"set", string(tenant.ID), file}, 0, "new credentials"},
		{[]string{"set", string(tenant.ID), file, "--apply", "some"}, 1, "claviger: error: "},
		{[]string{"set", string(tenant.ID), file, "--apply", "all"}, 0, "all 1 credentials"},
		{[]string{"show", string(tenant.ID)}, 0, `"192.0.2.0/24"`},
	} {
		status, out, errOut := command(t, env, append([]string{"policy"}, step.args...)...)
		if status != step.status || !strings.Contains(out+errOut, step.want) {
			t.Errorf("policy %v: status %d\n%s%s", step.args, status, out, errOut)
		}
	}
	k, err := a.APIKey(t.Context(), system, authority.KeyInput{Tenant: tenant.ID, ID: issued.ID})
	if err != nil || len(k.Networks) != 1 || k.Recoverable {
		t.Errorf("the key is %+v, %v", k, err)
	}
}
