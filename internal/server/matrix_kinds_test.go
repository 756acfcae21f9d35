package server_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Who has which right to which kind of credential, once more.
var (
	appMakers     = []string{access.RoleSuperAdmin, access.RoleCompanyAdmin}
	clientAdmins  = []string{access.RoleSuperAdmin, access.RoleAdmin}
	clientOwners  = []string{access.RoleSuperAdmin, access.RoleAdmin, access.RoleSupervisor}
	keyMakers     = []string{access.RoleSuperAdmin, access.RoleCustomerAdministrator} // of organizations, at the root (NV1)
	usageReaders  = []string{access.RoleSuperAdmin, access.RoleCompanyAdmin, access.RoleCustomerAdministrator, access.RoleAdmin, access.RoleAnalyst}
	catalogPeople = readers

	// Whoever has one of the pages of credentials.
	credentialPeople = []string{
		access.RoleSuperAdmin, access.RoleCompanyAdmin, access.RoleCustomerAdministrator, access.RoleAdmin, access.RoleSupervisor,
	}
)

// matrix is all rows.
var matrix = joined(peopleMatrix, kindMatrix, rotationMatrix, leavingMatrix, policyMatrix, importMatrix, deliveryMatrix, webhookMatrix)

func joined(parts ...map[string]row) map[string]row {
	all := map[string]row{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// kindMatrix has the routes of the kinds of credentials beside user and verifier keys.
var kindMatrix = map[string]row{
	// Many keys at once.
	"GET /v1/api-keys/count": {where: byPlace, roles: superAdmins, call: func(_ *world, c *client, at place) reply {
		return c.observed(http.MethodGet, of(at, "/v1/api-keys/count?organization_id="+string(at.org)), nil)
	}},
	"GET /v1/api-keys/export": {where: byPlace, roles: superAdmins, call: func(_ *world, c *client, at place) reply {
		return c.observed(http.MethodGet, of(at, "/v1/api-keys/export?organization_id="+string(at.org)), nil)
	}},
	"POST /v1/api-keys/bulk": {where: byPlace, roles: superAdmins, call: func(_ *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/api-keys/bulk"), map[string]any{
			"action": "suspend", "as_of": 1, "expected_count": 0,
			"filter": map[string]any{"kind": "user_key", "organization_id": string(at.org), "search": "there is no such key"},
		})
	}},
	"GET /v1/operations/{id}": {where: byRoot, roles: auditReaders, call: on(http.MethodGet, "/v1/operations/{id}", (*world).targetOperation, nil)},

	// Organization keys are for those who hold the right at the root; the routes are those of API keys.
	"POST /v1/api-keys/{id}/reveal": {where: byRoot, roles: keyMakers, call: on(http.MethodPost, "/v1/api-keys/{id}/reveal", (*world).targetOrganizationKey, nil)},

	// Account keys.
	"POST /v1/account-keys": {where: byRoot, roles: superAdmins, call: func(w *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/account-keys"), map[string]any{"name": w.unique("New")})
	}},
	"GET /v1/account-keys":               {where: byRoot, roles: superAdmins, call: listed("/v1/account-keys")},
	"GET /v1/account-keys/{id}":          {where: byRoot, roles: superAdmins, call: on(http.MethodGet, "/v1/account-keys/{id}", (*world).targetAccountKey, nil)},
	"PATCH /v1/account-keys/{id}":        {where: byRoot, roles: superAdmins, call: on(http.MethodPatch, "/v1/account-keys/{id}", (*world).targetAccountKey, map[string]any{"name": "Renamed"})},
	"POST /v1/account-keys/{id}/suspend": {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/account-keys/{id}/suspend", (*world).targetAccountKey, nil)},
	"POST /v1/account-keys/{id}/resume":  {where: byRoot, roles: superAdmins, call: resumable("/v1/account-keys/{id}/resume", (*world).targetAccountKey)},
	"POST /v1/account-keys/{id}/rotate":  {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/account-keys/{id}/rotate", (*world).targetAccountKey, nil)},
	"POST /v1/account-keys/{id}/revoke":  {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/account-keys/{id}/revoke", (*world).targetAccountKey, nil)},
	"DELETE /v1/account-keys/{id}":       {where: byRoot, roles: superAdmins, call: on(http.MethodDelete, "/v1/account-keys/{id}", (*world).targetAccountKey, nil)},

	// Apps.
	"POST /v1/apps": {where: byPlace, roles: appMakers, call: func(w *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/apps"), map[string]any{
			"name": w.unique("New"), "organization_id": string(at.org), "apis": []string{"recent_calls"},
		})
	}},
	"GET /v1/apps": {where: byPlace, roles: appMakers, call: func(w *world, c *client, at place) reply {
		w.once("app", at, (*world).targetApp)
		return c.observed(http.MethodGet, of(at, "/v1/apps?limit=200&organization_id="+string(at.org)), nil)
	}, found: func(w *world, at place) string { return w.once("app", at, (*world).targetApp) }},
	"GET /v1/apps/{id}":          {where: byPlace, roles: appMakers, call: on(http.MethodGet, "/v1/apps/{id}", (*world).targetApp, nil)},
	"PATCH /v1/apps/{id}":        {where: byPlace, roles: appMakers, call: on(http.MethodPatch, "/v1/apps/{id}", (*world).targetApp, map[string]any{"apis": []string{"recent_calls", "post_call_survey"}})},
	"POST /v1/apps/{id}/suspend": {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/apps/{id}/suspend", (*world).targetApp, nil)},
	"POST /v1/apps/{id}/resume":  {where: byPlace, roles: appMakers, call: resumable("/v1/apps/{id}/resume", (*world).targetApp)},
	"POST /v1/apps/{id}/rotate":  {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/apps/{id}/rotate", (*world).targetApp, nil)},
	"POST /v1/apps/{id}/reveal":  {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/apps/{id}/reveal", (*world).targetApp, nil)},
	"DELETE /v1/apps/{id}":       {where: byPlace, roles: appMakers, call: on(http.MethodDelete, "/v1/apps/{id}", (*world).targetApp, nil)},

	// Service accounts and their keys.
	"POST /v1/service-accounts": {where: byPlace, roles: appMakers, call: func(_ *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/service-accounts"), map[string]any{"organization_id": string(at.org)})
	}},
	"GET /v1/service-accounts": {where: byPlace, roles: appMakers, call: func(w *world, c *client, at place) reply {
		w.once("service account", at, (*world).targetServiceAccount)
		return c.observed(http.MethodGet, of(at, "/v1/service-accounts?limit=200&organization_id="+string(at.org)), nil)
	}, found: func(w *world, at place) string { return w.once("service account", at, (*world).targetServiceAccount) }},
	"GET /v1/service-accounts/{id}":          {where: byPlace, roles: appMakers, call: on(http.MethodGet, "/v1/service-accounts/{id}", (*world).targetServiceAccount, nil)},
	"PATCH /v1/service-accounts/{id}":        {where: byPlace, roles: appMakers, call: on(http.MethodPatch, "/v1/service-accounts/{id}", (*world).targetServiceAccount, map[string]any{"description": "Changed"})},
	"POST /v1/service-accounts/{id}/suspend": {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/service-accounts/{id}/suspend", (*world).targetServiceAccount, nil)},
	"POST /v1/service-accounts/{id}/resume":  {where: byPlace, roles: appMakers, call: resumable("/v1/service-accounts/{id}/resume", (*world).targetServiceAccount)},
	"DELETE /v1/service-accounts/{id}":       {where: byPlace, roles: appMakers, call: on(http.MethodDelete, "/v1/service-accounts/{id}", (*world).targetServiceAccount, nil)},
	"POST /v1/service-accounts/{id}/keys": {where: byPlace, roles: appMakers, call: func(w *world, c *client, at place) reply {
		return on(http.MethodPost, "/v1/service-accounts/{id}/keys", (*world).targetServiceAccount, map[string]any{"public_key": publicKey()})(w, c, at)
	}},
	"GET /v1/service-accounts/{id}/keys":         {where: byPlace, roles: appMakers, call: on(http.MethodGet, "/v1/service-accounts/{id}/keys", (*world).targetServiceAccount, nil)},
	"GET /v1/service-account-keys/{id}":          {where: byPlace, roles: appMakers, call: on(http.MethodGet, "/v1/service-account-keys/{id}", (*world).targetServiceAccountKey, nil)},
	"PATCH /v1/service-account-keys/{id}":        {where: byPlace, roles: appMakers, call: on(http.MethodPatch, "/v1/service-account-keys/{id}", (*world).targetServiceAccountKey, map[string]any{"name": "Renamed"})},
	"POST /v1/service-account-keys/{id}/suspend": {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/service-account-keys/{id}/suspend", (*world).targetServiceAccountKey, nil)},
	"POST /v1/service-account-keys/{id}/resume":  {where: byPlace, roles: appMakers, call: resumable("/v1/service-account-keys/{id}/resume", (*world).targetServiceAccountKey)},
	"POST /v1/service-account-keys/{id}/revoke":  {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/service-account-keys/{id}/revoke", (*world).targetServiceAccountKey, nil)},
	"DELETE /v1/service-account-keys/{id}":       {where: byPlace, roles: appMakers, call: on(http.MethodDelete, "/v1/service-account-keys/{id}", (*world).targetServiceAccountKey, nil)},

	// Client credentials. Issuing is for oneself; the rest is tried on others'. What
	// another's may do is its owner's business (VC3); ending it is an administrator's too.
	"POST /v1/client-credentials": {where: personal, roles: clientOwners, call: func(w *world, c *client, _ place) reply {
		return c.observed(http.MethodPost, "/v1/client-credentials", map[string]any{"name": w.unique("New"), "scopes": []string{"recent_calls:read"}})
	}},
	"GET /v1/client-credentials/scopes": {where: personal, roles: clientOwners, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodGet, "/v1/client-credentials/scopes", nil)
	}},
	"GET /v1/client-credentials": {where: byPlace, roles: clientAdmins, call: func(w *world, c *client, at place) reply {
		w.once("client credential", at, (*world).targetClientCredential)
		return c.observed(http.MethodGet, of(at, "/v1/client-credentials?limit=200&organization_id="+string(at.org)), nil)
	}, found: func(w *world, at place) string {
		return w.once("client credential", at, (*world).targetClientCredential)
	}},
	"GET /v1/client-credentials/{id}":          {where: byPlace, roles: clientAdmins, call: on(http.MethodGet, "/v1/client-credentials/{id}", (*world).targetClientCredential, nil)},
	"PATCH /v1/client-credentials/{id}":        {where: byPlace, roles: nil, call: on(http.MethodPatch, "/v1/client-credentials/{id}", (*world).targetClientCredential, map[string]any{"name": "Renamed"})},
	"POST /v1/client-credentials/{id}/suspend": {where: byPlace, roles: clientAdmins, call: on(http.MethodPost, "/v1/client-credentials/{id}/suspend", (*world).targetClientCredential, nil)},
	"POST /v1/client-credentials/{id}/resume":  {where: byPlace, roles: clientAdmins, call: resumable("/v1/client-credentials/{id}/resume", (*world).targetClientCredential)},
	"POST /v1/client-credentials/{id}/rotate":  {where: byPlace, roles: nil, call: on(http.MethodPost, "/v1/client-credentials/{id}/rotate", (*world).targetClientCredential, nil)},
	"POST /v1/client-credentials/{id}/revoke":  {where: byPlace, roles: clientAdmins, call: on(http.MethodPost, "/v1/client-credentials/{id}/revoke", (*world).targetClientCredential, nil)},
	"DELETE /v1/client-credentials/{id}":       {where: byPlace, roles: clientAdmins, call: on(http.MethodDelete, "/v1/client-credentials/{id}", (*world).targetClientCredential, nil)},

	// The plan's gate; asking for access where there is none is in plan_gate_test.go.
	"GET /v1/api-access": {where: anywhere, roles: credentialPeople, call: listed("/v1/api-access")},
	"POST /v1/api-access/request": {where: outside, call: func(_ *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/api-access/request"), nil)
	}},

	// The catalogue and usage.
	"GET /v1/catalog": {where: anywhere, roles: catalogPeople, call: listed("/v1/catalog")},
	"PUT /v1/catalog": {where: systemWide, roles: systemOnly, call: func(w *world, c *client, _ place) reply {
		now := into[api.CatalogView](w, w.admin.must(http.StatusOK, http.MethodGet, "/v1/catalog", nil))
		return c.observed(http.MethodPut, "/v1/catalog", now.Catalog)
	}},
	"GET /v1/usage": {where: byPlace, roles: usageReaders, call: func(w *world, c *client, at place) reply {
		id := ghostCredential
		if !at.ghost {
			id = w.once("key", at, (*world).targetKey)
		}
		return c.observed(http.MethodGet, "/v1/usage?credential_id="+id, nil)
	}},
}

// publicKey is one that nobody has the private half of: making a real pair takes long.
func publicKey() string {
	small := big.NewInt(1)
	for p := int64(3); p < 1<<12; p += 2 {
		small.Mul(small, big.NewInt(p))
	}
	n := new(big.Int)
	for gcd := big.NewInt(0); gcd.Cmp(big.NewInt(1)) != 0; {
		b := make([]byte, 256)
		_, _ = rand.Read(b) // never fails
		b[0], b[255] = b[0]|0x80, b[255]|1
		gcd.GCD(nil, nil, n.SetBytes(b), small)
	}
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: 65537})
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func (w *world) targetOrganizationKey(at place) string {
	w.Helper()
	return ok2(w.node.Authority().IssueOrganizationKey(w.Context(), w.system, authority.IssueOrganizationKeyInput{
		Tenant: at.tenant.ID, OrganizationID: at.org, Name: w.unique("Key"),
	}))(w).ID.String()
}

func (w *world) targetAccountKey(at place) string {
	w.Helper()
	return ok2(w.node.Authority().IssueAccountKey(w.Context(), w.system, authority.IssueAccountKeyInput{
		Tenant: at.tenant.ID, Name: w.unique("Key"),
	}))(w).ID.String()
}

func (w *world) targetApp(at place) string {
	w.Helper()
	return string(ok2(w.node.Authority().CreateApp(w.Context(), w.system, authority.CreateAppInput{
		Tenant: at.tenant.ID, OrganizationID: at.org, Name: w.unique("App"), APIs: []string{"recent_calls"},
	}))(w).ID)
}

func (w *world) targetServiceAccount(at place) string {
	w.Helper()
	return string(ok2(w.node.Authority().CreateServiceAccount(w.Context(), w.system, authority.CreateServiceAccountInput{
		Tenant: at.tenant.ID, OrganizationID: at.org, Description: w.unique("Robot"),
	}))(w).ID)
}

func (w *world) targetServiceAccountKey(at place) string {
	w.Helper()
	return ok2(w.node.Authority().IssueServiceAccountKey(w.Context(), w.system, authority.IssueServiceAccountKeyInput{
		Tenant: at.tenant.ID, ServiceAccount: tenancy.ServiceAccountID(w.targetServiceAccount(at)), PublicKeyPEM: publicKey(),
	}))(w).ID.String()
}

// targetClientCredential belongs to a user who may have it.
func (w *world) targetClientCredential(at place) string {
	w.Helper()
	owner := w.user(at.tenant, at.org, access.RoleSupervisor)
	return ok2(w.node.Authority().IssueClientCredential(w.Context(), w.system, authority.IssueClientCredentialInput{
		Tenant: at.tenant.ID, Level: authority.LevelUser, Owner: owner.ID, Name: w.unique("Credential"), Scopes: []access.Permission{"recent_calls:read"},
	}))(w).ID.String()
}

// targetOperation is one of the system's that finds nothing to do.
func (w *world) targetOperation(at place) string {
	w.Helper()
	return ok2(w.node.Authority().BulkKeys(w.Context(), w.system, authority.BulkKeysInput{
		Tenant: at.tenant.ID, Action: authority.BulkSuspend, AsOf: 1,
		Filter: &authority.KeysInput{Tenant: at.tenant.ID, Kinds: []credential.Kind{credential.UserKey}, Search: "there is no such key"},
	}))(w).ID
}
