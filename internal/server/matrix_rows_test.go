package server_test

import (
	"net/http"
	"strings"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/server"
)

type route = server.Route

// peopleMatrix has a row for every route but those of kindMatrix. Bodies are good ones: what
// is refused is refused for who asks.
var peopleMatrix = map[string]row{
	// One's own account.
	"GET /v1/me": {where: personal, roles: everybody, call: func(_ *world, c *client, _ place) reply { return c.observed(http.MethodGet, "/v1/me", nil) }},
	"POST /v1/me/password": {where: personal, roles: everybody, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodPost, "/v1/me/password", map[string]any{"current_password": password, "new_password": password})
	}},
	"GET /v1/sessions": {where: personal, roles: everybody, call: func(_ *world, c *client, _ place) reply { return c.observed(http.MethodGet, "/v1/sessions", nil) }},
	"DELETE /v1/sessions/{id}": {where: personal, roles: nil, noSystem: true, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodDelete, "/v1/sessions/ses_ofsomebodyelse", nil)
	}},
	"POST /v1/sessions/current/reauthenticate": {where: personal, roles: everybody, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodPost, "/v1/sessions/current/reauthenticate", map[string]any{"password": password})
	}},
	"GET /v1/permissions": {where: personal, roles: everybody, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodGet, "/v1/permissions", nil)
	}},
	"GET /v1/find": {where: personal, roles: everybody, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodGet, "/v1/find?q=nothing", nil)
	}},

	// Without a caller, or with a proof of its own; see session_test.go.
	"POST /v1/sessions":           {where: outside},
	"DELETE /v1/sessions/current": {where: outside},
	"POST /v1/invitations/accept": {where: outside},
	"POST /v1/first-admin":        {where: outside},
	// A key, a token or a client's secret is the proof; see automatic_test.go and oauth_test.go.
	"POST /v1/sign-in/automatic":                  {where: outside},
	"POST /v1/sign-in/automatic/renew":            {where: outside},
	"POST /oauth2/token":                          {where: outside},
	"POST /oauth2/revoke":                         {where: outside},
	"GET /.well-known/oauth-authorization-server": {where: outside},
	"GET /.well-known/jwks.json":                  {where: outside},
	"GET /healthz":                                {where: outside},
	"GET /readyz":                                 {where: outside},
	"GET /metrics":                                {where: outside},
	"GET /openapi.json":                           {where: outside},
	// Callers are verifier keys; see verify_test.go.
	"POST /oauth2/introspect": {where: outside, call: func(_ *world, c *client, _ place) reply {
		return c.raw(http.MethodPost, "/oauth2/introspect", []byte("token=x"), "Content-Type", "application/x-www-form-urlencoded")
	}},
	"POST /v1/verify": {where: outside, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodPost, "/v1/verify", map[string]any{"credential": "x"})
	}},
	"POST /v1/verify/batch": {where: outside, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodPost, "/v1/verify/batch", map[string]any{"items": []any{map[string]any{"credential": "x"}}})
	}},
	"GET /gateway/auth": {where: outside},

	// Tenants and plans: the system's, but for one's own tenant.
	"POST /v1/tenants": {where: systemWide, roles: systemOnly, call: func(w *world, c *client, _ place) reply {
		return c.observed(http.MethodPost, "/v1/tenants", map[string]any{"slug": w.unique("new"), "name": "New", "plan_id": string(w.plan)})
	}},
	"GET /v1/tenants":      {where: systemWide, roles: systemOnly, call: func(_ *world, c *client, _ place) reply { return c.observed(http.MethodGet, "/v1/tenants", nil) }},
	"GET /v1/tenants/{id}": {where: byRoot, roles: readers, call: on(http.MethodGet, "/v1/tenants/{id}", theTenant, nil)},
	"PATCH /v1/tenants/{id}": {
		where: byRoot, roles: superAdmins,
		call: on(http.MethodPatch, "/v1/tenants/{id}", theTenant, map[string]any{"name": "Renamed"}),
	},
	"GET /v1/notices/preview": {where: byRoot, roles: superAdmins, call: func(_ *world, c *client, at place) reply { // NV11
		return c.observed(http.MethodGet, of(at, "/v1/notices/preview"), nil)
	}},
	"POST /v1/tenants/{id}/suspend": {where: byRoot, roles: systemOnly, call: onTenant(http.MethodPost, "/v1/tenants/{id}/suspend")},
	"POST /v1/tenants/{id}/resume":  {where: byRoot, roles: systemOnly, call: resumable("/v1/tenants/{id}/resume", spareTenant)},
	"DELETE /v1/tenants/{id}":       {where: byRoot, roles: systemOnly, call: onTenant(http.MethodDelete, "/v1/tenants/{id}")},
	"POST /v1/plans": {where: systemWide, roles: systemOnly, call: func(w *world, c *client, _ place) reply {
		return c.observed(http.MethodPost, "/v1/plans", map[string]any{"key": w.unique("new"), "name": "New", "api_access": true, "permissions": []string{"*:*"}})
	}},
	"GET /v1/plans":        {where: systemWide, roles: systemOnly, call: func(_ *world, c *client, _ place) reply { return c.observed(http.MethodGet, "/v1/plans", nil) }},
	"GET /v1/plans/{id}":   {where: systemWide, roles: systemOnly, call: on(http.MethodGet, "/v1/plans/{id}", aPlan, nil)},
	"PATCH /v1/plans/{id}": {where: systemWide, roles: systemOnly, call: on(http.MethodPatch, "/v1/plans/{id}", aPlan, map[string]any{"name": "Renamed"})},
	"GET /v1/signing-keys": {where: systemWide, roles: systemOnly, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodGet, "/v1/signing-keys", nil)
	}},
	"POST /v1/signing-keys/rotate": {where: systemWide, roles: systemOnly, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodPost, "/v1/signing-keys/rotate", map[string]any{"at_once": true})
	}},
	"POST /v1/signing-keys/{id}/withdraw": {where: systemWide, roles: systemOnly, call: on(http.MethodPost, "/v1/signing-keys/{id}/withdraw", aSigningKey, nil)},
	"DELETE /v1/plans/{id}":               {where: systemWide, roles: systemOnly, call: on(http.MethodDelete, "/v1/plans/{id}", aPlan, nil)},

	// Organizations.
	"POST /v1/organizations": {where: byPlace, roles: orgManagers, call: func(w *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/organizations"), map[string]any{"parent_id": string(at.org), "name": w.unique("New")})
	}},
	"GET /v1/organizations":               {where: byPlace, roles: readers, call: listed("/v1/organizations?limit=200"), found: func(_ *world, at place) string { return string(at.org) }},
	"GET /v1/organizations/{id}":          {where: byPlace, roles: readers, call: on(http.MethodGet, "/v1/organizations/{id}", (*world).targetOrganization, nil)},
	"GET /v1/organizations/{id}/impact":   {where: byPlace, roles: orgManagers, call: on(http.MethodGet, "/v1/organizations/{id}/impact", (*world).targetOrganization, nil)},
	"PATCH /v1/organizations/{id}":        {where: byPlace, roles: orgManagers, call: on(http.MethodPatch, "/v1/organizations/{id}", (*world).targetOrganization, map[string]any{"name": "Renamed"})},
	"POST /v1/organizations/{id}/suspend": {where: byPlace, roles: orgManagers, call: on(http.MethodPost, "/v1/organizations/{id}/suspend", (*world).targetOrganization, nil)},
	"POST /v1/organizations/{id}/resume":  {where: byPlace, roles: orgManagers, call: resumable("/v1/organizations/{id}/resume", (*world).targetOrganization)},
	"DELETE /v1/organizations/{id}":       {where: byPlace, roles: orgManagers, call: on(http.MethodDelete, "/v1/organizations/{id}", (*world).targetOrganization, nil)},

	// Users.
	"POST /v1/users": {where: byPlace, roles: userManagers, call: func(w *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/users"), map[string]any{"organization_id": string(at.org), "username": w.unique("new")})
	}},
	"GET /v1/users": {where: byPlace, roles: readers, call: func(w *world, c *client, at place) reply {
		w.once("user", at, (*world).targetUser)
		return c.observed(http.MethodGet, of(at, "/v1/users?limit=200&organization_id="+string(at.org)), nil)
	}, found: func(w *world, at place) string { return w.once("user", at, (*world).targetUser) }},
	"GET /v1/users/{id}":          {where: byPlace, roles: readers, call: on(http.MethodGet, "/v1/users/{id}", (*world).targetUser, nil)},
	"PATCH /v1/users/{id}":        {where: byPlace, roles: userManagers, call: on(http.MethodPatch, "/v1/users/{id}", (*world).targetUser, map[string]any{"display_name": "Renamed"})},
	"POST /v1/users/{id}/invite":  {where: byPlace, roles: userManagers, call: on(http.MethodPost, "/v1/users/{id}/invite", (*world).targetUser, nil)},
	"POST /v1/users/{id}/suspend": {where: byPlace, roles: userManagers, call: on(http.MethodPost, "/v1/users/{id}/suspend", (*world).targetUser, nil)},
	"POST /v1/users/{id}/resume":  {where: byPlace, roles: userManagers, call: resumable("/v1/users/{id}/resume", (*world).targetUser)},
	"DELETE /v1/users/{id}":       {where: byPlace, roles: userManagers, call: on(http.MethodDelete, "/v1/users/{id}", (*world).targetUser, nil)},

	// Roles belong to the tenant; looking at them is needed wherever they are given.
	"POST /v1/roles": {where: byRoot, roles: superAdmins, call: func(w *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/roles"), map[string]any{"name": w.unique("New"), "permissions": []string{"reports:read"}})
	}},
	"GET /v1/roles":         {where: anywhere, roles: roleReaders, call: listed("/v1/roles")},
	"GET /v1/roles/{id}":    {where: anywhere, roles: roleReaders, call: on(http.MethodGet, "/v1/roles/{id}", (*world).targetRole, nil)},
	"PATCH /v1/roles/{id}":  {where: byRoot, roles: superAdmins, call: on(http.MethodPatch, "/v1/roles/{id}", (*world).targetRole, map[string]any{"description": "Changed"})},
	"DELETE /v1/roles/{id}": {where: byRoot, roles: superAdmins, call: on(http.MethodDelete, "/v1/roles/{id}", (*world).targetRole, nil)},

	// Assignments.
	"POST /v1/assignments": {where: byPlace, roles: userManagers, call: func(w *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/assignments"), map[string]any{
			"principal_id": w.targetUser(at), "role_id": string(w.roleOf(at.tenant.ID, "agent")), "organization_id": string(at.org),
		})
	}},
	"GET /v1/assignments": {where: byPlace, roles: readers, call: func(w *world, c *client, at place) reply {
		w.once("assignment", at, (*world).targetAssignment)
		return c.observed(http.MethodGet, of(at, "/v1/assignments?limit=200&organization_id="+string(at.org)), nil)
	}, found: func(w *world, at place) string { return w.once("assignment", at, (*world).targetAssignment) }},
	"DELETE /v1/assignments/{id}": {where: byPlace, roles: userManagers, call: on(http.MethodDelete, "/v1/assignments/{id}", (*world).targetAssignment, nil)},

	// API keys. Issuing is for oneself; the rest is tried on others' keys.
	"POST /v1/api-keys": {where: personal, roles: superAdmins, call: func(_ *world, c *client, _ place) reply {
		return c.observed(http.MethodPost, "/v1/api-keys", map[string]any{"name": "New"})
	}},
	"GET /v1/api-keys": {where: byPlace, roles: superAdmins, call: func(w *world, c *client, at place) reply {
		w.once("key", at, (*world).targetKey)
		return c.observed(http.MethodGet, of(at, "/v1/api-keys?limit=200&organization_id="+string(at.org)), nil)
	}, found: func(w *world, at place) string { return w.once("key", at, (*world).targetKey) }},
	"GET /v1/api-keys/{id}":          {where: byPlace, roles: superAdmins, call: on(http.MethodGet, "/v1/api-keys/{id}", (*world).targetKey, nil)},
	"PATCH /v1/api-keys/{id}":        {where: byPlace, roles: superAdmins, call: on(http.MethodPatch, "/v1/api-keys/{id}", (*world).targetKey, map[string]any{"name": "Renamed"})},
	"POST /v1/api-keys/{id}/suspend": {where: byPlace, roles: superAdmins, call: on(http.MethodPost, "/v1/api-keys/{id}/suspend", (*world).targetKey, nil)},
	"POST /v1/api-keys/{id}/resume":  {where: byPlace, roles: superAdmins, call: resumable("/v1/api-keys/{id}/resume", (*world).targetKey)},
	// A new secret of another's key would let its holder act as the owner.
	"POST /v1/api-keys/{id}/rotate": {where: byPlace, roles: nil, call: on(http.MethodPost, "/v1/api-keys/{id}/rotate", (*world).targetKey, nil)},
	"POST /v1/api-keys/{id}/revoke": {where: byPlace, roles: superAdmins, call: on(http.MethodPost, "/v1/api-keys/{id}/revoke", (*world).targetKey, nil)},
	"DELETE /v1/api-keys/{id}":      {where: byPlace, roles: superAdmins, call: on(http.MethodDelete, "/v1/api-keys/{id}", (*world).targetKey, nil)},

	// Verifier keys belong to the tenant.
	"POST /v1/verifier-keys": {where: byRoot, roles: superAdmins, call: func(w *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/verifier-keys"), map[string]any{"name": w.unique("New")})
	}},
	"GET /v1/verifier-keys":               {where: byRoot, roles: superAdmins, call: listed("/v1/verifier-keys")},
	"GET /v1/verifier-keys/{id}":          {where: byRoot, roles: superAdmins, call: on(http.MethodGet, "/v1/verifier-keys/{id}", (*world).targetVerifierKey, nil)},
	"PATCH /v1/verifier-keys/{id}":        {where: byRoot, roles: superAdmins, call: on(http.MethodPatch, "/v1/verifier-keys/{id}", (*world).targetVerifierKey, map[string]any{"name": "Renamed"})},
	"POST /v1/verifier-keys/{id}/suspend": {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/verifier-keys/{id}/suspend", (*world).targetVerifierKey, nil)},
	"POST /v1/verifier-keys/{id}/resume":  {where: byRoot, roles: superAdmins, call: resumable("/v1/verifier-keys/{id}/resume", (*world).targetVerifierKey)},
	"POST /v1/verifier-keys/{id}/rotate":  {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/verifier-keys/{id}/rotate", (*world).targetVerifierKey, nil)},
	"POST /v1/verifier-keys/{id}/revoke":  {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/verifier-keys/{id}/revoke", (*world).targetVerifierKey, nil)},
	"DELETE /v1/verifier-keys/{id}":       {where: byRoot, roles: superAdmins, call: on(http.MethodDelete, "/v1/verifier-keys/{id}", (*world).targetVerifierKey, nil)},

	// The audit log is the tenant's.
	"GET /v1/audit-events":             {where: byRoot, roles: auditReaders, call: listed("/v1/audit-events")},
	"GET /v1/audit-events/export":      {where: byRoot, roles: auditReaders, call: listed("/v1/audit-events/export?action=none")},
	"GET /v1/audit-checkpoints/latest": {where: byRoot, roles: auditReaders, call: listed("/v1/audit-checkpoints/latest")},
	"POST /v1/audit-checkpoints/check": {where: byRoot, roles: auditReaders, call: func(_ *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/audit-checkpoints/check"), nil)
	}},
}

func theTenant(_ *world, at place) string { return string(at.tenant.ID) }

// spareTenant is one that nobody lives in, so that stopping it stops nobody.
func spareTenant(w *world, _ place) string { return w.targetTenant() }

func aPlan(w *world, _ place) string { return w.targetPlan() }

func aSigningKey(w *world, _ place) string {
	w.Helper()
	return ok2(w.node.Authority().RotateSigningKey(w.Context(), w.system, authority.RotateSigningKeyInput{AtOnce: true}))(w).ID
}

// onTenant tries the caller's own tenant where it must be refused, and a spare one where
// it will pass.
func onTenant(method, path string) func(*world, *client, place) reply {
	return func(w *world, c *client, at place) reply {
		id, _ := at.id(w, path, theTenant)
		if c.user.ID == w.admin.user.ID {
			id = w.targetTenant()
		}
		return c.observed(method, strings.Replace(path, "{id}", id, 1), nil)
	}
}

// once makes a target that all cells look for.
func (w *world) once(kind string, at place, make func(*world, place) string) string {
	w.Helper()
	return w.kept(kind+"@"+string(at.org), at, make)
}

func (w *world) kept(name string, at place, make func(*world, place) string) string {
	w.Helper()
	if w.targets == nil {
		w.targets = map[string]string{}
	}
	if w.targets[name] == "" {
		w.targets[name] = make(w, at)
	}
	return w.targets[name]
}
