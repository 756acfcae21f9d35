package authority_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// VX1, VX3: a service account with roles, and a key pair of which the private half leaves once.
func TestServiceAccount(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		role, later := w.role("Reports", "reports:read"), w.role("Calls", "calls:read")
		a, err := w.a.CreateServiceAccount(ctx, w.super, authority.CreateServiceAccountInput{
			OrganizationID: w.north.ID, Description: "nightly", Roles: []access.RoleID{role}, Labels: tenancy.Labels{ExternalID: "sa-1"}, // B12
		})
		w.must(err)
		if len(a.Roles) != 1 || a.Roles[0].RoleID != role || a.Roles[0].OrganizationID != w.north.ID || !strings.Contains(a.Email, "@acme.") {
			t.Errorf("account = %+v", a)
		}
		k, err := w.a.IssueServiceAccountKey(ctx, w.super, authority.IssueServiceAccountKeyInput{ServiceAccount: a.ID})
		w.must(err)
		if _, err := uuid.Parse(k.PublicID); err != nil || k.AccountEmail != a.Email || k.AccountID != w.acme.AccountID || !k.SecretAvailable {
			t.Errorf("key = %+v, %v", k, err)
		}
		w.wantPublicHalfOnly(k)
		changed, err := w.a.ChangeServiceAccount(ctx, w.super, authority.ChangeServiceAccountInput{ID: a.ID, Roles: &[]access.RoleID{later}})
		if err != nil || len(changed.Roles) != 1 || changed.Roles[0].RoleID != later {
			t.Errorf("other roles: %+v, %v", changed.Roles, err)
		}
		if keys, err := w.a.ServiceAccountKeys(ctx, w.super, authority.ServiceAccountKeysInput{ServiceAccount: a.ID}); err != nil || len(keys.Items) != 1 {
			t.Errorf("keys: %v", err)
		}
		_, err = w.a.DeleteServiceAccount(ctx, w.super, authority.ServiceAccountInput{ID: a.ID})
		w.must(err)
		if e := w.entries(); len(e) != 1 || e[0].CredentialID != k.ID.String() {
			t.Errorf("journal = %+v", e)
		}
		w.refused("a deleted account", problem.NotFound, "", func() error {
			_, err := w.a.IssueServiceAccountKey(ctx, w.super, authority.IssueServiceAccountKeyInput{ServiceAccount: a.ID, PublicKeyPEM: k.PrivateKeyPEM.Reveal()})
			return err
		})
	})
}

// wantPublicHalfOnly checks that the pair belongs together and that only its public half is kept.
func (w *world) wantPublicHalfOnly(k authority.IssuedServiceAccountKey) {
	w.Helper()
	block, _ := pem.Decode([]byte(k.PrivateKeyPEM.Reveal()))
	if block == nil {
		w.Fatal("the private key is no PEM")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	w.must(err)
	pair, ok := private.(*rsa.PrivateKey)
	if !ok || pair.N.BitLen() != 2048 || pair.E != 65537 {
		w.Fatalf("the private key is %T", private)
	}
	want, err := x509.MarshalPKIXPublicKey(&pair.PublicKey)
	w.must(err)
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		m, err := tx.Material(k.ID)
		if err == nil && (len(m) != 1 || string(m[0].PublicKey) != string(want) || m[0].Sealed != nil) {
			w.Errorf("material = %+v", m)
		}
		return err
	}))
}

// VX3: one's own public key, of the right kind and size, once.
func TestUploadedPublicKeys(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		account, other := w.account(), w.account()
		upload := func(a authority.ServiceAccount, text string) error {
			k, err := w.a.IssueServiceAccountKey(ctx, w.super, authority.IssueServiceAccountKeyInput{ServiceAccount: a.ID, PublicKeyPEM: text})
			if err == nil && (k.SecretAvailable || !k.PrivateKeyPEM.IsZero()) {
				w.Error("a private key came back for a public one")
			}
			return err
		}
		good := w.publicKey()
		w.must(upload(account, good))
		w.refused("the same again", problem.Conflict, "public_key_taken", func() error { return upload(account, good) })
		w.refused("the same for another account", problem.Conflict, "public_key_taken", func() error { return upload(other, good) })
		pkcs1 := func(n *big.Int) string {
			return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: n, E: 65537})}))
		}
		odd := func(bits int) *big.Int {
			n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
			return n.Add(n, big.NewInt(99))
		}
		w.must(upload(account, pkcs1(odd(4096))))
		elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		w.must(err)
		for name, text := range map[string]string{
			"too short": pkcs1(odd(2047)), "too long": pkcs1(odd(4097)), "even": pkcs1(new(big.Int).Lsh(big.NewInt(1), 2047)),
			"exponent 3": w.pem(&rsa.PublicKey{N: odd(2048), E: 3}), "elliptic": w.pem(&elliptical.PublicKey),
			"two": w.publicKey() + w.publicKey(), "text": "ssh-rsa AAAA", "empty PEM": "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
			"a certificate": strings.ReplaceAll(good, "PUBLIC KEY", "CERTIFICATE"), "endless": good + strings.Repeat(" ", 20_000),
		} {
			w.refused(name, problem.Invalid, "", func() error { return upload(account, text) })
		}
		leaked := strings.ReplaceAll(w.publicKey(), "PUBLIC", "PRIVATE")
		w.refused("a private key", problem.Invalid, "", func() error {
			err := upload(account, leaked)
			if strings.Contains(problem.As(err).Message, leaked[40:60]) || strings.Contains(err.Error(), leaked[40:60]) {
				w.Error("the refusal repeats it")
			}
			return err
		})
	})
}

