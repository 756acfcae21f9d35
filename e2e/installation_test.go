package e2e

import (
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
)

// Passwords of the people in the tests.
const (
	systemPassword = "correct horse battery staple"
	userPassword   = "seven silent swans swim south"
)

// node is one running Claviger.
type node struct {
	*process
	URL string
}

func (n *node) addr() string { return strings.TrimPrefix(n.URL, "http://") }

// installation is a Claviger with its data, which outlives the processes that serve it.
type installation struct {
	engine
	data  string // --data
	flags []string
	*node // the one that runs now
}

// serveFlags are the flags of a node that keeps its files in data.
func (i *installation) serveFlags(data string) []string {
	flags := []string{
		"serve", "--addr", "127.0.0.1:0", "--data", data, "--keyring", filepath.Join(i.data, "keyring.json"),
		"--trusted-proxies", "127.0.0.1/32", "--log-format", "json",
	}
	if i.database != "" {
		flags = append(flags, "--database", i.database)
	}
	return append(flags, i.flags...)
}

// mustSpawnNode starts a node and waits until it answers.
func (i *installation) mustSpawnNode(t *testing.T, data string) *node {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	p := mustSpawn(t, "claviger", clavigerBinary, append(i.serveFlags(data), "--ready-file", ready)...)
	return &node{process: p, URL: p.mustBeReady(t, ready)}
}

// mustStart starts a new installation: a node, its data folder fresh.
func mustStart(t *testing.T, e engine, flags ...string) *installation {
	t.Helper()
	i := &installation{engine: e, data: t.TempDir(), flags: flags}
	i.mustRestart(t)
	return i
}

// mustRestart starts the installation's node again after it ended.
func (i *installation) mustRestart(t *testing.T) {
	t.Helper()
	i.node = i.mustSpawnNode(t, i.data)
}

// withData are a command's arguments with the installation's data.
func (i *installation) withData(args ...string) []string {
	args = append(args, "--data", i.data)
	if i.database != "" {
		args = append(args, "--database", i.database)
	}
	return args
}

// mustRun runs a command of the program on the installation's data and returns its output.
func (i *installation) mustRun(t *testing.T, args ...string) string {
	t.Helper()
	args = i.withData(args...)
	cmd := exec.Command(clavigerBinary, args...)
	cmd.Env = cleanEnvironment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("claviger %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// caller is somebody who speaks to the management API. The node's URL is asked for each
// time, since it changes with a restart.
type caller struct {
	*installation
	header header // their session's cookie, or their credential
}

// mustDo asks and insists on the status. The answer is decoded into a T; use
// struct{} for none.
func mustDo[T any](t *testing.T, c caller, want int, method, path string, body any) T {
	t.Helper()
	a := mustSend(t, method, c.URL+path, body, c.header)
	if a.Status != want {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, a.Status, want, a.Body)
	}
	if a.Body == "" {
		var none T
		return none
	}
	return mustDecode[T](t, a)
}

// mustSignIn signs a person in and returns them.
func (i *installation) mustSignIn(t *testing.T, tenant, username, password string) caller {
	t.Helper()
	a := mustSend(t, "POST", i.URL+"/v1/sessions", map[string]string{"tenant": tenant, "username": username, "password": password})
	if a.Status/100 != 2 {
		t.Fatalf("signing in: status %d: %s", a.Status, a.Body)
	}
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if strings.HasPrefix(c.Name, "__Host-") && c.Value != "" {
			return caller{i, header{"Cookie", c.Name + "=" + c.Value}}
		}
	}
	t.Fatalf("signing in set no __Host- cookie: %v", a.Header["Set-Cookie"])
	return caller{}
}

// mustAdministrator makes the installation's first administrator, as an operator would,
// and signs them in.
func (i *installation) mustAdministrator(t *testing.T) caller {
	t.Helper()
	printed := i.mustRun(t, "first-admin")
	token := oneTimeToken(t, printed)
	a := mustSend(t, "POST", i.URL+"/v1/first-admin", map[string]string{"token": token, "username": "root", "password": systemPassword})
	if a.Status/100 != 2 {
		t.Fatalf("making the first administrator: status %d: %s", a.Status, a.Body)
	}
	return i.mustSignIn(t, "system", "root", systemPassword)
}

