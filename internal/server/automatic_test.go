package server_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// signInKey is a key of one of tenant a's organizations.
func (w *world) signInKey(place string) (id, key string) {
	w.Helper()
	made := ok2(w.node.Authority().IssueOrganizationKey(w.Context(), w.system, authority.IssueOrganizationKeyInput{
		Tenant: w.a.ID, OrganizationID: w.orgs[place], Name: w.unique("Desktops"),
	}))(w)
	return made.ID.String(), made.Secret.Reveal()
}

// automatic tries to sign somebody in.
func (w *world) automatic(key, username, program string) reply {
	w.Helper()
	return (&client{w: w}).do(http.MethodPost, "/v1/sign-in/automatic", map[string]any{"key": key, "username": username, "client": program})
}

// agent is a user of tenant a with the role of an agent, named as told.
func (w *world) agent(place, username, licence string, roles ...string) tenancy.User {
	w.Helper()
	u := ok2(w.node.Authority().CreateUser(w.Context(), w.system, authority.CreateUserInput{
		Tenant: w.a.ID, OrganizationID: w.orgs[place], Username: username, Licence: licence,
	}))(w).User
	for _, r := range append(roles, access.RoleAgent) {
		w.assign(w.a.ID, u.ID, w.roles[r], w.orgs[place])
	}
	return u
}

func TestNV2AutomaticSignIn(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/organizations/"+string(w.orgs["mid"]), map[string]any{"domains": []string{"CORP", "example.com"}})
		ada := w.agent("deep", "Ada.Lovelace", "agent")
		grace := w.agent("mid", "grace@else.example", "agent")
		keyID, key := w.signInKey("mid")
		for name, row := range map[string]struct {
			username string
			user     tenancy.User
		}{
			"user":               {"Ada.Lovelace", ada},
			"in any case":        {"ADA.lovelace", ada},
			"full width":         {"ＡＤＡ.lovelace", ada},
			"spaces around":      {" ada.lovelace ", ada},
			"DOMAIN\\user":       {`corp\ada.lovelace`, ada},
			"DOMAIN\\USER":       {`CORP\ADA.LOVELACE`, ada},
			"DNS name\\user":     {`Example.COM\ada.lovelace`, ada},
			"user@domain":        {"ada.lovelace@EXAMPLE.com", ada},
			"user@short domain":  {"ada.lovelace@corp", ada},
			"a name with @":      {"Grace@Else.example", grace},
			"a name with @, too": {`CORP\grace@else.example`, grace},
		} {
			before := w.auditCount()
			r := w.automatic(key, row.username, "desktop")
			if r.status != http.StatusOK {
				t.Errorf("%s: status %d: %s", name, r.status, r.body)
				continue
			}
			got := into[api.AutomaticSession](t, r)
			if left := got.ExpiresAt.Sub(w.clock.now()); got.UserID != string(row.user.ID) || left > 15*time.Minute || left < 14*time.Minute {
				t.Errorf("%s: %s", name, r.body)
			}
			if n := w.auditCount() - before; n != 1 {
				t.Errorf("%s: %d audit events", name, n)
			}
			// The user's rights within the client's, and nothing of Claviger's own.
			v := w.verify(map[string]any{"credential": got.SessionToken.Reveal()})
			if !v.Valid || v.CredentialID != keyID || v.Principal.Type != "user" || v.Principal.ID != string(row.user.ID) || v.OrganizationID != string(row.user.OrganizationID) {
				t.Errorf("%s: the token is %+v", name, v)
			}
			if d := cmp.Diff([]string{"contact_center_chat:read", "contact_center_chat:write", "recent_calls:read"}, v.Permissions); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			if strings.Contains(w.log.String(), got.SessionToken.Reveal()) || strings.Contains(w.log.String(), key) {
				t.Errorf("%s: the log has a secret", name)
			}
		}
		events := into[api.List[api.AuditEvent]](t, w.person(access.RoleSuperAdmin, "root").must(http.StatusOK, http.MethodGet, "/v1/audit-events?action=session.begin_automatic&target_id="+string(ada.ID), nil))
		if len(events.Items) == 0 || events.Items[0].CredentialID != keyID || events.Items[0].Actor.Type != "organization" {
			t.Errorf("NV2: the audit says %+v", events.Items)
		}
	})
}