// VX2, VX7: nobody makes a service account that may do more than they, nor gets a key of one.
func TestServiceAccountsAreBounded(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		manager := w.someone(string(access.ServiceAccountsManage), string(access.APIKeysGenerate), "reports:read")
		byKey := with(manager, w.key(manager))
		small, big := w.role("Small", "reports:read"), w.role("Big", "reports:read", "calls:read")
		create := func(c access.Caller, roles ...access.RoleID) (authority.ServiceAccount, error) {
			return w.a.CreateServiceAccount(ctx, c, authority.CreateServiceAccountInput{Roles: roles})
		}
		none, err := create(manager)
		w.must(err)
		fine, err := create(manager, small)
		w.must(err)
		w.refused("a role with more", problem.Denied, "more_than_held", func() error { _, err := create(manager, big); return err })
		w.refused("a role that is not there", problem.Invalid, "", func() error { _, err := create(manager, "rol_x"); return err })
		w.refused("a role by a credential", problem.Denied, "session_required", func() error {
			_, err := create(byKey, small)
			return err
		})
		strong, err := create(w.super, big)
		w.must(err)
		issue := func(c access.Caller, a authority.ServiceAccount) error {
			_, err := w.a.IssueServiceAccountKey(ctx, c, authority.IssueServiceAccountKeyInput{ServiceAccount: a.ID, PublicKeyPEM: w.publicKey()})
			return err
		}
		w.must(issue(manager, none)) // VX2: the basic set comes with the right
		w.must(issue(manager, fine))
		w.refused("a key of a stronger one", problem.Denied, "more_than_held", func() error { return issue(manager, strong) })
		w.assignTo(access.Principal{Type: access.PrincipalServiceAccount, ID: string(fine.ID)}, big, w.south.ID)
		w.refused("a key of one that is stronger elsewhere", problem.Denied, "more_than_held", func() error { return issue(manager, fine) })
		_, err = w.a.ChangeServiceAccount(ctx, w.super, authority.ChangeServiceAccountInput{ID: none.ID, Roles: &[]access.RoleID{w.builtIn(w.acme.ID, access.RoleAdmin)}})
		w.must(err)
		w.refused("suspend one with administrative rights", problem.Denied, "outranked", func() error {
			_, err := w.a.SuspendServiceAccount(ctx, manager, authority.ServiceAccountInput{ID: none.ID})
			return err
		})
	})
}

func (w *world) assignTo(p access.Principal, role access.RoleID, at tenancy.OrgID) access.Assignment {
	w.Helper()
	as, err := w.a.Assign(w.Context(), authority.SystemCaller(), authority.AssignInput{Tenant: w.acme.ID, Principal: p, RoleID: role, OrganizationID: at})
	w.must(err)
	return as
}

