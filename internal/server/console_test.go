package server_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/claviger-io/claviger/internal/server"
)

// builtConsole stands for what Vite makes.
func builtConsole() fstest.MapFS {
	script := []byte("console.log(" + strings.Repeat("1+", 500) + "1)")
	return fstest.MapFS{
		"index.html": {Data: []byte(`<html><head><meta name="csp-nonce" content="__CSP_NONCE__"><meta name="session" content="__SESSION__"></head>` +
			`<body><script nonce="__CSP_NONCE__" src="/assets/main-abc.js"></script></body></html>`)},
		"assets/main-abc.js":   {Data: script},
		"assets/style-def.css": {Data: []byte("body{color:red}")},
		"assets/shot-123.png":  {Data: []byte("\x89PNG not really")},
		"assets/odd-1.exe":     {Data: []byte("MZ")},
		"icon.svg":             {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)},
		".gitkeep":             {},
	}
}

// visit asks the server as a browser does, without following anything.
func visit(t *testing.T, s http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	return rec
}

const browserAccepts = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// Every page of the console is the same page, with a nonce that no other answer has, and a
// policy under which nothing but our own files and this nonce run.
func TestConsolePage(t *testing.T) {
	w := newWorld(t, sqlite(t))
	s := w.newServer(server.Config{Console: builtConsole()})
	seen := map[string]bool{}
	for _, path := range []string{"/", "/settings/api-keys", "/settings/api-keys/", "/help/guides/apps", "/reference", "/v1x", "/invitation"} {
		rec := visit(t, s, http.MethodGet, path, "Accept", browserAccepts)
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "text/html; charset=utf-8" || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, %v", path, rec.Code, rec.Header())
		}
		nonces := regexp.MustCompile(`(?:nonce|content)="([A-Z2-7]{26})"`).FindAllStringSubmatch(rec.Body.String(), -1)
		if len(nonces) != 2 || nonces[0][1] != nonces[1][1] || seen[nonces[0][1]] || strings.Contains(rec.Body.String(), "CSP_NONCE") {
			t.Fatalf("%s: the nonces are %v in %s", path, nonces, rec.Body)
		}
		seen[nonces[0][1]] = true
		want := "default-src 'none'; script-src 'self' 'nonce-" + nonces[0][1] + "'; style-src 'self' 'nonce-" + nonces[0][1] +
			"'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		if got := rec.Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: the policy is %q", path, got)
		}
		if strings.Contains(rec.Body.String(), strings.Trim(path, "/")) && path != "/" {
			t.Errorf("%s: the page repeats what was asked", path)
		}
	}
	if rec := visit(t, s, http.MethodGet, "/"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "<html>") {
		t.Errorf("the front door without Accept: %d %s", rec.Code, rec.Body)
	}
	if rec := visit(t, s, http.MethodHead, "/users", "Accept", "text/html"); rec.Code != http.StatusOK {
		t.Errorf("HEAD: %d", rec.Code)
	}
}

// The page knows whether it was asked for with a session, and nothing of which.
func TestConsolePageKnowsOfASession(t *testing.T) {
	w := newWorld(t, sqlite(t))
	s := w.newServer(server.Config{Console: builtConsole()})
	for cookie, want := range map[string]string{"": "none", "other=1": "none", "__Host-claviger=anything": "present"} {
		body := visit(t, s, http.MethodGet, "/", "Accept", browserAccepts, "Cookie", cookie).Body.String()
		if !strings.Contains(body, `<meta name="session" content="`+want+`">`) || strings.Contains(body, "anything") {
			t.Errorf("with the cookie %q: %s", cookie, body)
		}
	}
}

