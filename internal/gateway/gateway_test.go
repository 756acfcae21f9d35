package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// fixedSource has one tenant with one user, and the credentials that a test asks for.
type fixedSource struct{ items []verify.Item }

func (s *fixedSource) Snapshot(_ context.Context, put func(verify.Item) error) (uint64, error) {
	for _, i := range s.items {
		if err := put(i); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

func (s *fixedSource) Changes(context.Context, uint64, int) ([]verify.Change, uint64, error) {
	return nil, 1, nil
}
func (s *fixedSource) Wait(ctx context.Context, _ uint64) error { <-ctx.Done(); return ctx.Err() }

// desk is a handler over an index with credentials in every state, by name.
type desk struct {
	handler http.Handler
	index   *verify.Index
	keys    map[string]string
	user    string
}

func newDesk(tb testing.TB, trusted ...string) *desk {
	tb.Helper()
	peppers, err := secret.NewPeppers(1, map[int][]byte{1: make([]byte, 32)})
	if err != nil {
		tb.Fatal(err)
	}
	d := &desk{keys: make(map[string]string), user: "usr_ann"}
	s := &fixedSource{items: []verify.Item{
		{Plan: &verify.Plan{ID: "pln", APIAccess: true, Permissions: []access.Grant{"*:*"}}},
		{Tenant: &tenancy.Tenant{
			ID: "ten_a", PlanID: "pln", RootOrg: "org_a", State: tenancy.Active, AccountID: 1234567,
			Policy: tenancy.Policy{LegacyAccountKeys: true},
		}},
		{Tenant: &tenancy.Tenant{ID: "ten_b", PlanID: "pln", RootOrg: "org_b", State: tenancy.Active, AccountID: 7654321}},
		{Organization: &tenancy.Organization{ID: "org_b", TenantID: "ten_b", Path: []tenancy.OrgID{"org_b"}, State: tenancy.Active}},
		{Organization: &tenancy.Organization{ID: "org_a", TenantID: "ten_a", Path: []tenancy.OrgID{"org_a"}, State: tenancy.Active}},
		{Role: &access.Role{ID: "rol", TenantID: "ten_a", Permissions: []access.Grant{"calls:read"}}},
		{Assignments: &verify.PrincipalAssignments{
			Principal: access.Principal{Type: access.PrincipalUser, ID: d.user}, TenantID: "ten_a",
			List: []access.Assignment{{RoleID: "rol", OrganizationID: "org_a"}},
		}},
		{User: &tenancy.User{ID: "usr_ann", TenantID: "ten_a", State: tenancy.Active, Labels: tenancy.Labels{ExternalID: "ann@voice 1é"}}},
	}}
	addType := func(name string, kind secret.Type, change func(c *credential.Credential)) {
		text, p, err := secret.Format{}.Generate(kind, rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		digest, _ := peppers.Digest(1, &p)
		c := &verify.Credential{
			Credential: credential.Credential{
				ID: p.ID, TenantID: "ten_a", OrganizationID: "org_a", Kind: credential.UserKey,
				Principal: access.Principal{Type: access.PrincipalUser, ID: d.user}, State: credential.Active, SecretVersion: 1,
			},
			Material: []credential.Material{{CredentialID: p.ID, Field: "key", Version: 1, Digest: digest, PepperVersion: 1}},
		}
		change(&c.Credential)
		s.items = append(s.items, verify.Item{Credential: c})
		d.keys[name] = text.Reveal()
	}
	add := func(name string, change func(c *credential.Credential)) { addType(name, secret.UserKey, change) }
	account := func(tenant string) func(*credential.Credential) {
		return func(c *credential.Credential) {
			c.Kind, c.TenantID, c.OrganizationID = credential.AccountKey, tenancy.TenantID(tenant), tenancy.OrgID("org"+tenant[3:])
			c.Principal = access.Principal{Type: access.PrincipalTenant, ID: tenant}
		}
	}
	addType("account", secret.AccountKey, account("ten_a"))
	addType("account elsewhere", secret.AccountKey, account("ten_b"))
	add("good", func(*credential.Credential) {})
	add("other", func(*credential.Credential) {})
	add("revoked", func(c *credential.Credential) { c.State = credential.Revoked })
	add("suspended", func(c *credential.Credential) { c.State = credential.Suspended })
	add("expired", func(c *credential.Credential) { c.ExpiresAt = noon })
	add("local", func(c *credential.Credential) { c.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	add("slow", func(c *credential.Credential) {
		c.Limits.Rates = []credential.Rate{{Name: "minute", Limit: 1, Window: time.Minute}}
	})
	add("spent", func(c *credential.Credential) {
		c.Limits.Quotas = []credential.Quota{{Name: "trial", Limit: 0, Period: credential.Forever}}
	})
	now := func() time.Time { return noon.Add(10 * time.Second) }
	d.index = verify.New(verify.Config{Source: s, Peppers: peppers, Now: now})
	if err := d.index.Applied(tb.Context(), 1); err != nil {
		tb.Fatal(err)
	}
	var list []netip.Prefix
	for _, p := range trusted {
		list = append(list, netip.MustParsePrefix(p))
	}
	d.handler = New(Config{Index: d.index, TrustedProxies: list, Now: now})
	return d
}

// ask sends one request; headers are pairs of name and value.
func (d *desk) ask(target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/gateway/auth"+target, nil)
	r.RemoteAddr = "192.0.2.9:4711"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

func basicValue(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// PV1, B1: the three ways to present a key, and who it was.
func TestIdentifiesTheCaller(t *testing.T) {
	d := newDesk(t)
	for name, headers := range map[string][]string{
		"bearer":            {"Authorization", "Bearer " + d.keys["good"]},
		"bearer lower case": {"Authorization", "bearer " + d.keys["good"]},
		"key header":        {"X-API-Key", d.keys["good"]},
		"basic":             {"Authorization", basicValue(d.user, d.keys["good"])},
		"basic, key alone":  {"Authorization", basicValue("", d.keys["good"])},
		"basic, no colon":   {"Authorization", basicValue(d.keys["good"], "")},
	} {
		t.Run(name, func(t *testing.T) {
			w := d.ask("?permissions=calls:read", headers...)
			if w.Code != http.StatusNoContent {
				t.Fatalf("status %d, want 204", w.Code)
			}
			id, _ := secret.CutToID(d.keys["good"])
			want := http.Header{
				"Cache-Control":       {"no-store"},
				"Claviger-Credential": {id}, "Claviger-Tenant": {"ten_a"}, "Claviger-Principal": {"usr_ann"},
				"Claviger-Principal-Type": {"user"}, "Claviger-External-Id": {"ann@voice%201%C3%A9"},
			}
			if diff := cmp.Diff(want, w.Header()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStatuses(t *testing.T) {
	for _, tt := range []struct {
		name, key, target string
		code              verify.Code
		status            int
		challenge         string
	}{
		{name: "unknown", key: "clv_uk_nonsense", status: 401, challenge: "invalid_token"},
		{name: "revoked", key: "revoked", status: 401, code: verify.Revoked, challenge: "invalid_token"},
		{name: "suspended", key: "suspended", status: 401, code: verify.Suspended, challenge: "invalid_token"},
		{name: "expired", key: "expired", status: 401, code: verify.Expired, challenge: "invalid_token"},
		{name: "network", key: "local", status: 204},
		{name: "permission held", key: "good", target: "?permissions=calls:read+OR+x:y", status: 204},
		{name: "permission escaped", key: "good", target: "?a=b&permissions=calls%3Aread", status: 204},
		{name: "permission not held", key: "good", target: "?permissions=calls:write", status: 403, code: verify.InsufficientPermissions, challenge: "insufficient_scope"},
		{name: "malformed query", key: "good", target: "?permissions=calls", status: 400},
		{name: "two queries", key: "good", target: "?permissions=calls:read&permissions=a:b", status: 400},
		{name: "two queries, one disguised", key: "good", target: "?permissions=calls:write&%70ermissions=calls:read", status: 400},
		{name: "bad escape", key: "good", target: "?permissions=calls%zz", status: 400},
		{name: "spent for ever", key: "spent", status: 429, code: verify.UsageExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			key := tt.key
			if known := d.keys[key]; known != "" {
				key = known
			}
			w := d.ask(tt.target, "Authorization", "Bearer "+key)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d", w.Code, tt.status)
			}
			if got := w.Header().Get("Claviger-Code"); got != string(tt.code) {
				t.Errorf("code %q, want %q", got, tt.code)
			}
			if got := w.Header().Get("WWW-Authenticate"); (got != "") != (tt.challenge != "") || !strings.Contains(got, tt.challenge) {
				t.Errorf("challenge %q, want %q", got, tt.challenge)
			}
			if w.Code != 204 && w.Header().Get("Claviger-Principal") != "" {
				t.Error("a refusal names the principal")
			}
			if w.Body.Len() > 0 {
				t.Errorf("a body: %q", w.Body)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	d := newDesk(t)
	if w := d.ask("", "X-API-Key", d.keys["slow"]); w.Code != 204 {
		t.Fatalf("first call: %d", w.Code)
	}
	w := d.ask("", "X-API-Key", d.keys["slow"])
	if w.Code != 429 || w.Header().Get("Retry-After") != "50" {
		t.Errorf("%d, Retry-After %q; want 429 after 50", w.Code, w.Header().Get("Retry-After"))
	}
	if w := d.ask("", "X-API-Key", d.keys["spent"]); w.Code != 429 || w.Header().Get("Retry-After") != "" {
		t.Errorf("%d, Retry-After %q; want 429 without", w.Code, w.Header().Get("Retry-After"))
	}
}

func TestUndecidedIsNotAnAnswer(t *testing.T) {
	d := newDesk(t)
	d.index.MarkUndecided()
	w := d.ask("", "X-API-Key", d.keys["good"])
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("Claviger-Principal") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// More than one credential is refused, whatever they are.
func TestExactlyOneCredential(t *testing.T) {
	d := newDesk(t)
	good, other := d.keys["good"], d.keys["other"]
	for name, headers := range map[string][]string{
		"none":                   {},
		"two authorizations":     {"Authorization", "Bearer " + good, "Authorization", "Bearer " + other},
		"the same one twice":     {"X-API-Key", good, "X-API-Key", good},
		"bearer and key":         {"Authorization", "Bearer " + good, "X-API-Key", good},
		"joined by a comma":      {"Authorization", "Bearer " + good + ", Bearer " + other},
		"keys joined":            {"X-API-Key", good + "," + other},
		"empty key beside":       {"Authorization", "Bearer " + good, "X-API-Key", ""},
		"empty key":              {"X-API-Key", ""},
		"no scheme":              {"Authorization", good},
		"unknown scheme":         {"Authorization", "Digest " + good},
		"scheme alone":           {"Authorization", "Bearer"},
		"two words":              {"Authorization", "Bearer " + good + " x"},
		"tab":                    {"Authorization", "Bearer\t" + good},
		"not base64":             {"Authorization", "Basic !!!"},
		"base64 with loose bits": {"Authorization", "Basic " + strings.TrimRight(strings.TrimPrefix(basicValue("ab", "c"), "Basic "), "=") + "="},
		"basic without colon":    {"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(good))},
		"basic with line break":  {"Authorization", basicValue("a\r\nX: y", good)},
		"huge":                   {"Authorization", "Bearer " + strings.Repeat("a", maxHeader+1)},
	} {
		t.Run(name, func(t *testing.T) {
			if w := d.ask("", headers...); w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%d %v, want 401 with a challenge", w.Code, w.Header())
			}
		})
	}
}

func TestWrongUserID(t *testing.T) {
	d := newDesk(t)
	if w := d.ask("", "Authorization", basicValue("usr_bob", d.keys["good"])); w.Code != 401 {
		t.Errorf("%d, want 401", w.Code)
	}
}

func TestSource(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, tt := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"untrusted peer", "192.0.2.1:1", []string{"198.51.100.7"}, "192.0.2.1"},
		{"trusted peer", "10.0.0.1:1", []string{"198.51.100.7"}, "198.51.100.7"},
		{"trusted peer says nothing", "10.0.0.1:1", nil, "10.0.0.1"},
		{"client forged the left", "10.0.0.1:1", []string{"192.0.2.66, 198.51.100.7"}, "198.51.100.7"},
		{"chain of proxies", "10.0.0.1:1", []string{"192.0.2.66, 198.51.100.7, 10.9.9.9"}, "198.51.100.7"},
		{"several lines", "10.0.0.1:1", []string{"192.0.2.66", "198.51.100.7", "10.9.9.9"}, "198.51.100.7"},
		{"only proxies", "10.0.0.1:1", []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1"},
		{"mapped", "[::ffff:10.0.0.1]:1", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"with port", "10.0.0.1:1", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		{"IPv6 with port", "[2001:db8::1]:1", []string{"[2001:dead::7]:4711"}, "2001:dead::7"},
		{"IPv6 with zone", "10.0.0.1:1", []string{"fe80::1%eth0"}, "fe80::1"},
		{"not an address", "10.0.0.1:1", []string{"198.51.100.7, unknown"}, ""},
		{"empty hop", "10.0.0.1:1", []string{"198.51.100.7,"}, ""},
		{"endless", "10.0.0.1:1", []string{strings.Repeat("10.0.0.2,", 100) + "10.0.0.2"}, ""},
		{"peer without address", "@", []string{"198.51.100.7"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.forwarded}, URL: &url.URL{}}
			var want netip.Addr
			if tt.want != "" {
				want = netip.MustParseAddr(tt.want)
			}
			if got := Source(r, trusted); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// A network on a key is checked against the client, not the proxy, and only if the proxy
// is trusted.
func TestNetworkBehindProxy(t *testing.T) {
	inside, outside := []string{"X-Forwarded-For", "192.0.2.77"}, []string{"X-Forwarded-For", "203.0.113.1"}
	behind := newDesk(t, "192.0.2.9/32")
	for _, tt := range []struct {
		headers []string
		status  int
	}{{inside, 204}, {outside, 403}} {
		if w := behind.ask("", append(tt.headers, "X-API-Key", behind.keys["local"])...); w.Code != tt.status {
			t.Errorf("%v: %d, want %d", tt.headers, w.Code, tt.status)
		}
	}
	alone := newDesk(t)
	if w := alone.ask("", append(outside, "X-API-Key", alone.keys["local"])...); w.Code != 204 {
		t.Errorf("an untrusted header was believed: %d", w.Code)
	}
}

// Whatever the headers are: no panic, and at most one credential comes out, made of what
// went in.
func FuzzFromHeader(f *testing.F) {
	f.Add("Bearer abc", "", "", "")
	f.Add("Basic dXNyX2E6a2V5", "", "", "")
	f.Add("", "", "key", "")
	f.Add("basic OmtleQ==", "Bearer x", "a", "b")
	f.Fuzz(func(t *testing.T, a1, a2, k1, k2 string) {
		h := http.Header{}
		for _, v := range []string{a1, a2} {
			if v != "" {
				h.Add("Authorization", v)
			}
		}
		for _, v := range []string{k1, k2} {
			if v != "" {
				h.Add("X-API-Key", v)
			}
		}
		p, ok := FromHeader(h)
		if !ok {
			if p != (Presented{}) {
				t.Fatal("a refused header leaves something behind")
			}
			return
		}
		if len(h.Values("Authorization"))+len(h.Values("X-API-Key")) != 1 {
			t.Fatal("one of several was taken")
		}
		if (p.Credential == "") == (p.Secret == "") || (p.ID == "") != (p.Secret == "") {
			t.Fatalf("neither one form nor the other: %q %q %q", p.Credential, p.ID, p.Secret)
		}
		if strings.Contains(p.ID, ":") || strings.ContainsAny(p.Credential+p.ID+p.Secret, "\r\n\x00") {
			t.Fatal("control characters, or a colon in the ID")
		}
	})
}

func FuzzSource(f *testing.F) {
	f.Add("10.0.0.1:1", "1.2.3.4, 10.0.0.2")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		got := Source(r, trusted)
		if p := address(peer); !within(p, trusted) && got != p {
			t.Fatal("an untrusted peer was believed")
		}
	})
}
