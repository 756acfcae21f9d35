package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

// What goes to the OAuth endpoints, and what comes back. That the server is of the same mind
// is shown in e2e.
func TestOAuthRequests(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		id, secret, _ := r.BasicAuth()
		seen = append(seen, strings.Join([]string{r.URL.Path, r.PostForm.Encode(), id, secret, r.Header.Get("Authorization")[:6]}, " "))
		switch r.URL.Path {
		case "/oauth2/token":
			_, _ = w.Write([]byte(`{"access_token":"eyJ","token_type":"Bearer","expires_in":900,"scope":"a:b"}`))
		case "/oauth2/introspect":
			_, _ = w.Write([]byte(`{"active":true,"sub":"usr_1","exp":7}`))
		}
	}))
	defer server.Close()
	c, err := client.New(server.URL, client.WithCredential("key"))
	if err != nil {
		t.Fatal(err)
	}
	login := client.Login{ID: "i:d", Secret: "s cret"}
	token, err := c.Token(t.Context(), login, "a:b", "c:d")
	if d := cmp.Diff(api.AccessToken{AccessToken: "eyJ", TokenType: "Bearer", ExpiresIn: 900, Scope: "a:b"}, token); d != "" || err != nil {
		t.Errorf("%v: %s", err, d)
	}
	about, err := c.Introspect(t.Context(), "eyJ", "192.0.2.7")
	if d := cmp.Diff(api.Introspection{Active: true, Subject: "usr_1", ExpiresAt: 7}, about); d != "" || err != nil {
		t.Errorf("%v: %s", err, d)
	}
	if err := c.RevokeToken(t.Context(), login, "eyJ"); err != nil {
		t.Error(err)
	}
	want := []string{
		"/oauth2/token grant_type=client_credentials&scope=a%3Ab+c%3Ad i%3Ad s+cret Basic ",
		"/oauth2/introspect source_ip=192.0.2.7&token=eyJ   Bearer",
		"/oauth2/revoke token=eyJ i%3Ad s+cret Basic ",
	}
	if d := cmp.Diff(want, seen); d != "" {
		t.Error(d)
	}
}

func TestOAuthRefusals(t *testing.T) {
	status, body := 400, `{"error":"invalid_scope","error_description":"No such scope."}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	c, err := client.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Token(t.Context(), client.Login{ID: "id", Secret: "top secret"})
	var refused *api.OAuthError
	if !errors.As(err, &refused) || refused.Status != 400 || refused.Code != "invalid_scope" || strings.Contains(err.Error(), "top secret") {
		t.Errorf("refused: %v", err)
	}
	status, body = 502, "<html>"
	var p *api.Problem
	if _, err = c.Token(t.Context(), client.Login{}); !errors.As(err, &p) || p.Status != 502 {
		t.Errorf("a proxy's page: %v", err)
	}
	status, body = 200, "{}"
	if _, err = c.Token(t.Context(), client.Login{}); err == nil {
		t.Error("an answer without a token is no error")
	}
	server.Close()
	if _, err = c.Token(t.Context(), client.Login{Secret: "top secret"}); err == nil || strings.Contains(err.Error(), "top secret") {
		t.Errorf("nobody there: %v", err)
	}
}
