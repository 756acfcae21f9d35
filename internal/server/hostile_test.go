package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
)

// Whatever arrives at whatever field of whatever route, the answer is clear, nothing is
// stored half, and nothing of what was sent comes back. The fields are taken from the
// OpenAPI document, so that a new one is tried without anybody thinking of it.

// canary is in everything hostile, and may be in no problem and no log line.
const canary = "c4n4ryc4n4ry"

// hostile is one bad text, as the JSON that is sent.
type hostile struct {
	json string
	// never: no field that keeps text may take it.
	never bool
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func hostiles() map[string]hostile {
	return map[string]hostile{
		"NUL":               {quoted(canary + "\x00x"), true},
		"control character": {quoted(canary + "\x07x"), true},
		"escape":            {quoted(canary + "\x1b[31mx"), true},
		"line end":          {quoted(canary + "\r\nSet-Cookie: x"), true},
		"C1 control":        {quoted(canary + "\u0085x"), true},
		"bidi override":     {quoted(canary + "\u202ex"), true},
		"bidi isolate":      {quoted(canary + "\u2066x"), true},
		"bidi mark":         {quoted(canary + "\u200fx"), true},
		"line separator":    {quoted(canary + "\u2028x"), true},
		"lone surrogate":    {`"` + canary + `\ud800x"`, true},
		"invalid UTF-8":     {"\"" + canary + "\xff\"", true},
		"1 MB":              {`"` + strings.Repeat(canary, 1<<20/len(canary)) + `"`, true},
		"64 KB":             {`"` + strings.Repeat(canary, 1<<16/len(canary)) + `"`, true},
		"formula =":         {quoted("=HYPERLINK(\"" + canary + "\")"), false},
		"formula +":         {quoted("+" + canary), false},
		"formula -":         {quoted("-" + canary), false},
		"formula @":         {quoted("@" + canary), false},
		"SQL":               {quoted("'; DROP TABLE users; --" + canary), false},
		"markup":            {quoted("<script>" + canary + "</script>"), false},
		"path":              {quoted("../../" + canary), false},
		"format":            {quoted("%s%n%x" + canary), false},
		"template":          {quoted("{{.}}${" + canary + "}"), false},
		"white space":       {quoted(" \u00a0\u3000"), false},
		"empty":             {`""`, false},
		"emoji":             {quoted("👩‍👩‍👧‍👦" + canary), false},
		"combining":         {quoted(canary + strings.Repeat("\u0301", 100)), false},
	}
}

// hunt is one run over all routes.
type hunt struct {
	*testing.T
	w       *world
	doc     document
	ada     *client // a Super Admin
	samples map[string]func(*world) string
	tried   int
	refused int
}

func (h *hunt) keysAreText(pointer string) bool { return strings.HasSuffix(pointer, "metadata") }

func newHunt(t *testing.T, w *world) *hunt {
	t.Helper()
	h := &hunt{T: t, w: w, ada: w.person(access.RoleSuperAdmin, "root")}
	raw := h.ada.must(http.StatusOK, http.MethodGet, "/openapi.json", nil)
	if err := json.Unmarshal(raw.body, &h.doc); err != nil {
		t.Fatal(err)
	}
	fixed := func(s string) func(*world) string { return func(*world) string { return s } }
	h.samples = map[string]func(*world) string{
		"plan_id": fixed(string(w.plan)), "parent_id": fixed(string(w.orgs["mid"])), "organization_id": fixed(string(w.orgs["mid"])),
		"principal_id": func(w *world) string {
			return w.once("principal", place{tenant: w.a, org: w.orgs["mid"]}, (*world).targetUser)
		},
		"role_id":     fixed(string(w.roles[access.RoleAgent])),
		"includes":    fixed(string(w.roles[access.RoleAgent])),
		"permissions": fixed("reports:read"),
		"slug":        func(w *world) string { return w.unique("slug") },
		"key":         func(w *world) string { return strings.ReplaceAll(w.unique("key"), "-", "") },
		"revision": func(w *world) string {
			return fmt.Sprint(ok2(w.node.Authority().Catalog(w.Context(), w.system, authority.CatalogInput{}))(w).Revision)
		},
		"apis": fixed("recent_calls"), "scopes": fixed("recent_calls:read"), "ids": fixed(ghostCredential),
		"tenant":   fixed(w.a.Slug),
		"username": func(w *world) string { return w.unique("name") },
		"password": fixed(password), "current_password": fixed(password), "new_password": fixed(password),
		"credential":     fixed("clv_uk_nonsense"),
		"token":          fixed("nonsense"),
		"principal_type": fixed("user"),
		"period":         fixed("day"),
		"url":            fixed("https://hooks.example.com/"),
		"open_seconds":   fixed("3600"),
		"since":          func(w *world) string { return w.clock.now().Add(-time.Hour).Format(time.RFC3339) },
	}
	delete(h.samples, "includes")
	ok2(w.node.Authority().OpenImportWindow(w.Context(), w.system, authority.OpenImportWindowInput{ID: w.a.ID, For: 30 * 24 * time.Hour}))(w)
	return h
}

// caller is who may use the route, so that what is refused is refused for what was sent.
func (h *hunt) caller(path string) *client {
	switch {
	case path == "/v1/me/password":
		return h.w.person(access.RoleSuperAdmin, "deep")
	case strings.HasPrefix(path, "/v1/verify"):
		if !strings.HasPrefix(path, "/v1/verifier") {
			return h.w.bearer(h.w.verifier)
		}
	case strings.HasPrefix(path, "/v1/tenants"), strings.HasPrefix(path, "/v1/plans"), strings.HasPrefix(path, "/v1/signing-keys"), path == "/v1/catalog":
		return h.w.admin
	}
	return h.ada
}

// ownKey is a key of the caller's: others' can't be rotated.
func (h *hunt) ownKey(*world, place) string {
	h.Helper()
	return h.ada.issue(map[string]any{"name": "Own"}).ID
}

// ownClientCredential is one of the caller's: others' can't be changed.
func (h *hunt) ownClientCredential(*world, place) string {
	h.Helper()
	return into[api.IssuedClientCredential](h, h.ada.must(http.StatusCreated, http.MethodPost, "/v1/client-credentials", map[string]any{
		"name": "Own", "scopes": []string{"recent_calls:read"},
	})).ID
}

// ownImport is one that the caller has begun: others can't send lines for it.
func (h *hunt) ownImport(*world, place) string {
	h.Helper()
	return into[api.Operation](h, h.ada.must(http.StatusCreated, http.MethodPost, "/v1/imports", map[string]any{})).ID
}

// path is the route's path with a real object in it.
func (h *hunt) path(method, path string) (target string, used func(reply) reply) {
	at := place{tenant: h.w.a, org: h.w.orgs["mid"]}
	for prefix, make := range map[string]func(*world, place) string{
		"/v1/tenants": spareTenant, "/v1/plans": aPlan, "/v1/signing-keys": aSigningKey, "/v1/organizations": (*world).targetOrganization, "/v1/users": (*world).targetUser,
		"/v1/roles": (*world).targetRole, "/v1/assignments": (*world).targetAssignment, "/v1/api-keys": h.ownKey,
		"/v1/verifier-keys": (*world).targetVerifierKey, "/v1/sessions": theTenant, "/v1/account-keys": (*world).targetAccountKey,
		"/v1/apps": (*world).targetApp, "/v1/service-accounts": (*world).targetServiceAccount, "/v1/operations": (*world).targetOperation,
		"/v1/service-account-keys": (*world).targetServiceAccountKey, "/v1/client-credentials": h.ownClientCredential,
		"/v1/deliveries": (*world).targetDelivery,
		"/v1/webhooks":   (*world).targetWebhook,
		"/v1/imports":    h.ownImport,
	} {
		if strings.HasPrefix(path, prefix+"/") && strings.Contains(path, "{id}") {
			id, used := at.id(h.w, method+path, make)
			return strings.Replace(path, "{id}", id, 1), used
		}
	}
	return path, func(r reply) reply {
		if r.status < 300 && path == "/v1/catalog" {
			ok2(h.w.node.Authority().ChangeCatalog(h.Context(), h.w.system, authority.ChangeCatalogInput{Catalog: catalog.Demo()}))(h.w)
		}
		if r.status < 300 {
			delete(h.w.targets, "principal@"+string(at.org)) // who has a role can't be given it again
		}
		return r
	}
}

// send tries one thing and checks what holds for all.
func (h *hunt) send(what, method, path string, body []byte, extra ...string) reply {
	h.Helper()
	h.tried++
	c := h.caller(path)
	target, used := h.path(method, path)
	before := h.w.auditCount()
	r := c.raw(method, target, body, extra...)
	if r.status == http.StatusTooManyRequests {
		h.later()
		before = h.w.auditCount()
		r = c.raw(method, target, body, extra...)
	}
	used(r)
	switch {
	case r.status < 300 && path == "/v1/me/password":
		delete(h.w.people, access.RoleSuperAdmin+"@deep") // nobody knows that password any more
	case r.status >= 500:
		h.Errorf("%s %s, %s: status %d: %.300s", method, path, what, r.status, r.body)
	case r.status >= 400:
		h.refused++
		h.checkRefused(method+" "+path+", "+what, r, before)
	}
	return r
}

// later lets time pass until guesses are taken again; sessions would be over.
func (h *hunt) later() {
	h.Helper()
	h.w.advance(16 * time.Minute)
	h.ada.cookie = h.w.signIn(h.w.a.Slug, h.ada.user.Username).cookie
	h.w.admin.cookie = h.w.signIn("system", h.w.admin.user.Username).cookie
}

func (h *hunt) checkRefused(what string, r reply, before int64) {
	h.Helper()
	if after := h.w.auditCount(); after != before {
		h.Errorf("%s: refused, and %d changes were made", what, after-before)
	}
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		h.Errorf("%s: status %d, content type %q: %.200s", what, r.status, got, r.body)
		return
	}
	p := r.problem(h)
	if p.Code == "" || p.Detail == "" || p.Title == "" || p.Status != r.status || p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") {
		h.Errorf("%s: the problem is %s", what, r.body)
	}
	if p.Status == http.StatusBadRequest && p.Code == "invalid" && len(p.Errors) == 0 {
		h.Errorf("%s: the problem doesn't say where: %s", what, r.body)
	}
	if strings.Contains(string(r.body), canary) || strings.Contains(fmt.Sprint(r.header), canary) {
		h.Errorf("%s: it repeats what was sent: %.300s", what, r.body)
	}
}

