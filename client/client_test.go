package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

const canary = "clv_uk_CanaryCanary_0123456789"

// mustClient returns a client of a server that answers with the handler.
func mustClient(t *testing.T, h http.HandlerFunc, options ...client.Option) *client.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, append([]client.Option{client.WithCredential(canary)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func answerProblem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(api.Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: "No."})
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	tests := []struct {
		name, url string
		option    client.Option
	}{
		{"no scheme", "claviger.example.com", nil},
		{"another scheme", "ftp://claviger.example.com", nil},
		{"no host", "http:///v1", nil},
		{"a user", "https://user:canary@claviger.example.com", nil},
		{"a query", "https://claviger.example.com/?canary=1", nil},
		{"a line end in the credential", "https://claviger.example.com", client.WithCredential("canary\n")},
		{"no HTTP client", "https://claviger.example.com", client.WithHTTPClient(nil)},
		{"a negative timeout", "https://claviger.example.com", client.WithTimeout(-1)},
		{"a line end in the user agent", "https://claviger.example.com", client.WithUserAgent("canary\r\nX: y")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var options []client.Option
			if tt.option != nil {
				options = append(options, tt.option)
			}
			_, err := client.New(tt.url, options...)
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats what it was given: %v", err)
			}
		})
	}
}

func TestRequestIsComplete(t *testing.T) {
	var got *http.Request
	c := mustClient(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.WriteString(w, `{"id":"crd_1"}`)
	}, client.WithUserAgent("tests/1"))
	if _, err := c.IssueAPIKey(t.Context(), api.IssueAPIKeyRequest{Name: "n"}); err != nil {
		t.Fatal(err)
	}
	if got.Method != "POST" || got.URL.Path != "/v1/api-keys" {
		t.Errorf("asked %s %s", got.Method, got.URL.Path)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer " + canary, "User-Agent": "tests/1", "Content-Type": "application/json",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if len(got.Header.Get("Idempotency-Key")) < 20 {
		t.Errorf("Idempotency-Key is %q", got.Header.Get("Idempotency-Key"))
	}
}

// An ID from elsewhere names an object and never another path.
func TestIDsAreEscaped(t *testing.T) {
	var path string
	c := mustClient(t, func(w http.ResponseWriter, r *http.Request) { path = r.URL.EscapedPath() })
	if _, err := c.APIKey(t.Context(), "../tenants?x=/y"); err != nil {
		t.Fatal(err)
	}
	if want := "/v1/api-keys/..%2Ftenants%3Fx=%2Fy"; path != want {
		t.Errorf("asked %s, want %s", path, want)
	}
}

func TestProblemsAreTheErrorType(t *testing.T) {
	c := mustClient(t, func(w http.ResponseWriter, _ *http.Request) { answerProblem(w, 409, "name_taken") })
	_, err := c.RenameAPIKey(t.Context(), "crd_1", "n")
	var p *api.Problem
	if !errors.As(err, &p) || p.Status != 409 || p.Code != "name_taken" {
		t.Fatalf("got %v", err)
	}
}

// A proxy's error page is no problem document; its status is still told.
func TestForeignErrorPage(t *testing.T) {
	c := mustClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "req_1")
		w.WriteHeader(502)
		_, _ = io.WriteString(w, "<html>canary</html>")
	})
	_, err := c.Me(t.Context())
	var p *api.Problem
	if !errors.As(err, &p) || p.Status != 502 || p.RequestID != "req_1" {
		t.Fatalf("got %v", err)
	}
}

// The credential goes to the server that was named, and to no other.
func TestRedirectsAreRefused(t *testing.T) {
	var reached atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer elsewhere.Close()
	follow := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	c := mustClient(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}, client.WithHTTPClient(follow))
	_, err := c.Verify(t.Context(), api.VerifyRequest{Credential: canary})
	var p *api.Problem
	if !errors.As(err, &p) || p.Status != 307 {
		t.Errorf("got %v", err)
	}
	if reached.Load() {
		t.Error("the redirect was followed")
	}
}

func TestRepetition(t *testing.T) {
	busy := func(w http.ResponseWriter, after string) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		answerProblem(w, 503, api.CodeUnavailable)
	}
	tests := []struct {
		name string
		do   func(context.Context, *client.Client) error
		fail func(http.ResponseWriter)
		want int32 // requests that arrive
	}{
		{"503 with Retry-After is repeated", verifyOnce, func(w http.ResponseWriter) { busy(w, "0") }, 3},
		{"503 without is not", verifyOnce, func(w http.ResponseWriter) { busy(w, "") }, 1},
		{"nor one that asks for patience", verifyOnce, func(w http.ResponseWriter) { busy(w, "60") }, 1},
		{"500 is not repeated", getOnce, func(w http.ResponseWriter) { answerProblem(w, 500, "internal") }, 1},
		{"429 is not repeated", getOnce, func(w http.ResponseWriter) { answerProblem(w, 429, "too_many") }, 1},
		{"a verification without an answer is not repeated", verifyOnce, hangUp, 1},
		{"an issue without an answer is not repeated", issueOnce, hangUp, 1},
		{"a read without an answer is", getOnce, hangUp, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int32
			c := mustClient(t, func(w http.ResponseWriter, _ *http.Request) { n.Add(1); tt.fail(w) })
			if err := tt.do(t.Context(), c); err == nil {
				t.Fatal("no error")
			}
			if n.Load() != tt.want {
				t.Errorf("%d requests, want %d", n.Load(), tt.want)
			}
		})
	}
}

