package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seen is the sample API's answer.
type seen struct {
	Method, Path, Query string
	Identity            map[string]string
	Unexpected          []string
}

// stubClaviger answers /gateway/auth with whatever a test wants, to show how nginx handles
// answers that a real Claviger gives rarely.
type stubClaviger struct {
	*httptest.Server
	mu     sync.Mutex // guards answer and asked
	answer http.HandlerFunc
	asked  []*http.Request
}

func mustStub(t *testing.T) *stubClaviger {
	t.Helper()
	s := &stubClaviger{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r)
		s.answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stubClaviger) answers(status int, headers ...header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = nil
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		for _, h := range headers {
			w.Header().Set(h.name, h.value)
		}
		w.WriteHeader(status)
	}
}

func (s *stubClaviger) lastAsked(t *testing.T) *http.Request {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) == 0 {
		t.Fatal("Claviger was not asked")
	}
	return s.asked[len(s.asked)-1]
}

func (s *stubClaviger) addr() string { return s.Listener.Addr().String() }

func TestNginxPassesRefusalsOnAsThemselves(t *testing.T) {
	stub := mustStub(t)
	g := mustStartGateway(t, stub.addr())
	tests := []struct {
		name    string
		status  int
		headers []header
		want    int
		keeps   header
	}{
		{"not signed in", 401, []header{{"WWW-Authenticate", `Bearer realm="claviger"`}}, 401, header{"WWW-Authenticate", `Bearer realm="claviger"`}},
		{"not allowed", 403, nil, 403, header{}},
		{"too many", 429, []header{{"Retry-After", "17"}}, 429, header{"Retry-After", "17"}},
		{"undecided", 503, []header{{"Retry-After", "1"}}, 503, header{"Retry-After", "1"}},
		{"undecided without a hint", 503, nil, 503, header{"Retry-After", ""}},
		{"our fault", 500, nil, 503, header{}},
		{"a wrong configuration", 400, nil, 503, header{}},
		{"a redirect is no yes", 302, []header{{"Location", "/"}}, 503, header{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stub.answers(tt.status, tt.headers...)
			a := mustSend(t, "GET", g.URL+"/calls", nil, bearer("x"))
			if a.Status != tt.want {
				t.Errorf("status %d, want %d: %s", a.Status, tt.want, a.Body)
			}
			if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type %q", got)
			}
			if problem := mustDecode[map[string]any](t, a); problem["status"] != float64(tt.want) {
				t.Errorf("the body says %v", problem["status"])
			}
			if tt.keeps.name != "" && a.Header.Get(tt.keeps.name) != tt.keeps.value {
				t.Errorf("%s: %q, want %q", tt.keeps.name, a.Header.Get(tt.keeps.name), tt.keeps.value)
			}
		})
	}
}

func TestNginxRefusesWhenClavigerIsAway(t *testing.T) {
	g := mustStartGateway(t, freeAddr(t)) // nobody listens there
	if a := mustSend(t, "GET", g.URL+"/", nil, bearer("x")); a.Status != 503 {
		t.Errorf("status %d, want 503: %s", a.Status, a.Body)
	}
}

func TestNginxTellsIdentityAndNothingElse(t *testing.T) {
	stub := mustStub(t)
	g := mustStartGateway(t, stub.addr())
	forged := []header{
		{"Claviger-Credential", "crd_forged"},
		{"claviger-tenant", "ten_forged"},
		{"CLAVIGER-PRINCIPAL", "usr_forged"},
		{"Claviger-Principal-Type", "system"},
		{"Claviger-External-Id", "forged"},
		{"Claviger_Tenant", "ten_forged"},
		{"Claviger_Principal", "usr_forged"},
		{"claviger-principal_type", "system"},
		{"Connection", "close, Claviger-Tenant"},
	}
	tests := []struct {
		name string
		says []header
		want map[string]string
	}{
		{"everything", []header{
			{"Claviger-Credential", "crd_1"},
			{"Claviger-Tenant", "ten_1"},
			{"Claviger-Principal", "usr_1"},
			{"Claviger-Principal-Type", "user"},
			{"Claviger-External-Id", "acme-7"},
		}, map[string]string{
			"Claviger-Credential": "crd_1", "Claviger-Tenant": "ten_1", "Claviger-Principal": "usr_1",
			"Claviger-Principal-Type": "user", "Claviger-External-Id": "acme-7",
		}},
		{"no external ID", []header{
			{"Claviger-Credential", "crd_1"}, {"Claviger-Tenant", "ten_1"}, {"Claviger-Principal", "usr_1"}, {"Claviger-Principal-Type", "user"},
		}, map[string]string{
			"Claviger-Credential": "crd_1", "Claviger-Tenant": "ten_1", "Claviger-Principal": "usr_1", "Claviger-Principal-Type": "user",
		}},
		{"nothing at all", nil, map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stub.answers(204, tt.says...)
			a := mustSend(t, "POST", g.URL+"/calls", map[string]string{"to": "+49"}, append(forged, bearer("secret"))...)
			if a.Status != 200 {
				t.Fatalf("status %d: %s", a.Status, a.Body)
			}
			got := mustDecode[seen](t, a)
			if diff := cmp.Diff(tt.want, got.Identity); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			if len(got.Unexpected) > 0 {
				t.Errorf("these headers reached the API: %v", got.Unexpected)
			}
		})
	}
}