func TestHostileInput(t *testing.T) {
	eachEngineApart(t, func(t *testing.T, w *world) {
		t.Helper()
		h := newHunt(t, w)
		for _, path := range slices.Sorted(maps.Keys(h.doc.Paths)) {
			for method, op := range h.doc.Paths[path] {
				method = strings.ToUpper(method)
				h.tryBody(method, path, op)
				h.tryParameters(method, path, op)
			}
		}
		if h.tried < 2000 || h.refused < 1500 {
			t.Errorf("only %d tried and %d refused: were the fields found?", h.tried, h.refused)
		}
		t.Logf("%d tried, %d refused", h.tried, h.refused)
		if log := w.log.String(); strings.Contains(log, canary) {
			i := strings.Index(log, canary)
			t.Errorf("the log repeats what was sent: %.400s", log[max(0, i-200):])
		}
	})
}

// anyTextMayPass says whether a field may take any text: secrets are compared, not kept; what
// programs call themselves is cleaned and cut; lines of an import are refused one by one.
func anyTextMayPass(path, pointer string) bool {
	name := pointer[strings.LastIndexByte(pointer, '/')+1:]
	secret := strings.Contains(name, "password") || name == "token"
	verify := strings.HasPrefix(path, "/v1/verify") && !strings.HasPrefix(path, "/v1/verifier") &&
		slices.Contains([]string{"credential", "authorization", "id", "secret", "user_agent"}, name)
	return secret || verify || path == "/v1/imports/{id}/lines"
}

