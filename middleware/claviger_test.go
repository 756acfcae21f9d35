package middleware_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/clavigertest"
	"github.com/claviger-io/claviger/middleware"
)

// mustServeAPI runs an API behind the middleware, in front of the real Claviger.
func mustServeAPI(t *testing.T, s *clavigertest.Server, permissions string) string {
	t.Helper()
	protect := middleware.New(middleware.Config{Client: s.Verifier(), Permissions: permissions})
	srv := httptest.NewServer(protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := middleware.FromContext(r.Context())
		if !ok {
			t.Error("a request without a verdict got through")
			return
		}
		_, _ = io.WriteString(w, v.Principal.ID)
	})))
	t.Cleanup(srv.Close)
	return srv.URL
}

// mustCall calls the API and returns the status, the body and the headers.
func mustCall(t *testing.T, url string, prepare func(*http.Request)) (status int, body string, h http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/recordings", nil)
	if err != nil {
		t.Fatal(err)
	}
	prepare(r)
	res, err := (&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data), res.Header
}

func bearer(key api.Secret) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key.Reveal()) }
}

func apiKey(key api.Secret) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("X-API-Key", key.Reveal()) }
}

// pair is PV1: user ID and API key as HTTP Basic, what business-intelligence tools send.
func pair(user string, key api.Secret) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, key.Reveal()) }
}

// PV1, PV9: every form is accepted until the key is revoked, and not a call longer.
func TestRealServer(t *testing.T) {
	s := clavigertest.NewServer(t)
	ada, bob := s.MustCreateUser("ada", "super_admin"), s.MustCreateUser("bob", "super_admin")
	key := s.MustIssueAPIKey(ada)
	url := mustServeAPI(t, s, "call_recordings:read")
	forms := map[string]func(*http.Request){
		"bearer": bearer(key.Key), "X-API-Key": apiKey(key.Key), "Basic user-id:key": pair(ada.ID, key.Key),
	}
	for name, form := range forms {
		if status, body, _ := mustCall(t, url, form); status != 200 || body != ada.ID {
			t.Errorf("%s: status %d, %s", name, status, body)
		}
	}
	for name, form := range map[string]func(*http.Request){
		"another user's ID":     pair(bob.ID, key.Key),
		"the key as the user":   pair(key.Key.Reveal(), "x"),
		"both at once":          func(r *http.Request) { bearer(key.Key)(r); apiKey(key.Key)(r) },
		"nothing":               func(*http.Request) {},
		"a damaged key":         bearer(key.Key[:len(key.Key)-1]),
		"the verifier key":      bearer(s.VerifierKey + "x"),
		"something else at all": bearer("letmein"),
	} {
		if status, body, h := mustCall(t, url, form); status != 401 || h.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: status %d, %s", name, status, body)
		}
	}
	s.MustRevokeAPIKey(key.ID)
	for name, form := range forms {
		if status, body, _ := mustCall(t, url, form); status != 401 {
			t.Errorf("%s after the revocation: status %d, %s", name, status, body)
		}
	}
}

// PV10: what a key may do is what its user's role says at the moment.
func TestRealPermissionsAndLimits(t *testing.T) {
	s := clavigertest.NewServer(t)
	url := mustServeAPI(t, s, "call_recordings:delete")
	nobody := s.MustIssueAPIKey(s.MustCreateUser("nobody"))
	status, body, _ := mustCall(t, url, bearer(nobody.Key))
	if status != 403 || !strings.Contains(body, "call_recordings:delete") {
		t.Errorf("without the permission: status %d, %s", status, body)
	}
	limited := s.MustIssueAPIKey(s.MustCreateUser("ada", "super_admin"), clavigertest.WithRate(1, 24*time.Hour))
	if status, body, _ := mustCall(t, url, bearer(limited.Key)); status != 200 {
		t.Errorf("within the limit: status %d, %s", status, body)
	}
	status, body, h := mustCall(t, url, bearer(limited.Key))
	if status != 429 || h.Get("Retry-After") == "" || h.Get("Retry-After") == "0" {
		t.Errorf("past the limit: status %d, Retry-After %q, %s", status, h.Get("Retry-After"), body)
	}
	near := s.MustIssueAPIKey(s.MustCreateUser("eva", "super_admin"), clavigertest.WithNetworks("127.0.0.0/8", "::1"))
	far := s.MustIssueAPIKey(s.MustCreateUser("tom", "super_admin"), clavigertest.WithNetworks("192.0.2.0/24"))
	if status, body, _ := mustCall(t, url, bearer(near.Key)); status != 200 {
		t.Errorf("from its network: status %d, %s", status, body)
	}
	if status, body, _ := mustCall(t, url, bearer(far.Key)); status != 403 {
		t.Errorf("from another network: status %d, %s", status, body)
	}
}

// A verifier key that has ended is our operator's trouble, never a pass.
func TestRealVerifierRevoked(t *testing.T) {
	s := clavigertest.NewServer(t)
	key := s.MustIssueAPIKey(s.MustCreateUser("ada", "super_admin"))
	own, err := s.Admin().IssueVerifierKey(t.Context(), api.IssueVerifierKeyRequest{Name: "gateway"})
	if err != nil {
		t.Fatal(err)
	}
	protect := middleware.New(middleware.Config{Client: s.Client(own.Key)})
	srv := httptest.NewServer(protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	defer srv.Close()
	if status, body, _ := mustCall(t, srv.URL, bearer(key.Key)); status != 200 {
		t.Fatalf("status %d, %s", status, body)
	}
	if _, err := s.Admin().RevokeVerifierKey(t.Context(), own.ID); err != nil {
		t.Fatal(err)
	}
	if status, body, _ := mustCall(t, srv.URL, bearer(key.Key)); status != 503 {
		t.Errorf("status %d, %s", status, body)
	}
}
