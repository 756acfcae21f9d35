package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/server"
)

// Pages of other sites can change nothing with a browser's cookie.
func TestCrossOriginRequestsAreRefused(t *testing.T) {
	w := newWorld(t, sqlite(t))
	c := w.person(access.RoleSuperAdmin, "root")
	for name, header := range map[string][]string{
		"cross-site":   {"Sec-Fetch-Site", "cross-site"},
		"same-site":    {"Sec-Fetch-Site", "same-site"},
		"other origin": {"Origin", "https://evil.example"},
	} {
		before := w.auditCount()
		r := c.do(http.MethodPost, "/v1/api-keys", map[string]any{"name": "Forged"}, header...)
		if r.status != http.StatusForbidden || r.problem(t).Code != "cross_origin" || w.auditCount() != before {
			t.Errorf("%s: status %d: %s", name, r.status, r.body)
		}
	}
	if r := c.do(http.MethodPost, "/v1/api-keys", map[string]any{"name": "Mine"}, "Sec-Fetch-Site", "same-origin"); r.status != http.StatusCreated {
		t.Errorf("our own page: status %d", r.status)
	}
}

// A repeated request answers the same key without its secret; another body is refused.
func TestIdempotencyKey(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		c := w.person(access.RoleSuperAdmin, "root")
		send := func(name, key string) reply {
			return c.do(http.MethodPost, "/v1/api-keys", map[string]any{"name": name}, "Idempotency-Key", key)
		}
		first, again := into[api.IssuedAPIKey](t, send("One", "k1")), into[api.IssuedAPIKey](t, send("One", "k1"))
		if first.Key == "" || !first.SecretAvailable || again.ID != first.ID || again.Key != "" || again.SecretAvailable {
			t.Errorf("first %+v, again %+v", first, again)
		}
		if r := send("Two", "k1"); r.status != http.StatusConflict || r.problem(t).Code != "idempotency_key_reused" {
			t.Errorf("another body: status %d: %s", r.status, r.body)
		}
		if other := into[api.IssuedAPIKey](t, send("One", "k2")); other.ID == first.ID || other.Key == "" {
			t.Errorf("another key: %+v", other)
		}
		user := map[string]any{"organization_id": string(w.orgs["mid"]), "username": "twice"}
		made := into[api.CreatedUser](t, c.do(http.MethodPost, "/v1/users", user, "Idempotency-Key", "u1"))
		replay := into[api.CreatedUser](t, c.do(http.MethodPost, "/v1/users", user, "Idempotency-Key", "u1"))
		if made.Invitation == nil || replay.Invitation != nil || replay.User.ID != made.User.ID {
			t.Errorf("the replay is %+v", replay)
		}
		w.advance(25 * time.Hour)
		c = w.signIn(w.a.Slug, c.user.Username)
		if late := into[api.IssuedAPIKey](t, send("One", "k1")); late.ID == first.ID {
			t.Error("remembered for longer than 24 hours")
		}
	})
}

// One tenant's filter can't look into another.
func TestFiltersStayInTheTenant(t *testing.T) {
	w := newWorld(t, sqlite(t))
	c := w.person(access.RoleSuperAdmin, "root")
	for _, list := range []string{"/v1/users", "/v1/organizations", "/v1/api-keys", "/v1/assignments"} {
		theirs, ghost := c.do(http.MethodGet, list+"?organization_id="+string(w.b.RootOrg), nil), c.do(http.MethodGet, list+"?organization_id=org_06h00a1rp1s45bm83cbwgn4adg", nil)
		if theirs.status != ghost.status || theirs.status == http.StatusOK && string(theirs.body) != string(ghost.body) {
			t.Errorf("%s: %d %s, but %d %s for what never was", list, theirs.status, theirs.body, ghost.status, ghost.body)
		}
	}
}