func (h *hunt) tryBody(method, path string, op operation) {
	if op.RequestBody == nil {
		return
	}
	s := op.RequestBody.Content["application/json"].Schema
	// What is refused below must be refused for what is bad in it.
	proof := strings.Contains(path, "/sessions") || strings.HasPrefix(path, "/v1/invitations") || path == "/v1/first-admin" ||
		strings.HasPrefix(path, "/v1/sign-in/")
	choice := strings.HasSuffix(path, "/offboard") // wants one of two fields, whichever
	if r := h.send("a good body", method, path, []byte(h.doc.good(h, "", s))); r.status >= 300 && !proof && !choice {
		h.Errorf("%s %s: a good body is refused: %d: %s", method, path, r.status, r.body)
	}
	all := h.doc.fields(h, s, "", func(v string) string { return v })
	for _, f := range all {
		if f.kind == "string" {
			for name, bad := range hostiles() {
				r := h.send(f.pointer+" is "+name, method, path, []byte(f.put(bad.json)))
				if bad.never && r.status < 400 && !anyTextMayPass(path, f.pointer) {
					h.Errorf("%s %s: %s may be %s: %.200s", method, path, f.pointer, name, r.body)
				}
			}
		}
		h.tryTypes(method, path, f)
	}
	h.tryShapes(method, path, s)
}