// Whatever is wrong, the answer is the same.
func TestNV2RefusalsAreAlike(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/organizations/"+string(w.orgs["branch"]), map[string]any{"domains": []string{"branch"}})
		w.agent("deep", "inside", "agent")
		w.agent("branch", "beside", "agent")
		w.agent("root", "above", "agent")
		w.agent("mid", "unlicensed", "")
		suspended := w.agent("mid", "suspended", "agent")
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/users/"+string(suspended.ID)+"/suspend", nil)
		deleted := w.agent("mid", "deleted", "agent")
		w.admin.must(http.StatusNoContent, http.MethodDelete, "/v1/users/"+string(deleted.ID), nil)
		for _, role := range []string{access.RoleSuperAdmin, access.RoleCompanyAdmin, access.RoleCustomerAdministrator, access.RoleAdmin} {
			w.agent("mid", role, "admin", role)
		}
		keyID, key := w.signInKey("mid")
		_, ended := w.signInKey("mid")
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/api-keys/"+must0(w.credentialOf(ended))+"/revoke", nil)
		userKey := w.person(access.RoleSuperAdmin, "root").issue(map[string]any{"name": "Key"}).Key.Reveal()
		if r := w.automatic(key, "inside", "desktop"); r.status != http.StatusOK {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		first := ""
		check := func(name, key, username, client string) {
			t.Helper()
			before := w.auditCount()
			r := w.automatic(key, username, client)
			p := r.problem(t)
			p.RequestID = ""
			b, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = string(b)
			}
			if r.status != http.StatusUnauthorized || string(b) != first || w.auditCount() != before {
				t.Errorf("%s: status %d: %s, others say %s", name, r.status, b, first)
			}
		}
		for name, row := range map[string][3]string{
			"no such user":           {key, "nobody", "desktop"},
			"no such domain":         {key, `nowhere\inside`, "desktop"},
			"an unknown mail domain": {key, "inside@nowhere.example", "desktop"},
			"another's domain":       {key, `branch\inside`, "desktop"},
			"no user in the domain":  {key, `branch\`, "desktop"},
			"nothing but a slash":    {key, `\`, "desktop"},
			"nothing but an at":      {key, "@", "desktop"},
			"in another branch":      {key, "beside", "desktop"},
			"by its own domain":      {key, `branch\beside`, "desktop"},
			"above the key":          {key, "above", "desktop"},
			"no licence":             {key, "unlicensed", "desktop"},
			"no such client":         {key, "inside", "laptop"},
			"suspended":              {key, "suspended", "desktop"},
			"deleted":                {key, "deleted", "desktop"},
			"a super admin":          {key, access.RoleSuperAdmin, "desktop"},
			"a company admin":        {key, access.RoleCompanyAdmin, "desktop"},
			"a customer admin":       {key, access.RoleCustomerAdministrator, "desktop"},
			"an admin":               {key, access.RoleAdmin, "desktop"},
			"hostile":                {key, "x\x00'\u202e", "desktop"},
			"no such key":            {"clv_ok_nonsense", "inside", "desktop"},
			"a revoked key":          {ended, "inside", "desktop"},
			"a person's key":         {userKey, "inside", "desktop"},
			"the verifier's":         {w.verifier, "inside", "desktop"},
		} {
			check(name, row[0], row[1], row[2])
		}
		// A supervisor looks after nobody's rights; and a tenant may let administrators in.
		w.agent("mid", "supervisor", "supervisor", access.RoleSupervisor)
		if r := w.automatic(key, "supervisor", "desktop"); r.status != http.StatusOK {
			t.Errorf("a supervisor: status %d: %s", r.status, r.body)
		}
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/tenants/"+string(w.a.ID), map[string]any{"policy": map[string]any{"administrators_sign_in_automatically": true}})
		r := w.automatic(key, access.RoleSuperAdmin, "desktop")
		if r.status != http.StatusOK {
			t.Fatalf("an administrator, where that is allowed: status %d: %s", r.status, r.body)
		}
		v := w.verify(map[string]any{"credential": into[api.AutomaticSession](t, r).SessionToken.Reveal()})
		if slices.ContainsFunc(v.Permissions, func(p string) bool { return strings.HasPrefix(p, "claviger.") || strings.HasPrefix(p, "*") }) || !v.Valid {
			t.Errorf("an administrator's token: %+v", v)
		}
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/api-keys/"+keyID+"/suspend", nil)
		check("a suspended key", key, "inside", "desktop")
	})
}

func must0[T any](v T, ok bool) T {
	if !ok {
		panic("not ok")
	}
	return v
}

// credentialOf is the credential's ID in a key.
func (w *world) credentialOf(key string) (string, bool) {
	parts := strings.Split(key, "_")
	return "crd_" + parts[2], len(parts) == 4
}

func TestNV2TokenIsForTheVendorsAPIsOnly(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.agent("mid", "ada", "agent")
	_, key := w.signInKey("mid")
	token := into[api.AutomaticSession](t, w.automatic(key, "ada", "desktop")).SessionToken.Reveal()
	for _, path := range []string{"/v1/me", "/v1/api-keys", "/v1/sessions", "/v1/usage"} {
		for name, c := range map[string]*client{"bearer": w.bearer(token), "cookie": {w: w, cookie: "__Host-claviger=" + token}} {
			if r := c.do(http.MethodGet, path, nil); r.status != http.StatusUnauthorized && r.status != http.StatusForbidden {
				t.Errorf("GET %s by %s: status %d: %.200s", path, name, r.status, r.body)
			}
		}
	}
	if r := w.bearer(token).do(http.MethodGet, "/gateway/auth?permissions=recent_calls:read", nil); r.status != http.StatusNoContent || r.header.Get("Claviger-Principal-Type") != "user" {
		t.Errorf("at the gateway: status %d, %v", r.status, r.header)
	}
	if r := w.bearer(token).do(http.MethodGet, "/gateway/auth?permissions=call_recordings:read", nil); r.status != http.StatusForbidden {
		t.Errorf("beyond the client's permissions: status %d", r.status)
	}
	// The key itself opens nothing.
	if r := w.bearer(key).do(http.MethodGet, "/gateway/auth?permissions=recent_calls:read", nil); r.status != http.StatusForbidden {
		t.Errorf("the key: status %d", r.status)
	}
}

// The token ends with all that it stands on.
func TestNV2TokenEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.agent("deep", "ada", "agent")
		keyID, key := w.signInKey("mid")
		token := into[api.AutomaticSession](t, w.automatic(key, "ada", "desktop")).SessionToken.Reveal()
		valid := func(what string, want bool) {
			t.Helper()
			v := w.verify(map[string]any{"credential": token, "permissions": "recent_calls:read"})
			if v.Valid != want {
				t.Errorf("%s: %s", what, v.Code)
			}
		}
		valid("at first", true)
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/users/"+string(ada.ID), map[string]any{"licence": ""})
		valid("without the licence", false)
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/users/"+string(ada.ID), map[string]any{"licence": "agent"})
		valid("with it again", true)
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/users/"+string(ada.ID), map[string]any{"organization_id": string(w.orgs["branch"])})
		valid("moved away", false)
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/users/"+string(ada.ID), map[string]any{"organization_id": string(w.orgs["mid"])})
		// The role was held at deep: what she holds now is nothing.
		valid("where she holds nothing", false)
		w.assign(w.a.ID, ada.ID, w.roles[access.RoleAgent], w.orgs["mid"])
		valid("with the role there", true)
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/users/"+string(ada.ID)+"/suspend", nil)
		valid("suspended", false)
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/users/"+string(ada.ID)+"/resume", nil)
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/organizations/"+string(w.orgs["mid"])+"/suspend", nil)
		valid("in a suspended organization", false)
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/organizations/"+string(w.orgs["mid"])+"/resume", nil)
		valid("as before", true)
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/api-keys/"+keyID+"/revoke", nil)
		valid("with the key revoked", false)
		if r := (&client{w: w}).do(http.MethodPost, "/v1/sign-in/automatic/renew", map[string]any{"session_token": token}); r.status != http.StatusUnauthorized {
			t.Errorf("renewed without its key: status %d: %s", r.status, r.body)
		}
	})
}

func TestNV2RenewalForTwelveHours(t *testing.T) {
	w := newWorld(t, sqlite(t))
	ada := w.agent("mid", "ada", "agent")
	_, key := w.signInKey("mid")
	began := w.clock.now()
	session := into[api.AutomaticSession](t, w.automatic(key, "ada", "desktop"))
	renew := func(token string) reply {
		return (&client{w: w}).do(http.MethodPost, "/v1/sign-in/automatic/renew", map[string]any{"session_token": token})
	}
	w.admin.must(http.StatusOK, http.MethodPatch, "/v1/tenants/"+string(w.a.ID), map[string]any{"policy": map[string]any{"token_lifetime_seconds": 7200}})
	for {
		w.advance(session.ExpiresAt.Sub(w.clock.now()) - time.Minute)
		r := renew(session.SessionToken.Reveal())
		if r.status != http.StatusOK {
			t.Fatalf("after %s: status %d: %s", w.clock.now().Sub(began), r.status, r.body)
		}
		next := into[api.AutomaticSession](t, r)
		if next.UserID != string(ada.ID) || next.ExpiresAt.Sub(began) > 12*time.Hour {
			t.Fatalf("after %s: %s", w.clock.now().Sub(began), r.body)
		}
		if w.code(next.SessionToken.Reveal()) != api.VerifyValid {
			t.Error("the next one is no good")
		}
		if !next.ExpiresAt.After(session.ExpiresAt) {
			break
		}
		session = next
	}
	if lasted := session.ExpiresAt.Sub(began); lasted < 12*time.Hour-2*time.Second {
		t.Errorf("it ended after %s", lasted)
	}
	w.advance(2 * time.Minute)
	for name, token := range map[string]string{"one that is over": session.SessionToken.Reveal(), "nonsense": "x", "a key": key} {
		if r := renew(token); r.status != http.StatusUnauthorized || r.problem(t).Code != "session_over" {
			t.Errorf("%s: status %d: %s", name, r.status, r.body)
		}
	}
	access := into[api.AccessToken](t, w.newApp("recent_calls").ask()).AccessToken.Reveal()
	if r := renew(access); r.status != http.StatusUnauthorized {
		t.Errorf("an app's token: status %d: %s", r.status, r.body)
	}
}

func TestNV2GuessingIsSlowed(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.agent("mid", "ada", "agent")
	_, key := w.signInKey("mid")
	for range 70 {
		w.automatic(key, "nobody", "desktop")
	}
	if r := w.automatic(key, "ada", "desktop"); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("after many guesses: status %d: %s", r.status, r.body)
	}
	_, other := w.signInKey("mid")
	if r := w.automatic(other, "ada", "desktop"); r.status != http.StatusOK {
		t.Errorf("another key: status %d: %s", r.status, r.body)
	}
	for range 130 {
		w.automatic("clv_ok_nonsense", "ada", "desktop")
	}
	if r := w.automatic(other, "ada", "desktop"); r.status != http.StatusTooManyRequests {
		t.Errorf("after many keys from here: status %d: %s", r.status, r.body)
	}
	// People at the console are not kept out by that.
	u := w.user(w.a, w.a.RootOrg)
	if r := w.tries(w.a.Slug, u.Username, password); r.status != http.StatusCreated {
		t.Errorf("at the console: status %d: %s", r.status, r.body)
	}
	w.advance(16 * time.Minute)
	if r := w.automatic(key, "ada", "desktop"); r.status != http.StatusOK {
		t.Errorf("a while later: status %d: %s", r.status, r.body)
	}
}

func TestDomainsOfOrganizations(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		set := func(c *client, place string, domains ...string) reply {
			return c.do(http.MethodPatch, "/v1/organizations/"+string(w.orgs[place]), map[string]any{"domains": append([]string{}, domains...)})
		}
		boss := w.person(access.RoleSuperAdmin, "root")
		if got := into[api.Organization](t, set(boss, "mid", "CORP", "Example.com")); !slices.Equal(got.Domains, []string{"corp", "example.com"}) {
			t.Errorf("the domains are %v", got.Domains)
		}
		for name, row := range map[string]struct {
			reply
			status int
			code   string
		}{
			"taken":        {set(boss, "branch", "corp"), 409, "domain_taken"},
			"malformed":    {set(boss, "branch", "a b"), 400, ""},
			"empty":        {set(boss, "branch", ""), 400, ""},
			"twice":        {set(boss, "branch", "x", "X"), 400, ""},
			"by a key":     {set(w.bearer(boss.issue(map[string]any{"name": "Key"}).Key.Reveal()), "branch", "y"), 403, "session_required"},
			"far too many": {set(boss, "branch", strings.Split("abcdefghijklmnopqrstuvwxyz", "")...), 400, ""},
		} {
			if row.reply.status != row.status || row.code != "" && row.problem(t).Code != row.code {
				t.Errorf("%s: status %d: %s", name, row.reply.status, row.body)
			}
		}
		// Another tenant's domains are its own.
		ok2(w.node.Authority().ChangeOrganization(w.Context(), w.system, authority.ChangeOrganizationInput{ID: w.b.RootOrg, Domains: &[]string{"corp"}}))(w)
		if r := set(boss, "mid"); r.status != http.StatusOK {
			t.Fatalf("taking them away: status %d: %s", r.status, r.body)
		}
		if r := set(boss, "branch", "corp"); r.status != http.StatusOK {
			t.Errorf("free again: status %d: %s", r.status, r.body)
		}
		made := into[api.Organization](t, boss.must(http.StatusCreated, http.MethodPost, "/v1/organizations", map[string]any{
			"parent_id": string(w.a.RootOrg), "name": "New", "domains": []string{"fresh"},
		}))
		boss.must(http.StatusNoContent, http.MethodDelete, "/v1/organizations/"+made.ID, nil)
		if r := set(boss, "deep", "fresh"); r.status != http.StatusOK {
			t.Errorf("of one that is removed: status %d: %s", r.status, r.body)
		}
	})
}