func TestPlainRoutes(t *testing.T) {
	w := newWorld(t, sqlite(t))
	nobody := &client{w: w}
	for path, row := range map[string]struct {
		status      int
		contentType string
		holds       string
	}{
		"/":                 {200, "text/html; charset=utf-8", "Claviger"},
		"/healthz":          {200, "application/json", `"status":"ok"`},
		"/readyz":           {200, "application/json", `"database":"ok"`},
		"/metrics":          {200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "claviger_index_ready 1"},
		"/openapi.json":     {200, "application/openapi+json", `"openapi":"3.1`},
		"/nothing":          {404, "application/problem+json", `"code":"not_found"`},
		"/v1/nothing":       {404, "application/problem+json", `"code":"not_found"`},
		"/v1//me":           {404, "application/problem+json", `"code":"not_found"`},
		"/v1/../v1/me":      {404, "application/problem+json", `"code":"not_found"`},
		"/docs":             {404, "application/problem+json", `"code":"not_found"`},
		"/v1/me/password":   {405, "application/problem+json", `"code":"method_not_allowed"`},
		"/v1/verify":        {405, "application/problem+json", `"code":"method_not_allowed"`},
		"/v1/first-admin":   {405, "application/problem+json", `"code":"method_not_allowed"`},
		"/gateway/auth":     {401, "", ""},
		"/openapi-3.0.json": {404, "application/problem+json", `"code":"not_found"`},
	} {
		r := nobody.do(http.MethodGet, path, nil)
		if r.status != row.status || !strings.Contains(string(r.body), row.holds) || row.contentType != "" && r.header.Get("Content-Type") != row.contentType {
			t.Errorf("%s: status %d, %q: %.200s", path, r.status, r.header.Get("Content-Type"), r.body)
		}
		if r.status == http.StatusMethodNotAllowed && r.header.Get("Allow") != http.MethodPost {
			t.Errorf("%s: Allow is %q", path, r.header.Get("Allow"))
		}
		if path == "/gateway/auth" {
			continue
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if !strings.HasPrefix(path, "/v1/verify") && !strings.Contains(r.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: the policy is %q", path, r.header.Get("Content-Security-Policy"))
		}
	}
}

// Where a request came from is told by trusted proxies only.
func TestSourceAddress(t *testing.T) {
	w := newWorld(t, sqlite(t))
	c := w.person(access.RoleSuperAdmin, "root")
	s := w.newServer(server.Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	for name, row := range map[string]struct {
		peer, forwarded, want string
	}{
		"no proxy":        {"198.51.100.7:999", "", "198.51.100.7"},
		"not trusted":     {"198.51.100.7:999", "192.0.2.1", "198.51.100.7"},
		"trusted":         {"10.1.2.3:999", "192.0.2.1", "192.0.2.1"},
		"forged at front": {"10.1.2.3:999", "203.0.113.9, 192.0.2.1", "192.0.2.1"},
		"two proxies":     {"10.1.2.3:999", "192.0.2.1, 10.9.9.9", "192.0.2.1"},
		"IPv6":            {"10.1.2.3:999", "2001:db8::7", "2001:db8::7"},
		"nonsense":        {"10.1.2.3:999", "192.0.2.1, nonsense", "10.1.2.3"},
		"nothing":         {"10.1.2.3:999", "", "10.1.2.3"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/api-keys", strings.NewReader(`{"name":"From `+name+`"}`))
		r.RemoteAddr = row.peer
		r.Header.Set("Cookie", c.cookie)
		if row.forwarded != "" {
			r.Header.Set("X-Forwarded-For", row.forwarded)
		}
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if rec.Code != http.StatusCreated {
			t.Fatalf("%s: status %d: %s", name, rec.Code, rec.Body)
		}
		events := into[api.List[api.AuditEvent]](t, c.must(http.StatusOK, http.MethodGet, "/v1/audit-events?action=api_key.issue&order=desc&limit=1", nil))
		if len(events.Items) != 1 || events.Items[0].Source != row.want || events.Items[0].Target.Name != "From "+name {
			t.Errorf("%s: the audit log says %+v, want the source %s", name, events.Items, row.want)
		}
	}
}

// The demo answers to its own names only, so that no page can reach it under another.
func TestHosts(t *testing.T) {
	w := newWorld(t, sqlite(t))
	s := w.newServer(server.Config{Hosts: []string{"localhost", "127.0.0.1", "[::1]"}})
	for host, want := range map[string]int{
		"localhost:8080": 200, "LOCALHOST": 200, "127.0.0.1:1": 200, "[::1]:80": 200, "[::1]": 200,
		"evil.example": 421, "localhost.evil.example:8080": 421, "": 421,
	} {
		for _, path := range []string{"/healthz", "/v1/verify"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Host = host
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, r)
			if (rec.Code == http.StatusMisdirectedRequest) != (want == http.StatusMisdirectedRequest) {
				t.Errorf("%s at %q: status %d, want %d", path, host, rec.Code, want)
			}
		}
	}
}
