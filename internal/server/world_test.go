package server_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/server"
	"github.com/claviger-io/claviger/internal/signin"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// world is a real server with two tenants, and people in them. Everything under test goes
// through its listener.
type world struct {
	testing.TB
	node   *node.Node
	server *server.Server // the same, without a listener: for its list of routes
	url    string

	database string
	http     *http.Client
	log      *lockedBuffer
	clock    *clock
	system   access.Caller

	admin    *client // a system administrator's session
	verifier string  // a verifier key of the system
	plan     tenancy.PlanID
	starter  tenancy.PlanID // without API access

	a, b   tenancy.Tenant
	roles  map[string]access.RoleID // of tenant a, by template
	orgs   map[string]tenancy.OrgID // of tenant a: root, mid, deep, branch; of b: other
	people map[string]*client       // sessions, by "role@place"
	made   int64

	targets map[string]string
}

// clock is time.Now and an offset that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// advance moves the clock, and waits until the index has looked again: moved far, it is stale.
func (w *world) advance(d time.Duration) {
	w.Helper()
	w.clock.advance(d)
	w.untilReady()
}

// untilReady waits until the index has heard of all changes.
func (w *world) untilReady() {
	w.Helper()
	tick := time.NewTicker(5 * time.Millisecond) // what goes on in the background can only be polled
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		r := (&client{w: w}).do(http.MethodGet, "/readyz", nil)
		if r.status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("not ready: %s", r.body)
		}
	}
}

var databases atomic.Int64

// eachEngine runs the test on SQLite, and on PostgreSQL when CLAVIGER_TEST_POSTGRES is set.
func eachEngine(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, newWorld(t, sqlite(t)))
	})
	if server := os.Getenv("CLAVIGER_TEST_POSTGRES"); server != "" {
		t.Run("postgres", func(t *testing.T) {
			t.Parallel()
			run(t, newWorld(t, postgres(t, server)))
		})
	} else if os.Getenv("CLAVIGER_TEST_REQUIRE") != "" {
		t.Fatal("CLAVIGER_TEST_POSTGRES is missing, and CLAVIGER_TEST_REQUIRE is set")
	}
}

// eachEngineApart is eachEngine for walks over all routes, which send tens of thousands of
// requests one after another: with the race detector on SQLite, and on PostgreSQL, where it
// would take a quarter of an hour, without. `make unit` runs both.
func eachEngineApart(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	if raceEnabled {
		t.Run("sqlite", func(t *testing.T) {
			t.Parallel()
			run(t, newWorld(t, sqlite(t)))
		})
		return
	}
	eachEngine(t, run)
}

func sqlite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "claviger.db")
}

func postgres(t testing.TB, server string) string {
	t.Helper()
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("server_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = db.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)")
		_ = db.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// startNode runs a server until the test ends.
func startNode(t testing.TB, c node.Config) *node.Node {
	t.Helper()
	// As little work as there can be: every test signs people in.
	c.Hashing = &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	n, err := node.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("closing the server: %v", err)
		}
	})
	select {
	case <-n.Ready():
	case <-time.After(30 * time.Second):
		t.Fatal("the server was not ready within 30 s")
	}
	return n
}

func newWorld(t testing.TB, database string) *world {
	t.Helper()
	w := &world{
		TB: t, log: &lockedBuffer{}, clock: &clock{}, system: authority.SystemCaller(),
		roles: map[string]access.RoleID{}, orgs: map[string]tenancy.OrgID{}, people: map[string]*client{},
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	w.node = startNode(t, node.Config{
		Database: database, Now: w.clock.now, Version: "test", WebhookAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Journal: filepath.Join(t.TempDir(), "journal"), Logger: slog.New(slog.NewJSONHandler(w.log, nil)),
	})
	t.Cleanup(w.http.CloseIdleConnections)
	w.url, w.database = w.node.URL(), database
	w.server = w.newServer(server.Config{})
	w.seed()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", w.log.tail(4000))
		}
	})
	return w
}

// secondNode is another node on the same database, with the first one's keyring. Its world has
// nobody in it.
func (w *world) secondNode() *world {
	w.Helper()
	second := &world{TB: w.TB, http: w.http, clock: w.clock, log: w.log, verifier: w.verifier}
	second.node = startNode(w.TB, node.Config{
		Database: w.database, Keyring: w.node.Keyring(), Now: w.clock.now, PublicURL: w.url, Logger: slog.New(slog.NewJSONHandler(w.log, nil)),
	})
	second.url = second.node.URL()
	return second
}