// A repeated request carries the same key, so that the server does it once.
func TestRepetitionIsOneIntent(t *testing.T) {
	keys := map[string]bool{}
	var n int
	c := mustClient(t, func(w http.ResponseWriter, r *http.Request) {
		keys[r.Header.Get("Idempotency-Key")] = true
		if n++; n < 3 {
			w.Header().Set("Retry-After", "0")
			answerProblem(w, 503, api.CodeUnavailable)
			return
		}
		_, _ = io.WriteString(w, `{"id":"crd_1"}`)
	})
	if err := issueOnce(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if n != 3 || len(keys) != 1 {
		t.Errorf("%d requests under %d keys", n, len(keys))
	}
	if err := issueOnce(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 {
		t.Error("a second intent went under the key of the first")
	}
}

func verifyOnce(ctx context.Context, c *client.Client) error {
	_, err := c.Verify(ctx, api.VerifyRequest{Credential: canary})
	return err
}

func getOnce(ctx context.Context, c *client.Client) error {
	_, err := c.APIKey(ctx, "crd_1")
	return err
}

func issueOnce(ctx context.Context, c *client.Client) error {
	_, err := c.IssueAPIKey(ctx, api.IssueAPIKeyRequest{Name: "n"})
	return err
}

func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func TestIteratorsReadAllPages(t *testing.T) {
	pages := map[string]string{
		"":  `{"items":[{"id":"crd_1"},{"id":"crd_2"}],"next_cursor":"b","total":3}`,
		"b": `{"items":[{"id":"crd_3"}],"total":3}`,
	}
	var asked []string
	c := mustClient(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("state"))
		_, _ = io.WriteString(w, pages[r.URL.Query().Get("cursor")])
	})
	var got []string
	for k, err := range c.APIKeys(t.Context(), client.APIKeyFilter{State: "active"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, k.ID)
	}
	if diff := cmp.Diff([]string{"crd_1", "crd_2", "crd_3"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"active", "active"}, asked); diff != "" {
		t.Errorf("the filter goes with each page: %s", diff)
	}
	asked = nil
	for _, err := range c.APIKeys(t.Context(), client.APIKeyFilter{}) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if len(asked) != 1 {
		t.Errorf("a loop that ends early asked for %d pages", len(asked))
	}
}

func TestIteratorEndsWithTheError(t *testing.T) {
	c := mustClient(t, func(w http.ResponseWriter, _ *http.Request) { answerProblem(w, 403, api.CodeDenied) })
	n := 0
	for _, err := range c.Users(t.Context(), client.UserFilter{}) {
		if n++; err == nil {
			t.Fatal("no error")
		}
	}
	if n != 1 {
		t.Errorf("%d rounds", n)
	}
}

// No printed form of a client, and no error, holds the credential.
func TestCredentialIsNeverPrinted(t *testing.T) {
	c := mustClient(t, func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
	_, err := c.Verify(t.Context(), api.VerifyRequest{Credential: canary})
	for _, printed := range []string{
		fmt.Sprintf("%v", c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%+v", *c), fmt.Sprint(err), fmt.Sprintf("%+v", err),
	} {
		if strings.Contains(printed, "Canary") {
			t.Errorf("printed: %s", printed)
		}
	}
}

func TestEndlessAnswerIsCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("sends 64 MB")
	}
	chunk := make([]byte, 1<<20)
	c := mustClient(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 66 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if err := verifyOnce(t.Context(), c); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("got %v", err)
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	c := mustClient(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}, client.WithTimeout(20*time.Millisecond))
	defer close(release)
	if err := verifyOnce(t.Context(), c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A session's client has the session and not the credential it was made with.
func TestSessionClient(t *testing.T) {
	var seen []string
	c := mustClient(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization")+"|"+r.Header.Get("Cookie"))
		http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: fmt.Sprint("token", len(seen)), Path: "/", Secure: true, HttpOnly: true})
		_, _ = io.WriteString(w, "{}")
	})
	person, err := c.SignIn(t.Context(), api.SignInRequest{Tenant: "t", Username: "u", Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := person.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Me(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"|", "|__Host-session=token1", "|__Host-session=token2", "Bearer " + canary + "|"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	if s := fmt.Sprintf("%+v", person); strings.Contains(s, "token") {
		t.Errorf("printed: %s", s)
	}
}

// A success that decides nothing is an error, never a verdict.
func TestNoVerdict(t *testing.T) {
	for _, body := range []string{"", "{}", `{"valid":true}`, `{"items":[]}`, `{"items":[{"valid":true}]}`, "<html>"} {
		c := mustClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		if v, err := c.Verify(t.Context(), api.VerifyRequest{Credential: canary}); err == nil || v.Valid {
			t.Errorf("%q: %+v, %v", body, v, err)
		}
		if v, err := c.VerifyBatch(t.Context(), []api.VerifyRequest{{Credential: canary}}); err == nil || v != nil {
			t.Errorf("%q: %+v, %v", body, v, err)
		}
	}
}

// A system caller's lists are another tenant's; what is named by its ID needs no tenant.
func TestInTenant(t *testing.T) {
	var asked []string
	c := mustClient(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		_, _ = io.WriteString(w, `{"items":[]}`)
	}).InTenant("ten_1")
	_, _ = c.APIKeyPage(t.Context(), client.APIKeyFilter{State: "active"}, client.Page{})
	_, _ = c.IssueAPIKey(t.Context(), api.IssueAPIKeyRequest{Name: "n"})
	_, _ = c.APIKey(t.Context(), "crd_1")
	_, _ = c.Plans(t.Context())
	want := []string{"/v1/api-keys?state=active&tenant_id=ten_1", "/v1/api-keys?tenant_id=ten_1", "/v1/api-keys/crd_1", "/v1/plans"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}
