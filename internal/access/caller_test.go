package access_test

import (
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

var (
	root    = []tenancy.OrgID{"org_root"}
	north   = []tenancy.OrgID{"org_root", "org_north"}
	office  = []tenancy.OrgID{"org_root", "org_north", "org_office"}
	south   = []tenancy.OrgID{"org_root", "org_south"}
	foreign = []tenancy.OrgID{"org_elsewhere"}
	now     = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
)

func person(holdings ...access.Holding) access.Caller {
	return access.Caller{
		Tenant: "ten_a", Principal: access.Principal{Type: access.PrincipalUser, ID: "usr_1"}, Organization: "org_root",
		Via: access.ViaSession, Holdings: holdings,
	}
}

func at(org tenancy.OrgID, grants ...access.Grant) access.Holding {
	return access.Holding{Organization: org, Set: access.NewSet(grants...)}
}

func TestHolds(t *testing.T) {
	operator := person(at(tenancy.SystemRootOrg, "claviger.*:*"))
	operator.Tenant = tenancy.SystemTenantID
	pretender := person(at(tenancy.SystemRootOrg, "claviger.*:*"))
	branch := operator
	branch.Holdings = []access.Holding{at("org_branch", "claviger.*:*")}
	var nobody, jobs access.Caller
	jobs.Via = access.ViaSystem
	local := person(at("org_north", "claviger.users:read"))
	tests := []struct {
		name   string
		caller access.Caller
		path   []tenancy.OrgID
		want   bool
	}{
		{"where it is held", local, north, true},
		{"below", local, office, true},
		{"above", local, root, false},
		{"beside", local, south, false},
		{"another tenant", local, foreign, false},
		{"nowhere", local, nil, false},
		{"nobody", nobody, root, false},
		{"an operator of the system, anywhere", operator, foreign, true},
		{"an operator, at home", operator, []tenancy.OrgID{tenancy.SystemRootOrg}, true},
		{"an operator, nowhere", operator, nil, false},
		{"an operator of a branch of the system's own tree", branch, foreign, false},
		{"a tenant's user who somehow holds something at the system's root", pretender, foreign, false},
		{"this process", jobs, foreign, true},
		{"this process, nowhere", jobs, nil, false},
	}
	for _, test := range tests {
		if got := test.caller.Holds(access.UsersRead, test.path); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
		if got := test.caller.At(test.path).Allows(access.UsersRead); got != test.want {
			t.Errorf("%s: At says %v", test.name, got)
		}
		err := test.caller.Require(access.UsersRead, test.path)
		if (err == nil) != test.want {
			t.Errorf("%s: Require says %v", test.name, err)
		}
		if err != nil && (!problem.Is(err, problem.Denied) || !strings.Contains(problem.As(err).Message, string(access.UsersRead))) {
			t.Errorf("%s: the problem doesn't name the permission: %v", test.name, err)
		}
	}
}

func TestSystem(t *testing.T) {
	for name, test := range map[string]struct {
		caller access.Caller
		want   bool
	}{
		"nobody":      {access.Caller{}, false},
		"a person":    {person(), false},
		"a job":       {access.Caller{Via: access.ViaSystem}, true},
		"an operator": {access.Caller{Tenant: tenancy.SystemTenantID, Via: access.ViaSession}, true},
	} {
		if got := test.caller.System(); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestMayGive(t *testing.T) {
	self := person().Principal
	other := access.Principal{Type: access.PrincipalApp, ID: "app_1"}
	giver := person(at("org_north", "surveys:read", "evaluations:*", access.Grant(access.AppsManage)))
	lent := giver
	lent.Via, lent.CredentialExpires = access.ViaCredential, now
	set, extra := access.NewSet, access.NewSet("chat:read")
	tests := []struct {
		name   string
		caller access.Caller
		gift   access.Gift
		code   string // empty: may be given
	}{
		{"what is held", giver, access.Gift{Permissions: set("surveys:read"), Path: north, Recipient: other}, ""},
		{"to oneself", giver, access.Gift{Permissions: set("surveys:read"), Path: north, Recipient: self}, ""},
		{"further down", giver, access.Gift{Permissions: set("surveys:read"), Path: office, Recipient: other}, ""},
		{"part of a wildcard", giver, access.Gift{Permissions: set("evaluations:read"), Path: north, Recipient: other}, ""},
		{"the wildcard", giver, access.Gift{Permissions: set("evaluations:*"), Path: north, Recipient: other}, ""},
		{"a wider wildcard", giver, access.Gift{Permissions: set("*:read"), Path: north, Recipient: other}, "more_than_held"},
		{"what isn't held", giver, access.Gift{Permissions: set("surveys:read", "surveys:write"), Path: north, Recipient: other}, "more_than_held"},
		{"what a right lets one give", giver, access.Gift{Permissions: set("chat:read", "surveys:read"), Extra: extra, Path: north, Recipient: other}, ""},
		{"beyond that", giver, access.Gift{Permissions: set("chat:write"), Extra: extra, Path: north, Recipient: other}, "more_than_held"},
		{"the same to oneself", giver, access.Gift{Permissions: set("chat:read"), Extra: extra, Path: north, Recipient: self}, "more_than_held"},
		{"above", giver, access.Gift{Permissions: set("surveys:read"), Path: root, Recipient: other}, "out_of_reach"},
		{"beside", giver, access.Gift{Permissions: set("surveys:read"), Path: south, Recipient: other}, "out_of_reach"},
		{"another tenant", giver, access.Gift{Permissions: set("surveys:read"), Path: foreign, Recipient: other}, "out_of_reach"},
		{"nothing, out of reach", giver, access.Gift{Path: south, Recipient: other}, "out_of_reach"},
		{"extra, out of reach", giver, access.Gift{Permissions: extra, Extra: extra, Path: south, Recipient: other}, "out_of_reach"},
		{"nowhere", giver, access.Gift{Permissions: set("surveys:read"), Recipient: other}, "out_of_reach"},
		{"nobody gives", access.Caller{}, access.Gift{Path: root}, "out_of_reach"},
		{"by a credential, for as long", lent, access.Gift{Permissions: set("surveys:read"), Path: north, Recipient: other, ExpiresAt: now}, ""},
		{"by a credential, for less", lent, access.Gift{Permissions: set("surveys:read"), Path: north, Recipient: other, ExpiresAt: now.Add(-time.Second)}, ""},
		{"by a credential, for longer", lent, access.Gift{Permissions: set("surveys:read"), Path: north, Recipient: other, ExpiresAt: now.Add(time.Second)}, "outlives_caller"},
		{"by a credential, for ever", lent, access.Gift{Permissions: set("surveys:read"), Path: north, Recipient: other}, "outlives_caller"},
		{"this process gives anything", access.Caller{Via: access.ViaSystem}, access.Gift{Permissions: access.Everything(), Path: foreign, Recipient: other}, ""},
	}
	for _, test := range tests {
		err := test.caller.MayGive(test.gift)
		if test.code == "" && err != nil || test.code != "" && (!problem.HasCode(err, test.code) || !problem.Is(err, problem.Denied)) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.code)
		}
	}
}

func TestMayGiveNamesAFewOfWhatIsMissing(t *testing.T) {
	giver := person(at("org_root", "a:x"))
	err := giver.MayGive(access.Gift{Permissions: access.NewSet("a:x", "b:x", "c:x", "d:x", "e:x", "f:x", "g:x"), Path: root})
	message := problem.As(err).Message
	if !strings.Contains(message, "b:x, c:x, d:x, e:x, f:x and more") || strings.Contains(message, "a:x") {
		t.Error(message)
	}
}

func TestMayMove(t *testing.T) {
	roles := roleMap(role("rol_survey", []access.Grant{"surveys:read"}), role("rol_chat", []access.Grant{"chat:read"}))
	holds := func(org tenancy.OrgID, role access.RoleID) access.Assignment {
		return access.Assignment{Principal: access.Principal{Type: access.PrincipalUser, ID: "usr_2"}, RoleID: role, OrganizationID: org}
	}
	manage := access.Grant(access.OrganizationsManage)
	everywhere := person(at("org_root", manage, "surveys:read"))
	both := person(at("org_north", manage, "surveys:read"), at("org_south", manage, "surveys:read", "chat:read"))
	mine := holds("org_south", "rol_chat")
	mine.Principal = both.Principal
	tests := []struct {
		name     string
		caller   access.Caller
		arriving []access.Assignment
		code     string
	}{
		{"nobody arrives", everywhere, nil, ""},
		{"someone with what the caller holds", everywhere, []access.Assignment{holds("org_south", "rol_survey")}, ""},
		{"someone with more", everywhere, []access.Assignment{holds("org_south", "rol_chat")}, "more_than_held"},
		{"more, but there already", everywhere, []access.Assignment{holds("org_root", "rol_chat")}, ""},
		{"more, but not on the way", everywhere, []access.Assignment{holds("org_elsewhere", "rol_chat")}, ""},
		{"the caller, with more than before", both, []access.Assignment{mine}, "more_than_held"},
		{"no right at the old place", person(at("org_south", manage)), nil, "permission_required"},
		{"no right at the new place", person(at("org_north", manage)), nil, "permission_required"},
	}
	for _, test := range tests {
		err := test.caller.MayMove(office, south, test.arriving, roles)
		if test.code == "" && err != nil || test.code != "" && !problem.HasCode(err, test.code) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.code)
		}
	}
}

// Tenants' credentials can't manage roles, sign-in or encryption.
func TestMayAdminister(t *testing.T) {
	key := person()
	key.Via = access.ViaCredential
	operator := key
	operator.Tenant = tenancy.SystemTenantID
	for p, want := range map[access.Permission]bool{
		access.RolesManage: false, access.AssignmentsManage: false, access.UsersManage: false, access.TenantManage: false,
		access.RolesRead: true, access.APIKeysManage: true, access.OrganizationsManage: true,
	} {
		err := access.MayAdminister(key, p)
		if (err == nil) != want || (err != nil && !problem.HasCode(err, "session_required")) {
			t.Errorf("a tenant's credential, %s: %v", p, err)
		}
		for name, c := range map[string]access.Caller{"a session": person(), "a system credential": operator, "this process": {Via: access.ViaSystem}} {
			if err := access.MayAdminister(c, p); err != nil {
				t.Errorf("%s, %s: %v", name, p, err)
			}
		}
		if !want {
			if err := access.MayAdminister(access.Caller{}, p); err == nil {
				t.Errorf("nobody may use %s", p)
			}
		}
	}
}
