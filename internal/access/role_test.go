package access_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func role(id access.RoleID, permissions []access.Grant, includes ...access.RoleID) access.Role {
	return access.Role{ID: id, TenantID: "ten_a", Name: string(id), Permissions: permissions, Includes: includes}
}

func roleMap(list ...access.Role) map[access.RoleID]access.Role {
	roles := map[access.RoleID]access.Role{}
	for _, r := range list {
		roles[r.ID] = r
	}
	return roles
}

// VX7: one role may include others.
func TestResolveRole(t *testing.T) {
	foreign := role("rol_foreign", []access.Grant{"f:x"})
	foreign.TenantID = "ten_b"
	roles := roleMap(
		role("rol_leaf", []access.Grant{"a:x"}),
		role("rol_mid", []access.Grant{"b:x"}, "rol_leaf"),
		role("rol_top", []access.Grant{"c:x"}, "rol_mid", "rol_leaf"),
		role("rol_self", []access.Grant{"d:x"}, "rol_self"),
		role("rol_one", []access.Grant{"e:x"}, "rol_two"),
		role("rol_two", []access.Grant{"f:x"}, "rol_three"),
		role("rol_three", []access.Grant{"g:x"}, "rol_one", "rol_leaf"),
		role("rol_dangling", []access.Grant{"h:x"}, "rol_gone"),
		role("rol_stray", []access.Grant{"i:x"}, "rol_foreign"),
		foreign,
	)
	tests := map[access.RoleID][]access.Grant{
		"rol_leaf":     {"a:x"},
		"rol_mid":      {"a:x", "b:x"},
		"rol_top":      {"a:x", "b:x", "c:x"},
		"rol_self":     {"d:x"},
		"rol_one":      {"a:x", "e:x", "f:x", "g:x"},
		"rol_two":      {"a:x", "e:x", "f:x", "g:x"},
		"rol_three":    {"a:x", "e:x", "f:x", "g:x"},
		"rol_dangling": {"h:x"},
		"rol_stray":    {"i:x"},
		"rol_gone":     {},
		"":             {},
	}
	for id, want := range tests {
		if diff := cmp.Diff(want, access.ResolveRole(id, roles).Grants()); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
}

func TestRolesWith(t *testing.T) {
	roles := roleMap(
		role("rol_leaf", nil), role("rol_mid", nil, "rol_leaf"), role("rol_top", nil, "rol_mid"), role("rol_other", nil),
		role("rol_a", nil, "rol_b"), role("rol_b", nil, "rol_a"),
	)
	tests := map[access.RoleID][]access.RoleID{
		"rol_leaf": {"rol_leaf", "rol_mid", "rol_top"},
		"rol_top":  {"rol_top"},
		"rol_a":    {"rol_a", "rol_b"},
		"rol_new":  {"rol_new"},
	}
	for id, want := range tests {
		if diff := cmp.Diff(want, access.RolesWith(id, roles)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
}

// NV1: rights given at an organization reach everything below, nothing above or beside.
func TestEffectiveAt(t *testing.T) {
	roles := roleMap(role("rol_r", []access.Grant{"r:x"}), role("rol_m", []access.Grant{"m:x"}))
	assignments := []access.Assignment{
		{RoleID: "rol_r", OrganizationID: "org_root"},
		{RoleID: "rol_m", OrganizationID: "org_mid"},
		{RoleID: "rol_gone", OrganizationID: "org_root"},
		{RoleID: "rol_m", OrganizationID: ""},
	}
	tests := []struct {
		path []tenancy.OrgID
		want []access.Grant
	}{
		{nil, []access.Grant{}},
		{[]tenancy.OrgID{"org_root"}, []access.Grant{"r:x"}},
		{[]tenancy.OrgID{"org_root", "org_mid"}, []access.Grant{"m:x", "r:x"}},
		{[]tenancy.OrgID{"org_root", "org_mid", "org_leaf"}, []access.Grant{"m:x", "r:x"}},
		{[]tenancy.OrgID{"org_root", "org_beside"}, []access.Grant{"r:x"}},
		{[]tenancy.OrgID{"org_elsewhere"}, []access.Grant{}},
		{[]tenancy.OrgID{""}, []access.Grant{}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, access.EffectiveAt(assignments, roles, test.path).Grants()); diff != "" {
			t.Errorf("%v: %s", test.path, diff)
		}
		c := access.Caller{Holdings: access.HoldingsOf(assignments, roles)}
		if diff := cmp.Diff(test.want, c.At(test.path).Grants()); diff != "" {
			t.Errorf("as a caller at %v: %s", test.path, diff)
		}
	}
}

func TestKeepsAdministrator(t *testing.T) {
	admin := access.NewSet("claviger.*:manage")
	tests := []struct {
		name  string
		users []access.UserRights
		want  bool
	}{
		{"nobody", nil, false},
		{"an administrator", []access.UserRights{{"usr_1", tenancy.Active, admin}}, true},
		{"a suspended one", []access.UserRights{{"usr_1", tenancy.Suspended, admin}}, false},
		{"a deleted one", []access.UserRights{{"usr_1", tenancy.Deleted, admin}}, false},
		{"people without the right", []access.UserRights{{"usr_1", tenancy.Active, access.NewSet("*:*", access.Grant(access.RolesManage))}}, false},
		{"one of two", []access.UserRights{{"usr_1", tenancy.Suspended, admin}, {"usr_2", tenancy.Active, admin}}, true},
	}
	for _, test := range tests {
		if got := access.KeepsAdministrator(test.users); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestBuiltInRoles(t *testing.T) {
	keys := map[string]bool{}
	for _, r := range access.BuiltInRoles() {
		if keys[r.Key] || r.Name == "" || r.Description == "" {
			t.Errorf("%q is there twice, or isn't described", r.Key)
		}
		keys[r.Key] = true
		for _, g := range r.Permissions {
			if _, err := access.ParseGrant(string(g)); err != nil {
				t.Errorf("%s: %q is malformed", r.Key, g)
			}
			if g.Own() && !r.System && !access.Known(access.Permission(g)) {
				t.Errorf("%s: there is no permission %s", r.Key, g)
			}
		}
	}
	super := superAdmin()
	for _, r := range access.BuiltInRoles() {
		set := access.NewSet(r.Permissions...)
		if !r.System && !super.Covers(set) {
			t.Errorf("a Super Admin can't give %s: %v", r.Key, set.Without(super))
		}
		if !builtIn(access.RoleSystemAdministrator).Covers(set) {
			t.Errorf("a System Administrator can't give %s", r.Key)
		}
	}
}

func TestWhoHoldsWhatByDefault(t *testing.T) {
	tests := []struct {
		row        string
		permission access.Permission
		roles      []string // and the System Administrator
	}{
		{"PV4, PV5: only Super Admins until the checkbox is ticked", access.APIKeysGenerate, []string{access.RoleSuperAdmin}},
		{"PV4", access.APIKeysManage, []string{access.RoleSuperAdmin}},
		{"NV1", access.OrganizationKeysGenerate, []string{access.RoleSuperAdmin, access.RoleCustomerAdministrator}},
		{"EE1", access.AppsManage, []string{access.RoleSuperAdmin, access.RoleCompanyAdmin}},
		{"EE8: only a Super Admin holds the Storage API", "storage_api:use", []string{access.RoleSuperAdmin}},
		{"VC2", access.ClientCredentialsManage, []string{access.RoleSuperAdmin, access.RoleAdmin}},
		{"VC2", access.ClientCredentialsManageOwn, []string{access.RoleSuperAdmin, access.RoleAdmin, access.RoleSupervisor}},
		{"system only", access.TenantsManage, nil},
		{"system only", access.CatalogManage, nil},
	}
	for _, test := range tests {
		for _, r := range access.BuiltInRoles() {
			want := r.System || slices.Contains(test.roles, r.Key)
			if got := access.NewSet(r.Permissions...).Allows(test.permission); got != want {
				t.Errorf("%s: %s holds %s: %v", test.row, r.Key, test.permission, got)
			}
		}
	}
	if ours := builtIn(access.RoleAgent).Claviger(); !ours.Empty() {
		t.Errorf("an Agent administers: %v", ours)
	}
}

// PV5: the group and the checkbox on the role's page.
func TestPermissionsAreDescribed(t *testing.T) {
	seen := map[access.Permission]bool{}
	for _, info := range access.Permissions() {
		if _, err := access.ParsePermission(string(info.Permission)); err != nil || !info.Permission.Own() || seen[info.Permission] {
			t.Errorf("%s is malformed, not ours or there twice", info.Permission)
		}
		seen[info.Permission] = true
		if info.Name == "" || info.Group == "" || info.Label == "" {
			t.Errorf("%s isn't described", info.Permission)
		}
	}
	first := access.Permissions()[0]
	if first.Group != "API Keys Permissions" || first.Label != "Grant access to API keys generation" || first.Permission != access.APIKeysGenerate {
		t.Errorf("got %+v", first)
	}
	// NV2: no role page offers what only organization keys have.
	if access.Known(access.SignInAutomatic) {
		t.Error("a role could have automatic sign-in")
	}
	if access.Known("claviger.nope:read") || access.Known("surveys:read") {
		t.Error("an unknown permission is known")
	}
}

// VX2: a fixed, small, documented set, and none of it ours.
func TestBasicPermissions(t *testing.T) {
	if diff := cmp.Diff([]access.Grant{"account:read", "service_status:read"}, access.BasicPermissions().Grants()); diff != "" {
		t.Error(diff)
	}
}

// NV2: whoever looks after others is not signed in without a password.
func TestAdministrative(t *testing.T) {
	admins := []string{
		access.RoleSystemAdministrator, access.RoleSuperAdmin, access.RoleCompanyAdmin, access.RoleCustomerAdministrator, access.RoleAdmin,
	}
	for _, template := range access.BuiltInRoles() {
		want := slices.Contains(admins, template.Key)
		if got := access.Administrative(access.NewSet(template.Permissions...)); got != want {
			t.Errorf("%s: %v, want %v", template.Name, got, want)
		}
	}
	for grant, want := range map[access.Grant]bool{
		"*:*": false, "call_recordings:*": false, "claviger.api_keys:generate": false, "claviger.api_keys:manage": true, "claviger.*:*": true,
		"claviger.users:*": true, "claviger.*:read": true, // which shows the audit log
	} {
		if got := access.Administrative(access.NewSet(grant)); got != want {
			t.Errorf("%s: %v, want %v", grant, got, want)
		}
	}
}