// oneTimeToken finds the token in a printed link.
func oneTimeToken(t *testing.T, printed string) string {
	t.Helper()
	for _, word := range strings.Fields(printed) {
		u, err := url.Parse(word)
		if err != nil || u.Scheme == "" {
			continue
		}
		for _, part := range []string{u.RawQuery, u.Fragment} {
			if values, err := url.ParseQuery(part); err == nil && values.Get("token") != "" {
				return values.Get("token")
			}
		}
	}
	t.Fatalf("no one-time link in %q", printed)
	return ""
}

// tenant is a customer with an administrator who may manage keys.
type tenant struct {
	api.Tenant
	user  api.User
	admin caller
	roles []api.Role
}

// mustTenant makes a tenant on a plan with API access, and in it a Super Admin.
func (i *installation) mustTenant(t *testing.T, system caller, slug string) tenant {
	t.Helper()
	plan := mustDo[api.Plan](t, system, 201, "POST", "/v1/plans", map[string]any{
		"key": slug + "-plan", "name": "Standard", "api_access": true, "permissions": []string{"*:*"},
	})
	made := tenant{Tenant: mustDo[api.Tenant](t, system, 201, "POST", "/v1/tenants", map[string]any{"slug": slug, "name": "Tenant " + slug, "plan_id": plan.ID})}
	made.roles = mustDo[api.List[api.Role]](t, system, 200, "GET", "/v1/roles?tenant_id="+made.ID, nil).Items
	made.user = i.mustUser(t, system, made.RootOrganizationID, "Ada", made.role(t, "super_admin"))
	made.admin = i.mustSignIn(t, slug, "ada", userPassword)
	return made
}

// role is the ID of the tenant's copy of a built-in role.
func (n tenant) role(t *testing.T, key string) string {
	t.Helper()
	for _, r := range n.roles {
		if r.BuiltIn == key {
			return r.ID
		}
	}
	t.Fatalf("the tenant has no role %s", key)
	return ""
}

// mustUser invites a user with a role, and accepts the invitation for them.
func (i *installation) mustUser(t *testing.T, by caller, organization, username string, roles ...string) api.User {
	t.Helper()
	created := mustDo[api.CreatedUser](t, by, 201, "POST", "/v1/users", map[string]any{
		"organization_id": organization, "username": username, "external_id": "crm-" + username,
	})
	for _, role := range roles {
		mustDo[api.Assignment](t, by, 201, "POST", "/v1/assignments", map[string]any{
			"principal_id": created.User.ID, "role_id": role, "organization_id": organization,
		})
	}
	a := mustSend(t, "POST", i.URL+"/v1/invitations/accept", map[string]string{"token": created.Invitation.Token.Reveal(), "password": userPassword})
	if a.Status/100 != 2 {
		t.Fatalf("accepting an invitation: status %d: %s", a.Status, a.Body)
	}
	return created.User
}

// mustIssue makes an API key for the caller.
func mustIssue(t *testing.T, c caller, name string, more ...map[string]any) api.IssuedAPIKey {
	t.Helper()
	body := map[string]any{"name": name}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	return mustDo[api.IssuedAPIKey](t, c, 201, "POST", "/v1/api-keys", body)
}

// mustIssueFor makes a key for another user, as only system callers may (PV7).
func mustIssueFor(t *testing.T, system caller, owner api.User) string {
	t.Helper()
	issued := mustDo[api.IssuedAPIKey](t, system, 201, "POST", "/v1/api-keys?tenant_id="+owner.TenantID, map[string]any{
		"name": "for " + owner.Username, "owner_id": owner.ID,
	})
	return issued.Key.Reveal()
}

// mustVerifier makes a verifier key for the caller's tenant.
func mustVerifier(t *testing.T, c caller) caller {
	t.Helper()
	k := mustDo[api.IssuedVerifierKey](t, c, 201, "POST", "/v1/verifier-keys", map[string]any{"name": "gateway"})
	return caller{c.installation, bearer(k.Key.Reveal())}
}

// verdict asks the node at the URL about a key.
func verdict(url string, verifier header, key string) (api.VerifyResponse, error) {
	var v api.VerifyResponse
	a, err := try("POST", url+"/v1/verify", map[string]string{"credential": key}, verifier)
	if err != nil {
		return v, err
	}
	return v, a.into(200, &v)
}
