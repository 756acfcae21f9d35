package authority_test

import (
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// organizationKey is a new organization key at an organization, made by the super admin.
func (w *world) organizationKey(at tenancy.OrgID) authority.IssuedKey {
	w.Helper()
	k, err := w.a.IssueOrganizationKey(w.Context(), w.super, authority.IssueOrganizationKeyInput{OrganizationID: at, Name: "desktops"})
	w.must(err)
	return k
}

func (w *world) accountKey() authority.IssuedKey {
	w.Helper()
	k, err := w.a.IssueAccountKey(w.Context(), w.super, authority.IssueAccountKeyInput{Name: "legacy"})
	w.must(err)
	return k
}

func (w *world) app(apis ...string) authority.IssuedApp {
	w.Helper()
	if len(apis) == 0 {
		apis = []string{"recent_calls"}
	}
	a, err := w.a.CreateApp(w.Context(), w.super, authority.CreateAppInput{OrganizationID: w.north.ID, Name: "reports", APIs: apis})
	w.must(err)
	return a
}

func (w *world) account(roles ...access.RoleID) authority.ServiceAccount {
	w.Helper()
	a, err := w.a.CreateServiceAccount(w.Context(), w.super, authority.CreateServiceAccountInput{OrganizationID: w.north.ID, Roles: roles})
	w.must(err)
	return a
}

func (w *world) accountCredential() authority.IssuedServiceAccountKey {
	w.Helper()
	k, err := w.a.IssueServiceAccountKey(w.Context(), w.super, authority.IssueServiceAccountKeyInput{ServiceAccount: w.account().ID, PublicKeyPEM: w.publicKey()})
	w.must(err)
	return k
}

// licence gives a user a licence.
func (w *world) licence(c access.Caller, licence string) {
	w.Helper()
	_, err := w.a.ChangeUser(w.Context(), authority.SystemCaller(), authority.ChangeUserInput{ID: userOf(c), Licence: &licence})
	w.must(err)
}

func (w *world) client(c access.Caller, scopes ...access.Permission) authority.IssuedKey {
	w.Helper()
	if len(scopes) == 0 {
		scopes = []access.Permission{"recent_calls:read"}
	}
	k, err := w.a.IssueClientCredential(w.Context(), c, authority.IssueClientCredentialInput{Name: "integration", Scopes: scopes})
	w.must(err)
	return k
}

func (w *world) superClient() credential.ID {
	w.Helper()
	w.licence(w.super, "admin")
	return w.client(w.super).ID
}

func organizationKey(w *world) any { return authority.KeyInput{ID: w.organizationKey(w.north.ID).ID} }
func accountKey(w *world) any      { return authority.KeyInput{ID: w.accountKey().ID} }
func app(w *world) any             { return authority.AppInput{ID: w.app().ID} }
func serviceAccount(w *world) any  { return authority.ServiceAccountInput{ID: w.account().ID} }
func accountCredential(w *world) any {
	return authority.KeyInput{ID: w.accountCredential().ID}
}
func clientCredential(w *world) any { return authority.KeyInput{ID: w.superClient()} }

func confirmedSuper(w *world) access.Caller { return w.confirmed(w.super) }

// suspended makes something with make and suspends it with the method.
func suspended(method string, input func(w *world) any) func(w *world) any {
	return func(w *world) any {
		in := input(w)
		w.must(w.call(method, w.super, in))
		return in
	}
}

// The rows of the other kinds.
var kindRows = map[string]row{
	"IssueOrganizationKey": {action: "organization_key.issue", input: func(w *world) any {
		return authority.IssueOrganizationKeyInput{OrganizationID: w.north.ID, Name: "k"}
	}},
	"ChangeOrganizationKey": {action: "organization_key.change", input: func(w *world) any {
		return authority.ChangeKeyInput{ID: w.organizationKey(w.north.ID).ID, Name: ptr("new")}
	}},
	"SuspendOrganizationKey": {action: "organization_key.suspend", input: organizationKey},
	"ResumeOrganizationKey":  {action: "organization_key.resume", input: suspended("SuspendOrganizationKey", organizationKey)},
	"RotateOrganizationKey": {action: "organization_key.rotate", input: func(w *world) any {
		return authority.RotateKeyInput{ID: w.organizationKey(w.north.ID).ID}
	}},
	"RevokeOrganizationKey": {action: "organization_key.revoke", input: organizationKey},
	"DeleteOrganizationKey": {action: "organization_key.delete", input: organizationKey},
	"RevealKey":             {action: "organization_key.reveal", input: organizationKey, caller: confirmedSuper},

	"IssueAccountKey": {action: "account_key.issue", input: func(w *world) any { return authority.IssueAccountKeyInput{Tenant: w.acme.ID, Name: "k"} }},
	"ChangeAccountKey": {action: "account_key.change", input: func(w *world) any {
		return authority.ChangeKeyInput{ID: w.accountKey().ID, Name: ptr("new")}
	}},
	"SuspendAccountKey": {action: "account_key.suspend", input: accountKey},
	"ResumeAccountKey":  {action: "account_key.resume", input: suspended("SuspendAccountKey", accountKey)},
	"RotateAccountKey":  {action: "account_key.rotate", input: func(w *world) any { return authority.RotateKeyInput{ID: w.accountKey().ID} }},
	"RevokeAccountKey":  {action: "account_key.revoke", input: accountKey},
	"DeleteAccountKey":  {action: "account_key.delete", input: accountKey},
	"AccountKey":        {input: accountKey},
	"AccountKeys":       {input: func(w *world) any { return authority.KeysInput{Tenant: w.acme.ID} }},

	"CreateApp": {action: "app.create", input: func(w *world) any {
		return authority.CreateAppInput{OrganizationID: w.north.ID, Name: "a", APIs: []string{"recent_calls"}}
	}},
	"ChangeApp": {action: "app.change", input: func(w *world) any {
		return authority.ChangeAppInput{ID: w.app().ID, APIs: &[]string{"recent_calls", "post_call_survey"}}
	}},
	"SuspendApp": {action: "app.suspend", input: app},
	"ResumeApp":  {action: "app.resume", input: suspended("SuspendApp", app)},
	"RotateApp":  {action: "app.rotate", input: func(w *world) any { return authority.RotateAppInput{ID: w.app().ID} }},
	"RevealApp":  {action: "app.reveal", input: app, caller: confirmedSuper},
	"DeleteApp":  {action: "app.delete", input: app}, // EE6
	"App":        {input: app},
	"Apps":       {input: func(w *world) any { return authority.AppsInput{Tenant: w.acme.ID} }},

	"CreateServiceAccount": {action: "service_account.create", input: func(w *world) any {
		return authority.CreateServiceAccountInput{OrganizationID: w.north.ID}
	}},
	"ChangeServiceAccount": {action: "service_account.change", input: func(w *world) any {
		return authority.ChangeServiceAccountInput{ID: w.account().ID, Description: ptr("nightly export")}
	}},
	"SuspendServiceAccount": {action: "service_account.suspend", input: serviceAccount},
	"ResumeServiceAccount":  {action: "service_account.resume", input: suspended("SuspendServiceAccount", serviceAccount)},
	"DeleteServiceAccount":  {action: "service_account.delete", input: serviceAccount},
	"ServiceAccount":        {input: serviceAccount},
	"ServiceAccounts":       {input: func(w *world) any { return authority.ServiceAccountsInput{Tenant: w.acme.ID} }},

	"IssueServiceAccountKey": {action: "service_account_key.issue", input: func(w *world) any {
		return authority.IssueServiceAccountKeyInput{ServiceAccount: w.account().ID, PublicKeyPEM: w.publicKey()}
	}},
	"ChangeServiceAccountKey": {action: "service_account_key.change", input: func(w *world) any {
		return authority.ChangeKeyInput{ID: w.accountCredential().ID, Name: ptr("new")}
	}},
	"SuspendServiceAccountKey": {action: "service_account_key.suspend", input: accountCredential},
	"ResumeServiceAccountKey":  {action: "service_account_key.resume", input: suspended("SuspendServiceAccountKey", accountCredential)},
	"RevokeServiceAccountKey":  {action: "service_account_key.revoke", input: accountCredential},
	"DeleteServiceAccountKey":  {action: "service_account_key.delete", input: accountCredential},
	"ServiceAccountKey":        {input: accountCredential},
	"ServiceAccountKeys": {input: func(w *world) any {
		return authority.ServiceAccountKeysInput{ServiceAccount: w.account().ID}
	}},

	"IssueClientCredential": {action: "client_credential.issue", input: func(w *world) any {
		w.licence(w.super, "admin")
		return authority.IssueClientCredentialInput{Tenant: w.acme.ID, Name: "c", Scopes: []access.Permission{"recent_calls:read"}}
	}},
	"ChangeClientCredential": {action: "client_credential.change", input: func(w *world) any {
		return authority.ChangeClientCredentialInput{ID: w.superClient(), Scopes: &[]access.Permission{"evaluations:read"}}
	}},
	"SuspendClientCredential": {action: "client_credential.suspend", input: clientCredential},
	"ResumeClientCredential":  {action: "client_credential.resume", input: suspended("SuspendClientCredential", clientCredential)},
	"RotateClientCredential":  {action: "client_credential.rotate", input: func(w *world) any { return authority.RotateKeyInput{ID: w.superClient()} }},
	"RevokeClientCredential":  {action: "client_credential.revoke", input: clientCredential},
	"DeleteClientCredential":  {action: "client_credential.delete", input: clientCredential},
	"ClientCredential":        {input: clientCredential},
	"ClientCredentials":       {input: func(w *world) any { return authority.ClientCredentialsInput{Tenant: w.acme.ID} }},
	"ClientCredentialScopes": {input: func(w *world) any {
		w.licence(w.super, "admin")
		return authority.ScopesInput{Tenant: w.acme.ID}
	}},

	"Catalog":       {input: func(w *world) any { return authority.CatalogInput{Tenant: w.acme.ID} }},
	"ChangeCatalog": systemRow("catalog.change", func(*world) any { return authority.ChangeCatalogInput{Catalog: catalog.Demo()} }),

	"CountAPIKeys": {input: func(w *world) any { return authority.KeysInput{Tenant: w.acme.ID} }},
	"BulkKeys": {action: "operation.create", input: func(w *world) any {
		return authority.BulkKeysInput{Tenant: w.acme.ID, Action: authority.BulkRevoke, IDs: []credential.ID{w.key(w.super).ID}}
	}},
	"Operation": {input: func(w *world) any {
		o, err := w.a.BulkKeys(w.Context(), w.super, authority.BulkKeysInput{Action: authority.BulkRevoke, IDs: []credential.ID{w.key(w.super).ID}})
		w.must(err)
		return authority.OperationInput{ID: o.ID}
	}},
	"Usage": {input: func(w *world) any { return authority.UsageInput{Credential: w.key(w.super).ID} }},
}

// Every kind has all the operations that make sense for it.
func TestEveryKindHasItsOperations(t *testing.T) {
	has := map[string]bool{}
	for _, m := range operations() {
		has[m.Name] = true
	}
	for kind, verbs := range map[string][]string{
		"APIKey":            {"Issue", "Rename", "Suspend", "Resume", "Rotate", "Revoke", "Delete", ""},
		"OrganizationKey":   {"Issue", "Change", "Suspend", "Resume", "Rotate", "Revoke", "Delete"},
		"AccountKey":        {"Issue", "Change", "Suspend", "Resume", "Rotate", "Revoke", "Delete", ""},
		"App":               {"Create", "Change", "Suspend", "Resume", "Rotate", "Reveal", "Delete", ""},
		"ClientCredential":  {"Issue", "Change", "Suspend", "Resume", "Rotate", "Revoke", "Delete", ""},
		"ServiceAccount":    {"Create", "Change", "Suspend", "Resume", "Delete", ""},
		"ServiceAccountKey": {"Issue", "Change", "Suspend", "Resume", "Revoke", "Delete", ""},
		"VerifierKey":       {"Issue", "Rename", "Suspend", "Resume", "Rotate", "Revoke", "Delete", ""},
	} {
		for _, verb := range verbs {
			if !has[verb+kind] {
				t.Errorf("there is no %s%s", verb, kind)
			}
		}
	}
}