// A suspended account gets no keys; a suspended key can be resumed, a revoked one can't.
func TestServiceAccountStates(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		k := w.accountCredential()
		account := tenancy.ServiceAccountID(k.Principal.ID)
		_, err := w.a.SuspendServiceAccount(ctx, w.super, authority.ServiceAccountInput{ID: account})
		w.must(err)
		w.refused("a key for a suspended account", problem.Conflict, "owner_suspended", func() error {
			_, err := w.a.IssueServiceAccountKey(ctx, w.super, authority.IssueServiceAccountKeyInput{ServiceAccount: account, PublicKeyPEM: w.publicKey()})
			return err
		})
		w.refused("suspend twice", problem.Conflict, "already_suspended", func() error {
			_, err := w.a.SuspendServiceAccount(ctx, w.super, authority.ServiceAccountInput{ID: account})
			return err
		})
		gone, err := w.a.RevokeServiceAccountKey(ctx, w.super, authority.KeyInput{ID: k.ID})
		if err != nil || gone.State != credential.Revoked {
			w.Errorf("revoked: %+v, %v", gone, err)
		}
		w.refused("resume a revoked key", problem.Conflict, "revoked", func() error {
			_, err := w.a.ResumeServiceAccountKey(ctx, w.super, authority.KeyInput{ID: k.ID})
			return err
		})
		w.refused("remove the organization under an account", problem.Conflict, "organization_in_use", func() error {
			_, err := w.a.RemoveOrganization(ctx, w.super, authority.OrganizationInput{ID: w.north.ID})
			return err
		})
	})
}

// PV4: without API access in the plan, no kind can be made, changed or shown.
func TestPlanWithoutAPIAccessForAnyKind(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		w.licence(w.super, "admin")
		for name, row := range kindRows {
			if row.caller != nil || strings.Contains(name, "Catalog") || name == "Operation" || name == "Usage" {
				continue
			}
			in := row.input(w)
			_, err := w.a.ChangeTenant(ctx, w.system, authority.ChangeTenantInput{ID: w.acme.ID, PlanID: &w.starter})
			w.must(err)
			w.refused(name, problem.Denied, "plan_without_api_access", func() error { return w.call(name, w.super, in) })
			_, err = w.a.ChangeTenant(ctx, w.system, authority.ChangeTenantInput{ID: w.acme.ID, PlanID: &w.plan})
			w.must(err)
		}
	})
}

// PV5: the right to generate keys is given on a built-in role's page, too.
func TestBuiltInRolesCanBeGivenRights(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		id := w.builtIn(w.acme.ID, access.RoleSupervisor)
		person := w.member(w.acme.ID, "", "supervisor", id)
		w.refused("before", problem.Denied, "", func() error {
			_, err := w.a.IssueAPIKey(ctx, person, authority.IssueAPIKeyInput{Name: "k"})
			return err
		})
		role, err := w.a.Role(ctx, w.super, authority.RoleInput{ID: id})
		w.must(err)
		more := append(role.Permissions, access.Grant(access.APIKeysGenerate))
		_, err = w.a.ChangeRole(ctx, w.super, authority.ChangeRoleInput{ID: id, Permissions: &more})
		w.must(err)
		w.key(person)
		for name, in := range map[string]authority.ChangeRoleInput{
			"another name":        {ID: id, Name: ptr("Chief")},
			"another description": {ID: id, Description: ptr("Rules")},
			"the super admin":     {ID: w.builtIn(w.acme.ID, access.RoleSuperAdmin), Permissions: &more},
		} {
			w.refused(name, problem.Conflict, "built_in_role", func() error { _, err := w.a.ChangeRole(ctx, w.super, in); return err })
		}
		w.refused("the system administrator", problem.Conflict, "built_in_role", func() error {
			_, err := w.a.ChangeRole(ctx, w.system, authority.ChangeRoleInput{ID: w.builtIn(tenancy.SystemTenantID, access.RoleSystemAdministrator), Permissions: &more})
			return err
		})
		w.refused("delete one", problem.Conflict, "built_in_role", func() error {
			_, err := w.a.DeleteRole(ctx, w.super, authority.RoleInput{ID: id})
			return err
		})
	})
}

// An account key carries what the plan allows, so only who holds all of that makes one.
func TestAccountKeys(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		k := w.accountKey()
		manager := w.someone(string(access.AccountKeysManage), "reports:read")
		w.refused("by less than the plan", problem.Denied, "more_than_held", func() error {
			_, err := w.a.IssueAccountKey(ctx, manager, authority.IssueAccountKeyInput{Name: "k"})
			return err
		})
		w.refused("a new secret by less than the plan", problem.Denied, "more_than_held", func() error {
			_, err := w.a.RotateAccountKey(ctx, manager, authority.RotateKeyInput{ID: k.ID})
			return err
		})
		w.refused("show it again", problem.NotFound, "", func() error {
			_, err := w.a.RevealKey(ctx, w.confirmed(w.super), authority.KeyInput{ID: k.ID})
			return err
		})
		_, err := w.a.RevokeAccountKey(ctx, manager, authority.KeyInput{ID: k.ID}) // ending is always in reach
		w.must(err)
	})
}