// newServer is another server on the same data.
func (w *world) newServer(c server.Config) *server.Server {
	w.Helper()
	c.Authority, c.Index, c.Signin, c.Store, c.Now = w.node.Authority(), w.node.Index(), w.node.SignIn(), w.node.Store(), w.clock.now
	c.Tokens = w.node.Tokens()
	s, err := server.New(c)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func ok[T any](w *world, v T, err error) T {
	w.Helper()
	if err != nil {
		w.Fatalf("seeding: %v", err)
	}
	return v
}

func (w *world) seed() {
	w.Helper()
	ctx, a := w.Context(), w.node.Authority()
	system := ok2(a.Tenant(ctx, w.system, authority.TenantInput{ID: tenancy.SystemTenantID}))(w)
	plan := ok2(a.CreatePlan(ctx, w.system, authority.CreatePlanInput{Key: "everything", Name: "Everything", APIAccess: true, Permissions: []access.Grant{"*:*"}}))(w)
	starter := ok2(a.CreatePlan(ctx, w.system, authority.CreatePlanInput{Key: "starter-test", Name: "Starter", Permissions: []access.Grant{"*:*"}}))(w)
	w.plan, w.starter = plan.ID, starter.ID
	ok2(a.ChangeCatalog(ctx, w.system, authority.ChangeCatalogInput{Catalog: catalog.Demo()}))(w)
	w.a = ok2(a.CreateTenant(ctx, w.system, authority.CreateTenantInput{Slug: "northwind", Name: "Northwind", PlanID: plan.ID}))(w)
	w.b = ok2(a.CreateTenant(ctx, w.system, authority.CreateTenantInput{Slug: "contoso", Name: "Contoso", PlanID: plan.ID}))(w)
	w.orgs["root"], w.orgs["other"] = w.a.RootOrg, w.b.RootOrg
	w.orgs["mid"] = w.organization(w.a.ID, w.a.RootOrg)
	w.orgs["deep"] = w.organization(w.a.ID, w.orgs["mid"])
	w.orgs["branch"] = w.organization(w.a.ID, w.a.RootOrg)
	for _, r := range ok2(a.Roles(ctx, w.system, authority.RolesInput{Tenant: w.a.ID}))(w) {
		if r.BuiltIn != "" {
			w.roles[r.BuiltIn] = r.ID
		}
	}
	w.admin = w.signedIn(system, system.RootOrg, access.RoleSystemAdministrator)
	key := ok2(a.IssueVerifierKey(ctx, w.system, authority.IssueVerifierKeyInput{Name: "verifier"}))(w)
	w.verifier = key.Secret.Reveal()
}

func ok2[T any](v T, err error) func(*world) T {
	return func(w *world) T {
		w.Helper()
		return ok(w, v, err)
	}
}

func (w *world) unique(prefix string) string {
	return fmt.Sprintf("%s-%d", prefix, atomic.AddInt64(&w.made, 1))
}

func (w *world) organization(tenant tenancy.TenantID, parent tenancy.OrgID) tenancy.OrgID {
	w.Helper()
	return ok2(w.node.Authority().CreateOrganization(w.Context(), w.system, authority.CreateOrganizationInput{
		Tenant: tenant, Parent: parent, Name: w.unique("Organization"),
	}))(w).ID
}

const password = "correct horse battery"

// user makes a user who holds the given built-in roles where they are, and has a password.
func (w *world) user(t tenancy.Tenant, at tenancy.OrgID, roles ...string) tenancy.User {
	w.Helper()
	ctx, a := w.Context(), w.node.Authority()
	made := ok2(a.CreateUser(ctx, w.system, authority.CreateUserInput{Tenant: t.ID, OrganizationID: at, Username: w.unique("user"), Licence: "admin"}))(w)
	for _, key := range roles {
		w.assign(t.ID, made.User.ID, w.roleOf(t.ID, key), at)
	}
	if _, _, err := w.node.SignIn().AcceptInvitation(ctx, made.Invitation.Token.Reveal(), password, signin.Origin{}); err != nil {
		w.Fatalf("seeding: %v", err)
	}
	return made.User
}

func (w *world) assign(t tenancy.TenantID, user tenancy.UserID, role access.RoleID, at tenancy.OrgID) access.Assignment {
	w.Helper()
	return ok2(w.node.Authority().Assign(w.Context(), w.system, authority.AssignInput{
		Tenant: t, RoleID: role, OrganizationID: at, Principal: access.Principal{Type: access.PrincipalUser, ID: string(user)},
	}))(w)
}

func (w *world) roleOf(t tenancy.TenantID, key string) access.RoleID {
	w.Helper()
	if t == w.a.ID && w.roles[key] != "" {
		return w.roles[key]
	}
	for _, r := range ok2(w.node.Authority().Roles(w.Context(), w.system, authority.RolesInput{Tenant: t}))(w) {
		if r.BuiltIn == key {
			return r.ID
		}
	}
	w.Fatalf("there is no role %q", key)
	return ""
}

// signedIn makes a user and signs them in.
func (w *world) signedIn(t tenancy.Tenant, at tenancy.OrgID, roles ...string) *client {
	w.Helper()
	u := w.user(t, at, roles...)
	c := w.signIn(t.Slug, u.Username)
	c.user = u
	return c
}

func (w *world) signIn(slug, username string) *client {
	w.Helper()
	c := &client{w: w}
	c.must(http.StatusCreated, http.MethodPost, "/v1/sessions", map[string]any{"tenant": slug, "username": username, "password": password})
	if c.cookie == "" {
		w.Fatal("signing in set no cookie")
	}
	return c
}

// person is somebody of tenant a with one role at a place, made once.
func (w *world) person(role, place string) *client {
	w.Helper()
	name := role + "@" + place
	if w.people[name] == nil {
		var roles []string
		if role != "" {
			roles = []string{role}
		}
		w.people[name] = w.signedIn(w.a, w.orgs[place], roles...)
	}
	return w.people[name]
}

// auditCount is how many audit events there are in all: it moves with every change.
func (w *world) auditCount() int64 {
	w.Helper()
	var n int64
	err := w.node.Store().Read(w.Context(), tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		n, err = tx.AllTenantsAuditCount()
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// client is one way of being somebody: a session's cookie, or an Authorization header.
type client struct {
	w             *world
	user          tenancy.User
	cookie        string
	authorization string
	header        http.Header
	spy           *spied
}

func (w *world) bearer(key string) *client { return &client{w: w, authorization: "Bearer " + key} }

// reply is an answer, read.
type reply struct {
	status int
	header http.Header
	body   []byte

	trailer http.Header
}

func (r reply) problem(t testing.TB) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(r.body, &p); err != nil {
		t.Fatalf("status %d, not a problem: %v: %.300s", r.status, err, r.body)
	}
	return p
}

func into[T any](t testing.TB, r reply) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(r.body, &out); err != nil {
		t.Fatalf("status %d: %v: %.300s", r.status, err, r.body)
	}
	return out
}

// raw sends a request with a body as it is.
func (c *client) raw(method, path string, body []byte, extra ...string) reply {
	c.w.Helper()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(c.w.Context(), method, c.w.url+path, reader)
	if err != nil {
		c.w.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.authorization != "" {
		req.Header.Set("Authorization", c.authorization)
	}
	if c.cookie != "" {
		req.Header.Set("Cookie", c.cookie)
	}
	for k, v := range c.header {
		req.Header[k] = v
	}
	for i := 0; i+1 < len(extra); i += 2 {
		req.Header.Set(extra[i], extra[i+1])
	}
	res, err := c.w.http.Do(req)
	if err != nil {
		c.w.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		c.w.Fatalf("%s %s: %v", method, path, err)
	}
	for _, set := range res.Cookies() {
		if c.cookie = ""; set.Value != "" {
			c.cookie = set.Name + "=" + set.Value
		}
	}
	return reply{res.StatusCode, res.Header, got, res.Trailer}
}

// do sends JSON; a nil body sends none.
func (c *client) do(method, path string, body any, extra ...string) reply {
	c.w.Helper()
	if body == nil {
		return c.raw(method, path, nil, extra...)
	}
	b, err := json.Marshal(body)
	if err != nil {
		c.w.Fatal(err)
	}
	return c.raw(method, path, b, extra...)
}

// must is do, and the status must be the one wanted.
func (c *client) must(want int, method, path string, body any, extra ...string) reply {
	c.w.Helper()
	r := c.do(method, path, body, extra...)
	if r.status != want {
		c.w.Fatalf("%s %s: status %d, want %d: %.500s", method, path, r.status, want, r.body)
	}
	return r
}

// issue makes a key through the API.
func (c *client) issue(body map[string]any) api.IssuedAPIKey {
	c.w.Helper()
	return into[api.IssuedAPIKey](c.w, c.must(http.StatusCreated, http.MethodPost, "/v1/api-keys", body))
}

// verify asks with the system's verifier key.
func (w *world) verify(body map[string]any) api.VerifyResponse {
	w.Helper()
	return into[api.VerifyResponse](w, w.bearer(w.verifier).must(http.StatusOK, http.MethodPost, "/v1/verify", body))
}

func (w *world) code(key string) api.VerifyCode {
	w.Helper()
	return w.verify(map[string]any{"credential": key}).Code
}

// lockedBuffer takes the log.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *lockedBuffer) tail(n int) string {
	s := b.String()
	return strings.ToValidUTF8(s[max(0, len(s)-n):], "")
}
