package server_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// oauthClient is a client of the token endpoint.
type oauthClient struct {
	w          *world
	id, secret string
	credential string // crd_…
	object     string // of an app its ID
}

// newApp makes an app of tenant a.
func (w *world) newApp(apis ...string) oauthClient {
	w.Helper()
	made := ok2(w.node.Authority().CreateApp(w.Context(), w.system, authority.CreateAppInput{Tenant: w.a.ID, Name: w.unique("App"), APIs: apis}))(w)
	return oauthClient{w: w, id: made.Key.Reveal(), secret: made.Secret.Reveal(), credential: made.Credential.ID.String(), object: string(made.ID)}
}

// newClient makes a client credential of a supervisor of a tenant.
func (w *world) newClient(t tenancy.Tenant, scopes ...access.Permission) oauthClient {
	w.Helper()
	owner := w.user(t, t.RootOrg, access.RoleSupervisor)
	made := ok2(w.node.Authority().IssueClientCredential(w.Context(), w.system, authority.IssueClientCredentialInput{
		Tenant: t.ID, Level: authority.LevelUser, Owner: owner.ID, Name: w.unique("Credential"), Scopes: scopes,
	}))(w)
	return oauthClient{w: w, id: made.PublicID, secret: made.Secret.Reveal(), credential: made.ID.String(), object: string(owner.ID)}
}

// post sends a form, with the headers given in pairs.
func (w *world) post(path, form string, headers ...string) reply {
	w.Helper()
	return (&client{w: w}).raw(http.MethodPost, path, []byte(form), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

func basicAuth(id, secret string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))}
}

func (c oauthClient) ask(values ...string) reply {
	c.w.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	for i := 0; i+1 < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	return c.w.post("/oauth2/token", form.Encode(), basicAuth(c.id, c.secret)...)
}

// token gets one that is good.
func (c oauthClient) token(scope string) api.AccessToken {
	c.w.Helper()
	r := c.ask("scope", scope)
	if r.status != http.StatusOK {
		c.w.Fatalf("no token: status %d: %s", r.status, r.body)
	}
	return into[api.AccessToken](c.w, r)
}

func (w *world) introspect(token string) map[string]any {
	w.Helper()
	r := w.post("/oauth2/introspect", url.Values{"token": {token}}.Encode(), "Authorization", "Bearer "+w.verifier)
	if r.status != http.StatusOK {
		w.Fatalf("introspection: status %d: %s", r.status, r.body)
	}
	return into[map[string]any](w, r)
}