// tryTypes puts every other type where one is wanted.
func (h *hunt) tryTypes(method, path string, f field) {
	for kind, value := range map[string]string{
		"string": quoted(canary), "number": "-7.25", "integer": "99999999999999999999", "boolean": "true",
		"array": `["` + canary + `"]`, "object": `{"` + canary + `":"` + canary + `"}`,
	} {
		if kind == f.kind || kind == "integer" && f.kind == "number" || f.kind == "" {
			continue
		}
		r := h.send(f.pointer+" is a "+kind, method, path, []byte(f.put(value)))
		if r.status != http.StatusBadRequest {
			h.Errorf("%s %s: %s may be a %s: status %d", method, path, f.pointer, kind, r.status)
			continue
		}
		p := r.problem(h)
		pointer, _, _ := strings.Cut(f.pointer, "/*")
		if len(p.Errors) == 0 || !strings.HasPrefix(pointer, strings.TrimSuffix(p.Errors[0].Pointer, "/0")) {
			h.Errorf("%s %s: %s is a %s, but the problem points at %+v", method, path, f.pointer, kind, p.Errors)
		}
	}
	h.send(f.pointer+" is null", method, path, []byte(f.put("null")))
}

// tryShapes breaks the body as a whole.
func (h *hunt) tryShapes(method, path string, s schema) {
	s = h.doc.resolve(s)
	good := h.doc.object(h, s, "", "")
	var first string
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		first = name
		break
	}
	value := h.doc.good(h, first, s.Properties[first])
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	twice := `{"` + first + `":` + value + `,` + strings.TrimPrefix(h.doc.object(h, s, first, value), "{")
	for name, body := range map[string]string{
		"truncated":             good[:len(good)-1],
		"cut in text":           `{"` + first + `":"` + canary,
		"BOM":                   "\xef\xbb\xbf" + good,
		"after the body":        good + `{"` + canary + `":1}`,
		"garbage after":         good + canary,
		"a list":                `[` + good + `]`,
		"text":                  quoted(canary),
		"a number":              "7",
		"not JSON":              canary,
		"UTF-16":                "{\x00}\x00",
		"name twice":            twice,
		"name twice by escape":  strings.Replace(twice, first, fmt.Sprintf("\\u%04x%s", first[0], first[1:]), 1),
		"name in another case":  strings.Replace(h.doc.object(h, s, first, value), quoted(first), quoted(strings.ToUpper(first)), 1),
		"unknown name":          `{"` + canary + `":1,` + strings.TrimPrefix(good, "{"),
		"deep objects":          `{"` + first + `":` + deep + `}`,
		"deep lists":            `{"` + first + `":` + strings.Repeat("[", 100_000),
		"a long number":         `{"` + first + `":` + strings.Repeat("9", 100_000) + `}`,
		"a very large exponent": `{"` + first + `":1e999999999}`,
		"2 MB":                  `{"` + first + `":"` + strings.Repeat(canary, 2<<20/len(canary)) + `"}`,
	} {
		if r := h.send(name, method, path, []byte(body)); r.status < 400 {
			h.Errorf("%s %s: a body with %s passes: %.200s", method, path, name, r.body)
		}
	}
	if r := h.send("XML", method, path, []byte("<a>"+canary+"</a>"), "Content-Type", "application/xml"); r.status < 400 {
		h.Errorf("%s %s: takes XML", method, path)
	}
	h.send("no body", method, path, nil)
	h.send("empty body", method, path, []byte{})
}