func TestNginxAsksWithTheCredentialAsItCame(t *testing.T) {
	stub := mustStub(t)
	g := mustStartGateway(t, stub.addr())
	tests := []struct {
		name string
		send header
	}{
		{"bearer", bearer("clv_uk_x")},
		{"X-API-Key", apiKey("clv_uk_x")},
		{"basic", header{"Authorization", "Basic dXNyXzE6Y2x2X3VrX3g="}}, // PV1
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stub.answers(204)
			a := mustSend(t, "DELETE", g.URL+"/recordings/7?permissions=nothing:needed&x=%2F", nil, tt.send, header{"X-Forwarded-For", "192.0.2.1"}, header{"X-Original-Uri", "/forged"}, header{"X-Forwarded-Uri", "/forged"})
			asked := stub.lastAsked(t)
			if got := asked.Header.Get(tt.send.name); got != tt.send.value {
				t.Errorf("Claviger was asked with %s %q", tt.send.name, got)
			}
			if got := asked.URL.String(); got != "/gateway/auth?permissions=call_recordings:read" {
				t.Errorf("Claviger was asked at %s", got)
			}
			want := map[string][]string{"X-Forwarded-For": {"127.0.0.1"}, "X-Original-Uri": {"/recordings/7?permissions=nothing:needed&x=%2F"}, "X-Original-Method": {"DELETE"}, "X-Forwarded-Uri": nil}
			for name, values := range want {
				if diff := cmp.Diff(values, asked.Header[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			if got := mustDecode[seen](t, a); len(got.Unexpected) > 0 || got.Path != "/recordings/7" {
				t.Errorf("the API saw %+v", got)
			}
		})
	}
}

// The permission goes by the path, the folder itself included.
func TestNginxAsksByPath(t *testing.T) {
	stub := mustStub(t)
	g := mustStartGateway(t, stub.addr())
	for path, want := range map[string]string{
		"/recordings": "?permissions=call_recordings:read", "/recordings/7": "?permissions=call_recordings:read", "//recordings": "?permissions=call_recordings:read",
		"/scenarios": "?permissions=scenarios:start", "/scenarios/1": "?permissions=scenarios:start", "/other": "",
	} {
		stub.answers(204)
		mustSend(t, "GET", g.URL+path, nil, bearer("x"))
		if got := stub.lastAsked(t).URL.String(); got != "/gateway/auth"+want {
			t.Errorf("%s: Claviger was asked at %s", path, got)
		}
	}
}

func TestNginxHidesItsQuestions(t *testing.T) {
	stub := mustStub(t)
	g := mustStartGateway(t, stub.addr())
	stub.answers(204)
	for _, path := range []string{"/-/claviger/any", "/-/claviger/recordings-read", "/-/claviger/scenarios-start"} {
		if a := mustSend(t, "GET", g.URL+path, nil); a.Status != 404 {
			t.Errorf("%s: status %d, want 404", path, a.Status)
		}
	}
}

// VX6: the deprecated keys in a query reach Claviger, and neither the API nor a log.
func TestNginxStripsLegacyParameters(t *testing.T) {
	stub := mustStub(t)
	g := mustStartGateway(t, stub.addr())
	const key = "AvErYsEcReTkEy"
	tests := []struct{ name, query, want string }{
		{"none", "a=1&b=%2F", "a=1&b=%2F"},
		{"alone", "account_id=12&api_key=" + key, ""},
		{"first", "account_id=12&api_key=" + key + "&a=1", "a=1"},
		{"last", "a=1&account_id=12&api_key=" + key, "a=1"},
		{"between", "a=1&api_key=" + key + "&b=2&account_id=12&c=3", "a=1&b=2&c=3"},
		{"encoded names", "a=1&api%5fkey=" + key + "&%61ccount_i%64=12", "a=1"},
		{"no value", "api_key&a=1", "a=1"},
		{"semicolons", "a=1;api_key=" + key, "a=1"},
		{"one alone", "api_key=" + key + "&a=1", "a=1"},
		{"names that only look alike", "my_api_key=1&api_keys=2&account_idx=3", "my_api_key=1&api_keys=2&account_idx=3"},
		{"more than Claviger would accept", "a=1&api_key=1&api_key=2&api_key=" + key, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stub.answers(204)
			a := mustSend(t, "GET", g.URL+"/a%2Fb/c?"+tt.query, nil)
			if got := stub.lastAsked(t).Header.Get("X-Original-Uri"); got != "/a%2Fb/c?"+tt.query {
				t.Errorf("Claviger saw %q", got)
			}
			got := mustDecode[seen](t, a)
			if got.Query != tt.want {
				t.Errorf("the API saw the query %q, want %q", got.Query, tt.want)
			}
			for _, status := range []int{401, 429, 503} {
				stub.answers(status)
				mustSend(t, "GET", g.URL+"/a?"+tt.query, nil, header{"Referer", "http://x/?" + tt.query})
			}
		})
	}
	for _, log := range []string{"access.log", "error.log"} {
		if strings.Contains(g.mustRead(t, log), key) {
			t.Errorf("%s holds the key", log)
		}
	}
	if access := g.mustRead(t, "access.log"); !strings.Contains(access, `"query":"a=1&b=2&c=3"`) || !strings.Contains(access, `"status":429`) {
		t.Errorf("access.log does not say what happened:\n%s", access)
	}
}
