package middleware_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
	"github.com/claviger-io/claviger/middleware"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// verdicts is a Claviger that gives one answer, and remembers the question.
type verdicts struct {
	status  int // 0 means 200
	verdict api.VerifyResponse
	problem api.Problem
	asked   []api.VerifyRequest
}

func (v *verdicts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q api.VerifyRequest
	_ = json.NewDecoder(r.Body).Decode(&q)
	v.asked = append(v.asked, q)
	if v.status != 0 {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(v.status)
		_ = json.NewEncoder(w).Encode(v.problem)
		return
	}
	_ = json.NewEncoder(w).Encode(v.verdict)
}

// mustProtect puts the middleware, asking v, before a handler that tells what reached it.
func mustProtect(t *testing.T, v *verdicts, c middleware.Config, reached *[]*http.Request) http.Handler {
	t.Helper()
	s := httptest.NewServer(v)
	t.Cleanup(s.Close)
	asker, err := client.New(s.URL, client.WithCredential("clv_vk_x"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(asker.CloseIdleConnections)
	c.Client, c.Now = asker, func() time.Time { return noon }
	return middleware.New(c)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { *reached = append(*reached, r) }))
}

func request(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/recordings", nil)
	r.RemoteAddr = "192.0.2.7:4711"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func basic(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestExactlyOneCredential(t *testing.T) {
	key := api.VerifyRequest{Credential: "clv_uk_1", SourceIP: "192.0.2.7"}
	tests := []struct {
		name    string
		headers []string
		want    *api.VerifyRequest // nil: refused without asking
	}{
		{"bearer", []string{"Authorization", "Bearer clv_uk_1"}, &key},
		{"bearer in lower case", []string{"Authorization", "bearer clv_uk_1"}, &key},
		{"X-API-Key", []string{"X-API-Key", "clv_uk_1"}, &key},
		// PV1: user ID and key as HTTP Basic.
		{"Basic", []string{"Authorization", basic("usr_1:clv_uk_1")}, &api.VerifyRequest{ID: "usr_1", Secret: "clv_uk_1", SourceIP: "192.0.2.7"}},
		{"nothing", nil, nil},
		{"both headers", []string{"Authorization", "Bearer clv_uk_1", "X-API-Key", "clv_uk_1"}, nil},
		{"two Authorization headers", []string{"Authorization", "Bearer clv_uk_1", "Authorization", "Bearer clv_uk_2"}, nil},
		{"two X-API-Key headers", []string{"X-API-Key", "clv_uk_1", "X-API-Key", "clv_uk_2"}, nil},
		{"a list in one header", []string{"X-API-Key", "clv_uk_1, clv_uk_2"}, nil},
		{"an empty X-API-Key beside a bearer", []string{"Authorization", "Bearer clv_uk_1", "X-API-Key", ""}, nil},
		{"an empty bearer", []string{"Authorization", "Bearer "}, nil},
		{"no scheme", []string{"Authorization", "clv_uk_1"}, nil},
		{"another scheme", []string{"Authorization", "Digest clv_uk_1"}, nil},
		{"Basic without a colon", []string{"Authorization", basic("clv_uk_1")}, nil},
		{"Basic without a user", []string{"Authorization", basic(":clv_uk_1")}, nil},
		{"Basic without a key", []string{"Authorization", basic("usr_1:")}, nil},
		{"Basic that is not base64", []string{"Authorization", "Basic usr_1:clv_uk_1"}, nil},
		{"Basic with trailing bits", []string{"Authorization", "Basic dTprfR=="}, nil},
		{"too long", []string{"X-API-Key", strings.Repeat("k", 9000)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := &verdicts{verdict: api.VerifyResponse{Valid: true, Code: api.VerifyValid}}
			var reached []*http.Request
			h := mustProtect(t, v, middleware.Config{}, &reached)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(tt.headers...))
			if tt.want == nil {
				if w.Code != 401 || len(v.asked) != 0 || len(reached) != 0 {
					t.Errorf("status %d, %d questions, %d let through", w.Code, len(v.asked), len(reached))
				}
				return
			}
			if w.Code != 200 || len(reached) != 1 {
				t.Errorf("status %d, %d let through", w.Code, len(reached))
			}
			if diff := cmp.Diff([]api.VerifyRequest{*tt.want}, v.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerdictsBecomeStatuses(t *testing.T) {
	reset := noon.Add(1500 * time.Millisecond)
	limits := []api.LimitState{{Name: "burst", Limit: 1, ResetAt: &reset}, {Name: "other", Limit: 9, Remaining: 8}}
	tests := []struct {
		code  api.VerifyCode
		want  int
		retry string
	}{
		{api.VerifyNotFound, 401, ""},
		{api.VerifyTenantSuspended, 401, ""},
		{api.VerifyRevoked, 401, ""},
		{api.VerifySuspended, 401, ""},
		{api.VerifyNotYetValid, 401, ""},
		{api.VerifyExpired, 401, ""},
		{api.VerifyWrongKind, 403, ""},
		{api.VerifyForbidden, 403, ""},
		{api.VerifyInsufficientPermissions, 403, ""},
		{api.VerifyRateLimited, 429, "2"},
		{api.VerifyUsageExceeded, 429, "2"},
		{"FROM_THE_FUTURE", 401, ""},
	}
	for _, tt := range tests {
		t.Run(string(tt.code), func(t *testing.T) {
			v := &verdicts{verdict: api.VerifyResponse{Code: tt.code, Missing: []string{"a:read"}, Limits: limits}}
			var reached []*http.Request
			w := httptest.NewRecorder()
			mustProtect(t, v, middleware.Config{}, &reached).ServeHTTP(w, request("X-API-Key", "k"))
			if w.Code != tt.want || len(reached) != 0 {
				t.Fatalf("status %d, %d let through", w.Code, len(reached))
			}
			if got := w.Header().Get("Retry-After"); got != tt.retry {
				t.Errorf("Retry-After is %q, want %q", got, tt.retry)
			}
			if challenged := len(w.Header().Values("WWW-Authenticate")) == 2; challenged != (tt.want == 401) {
				t.Errorf("WWW-Authenticate is %q", w.Header().Values("WWW-Authenticate"))
			}
			var p api.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != tt.want || p.Code == "" {
				t.Errorf("problem %+v, %v", p, err)
			}
		})
	}
}

// A verdict that contradicts itself is no VALID.
func TestContradictionIsRefused(t *testing.T) {
	for _, verdict := range []api.VerifyResponse{{Valid: true, Code: api.VerifyRevoked}, {Code: api.VerifyValid}} {
		var reached []*http.Request
		w := httptest.NewRecorder()
		mustProtect(t, &verdicts{verdict: verdict}, middleware.Config{}, &reached).ServeHTTP(w, request("X-API-Key", "k"))
		if w.Code != 401 || len(reached) != 0 {
			t.Errorf("%+v: status %d, %d let through", verdict, w.Code, len(reached))
		}
	}
}

// Whatever keeps Claviger from deciding, the answer is 503 and never a pass.
func TestDoubtIsRefused(t *testing.T) {
	bad := api.Problem{Title: "Bad Request", Status: 400, Code: "invalid", Errors: []api.ProblemError{{Pointer: "/permissions", Message: "No."}}}
	malformed := api.Problem{Title: "Bad Request", Status: 400, Code: "invalid", Errors: []api.ProblemError{{Pointer: "/id", Message: "No."}}}
	tests := []struct {
		name string
		v    verdicts
		want int
	}{
		{"undecided", verdicts{status: 503, problem: api.Problem{Title: "Unavailable", Status: 503, Code: "unavailable"}}, 503},
		{"our own verifier key is bad", verdicts{status: 401, problem: api.Problem{Title: "Unauthorized", Status: 401}}, 503},
		{"our own verifier key may not", verdicts{status: 403, problem: api.Problem{Title: "Forbidden", Status: 403}}, 503},
		{"we are asking too much", verdicts{status: 429, problem: api.Problem{Title: "Too Many", Status: 429}}, 503},
		{"our permission query is malformed", verdicts{status: 400, problem: bad}, 503},
		{"the caller's credential is malformed", verdicts{status: 400, problem: malformed}, 401},
		{"a server error", verdicts{status: 500, problem: api.Problem{Title: "Oh", Status: 500}}, 503},
		{"something else listens there", verdicts{status: 204}, 503},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var reached []*http.Request
			w := httptest.NewRecorder()
			mustProtect(t, &tt.v, middleware.Config{}, &reached).ServeHTTP(w, request("X-API-Key", "k"))
			if w.Code != tt.want || len(reached) != 0 {
				t.Errorf("status %d, want %d; %d let through", w.Code, tt.want, len(reached))
			}
			if w.Code == 503 && w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	asker, err := client.New(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	middleware.New(middleware.Config{Client: asker})(http.NotFoundHandler()).ServeHTTP(w, request("X-API-Key", "k"))
	if w.Code != 503 {
		t.Errorf("status %d", w.Code)
	}
}

// Nobody names themselves: the headers by which gateways name callers don't pass.
func TestIdentityHeadersAreRemoved(t *testing.T) {
	v := &verdicts{verdict: api.VerifyResponse{Valid: true, Code: api.VerifyValid, TenantID: "ten_1"}}
	var reached []*http.Request
	h := mustProtect(t, v, middleware.Config{}, &reached)
	r := request("X-API-Key", "k", "Claviger-Tenant", "ten_evil", "claviger-principal", "usr_evil", "Accept", "text/csv")
	r.Header["claviger_tenant"] = []string{"ten_evil"}
	r.Header["Clavigerish"] = []string{"stays"}
	before := r.Header.Clone()
	h.ServeHTTP(httptest.NewRecorder(), r)
	if len(reached) != 1 {
		t.Fatal("not let through")
	}
	want := http.Header{"X-Api-Key": {"k"}, "Accept": {"text/csv"}, "Clavigerish": {"stays"}}
	if diff := cmp.Diff(want, reached[0].Header); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, r.Header); diff != "" {
		t.Errorf("the request of the caller of the middleware was changed: %s", diff)
	}
	if got, ok := middleware.FromContext(reached[0].Context()); !ok || got.TenantID != "ten_1" {
		t.Errorf("FromContext: %+v, %t", got, ok)
	}
	if _, ok := middleware.FromContext(t.Context()); ok {
		t.Error("a verdict outside the middleware")
	}
}

func TestQuestion(t *testing.T) {
	v := &verdicts{verdict: api.VerifyResponse{Valid: true, Code: api.VerifyValid}}
	var reached []*http.Request
	h := mustProtect(t, v, middleware.Config{
		Permissions:    "never:used",
		PermissionsFor: func(r *http.Request) string { return "recordings:" + strings.ToLower(r.Method) },
		SourceIP:       func(r *http.Request) string { return r.Header.Get("X-Real-Ip") },
		Cost:           func(*http.Request) int64 { return 7 },
	}, &reached)
	h.ServeHTTP(httptest.NewRecorder(), request("X-API-Key", "k", "X-Real-Ip", "198.51.100.9"))
	want := []api.VerifyRequest{{Credential: "k", Permissions: "recordings:get", SourceIP: "198.51.100.9", Cost: 7}}
	if diff := cmp.Diff(want, v.asked); diff != "" {
		t.Error(diff)
	}
}

// Each call is asked anew: nothing is cached.
func TestNothingIsCached(t *testing.T) {
	v := &verdicts{verdict: api.VerifyResponse{Valid: true, Code: api.VerifyValid}}
	var reached []*http.Request
	h := mustProtect(t, v, middleware.Config{}, &reached)
	h.ServeHTTP(httptest.NewRecorder(), request("X-API-Key", "k"))
	v.verdict = api.VerifyResponse{Code: api.VerifyRevoked}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request("X-API-Key", "k"))
	if w.Code != 401 || len(reached) != 1 {
		t.Errorf("status %d, %d let through", w.Code, len(reached))
	}
}

// The credential is in no answer.
func TestRefusalsEchoNothing(t *testing.T) {
	for _, headers := range [][]string{{"X-API-Key", "canary1"}, {"Authorization", "Canary canary1"}, {"Authorization", basic("canary1:canary1")}} {
		var reached []*http.Request
		w := httptest.NewRecorder()
		v := &verdicts{verdict: api.VerifyResponse{Code: api.VerifyNotFound}}
		mustProtect(t, v, middleware.Config{}, &reached).ServeHTTP(w, request(headers...))
		body, _ := io.ReadAll(w.Result().Body)
		if strings.Contains(strings.ToLower(string(body)), "canary") {
			t.Errorf("echoed: %s", body)
		}
	}
}

func TestWithoutClient(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	middleware.New(middleware.Config{})
}