// tryParameters puts hostile text into the path, the query and the headers.
func (h *hunt) tryParameters(method, path string, op operation) {
	var body []byte
	if op.RequestBody != nil {
		body = []byte(h.doc.good(h, "", op.RequestBody.Content["application/json"].Schema))
	}
	for _, p := range op.Parameters {
		for name, bad := range hostiles() {
			var text string
			if strings.HasPrefix(name, "1 MB") || json.Unmarshal([]byte(bad.json), &text) != nil {
				continue // no server takes such a line
			}
			if len(text) > 8<<10 {
				text = text[:8<<10]
			}
			h.tryParameter(method, path, p.In, p.Name, name, text, body)
		}
		for name, text := range map[string]string{
			"a bad cursor":    "AAAA",
			"a made-up one":   base64.RawURLEncoding.EncodeToString([]byte(`{"v":1,"k":["` + canary + `"]}`)),
			"not base64":      "!!!" + canary,
			"a negative":      "-1",
			"zero":            "0",
			"a large number":  "99999999999999999999",
			"a fraction":      "1.5",
			"a date":          "2026-02-30T25:61:00Z",
			"long ago":        "0000-01-01T00:00:00Z",
			"other case":      "DESC",
			"invalid UTF-8":   "\xff\xfe" + canary,
			"a wild card":     "%_" + canary,
			"a search syntax": `"` + canary + ` OR * NEAR(`,
		} {
			r := h.tryParameter(method, path, p.In, p.Name, name, text, body)
			if p.Name == "cursor" && r.status != http.StatusBadRequest {
				h.Errorf("%s %s: the cursor may be %s: status %d", method, path, name, r.status)
			}
		}
	}
	if r := h.send("unknown parameter", method, path+"?"+canary+"=1", body); method == http.MethodGet && r.status != http.StatusBadRequest {
		h.Errorf("%s %s: unknown parameters pass: status %d", method, path, r.status)
	}
}

func (h *hunt) tryParameter(method, path, in, param, name, text string, body []byte) reply {
	what := in + "." + param + " is " + name
	switch in {
	case "query":
		return h.send(what, method, path+"?"+param+"="+url.QueryEscape(text), body)
	case "path":
		if text == "" {
			return reply{}
		}
		return h.send(what, method, strings.Replace(path, "{"+param+"}", url.PathEscape(text), 1), body)
	case "header":
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return reply{} // no client can send it
		}
		return h.send(what, method, path, body, param, text)
	}
	return reply{}
}