// refusal is the error answer of an OAuth endpoint.
func (r reply) refusal(t testing.TB) string {
	t.Helper()
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(r.body, &e); err != nil {
		t.Fatalf("status %d, not an OAuth error: %.300s", r.status, r.body)
	}
	if e.Error != "" && (e.Description == "" || strings.ContainsAny(e.Description, `"\`)) {
		t.Errorf("the description %q is not fit for RFC 6749", e.Description)
	}
	return e.Error
}

func TestVC6ClientCredentialsGetTokens(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		c := w.newClient(w.a, "recent_calls:read", "evaluations:read")
		inBody := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.id}, "client_secret": {c.secret}, "scope": {"recent_calls:read"}}
		for name, r := range map[string]reply{
			"Basic":                       c.ask("scope", "recent_calls:read"),
			"body":                        w.post("/oauth2/token", inBody.Encode()),
			"Basic and the same ID":       c.ask("scope", "recent_calls:read", "client_id", c.id),
			"twice the same scope":        c.ask("scope", "recent_calls:read recent_calls:read"),
			"unknown parameters":          c.ask("scope", "recent_calls:read", "resource", "https://example.com", "state", "x"),
			"with a character set":        w.post("/oauth2/token", inBody.Encode(), "Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
			"everything encoded in Basic": w.post("/oauth2/token", "grant_type=client_credentials&scope=recent%5Fcalls%3Aread", "Authorization", "bAsIc "+base64.StdEncoding.EncodeToString([]byte(encodeAll(c.id)+":"+encodeAll(c.secret)))),
		} {
			if r.status != http.StatusOK || r.header.Get("Cache-Control") != "no-store" || r.header.Get("Pragma") != "no-cache" || r.header.Get("Content-Type") != "application/json" {
				t.Fatalf("%s: status %d, %v: %s", name, r.status, r.header, r.body)
			}
			var got map[string]any
			if err := json.Unmarshal(r.body, &got); err != nil {
				t.Fatal(err)
			}
			token, _ := got["access_token"].(string)
			delete(got, "access_token")
			if d := cmp.Diff(map[string]any{"token_type": "Bearer", "expires_in": 900.0, "scope": "recent_calls:read"}, got); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			v := w.verify(map[string]any{"credential": token})
			if v.Code != api.VerifyValid || v.CredentialID != c.credential || v.Kind != "client_credential" || v.Principal.ID != c.object || !slices.Equal(v.Permissions, []string{"recent_calls:read"}) {
				t.Errorf("%s: the token is %+v", name, v)
			}
			if strings.Contains(w.log.String(), token) || strings.Contains(w.log.String(), c.secret) {
				t.Errorf("%s: the log has a secret", name)
			}
		}
		if v := w.code(c.secret); v != api.VerifyNotFound {
			t.Errorf("the secret itself is %s", v)
		}
		for name, scope := range map[string]string{
			"none": "", "another's": "surveys:read", "one too many": "recent_calls:read surveys:read", "unknown": "x:y", "malformed": "recent_calls",
			"two spaces": "recent_calls:read  evaluations:read", "a tab": "recent_calls:read\tevaluations:read", "a space first": " recent_calls:read",
			"a pattern": "recent_calls:*", "Claviger's own": "claviger.credentials:verify", "quotes": `"recent_calls:read"`,
		} {
			if r := c.ask("scope", scope); r.status != http.StatusBadRequest || r.refusal(t) != "invalid_scope" {
				t.Errorf("scope %s: status %d: %s", name, r.status, r.body)
			}
		}
		if r := w.post("/oauth2/token", "grant_type=client_credentials", basicAuth(c.id, c.secret)...); r.status != http.StatusBadRequest || r.refusal(t) != "invalid_scope" {
			t.Errorf("without scope: status %d: %s", r.status, r.body)
		}
	})
}

// encodeAll is a form encoding that no program makes and every one may.
func encodeAll(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[s[i]>>4])+string("0123456789abcdef"[s[i]&15])))
	}
	return b.String()
}

// What a token may do is never more than its credential may at that moment.
func TestVC6TokensFollowTheirCredential(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		c := w.newClient(w.a, "recent_calls:read", "evaluations:read")
		both := c.token("recent_calls:read evaluations:read").AccessToken.Reveal()
		id := must(credential.ParseID(c.credential))
		ok2(w.node.Authority().ChangeClientCredential(w.Context(), w.system, authority.ChangeClientCredentialInput{
			ID: id, Scopes: &[]access.Permission{"recent_calls:read"},
		}))(w)
		if v := w.verify(map[string]any{"credential": both}); !v.Valid || !slices.Equal(v.Permissions, []string{"recent_calls:read"}) {
			t.Errorf("narrowed: %+v", v)
		}
		if got := w.introspect(both)["scope"]; got != "recent_calls:read" {
			t.Errorf("introspection says %v", got)
		}
		if v := w.verify(map[string]any{"credential": both, "permissions": "evaluations:read"}); v.Code != api.VerifyInsufficientPermissions {
			t.Errorf("asked for what was taken away: %s", v.Code)
		}
		if r := c.ask("scope", "evaluations:read"); r.refusal(t) != "invalid_scope" {
			t.Errorf("a new one for it: %s", r.body)
		}
		// The user's state, then the credential's.
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/users/"+c.object+"/suspend", nil)
		if got := w.code(both); got != api.VerifySuspended {
			t.Errorf("of a suspended user: %s", got)
		}
		if r := c.ask("scope", "recent_calls:read"); r.status != http.StatusUnauthorized || r.refusal(t) != "invalid_client" {
			t.Errorf("a suspended user's client: status %d: %s", r.status, r.body)
		}
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/users/"+c.object+"/resume", nil)
		if got := w.code(both); got != api.VerifyValid {
			t.Errorf("of a resumed user: %s", got)
		}
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/client-credentials/"+c.credential+"/revoke", nil)
		if got := w.code(both); got != api.VerifyRevoked {
			t.Errorf("of a revoked credential: %s", got)
		}
		if d := cmp.Diff(map[string]any{"active": false}, w.introspect(both)); d != "" {
			t.Error(d)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestEE7AppsExchangeKeyAndSecret(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		c := w.newApp("recent_calls", "chapi_work_chat")
		all := into[api.AccessToken](t, c.ask())
		if all.Scope != "recent_calls:read work_chat:read work_chat:write" || all.ExpiresIn != 900 {
			t.Errorf("without scope: %+v", all)
		}
		one := c.token("work_chat:read")
		if v := w.verify(map[string]any{"credential": one.AccessToken.Reveal()}); !v.Valid || v.Kind != "app" || v.Principal.Type != "app" || !slices.Equal(v.Permissions, []string{"work_chat:read"}) {
			t.Errorf("the token is %+v", v)
		}
		got := w.introspect(one.AccessToken.Reveal())
		if got["client_id"] != c.credential || got["sub"] != c.object || got["scope"] != "work_chat:read" || got["token_type"] != "Bearer" || got["iss"] != w.url || got["aud"] != w.url {
			t.Errorf("introspection says %v", got)
		}
		if claims := string(must(base64.RawURLEncoding.DecodeString(strings.Split(one.AccessToken.Reveal(), ".")[1]))); strings.Contains(claims, "clv_") {
			t.Errorf("the token names a key: %s", claims)
		}
		if r := c.ask("scope", "surveys:read"); r.refusal(t) != "invalid_scope" {
			t.Errorf("an API that was not chosen: %s", r.body)
		}
		// Neither half alone, nor the halves of two apps.
		other := w.newApp("recent_calls")
		for name, c := range map[string]oauthClient{
			"no secret":     {w: w, id: c.id},
			"key twice":     {w: w, id: c.id, secret: c.id},
			"secret twice":  {w: w, id: c.secret, secret: c.secret},
			"other secret":  {w: w, id: c.id, secret: other.secret},
			"other key":     {w: w, id: other.id, secret: c.secret},
			"credential ID": {w: w, id: c.credential, secret: c.secret},
		} {
			if r := c.ask(); r.status != http.StatusUnauthorized || r.refusal(t) != "invalid_client" {
				t.Errorf("%s: status %d: %s", name, r.status, r.body)
			}
		}
		// EE3: other APIs hold at once, for tokens that were given out before too.
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/apps/"+c.object, map[string]any{"apis": []string{"recent_calls"}})
		if v := w.verify(map[string]any{"credential": all.AccessToken.Reveal()}); !v.Valid || !slices.Equal(v.Permissions, []string{"recent_calls:read"}) {
			t.Errorf("after the APIs were changed: %+v", v)
		}
	})
}

func TestEE6DeletingTheAppEndsItsTokens(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		c := w.newApp("recent_calls")
		token := into[api.AccessToken](t, c.ask()).AccessToken.Reveal()
		w.admin.must(http.StatusNoContent, http.MethodDelete, "/v1/apps/"+c.object, nil)
		if got := w.code(token); got != api.VerifyRevoked {
			t.Errorf("its token is %s", got)
		}
		if d := cmp.Diff(map[string]any{"active": false}, w.introspect(token)); d != "" {
			t.Error(d)
		}
		if r := w.bearer(token).do(http.MethodGet, "/gateway/auth", nil); r.status != http.StatusUnauthorized {
			t.Errorf("at the gateway: status %d", r.status)
		}
		if r := c.ask(); r.status != http.StatusUnauthorized || r.refusal(t) != "invalid_client" {
			t.Errorf("a new one: status %d: %s", r.status, r.body)
		}
	})
}

// Rotation: the earlier pair gets tokens for as long as it is in grace.
func TestRotatedClientsInGrace(t *testing.T) {
	w := newWorld(t, sqlite(t))
	before := w.newApp("recent_calls")
	made := into[api.IssuedApp](t, w.admin.must(http.StatusOK, http.MethodPost, "/v1/apps/"+before.object+"/rotate", map[string]any{"grace_period_seconds": 600}))
	after := oauthClient{w: w, id: made.Key.Reveal(), secret: made.Secret.Reveal()}
	tokens := map[string]string{}
	for name, c := range map[string]oauthClient{
		"before": before, "after": after, "the key after, the secret before": {w: w, id: after.id, secret: before.secret},
	} {
		r := c.ask()
		if r.status != http.StatusOK {
			t.Errorf("%s, in grace: status %d: %s", name, r.status, r.body)
			continue
		}
		tokens[name] = into[api.AccessToken](t, r).AccessToken.Reveal()
		if got := w.code(tokens[name]); got != api.VerifyValid {
			t.Errorf("%s, in grace: its token is %s", name, got)
		}
	}
	w.advance(601 * time.Second)
	// A token ends with the secret that got it.
	for name, token := range tokens {
		if got := w.code(token); (got == api.VerifyValid) != (name == "after") {
			t.Errorf("%s, after grace: its token is %s", name, got)
		}
	}
	if r := before.ask(); r.status != http.StatusUnauthorized {
		t.Errorf("before, after grace: status %d: %s", r.status, r.body)
	}
	if r := after.ask(); r.status != http.StatusOK {
		t.Errorf("after: status %d: %s", r.status, r.body)
	}
}

// Everything that is wrong with a request has the answer that RFC 6749 gives it.
func TestTokenEndpointRefuses(t *testing.T) {
	w := newWorld(t, sqlite(t))
	c := w.newApp("recent_calls")
	supervisor := w.person(access.RoleSuperAdmin, "root")
	userKey := supervisor.issue(map[string]any{"name": "Key"}).Key.Reveal()
	auth := basicAuth(c.id, c.secret)
	const grant = "grant_type=client_credentials"
	pair := "&client_id=" + c.id + "&client_secret=" + c.secret
	wrong := c.secret[:len(c.secret)-1] + "x"
	type refusal struct {
		reply
		status int
		code   string
	}
	for name, r := range map[string]refusal{
		"no client":                  {w.post("/oauth2/token", grant), 401, "invalid_client"},
		"client ID alone":            {w.post("/oauth2/token", grant+"&client_id="+c.id), 401, "invalid_client"},
		"wrong secret":               {w.post("/oauth2/token", grant, basicAuth(c.id, wrong)...), 401, "invalid_client"},
		"wrong secret in the body":   {w.post("/oauth2/token", grant+"&client_id="+c.id+"&client_secret="+wrong), 401, "invalid_client"},
		"unknown client":             {w.post("/oauth2/token", grant, basicAuth("7d0f5bd7-9e2b-4b6d-a1de-70d4ff8f2b7e", c.secret)...), 401, "invalid_client"},
		"a user's key":               {w.post("/oauth2/token", grant, basicAuth(string(supervisor.user.ID), userKey)...), 401, "invalid_client"},
		"Bearer":                     {w.post("/oauth2/token", grant, "Authorization", "Bearer "+c.id), 401, "invalid_client"},
		"not base64":                 {w.post("/oauth2/token", grant, "Authorization", "Basic ###"), 401, "invalid_client"},
		"no colon":                   {w.post("/oauth2/token", grant, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.id))), 401, "invalid_client"},
		"bad escapes in Basic":       {w.post("/oauth2/token", grant, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("%zz:x"))), 401, "invalid_client"},
		"an assertion":               {w.post("/oauth2/token", grant+"&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=x"), 401, "invalid_client"},
		"Basic and body":             {w.post("/oauth2/token", grant+pair, auth...), 400, "invalid_request"},
		"Basic and another ID":       {w.post("/oauth2/token", grant+"&client_id=x", auth...), 400, "invalid_request"},
		"Bearer and body":            {w.post("/oauth2/token", grant+pair, "Authorization", "Bearer x"), 400, "invalid_request"},
		"a key in a second header":   {w.post("/oauth2/token", grant, append(slices.Clone(auth), "X-API-Key", c.id)...), 400, "invalid_request"},
		"grant_type twice":           {w.post("/oauth2/token", grant+"&"+grant, auth...), 400, "invalid_request"},
		"client_secret twice":        {w.post("/oauth2/token", grant+pair+"&client_secret=x"), 400, "invalid_request"},
		"scope twice":                {w.post("/oauth2/token", grant+"&scope=a&scope=b", auth...), 400, "invalid_request"},
		"scope twice, once escaped":  {w.post("/oauth2/token", grant+"&scope=a&s%63ope=b", auth...), 400, "invalid_request"},
		"a stranger twice":           {w.post("/oauth2/token", grant+"&x=1&x=1", auth...), 400, "invalid_request"},
		"no grant_type":              {w.post("/oauth2/token", "scope=recent_calls%3Aread", auth...), 400, "invalid_request"},
		"empty grant_type":           {w.post("/oauth2/token", "grant_type=", auth...), 400, "invalid_request"},
		"empty body":                 {w.post("/oauth2/token", "", auth...), 400, "invalid_request"},
		"another grant":              {w.post("/oauth2/token", "grant_type=authorization_code&code=x", auth...), 400, "unsupported_grant_type"},
		"the password grant":         {w.post("/oauth2/token", "grant_type=password&username=a&password=b", auth...), 400, "unsupported_grant_type"},
		"in the address":             {w.post("/oauth2/token?"+grant, "", auth...), 400, "invalid_request"},
		"secret in the address":      {w.post("/oauth2/token?client_secret=x", grant, auth...), 400, "invalid_request"},
		"JSON":                       {(&client{w: w}).raw(http.MethodPost, "/oauth2/token", []byte(`{"grant_type":"client_credentials"}`), auth...), 400, "invalid_request"},
		"no content type":            {w.post("/oauth2/token", grant, append(slices.Clone(auth), "Content-Type", "")...), 400, "invalid_request"},
		"another character set":      {w.post("/oauth2/token", grant, append(slices.Clone(auth), "Content-Type", "application/x-www-form-urlencoded; charset=utf-16")...), 400, "invalid_request"},
		"bad escapes":                {w.post("/oauth2/token", grant+"&scope=%zz", auth...), 400, "invalid_request"},
		"not UTF-8":                  {w.post("/oauth2/token", grant+"&scope=%ff", auth...), 400, "invalid_request"},
		"a null byte":                {w.post("/oauth2/token", grant+"&scope=%00", auth...), 400, "invalid_request"},
		"a semicolon":                {w.post("/oauth2/token", grant+";scope=x", auth...), 400, "unsupported_grant_type"},
		"very many parameters":       {w.post("/oauth2/token", grant+strings.Repeat("&", 10)+manyParameters(40), auth...), 400, "invalid_request"},
		"very long":                  {w.post("/oauth2/token", grant+"&x="+strings.Repeat("y", 70<<10), auth...), 413, "invalid_request"},
		"GET":                        {(&client{w: w}).raw(http.MethodGet, "/oauth2/token", nil, auth...), 405, "invalid_request"},
		"PUT":                        {(&client{w: w}).raw(http.MethodPut, "/oauth2/token", []byte(grant), auth...), 405, "invalid_request"},
		"GET of revocation":          {(&client{w: w}).raw(http.MethodGet, "/oauth2/revoke", nil, auth...), 405, "invalid_request"},
		"GET of introspection":       {(&client{w: w}).raw(http.MethodGet, "/oauth2/introspect", nil, auth...), 405, "invalid_request"},
		"revocation without token":   {w.post("/oauth2/revoke", "x=y", auth...), 400, "invalid_request"},
		"revocation without client":  {w.post("/oauth2/revoke", "token=x"), 401, "invalid_client"},
		"introspection by nobody":    {w.post("/oauth2/introspect", "token=x"), 401, "invalid_client"},
		"introspection by an app":    {w.post("/oauth2/introspect", "token=x", auth...), 403, "insufficient_scope"},
		"introspection of nothing":   {w.post("/oauth2/introspect", "x=y", "Authorization", "Bearer "+w.verifier), 400, "invalid_request"},
		"introspection from nowhere": {w.post("/oauth2/introspect", "token=x&source_ip=here", "Authorization", "Bearer "+w.verifier), 400, "invalid_request"},
	} {
		if r.reply.status != r.status || r.refusal(t) != r.code {
			t.Errorf("%s: status %d, want %d %s: %s", name, r.reply.status, r.status, r.code, r.body)
		}
		if r.header.Get("Cache-Control") != "no-store" || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: the headers are %v", name, r.header)
		}
		if r.status == 401 && !strings.Contains(strings.Join(r.header["Www-Authenticate"], ", "), "Basic realm=") {
			t.Errorf("%s: no challenge", name)
		}
		if name == "introspection by nobody" && !strings.HasPrefix(r.header.Get("Www-Authenticate"), "Bearer ") {
			t.Errorf("%s: the challenges are %q", name, r.header["Www-Authenticate"])
		}
		if r.status == 405 && r.header.Get("Allow") != http.MethodPost {
			t.Errorf("%s: Allow is %q", name, r.header.Get("Allow"))
		}
		for _, secret := range []string{c.id, c.secret, wrong, userKey} {
			if strings.Contains(string(r.body), secret) {
				t.Errorf("%s: the answer repeats what was sent", name)
			}
		}
	}
	for _, secret := range []string{c.id, c.secret, wrong, userKey} {
		if strings.Contains(w.log.String(), secret) {
			t.Error("the log has a secret")
		}
	}
}

func manyParameters(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&p" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "=1")
	}
	return b.String()
}

// A client that may not be used is told so only once it has proved itself.
func TestClientsThatMayNot(t *testing.T) {
	w := newWorld(t, sqlite(t))
	c := w.newClient(w.b, "recent_calls:read")
	token := c.token("recent_calls:read").AccessToken.Reveal()
	ok2(w.node.Authority().ChangeTenant(w.Context(), w.system, authority.ChangeTenantInput{ID: w.b.ID, PlanID: &w.starter}))(w)
	if r := c.ask("scope", "recent_calls:read"); r.status != http.StatusBadRequest || r.refusal(t) != "unauthorized_client" {
		t.Errorf("PV4: a plan without API access: status %d: %s", r.status, r.body)
	}
	if got := w.code(token); got != api.VerifyForbidden {
		t.Errorf("PV4: its token is %s", got)
	}
	ok2(w.node.Authority().ChangeTenant(w.Context(), w.system, authority.ChangeTenantInput{ID: w.b.ID, PlanID: &w.plan}))(w)
	w.admin.must(http.StatusOK, http.MethodPatch, "/v1/client-credentials/"+c.credential, map[string]any{"networks": []string{"192.0.2.0/24"}})
	if r := c.ask("scope", "recent_calls:read"); r.status != http.StatusBadRequest || r.refusal(t) != "unauthorized_client" {
		t.Errorf("from another network: status %d: %s", r.status, r.body)
	}
	w.admin.must(http.StatusOK, http.MethodPost, "/v1/tenants/"+string(w.b.ID)+"/suspend", nil)
	if r := c.ask("scope", "recent_calls:read"); r.status != http.StatusUnauthorized || r.refusal(t) != "invalid_client" {
		t.Errorf("of a suspended tenant: status %d: %s", r.status, r.body)
	}
}

func TestTokenLifetimeIsTheTenants(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		c := w.newApp("recent_calls")
		change := func(seconds int) reply {
			return w.admin.do(http.MethodPatch, "/v1/tenants/"+string(w.a.ID), map[string]any{"policy": map[string]any{"token_lifetime_seconds": seconds}})
		}
		for _, seconds := range []int{59, 7201, -1} {
			if r := change(seconds); r.status != http.StatusBadRequest {
				t.Errorf("%d seconds: status %d: %s", seconds, r.status, r.body)
			}
		}
		for _, seconds := range []int{7200, 60} {
			if r := change(seconds); r.status != http.StatusOK {
				t.Fatalf("%d seconds: status %d: %s", seconds, r.status, r.body)
			}
			got := into[api.AccessToken](t, c.ask())
			if got.ExpiresIn != int64(seconds) {
				t.Errorf("with %d seconds a token lives for %d", seconds, got.ExpiresIn)
			}
			if seconds == 60 {
				w.advance(50 * time.Second)
				if code := w.code(got.AccessToken.Reveal()); code != api.VerifyValid {
					t.Errorf("shortly before its end it is %s", code)
				}
				w.advance(11 * time.Second)
				if code := w.code(got.AccessToken.Reveal()); code != api.VerifyNotFound {
					t.Errorf("past its end it is %s", code)
				}
			}
		}
		// A token ends with its credential.
		owner := w.user(w.a, w.a.RootOrg, access.RoleSupervisor)
		ends := w.clock.now().Add(30 * time.Second)
		made := ok2(w.node.Authority().IssueClientCredential(w.Context(), w.system, authority.IssueClientCredentialInput{
			Tenant: w.a.ID, Owner: owner.ID, Name: "Short", Scopes: []access.Permission{"recent_calls:read"}, ExpiresAt: &ends,
		}))(w)
		short := oauthClient{w: w, id: made.PublicID, secret: made.Secret.Reveal()}
		if got := short.token("recent_calls:read").ExpiresIn; got < 25 || got > 30 {
			t.Errorf("of a credential that ends in 30 s it lives for %d", got)
		}
	})
}

func TestB1Introspection(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		key := ada.issue(map[string]any{"name": "Key"})
		verifierOfA := ok2(w.node.Authority().IssueVerifierKey(w.Context(), w.system, authority.IssueVerifierKeyInput{Tenant: w.a.ID, Name: "A"}))(w)
		app, foreign := w.newApp("recent_calls"), w.newClient(w.b, "recent_calls:read")
		token, foreignToken := into[api.AccessToken](t, app.ask()).AccessToken.Reveal(), foreign.token("recent_calls:read").AccessToken.Reveal()

		got := w.introspect(key.Key.Reveal())
		if got["active"] != true || got["client_id"] != key.ID || got["sub"] != string(ada.user.ID) || got["kind"] != "user_key" || got["token_type"] != nil {
			t.Errorf("PV: a key: %v", got)
		}
		got = w.introspect(token)
		ends, isNumber := got["exp"].(float64)
		began, _ := got["iat"].(float64)
		if got["active"] != true || !isNumber || began == 0 || ends-began != 900 || got["jti"] == "" || got["tenant_id"] != string(w.a.ID) {
			t.Errorf("a token: %v", got)
		}
		for name, unknown := range map[string]string{
			"nonsense": "x", "a token like ours": token[:len(token)-2] + "AA", "a made-up key": "clv_uk_000000000000_x",
			"a client's secret": foreign.secret, "a password": password,
		} {
			r := w.post("/oauth2/introspect", url.Values{"token": {unknown}}.Encode(), "Authorization", "Bearer "+w.verifier)
			if r.status != http.StatusOK || strings.TrimSpace(string(r.body)) != `{"active":false}` {
				t.Errorf("%s: status %d: %s", name, r.status, r.body)
			}
		}
		// A tenant's verifier sees its own.
		form := url.Values{"token": {foreignToken}}.Encode()
		r := w.post("/oauth2/introspect", form, "Authorization", "Bearer "+verifierOfA.Secret.Reveal())
		if r.status != http.StatusOK || strings.TrimSpace(string(r.body)) != `{"active":false}` {
			t.Errorf("another tenant's token: status %d: %s", r.status, r.body)
		}
		// All the ways in which OAuth libraries and people say who they are.
		for name, headers := range map[string][]string{
			"Bearer":                        {"Authorization", "Bearer " + w.verifier},
			"X-API-Key":                     {"X-API-Key", w.verifier},
			"Basic, ID and key":             basicAuth(verifierOfA.ID.String(), verifierOfA.Secret.Reveal()),
			"Basic, key as the password":    basicAuth("", w.verifier),
			"Basic, a user's ID and key":    basicAuth(string(ada.user.ID), key.Key.Reveal()),
			"a key of somebody who may ask": {"Authorization", "Bearer " + key.Key.Reveal()},
		} {
			r := w.post("/oauth2/introspect", url.Values{"token": {token}}.Encode(), headers...)
			if r.status != http.StatusOK || into[map[string]any](t, r)["active"] != true {
				t.Errorf("%s: status %d: %s", name, r.status, r.body)
			}
		}
		inBody := url.Values{"token": {token}, "client_id": {verifierOfA.ID.String()}, "client_secret": {verifierOfA.Secret.Reveal()}}
		if r := w.post("/oauth2/introspect", inBody.Encode()); r.status != http.StatusOK {
			t.Errorf("in the body: status %d: %s", r.status, r.body)
		}
		// Bound to networks: the caller says where it came from.
		w.admin.must(http.StatusOK, http.MethodPatch, "/v1/apps/"+app.object, map[string]any{"networks": []string{"192.0.2.0/24"}})
		if got := w.introspect(token); got["active"] != false {
			t.Errorf("without its source: %v", got)
		}
		here := url.Values{"token": {token}, "source_ip": {"192.0.2.7"}}.Encode()
		if r := w.post("/oauth2/introspect", here, "Authorization", "Bearer "+w.verifier); into[map[string]any](t, r)["active"] != true {
			t.Errorf("from there: %s", r.body)
		}
	})
}

func TestRevocationOfOwnTokens(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		c, colleague, foreign := w.newClient(w.a, "recent_calls:read"), w.newApp("recent_calls"), w.newClient(w.b, "recent_calls:read")
		token, other := c.token("recent_calls:read").AccessToken.Reveal(), c.token("recent_calls:read").AccessToken.Reveal()
		revoke := func(who oauthClient, token string) reply {
			return w.post("/oauth2/revoke", url.Values{"token": {token}, "token_type_hint": {"access_token"}}.Encode(), basicAuth(who.id, who.secret)...)
		}
		for name, row := range map[string]struct {
			reply
			status int
			code   string
		}{
			"a colleague's":    {revoke(colleague, token), 400, "unauthorized_client"},
			"another tenant's": {revoke(foreign, token), 200, ""},
			"unknown":          {revoke(c, "x"), 200, ""},
			"a JWT of others":  {revoke(c, "eyJhbGciOiJub25lIn0.e30."), 200, ""},
			"a key":            {revoke(c, colleague.id), 400, "unsupported_token_type"},
			"a secret":         {revoke(c, c.secret), 400, "unsupported_token_type"},
			"wrong secret":     {revoke(oauthClient{id: c.id, secret: colleague.secret}, token), 401, "invalid_client"},
		} {
			if row.reply.status != row.status || row.code != "" && row.refusal(t) != row.code || row.code == "" && len(row.body) != 0 {
				t.Errorf("%s: status %d: %s", name, row.reply.status, row.body)
			}
		}
		if got := w.code(token); got != api.VerifyValid {
			t.Fatalf("it was revoked by others: %s", got)
		}
		before := w.auditCount()
		if r := revoke(c, token); r.status != http.StatusOK || len(r.body) != 0 || r.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		if got := w.code(token); got != api.VerifyNotFound {
			t.Errorf("revoked, it is %s", got)
		}
		if d := cmp.Diff(map[string]any{"active": false}, w.introspect(token)); d != "" {
			t.Error(d)
		}
		if got := w.code(other); got != api.VerifyValid {
			t.Errorf("the other is %s", got)
		}
		if n := w.auditCount() - before; n != 1 {
			t.Errorf("%d audit events", n)
		}
		if r := revoke(c, token); r.status != http.StatusOK {
			t.Errorf("twice: status %d: %s", r.status, r.body)
		}
		// A node that starts later knows.
		again := w.secondNode()
		if got := again.code(token); got != api.VerifyNotFound {
			t.Errorf("another node says %s", got)
		}
		if got := again.code(other); got != api.VerifyValid {
			t.Errorf("of the other it says %s", got)
		}
	})
}

func TestAuthorizationServerMetadata(t *testing.T) {
	w := newWorld(t, sqlite(t))
	r := (&client{w: w}).do(http.MethodGet, "/.well-known/oauth-authorization-server", nil)
	got := into[map[string]any](t, r)
	want := map[string]any{
		"issuer": w.url, "token_endpoint": w.url + "/oauth2/token", "jwks_uri": w.url + "/.well-known/jwks.json",
		"introspection_endpoint": w.url + "/oauth2/introspect", "revocation_endpoint": w.url + "/oauth2/revoke",
		"grant_types_supported": []any{"client_credentials"}, "response_types_supported": []any{},
		"token_endpoint_auth_methods_supported":         []any{"client_secret_basic", "client_secret_post"},
		"introspection_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post", "Bearer"},
		"revocation_endpoint_auth_methods_supported":    []any{"client_secret_basic", "client_secret_post"},
	}
	if d := cmp.Diff(want, got); d != "" || r.status != http.StatusOK || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("status %d, %s: %s", r.status, r.header.Get("Content-Type"), d)
	}
	r = (&client{w: w}).do(http.MethodGet, "/.well-known/jwks.json", nil)
	keys := into[struct {
		Keys []map[string]any `json:"keys"`
	}](t, r).Keys
	if len(keys) == 0 || keys[0]["kty"] != "EC" || keys[0]["crv"] != "P-256" || keys[0]["alg"] != "ES256" || keys[0]["use"] != "sig" || keys[0]["kid"] == "" || keys[0]["d"] != nil {
		t.Errorf("the keys are %s", r.body)
	}
	if r.header.Get("Content-Type") != "application/jwk-set+json" || !strings.Contains(r.header.Get("Cache-Control"), "max-age=") {
		t.Errorf("the headers are %v", r.header)
	}
	header := map[string]any{}
	token := into[api.AccessToken](t, w.newApp("recent_calls").ask()).AccessToken.Reveal()
	if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])), &header); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]any{"alg": "ES256", "kid": keys[0]["kid"], "typ": "at+jwt"}, header); d != "" {
		t.Error(d)
	}
}

// A token carries no more into the management API than into any other.
func TestTokensAtTheManagementAPI(t *testing.T) {
	w := newWorld(t, sqlite(t))
	owner := w.person(access.RoleSuperAdmin, "root")
	made := ok2(w.node.Authority().IssueClientCredential(w.Context(), w.system, authority.IssueClientCredentialInput{
		Tenant: w.a.ID, Owner: owner.user.ID, Name: "All", Scopes: []access.Permission{"recent_calls:read"},
	}))(w)
	token := (oauthClient{w: w, id: made.PublicID, secret: made.Secret.Reveal()}).token("recent_calls:read").AccessToken.Reveal()
	caller := w.bearer(token)
	for _, path := range []string{"/v1/api-keys", "/v1/users", "/v1/audit-events", "/v1/apps", "/v1/organizations"} {
		if r := caller.do(http.MethodGet, path, nil); r.status != http.StatusForbidden {
			t.Errorf("GET %s: status %d: %.200s", path, r.status, r.body)
		}
	}
	if r := caller.do(http.MethodPost, "/v1/api-keys", map[string]any{"name": "Key"}); r.status != http.StatusForbidden {
		t.Errorf("making a key: status %d: %.200s", r.status, r.body)
	}
}
