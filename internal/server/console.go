package server

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// nonceMark stands in the built page wherever the nonce of one answer belongs.
const nonceMark = "__CSP_NONCE__"

// sessionMark stands where the page is told whether its request came with a session: without
// one it needn't ask who is signed in, to be refused.
const sessionMark = "__SESSION__"

// assetsPath is where files lie whose names change with their contents.
const assetsPath = "/assets/"

// console is the built web console, ready to be served: it never reads a path from a
// request but as the name of a file that it knows.
type console struct {
	signedOut, signedIn [][]byte // index.html, cut at the nonce's marks; nil when the console is not built

	files map[string]*asset
	// notBuilt is shown instead of the page.
	notBuilt []byte
}

// asset is one file. It is read and compressed when it is first asked for: most never are, and
// a node's memory is for credentials.
type asset struct {
	contentType string
	plain       func() ([]byte, error)
	packed      func() []byte // nil when packing doesn't help
}

// contentTypes of what a build makes; other files are not served.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".ico": "image/x-icon",
	".js": "text/javascript; charset=utf-8", ".json": "application/json", ".jpg": "image/jpeg",
	".md": "text/markdown; charset=utf-8", ".png": "image/png", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
	".wasm": "application/wasm", ".webmanifest": "application/manifest+json", ".webp": "image/webp", ".woff2": "font/woff2",
}

// packable are the types that gain by compression.
var packable = map[string]bool{
	".css": true, ".ico": true, ".js": true, ".json": true, ".md": true, ".svg": true, ".txt": true, ".wasm": true, ".webmanifest": true,
}

var notBuiltPage = template.Must(template.New("not built").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Claviger</title>
</head>
<body>
<main>
<h1>Claviger</h1>
<p>This server issues and verifies API credentials{{with .}} (version {{.}}){{end}}. It was built without its web console.</p>
<p>To build it with the console, run <code>make console</code>, then <code>make build</code>, and start it again.
Everything that the console does can also be done with the commands and the API.</p>
<ul>
<li><a href="/openapi.json">The API, as an OpenAPI document</a></li>
<li><a href="/readyz">Whether it is ready</a></li>
</ul>
</main>
</body>
</html>
`))

// newConsole reads the built console; files may be nil, or have no page.
func newConsole(files fs.FS, version string) (*console, error) {
	c := &console{files: map[string]*asset{}}
	var b bytes.Buffer
	if err := notBuiltPage.Execute(&b, version); err != nil {
		return nil, err
	}
	c.notBuilt = b.Bytes()
	if files == nil {
		return c, nil
	}
	return c, fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if name == "index.html" {
			contents, err := fs.ReadFile(files, name)
			c.signedOut, c.signedIn = page(contents, "none"), page(contents, "present")
			return err
		}
		if kind, known := contentTypes[path.Ext(name)]; known {
			c.files["/"+name] = newAsset(files, name, kind)
		}
		return nil
	})
}

// page is index.html for requests with or without a session, cut at the nonce's marks.
func page(contents []byte, session string) [][]byte {
	return bytes.Split(bytes.ReplaceAll(contents, []byte(sessionMark), []byte(session)), []byte(nonceMark))
}

func newAsset(files fs.FS, name, contentType string) *asset {
	a := &asset{contentType: contentType, plain: sync.OnceValues(func() ([]byte, error) { return fs.ReadFile(files, name) })}
	if packable[path.Ext(name)] {
		a.packed = sync.OnceValue(func() []byte {
			contents, err := a.plain()
			if err != nil || len(contents) <= 256 {
				return nil
			}
			return packed(contents)
		})
	}
	return a
}

// packed is nil when that would not be smaller.
func packed(contents []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(contents); err != nil || w.Close() != nil || b.Len() >= len(contents) {
		return nil
	}
	return b.Bytes()
}

// machinePaths are asked by programs: they never get a page, whatever they accept.
var machinePaths = []string{"/v1", "/gateway", "/oauth2", "/.well-known", "/healthz", "/readyz", "/metrics", "/openapi.json", "/assets"}

func forMachines(p string) bool {
	for _, prefix := range machinePaths {
		if rest, ok := strings.CutPrefix(p, prefix); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// serve answers a request that no route fits, if it is one for the console. After an error
// nothing is written.
func (c *console) serve(w http.ResponseWriter, r *http.Request) (served bool, err error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false, nil
	}
	if a, ok := c.files[r.URL.Path]; ok {
		r.Pattern = assetsPath
		return true, a.serve(w, r, strings.HasPrefix(r.URL.Path, assetsPath))
	}
	// Whoever opens the front door gets the page, whatever they say that they accept.
	if r.URL.Path != "/" && (forMachines(r.URL.Path) || !accepts(r.Header.Values("Accept"), "text/html")) {
		return false, nil
	}
	r.Pattern = "/"
	c.servePage(w, r)
	return true, nil
}

// servePage answers with the page. Only scripts and styles of this very answer run in it.
func (c *console) servePage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	parts := c.signedOut
	if _, err := r.Cookie(sessionCookie); err == nil {
		parts = c.signedIn
	}
	h.Set("Content-Type", contentTypes[".html"])
	h.Set("Vary", "Accept")
	if parts == nil {
		_, _ = w.Write(c.notBuilt)
		return
	}
	nonce := rand.Text()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self' 'nonce-"+nonce+
		"'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	_, _ = w.Write(bytes.Join(parts, []byte(nonce)))
}

// serve answers with the file. What lies under assets never changes under its name.
func (a *asset) serve(w http.ResponseWriter, r *http.Request, immutable bool) error {
	contents, err := a.plain()
	if err != nil {
		return fmt.Errorf("reading a file of the console: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "public, max-age=3600")
	if immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Del("Vary")
	if a.packed == nil {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(contents))
		return nil
	}
	h.Set("Vary", "Accept-Encoding")
	if small := a.packed(); small != nil && accepts(r.Header.Values("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		contents = small
	}
	h.Set("Content-Length", strconv.Itoa(len(contents)))
	_, _ = w.Write(contents)
	return nil
}

// accepts reports whether a header names what is asked for, with a weight above zero. A
// wildcard doesn't name it: programs send that without meaning it.
func accepts(header []string, what string) bool {
	for _, line := range header {
		for item := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(item, ";")
			if !strings.EqualFold(strings.TrimSpace(name), what) {
				continue
			}
			q, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
			if !ok {
				return true
			}
			n, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return err == nil && n > 0
		}
	}
	return false
}
