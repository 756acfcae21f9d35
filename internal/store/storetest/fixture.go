package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func background() context.Context { return context.Background() }

// Epoch is the moment at which fixtures were made.
var Epoch = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// Fixture is a small tenant: a root organization, one below it, one user, one role that
// the user has at the root.
type Fixture struct {
	Plan       catalog.Plan
	Tenant     tenancy.Tenant
	Root       tenancy.Organization
	Below      tenancy.Organization
	User       tenancy.User
	Role       access.Role
	Assignment access.Assignment
}

// NewFixture makes a tenant's values; letter tells tenants of a test apart.
func NewFixture(letter string) Fixture {
	tenant, root, below := tenancy.TenantID("ten_"+letter), tenancy.OrgID("org_"+letter+"0"), tenancy.OrgID("org_"+letter+"1")
	user := tenancy.UserID("usr_" + letter)
	f := Fixture{
		Plan: catalog.Plan{ID: tenancy.PlanID("pln_" + letter), Key: "plan-" + letter, Name: "Plan " + letter, APIAccess: true, Permissions: []access.Grant{"*:*"}, CreatedAt: Epoch},
		Tenant: tenancy.Tenant{
			ID: tenant, Slug: "slug-" + letter, Name: "Tenant " + letter, AccountID: int64(1000 + len(letter)*256 + int(letter[0])),
			PlanID: tenancy.PlanID("pln_" + letter), RootOrg: root, State: tenancy.Active, CreatedAt: Epoch, ModifiedAt: Epoch,
		},
		Root:  tenancy.Organization{ID: root, TenantID: tenant, Path: []tenancy.OrgID{root}, Name: "Account " + letter, State: tenancy.Active, CreatedAt: Epoch},
		Below: tenancy.Organization{ID: below, TenantID: tenant, ParentID: root, Path: []tenancy.OrgID{root, below}, Name: "Sales " + letter, State: tenancy.Active, CreatedAt: Epoch},
		User: tenancy.User{
			ID: user, TenantID: tenant, OrganizationID: root, Username: "User." + letter, DisplayName: "User " + letter,
			State: tenancy.Active, CreatedAt: Epoch,
		},
		Role: access.Role{ID: access.RoleID("rol_" + letter), TenantID: tenant, Name: "Role " + letter, Permissions: []access.Grant{"a:read"}, CreatedAt: Epoch},
	}
	f.Assignment = access.Assignment{
		ID: access.AssignmentID("asg_" + letter), TenantID: tenant, Principal: f.Principal(), RoleID: f.Role.ID, OrganizationID: root, CreatedAt: Epoch,
	}
	return f
}

// App is an app of the fixture's, at the organization below.
func (f Fixture) App() tenancy.App {
	return tenancy.App{
		ID: "app_" + tenancy.AppID(f.User.ID[4:]), TenantID: f.Tenant.ID, OrganizationID: f.Below.ID, Name: "App " + string(f.User.ID[4:]),
		APIs: []string{"recording", "calling"}, State: tenancy.Active, CreatedAt: Epoch, CreatedByName: f.User.DisplayName,
		Labels: tenancy.Labels{ExternalID: "app-1", Metadata: map[string]string{"a": "b"}},
	}
}

// ServiceAccount is a service account of the fixture's, at the root.
func (f Fixture) ServiceAccount() tenancy.ServiceAccount {
	return tenancy.ServiceAccount{
		ID: "sva_" + tenancy.ServiceAccountID(f.User.ID[4:]), TenantID: f.Tenant.ID, OrganizationID: f.Root.ID,
		Email: "robot@" + f.Tenant.Slug + ".example", Description: "Nightly export", State: tenancy.Active,
		CreatedAt: Epoch, CreatedByName: f.User.DisplayName,
	}
}

// Operation is one that is pending.
func (f Fixture) Operation() store.Operation {
	return store.Operation{
		ID: "opn_" + string(f.User.ID[4:]), TenantID: f.Tenant.ID, Action: "revoke", State: store.OperationPending, Total: 3,
		Input: []byte(`{"ids":[1,2,3]}`), CreatedBy: f.Principal(), CreatedByName: f.User.DisplayName, CreatedAt: Epoch,
	}
}

// Principal is the fixture's user as a principal.
func (f Fixture) Principal() access.Principal {
	return access.Principal{Type: access.PrincipalUser, ID: string(f.User.ID)}
}

// Insert writes all of it.
func (f Fixture) Insert(tx *store.Tx) error {
	for _, write := range []func() error{
		func() error { return tx.AllTenantsInsertPlan(f.Plan) },
		func() error { return tx.InsertTenant(f.Tenant) },
		func() error { return tx.InsertOrganization(f.Root) },
		func() error { return tx.InsertOrganization(f.Below) },
		func() error { return tx.InsertUser(f.User, "user."+string(f.User.ID[4:])) },
		func() error { return tx.InsertRole(f.Role) },
		func() error { return tx.InsertAssignment(f.Assignment) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// MustInsert writes fixtures for some letters.
func MustInsert(tb testing.TB, s *store.Store, letters ...string) []Fixture {
	tb.Helper()
	var list []Fixture
	for _, letter := range letters {
		f := NewFixture(letter)
		MustWrite(tb, s, f.Tenant.ID, f.Insert)
		list = append(list, f)
	}
	return list
}

// MustWrite runs a write that must not fail and returns the head revision.
func MustWrite(tb testing.TB, s *store.Store, tenant tenancy.TenantID, fn func(*store.Tx) error) uint64 {
	tb.Helper()
	revision, err := s.Write(tb.Context(), tenant, fn)
	if err != nil {
		tb.Fatalf("writing: %v", err)
	}
	return revision
}

// MustRead runs a read that must not fail.
func MustRead(tb testing.TB, s *store.Store, tenant tenancy.TenantID, fn func(*store.Tx) error) {
	tb.Helper()
	if err := s.Read(tb.Context(), tenant, fn); err != nil {
		tb.Fatalf("reading: %v", err)
	}
}

// Key is a user key of the fixture's user, with material. n tells keys apart, over all tenants.
func (f Fixture) Key(n int, name string) (credential.Credential, credential.Material) {
	id := KeyID(n)
	c := credential.Credential{
		ID: id, TenantID: f.Tenant.ID, OrganizationID: f.Root.ID, Kind: credential.UserKey, Principal: f.Principal(),
		Name: name, Hint: "clv_uk_" + string(id[:4]) + "…wxyz", State: credential.Active, SecretVersion: 1,
		CreatedAt: Epoch, CreatedBy: f.Principal(), CreatedByName: f.User.DisplayName,
	}
	m := credential.Material{CredentialID: id, Field: "key", Version: 1, PepperVersion: 1}
	copy(m.Digest[:], id[:])
	return c, m
}

// KeyID is the ID of the n-th key.
func KeyID(n int) (id credential.ID) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	copy(id[:], "000000000000")
	// Scattered, as random IDs are, and still different for different n: the factor is odd.
	v := uint64(n+1) * 0x9E3779B97F4A7C15
	for i := len(id) - 1; i >= 0 && v > 0; i-- {
		id[i] = digits[v%62]
		v /= 62
	}
	return id
}