// What programs ask keeps answering problems, also to browsers; and nothing redirects.
func TestConsoleLeavesTheAPIAlone(t *testing.T) {
	w := newWorld(t, sqlite(t))
	s := w.newServer(server.Config{Console: builtConsole()})
	for _, row := range []struct {
		method, path, accept string
		status               int
	}{
		{http.MethodGet, "/v1", browserAccepts, 404},
		{http.MethodGet, "/v1/nothing", browserAccepts, 404},
		{http.MethodGet, "/v1/me", browserAccepts, 401},
		{http.MethodGet, "/gateway/nothing", browserAccepts, 404},
		{http.MethodGet, "/oauth2/nothing", browserAccepts, 404},
		{http.MethodGet, "/.well-known/nothing", browserAccepts, 404},
		{http.MethodGet, "/healthz/x", browserAccepts, 404},
		{http.MethodGet, "/readyz/x", browserAccepts, 404},
		{http.MethodGet, "/metrics/x", browserAccepts, 404},
		{http.MethodGet, "/openapi.json/x", browserAccepts, 404},
		{http.MethodGet, "/assets", browserAccepts, 404},
		{http.MethodGet, "/assets/", browserAccepts, 404},
		{http.MethodGet, "/assets/gone-1.js", browserAccepts, 404},
		{http.MethodGet, "/assets/odd-1.exe", browserAccepts, 404},
		{http.MethodGet, "/.gitkeep", "*/*", 404},
		{http.MethodGet, "/index.html", "*/*", 404},
		{http.MethodGet, "/users", "application/json", 404},
		{http.MethodGet, "/users", "text/html;q=0, */*", 404},
		{http.MethodGet, "/users", "*/*", 404},
		{http.MethodGet, "//users", browserAccepts, 404},
		{http.MethodGet, "/help/../v1/me", browserAccepts, 404},
		{http.MethodPost, "/users", browserAccepts, 404},
		{http.MethodDelete, "/", browserAccepts, 404},
	} {
		rec := visit(t, s, row.method, row.path, "Accept", row.accept)
		if rec.Code != row.status || rec.Header().Get("Content-Type") != "application/problem+json" || rec.Header().Get("Location") != "" {
			t.Errorf("%s %s (%s): status %d, %s: %.200s", row.method, row.path, row.accept, rec.Code, rec.Header().Get("Content-Type"), rec.Body)
		}
	}
}

// Files under assets are kept by browsers for ever, and travel compressed to who can read that.
func TestConsoleAssets(t *testing.T) {
	w := newWorld(t, sqlite(t))
	files := builtConsole()
	s := w.newServer(server.Config{Console: files})
	for _, row := range []struct {
		path, contentType, cache, encoding string
		accept                             string
	}{
		{"/assets/main-abc.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "gzip", "br, gzip"},
		{"/assets/main-abc.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "gzip", "gzip;q=0.5"},
		{"/assets/main-abc.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "", "gzip;q=0, br"},
		{"/assets/main-abc.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "", ""},
		{"/assets/style-def.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable", "", "gzip"},
		{"/assets/shot-123.png", "image/png", "public, max-age=31536000, immutable", "", "gzip"},
		{"/icon.svg", "image/svg+xml", "public, max-age=3600", "", "gzip"},
	} {
		rec := visit(t, s, http.MethodGet, row.path, "Accept-Encoding", row.accept)
		h := rec.Header()
		if rec.Code != http.StatusOK || h.Get("Content-Type") != row.contentType || h.Get("Cache-Control") != row.cache || h.Get("Content-Encoding") != row.encoding {
			t.Errorf("%s (%s): status %d, %v", row.path, row.accept, rec.Code, h)
		}
		body := io.Reader(rec.Body)
		if row.encoding == "gzip" {
			z, err := gzip.NewReader(rec.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		got, err := io.ReadAll(body)
		if err != nil || !bytes.Equal(got, files[strings.TrimPrefix(row.path, "/")].Data) {
			t.Errorf("%s (%s): %v, %.100s", row.path, row.accept, err, got)
		}
		if h.Get("Set-Cookie") != "" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", row.path, h)
		}
	}
}

// A file that can't be read is told like every other fault: as a problem, without its cause.
func TestConsoleAssetUnreadable(t *testing.T) {
	w := newWorld(t, sqlite(t))
	files := builtConsole()
	s := w.newServer(server.Config{Console: files})
	delete(files, "assets/main-abc.js")
	rec := visit(t, s, http.MethodGet, "/assets/main-abc.js")
	if rec.Code != http.StatusInternalServerError || rec.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(rec.Body.String(), "main-abc") {
		t.Errorf("status %d, %v: %s", rec.Code, rec.Header(), rec.Body)
	}
}

// A program without the console says how to get it.
func TestConsoleNotBuilt(t *testing.T) {
	w := newWorld(t, sqlite(t))
	for name, s := range map[string]http.Handler{"no folder": w.server, "an empty one": w.newServer(server.Config{Console: fstest.MapFS{".gitkeep": {}}})} {
		for _, path := range []string{"/", "/users"} {
			rec := visit(t, s, http.MethodGet, path, "Accept", browserAccepts)
			if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "make console") {
				t.Errorf("%s, %s: status %d: %s", name, path, rec.Code, rec.Body)
			}
			if !strings.Contains(rec.Header().Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(rec.Header().Get("Content-Security-Policy"), "nonce") {
				t.Errorf("%s: the policy is %q", name, rec.Header().Get("Content-Security-Policy"))
			}
		}
	}
}
