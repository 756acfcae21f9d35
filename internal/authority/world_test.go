package authority_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/envelope"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// clock is a clock that moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is an installation with two customers.
type world struct {
	testing.TB
	a       *authority.Authority
	config  authority.Config
	store   *store.Store
	raw     *sql.DB // past everything: for tampering
	dialect string
	clock   *clock
	applied *appliedHook

	journal     *authority.Journal
	journalPath string
	checkpoints string
	signer      ed25519.PublicKey

	plan    tenancy.PlanID // all there is, with API access
	starter tenancy.PlanID // without API access
	acme    tenancy.Tenant
	other   tenancy.Tenant
	north   tenancy.Organization // of acme, below the root
	team    tenancy.Organization // below north
	south   tenancy.Organization

	system   access.Caller // system administrator
	sysNone  access.Caller // of the system tenant, without rights
	super    access.Caller // acme's super admin
	northern access.Caller // acme: everything administrative, at north only
	holder   access.Caller // acme: may generate keys
	nobody   access.Caller // acme: no rights
	foreign  access.Caller // other's super admin
}

// appliedHook stands where the index follows.
type appliedHook struct {
	mu        sync.Mutex
	fail      error
	revisions []uint64
	calls     int
	then      func(calls int)
}

func (h *appliedHook) Applied(_ context.Context, revision uint64) error {
	h.mu.Lock()
	h.revisions = append(h.revisions, revision)
	h.calls++
	fail, then, calls := h.fail, h.then, h.calls
	h.mu.Unlock()
	if then != nil {
		then(calls)
	}
	return fail
}

// Then is called after each revision, with their number since; nil for nothing.
func (h *appliedHook) Then(do func(calls int)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.then, h.calls = do, 0
}

func (h *appliedHook) Fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = err
}

// engines runs a test in a new world on each engine.
func engines(t *testing.T, run func(w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(newWorld(t, storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { run(newWorld(t, storetest.Postgres(t))) })
}

// newWorldLike is another new world on the same engine.
func newWorldLike(w *world) *world {
	w.Helper()
	if w.dialect == "sqlite" {
		return newWorld(w.TB, storetest.SQLite(w.TB))
	}
	return newWorld(w.TB, storetest.Postgres(w.TB))
}

func newWorld(tb testing.TB, url string) *world {
	tb.Helper()
	w := &world{TB: tb, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, applied: &appliedHook{}}
	var err error
	w.store, err = store.Open(tb.Context(), store.Config{URL: url, Now: w.clock.Now})
	w.must(err)
	tb.Cleanup(func() { _ = w.store.Close() })
	w.openRaw(url)
	tb.Cleanup(w.actionsAreKnown)
	dir := tb.TempDir()
	w.journalPath, w.checkpoints = filepath.Join(dir, "journal"), filepath.Join(dir, "checkpoints")
	w.journal, err = authority.OpenJournal(w.journalPath)
	w.must(err)
	public, private, err := ed25519.GenerateKey(nil)
	w.must(err)
	w.signer = public
	log, err := authority.OpenCheckpointLog(w.checkpoints, private)
	w.must(err)
	tb.Cleanup(func() { _ = log.Close(); _ = w.journal.Close() })
	peppers, err := secret.NewPeppers(1, map[int][]byte{1: bytes.Repeat([]byte("p"), 32)})
	w.must(err)
	w.config = authority.Config{
		Store: w.store, Peppers: peppers, Envelope: openEnvelope(tb), Now: w.clock.Now, Journal: w.journal, Checkpoints: log, Applied: w.applied.Applied,
	}
	w.a = w.another()
	w.must(w.a.BootstrapSystem(tb.Context()))
	w.populate()
	return w
}

// another is another process's authority on the same database.
func (w *world) another() *authority.Authority {
	w.Helper()
	a, err := authority.New(w.config)
	w.must(err)
	return a
}

// openEnvelope opens the tests' key-encryption key.
func openEnvelope(tb testing.TB) *envelope.Envelope {
	tb.Helper()
	e, err := envelope.Open(tb.Context(), "base64key://"+base64.URLEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = e.Close() })
	return e
}

func (w *world) openRaw(url string) {
	w.Helper()
	var err error
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		w.dialect = "sqlite"
		w.raw, err = sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	} else {
		w.dialect = "postgres"
		w.raw, err = sql.Open("pgx", url)
	}
	w.must(err)
	w.Cleanup(func() { _ = w.raw.Close() })
}

func (w *world) populate() {
	w.Helper()
	ctx, sys := w.Context(), authority.SystemCaller()
	plan, err := w.a.CreatePlan(ctx, sys, authority.CreatePlanInput{Key: "full", Name: "Full", APIAccess: true, Permissions: []access.Grant{"*:*"}})
	w.must(err)
	starter, err := w.a.CreatePlan(ctx, sys, authority.CreatePlanInput{Key: "starter", Name: "Starter"})
	w.must(err)
	w.plan, w.starter = plan.ID, starter.ID
	_, err = w.a.ChangeCatalog(ctx, sys, authority.ChangeCatalogInput{Catalog: catalog.Demo()})
	w.must(err)
	w.acme = w.tenant("acme")
	w.other = w.tenant("other")
	w.north = w.organization(w.acme.RootOrg, "North")
	w.team = w.organization(w.north.ID, "Team")
	w.south = w.organization(w.acme.RootOrg, "South")
	w.system = w.member(tenancy.SystemTenantID, "", "operator", w.builtIn(tenancy.SystemTenantID, access.RoleSystemAdministrator))
	w.sysNone = w.member(tenancy.SystemTenantID, "", "intern", "")
	w.super = w.member(w.acme.ID, "", "super", w.builtIn(w.acme.ID, access.RoleSuperAdmin))
	w.foreign = w.member(w.other.ID, "", "super", w.builtIn(w.other.ID, access.RoleSuperAdmin))
	w.nobody = w.member(w.acme.ID, "", "nobody", "")
	w.holder = w.member(w.acme.ID, "", "holder", w.role("Keys", string(access.APIKeysGenerate), "recordings:read"))
	w.northern = w.member(w.acme.ID, w.north.ID, "northern", w.role("Region", "recordings:*",
		string(access.APIKeysGenerate), string(access.APIKeysManage), string(access.OrganizationsManage), string(access.OrganizationsRead),
		string(access.UsersManage), string(access.UsersRead), string(access.AssignmentsManage), string(access.RolesRead)))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected error: %v", err)
	}
}

func (w *world) tenant(slug string) tenancy.Tenant {
	w.Helper()
	t, err := w.a.CreateTenant(w.Context(), authority.SystemCaller(), authority.CreateTenantInput{Slug: slug, Name: strings.ToUpper(slug), PlanID: w.plan})
	w.must(err)
	return t
}

func (w *world) organization(parent tenancy.OrgID, name string) tenancy.Organization {
	w.Helper()
	o, err := w.a.CreateOrganization(w.Context(), authority.SystemCaller(), authority.CreateOrganizationInput{Tenant: w.acme.ID, Parent: parent, Name: name})
	w.must(err)
	return o
}

func (w *world) builtIn(tenant tenancy.TenantID, key string) access.RoleID {
	w.Helper()
	roles, err := w.a.Roles(w.Context(), authority.SystemCaller(), authority.RolesInput{Tenant: tenant})
	w.must(err)
	for _, r := range roles {
		if r.BuiltIn == key {
			return r.ID
		}
	}
	w.Fatalf("tenant %s has no role %s", tenant, key)
	return ""
}

// role makes a custom role of acme.
func (w *world) role(name string, grants ...string) access.RoleID {
	w.Helper()
	in := authority.CreateRoleInput{Tenant: w.acme.ID, Name: name}
	for _, g := range grants {
		in.Permissions = append(in.Permissions, access.Grant(g))
	}
	r, err := w.a.CreateRole(w.Context(), authority.SystemCaller(), in)
	w.must(err)
	return r.ID
}

// member makes a user, at the root when org is empty, with a role there unless it is empty,
// and returns the user's session.
func (w *world) member(tenant tenancy.TenantID, org tenancy.OrgID, name string, role access.RoleID) access.Caller {
	w.Helper()
	u, err := w.a.CreateUser(w.Context(), authority.SystemCaller(), authority.CreateUserInput{Tenant: tenant, OrganizationID: org, Username: name})
	w.must(err)
	if role != "" {
		w.assign(tenant, u.User.ID, role, u.User.OrganizationID)
	}
	return session(tenant, u.User.ID)
}

func (w *world) assign(tenant tenancy.TenantID, user tenancy.UserID, role access.RoleID, org tenancy.OrgID) access.Assignment {
	w.Helper()
	as, err := w.a.Assign(w.Context(), authority.SystemCaller(), authority.AssignInput{
		Tenant: tenant, Principal: access.Principal{Type: access.PrincipalUser, ID: string(user)}, RoleID: role, OrganizationID: org,
	})
	w.must(err)
	return as
}

var names int

// someone is a new user of acme with the grants, at the root.
func (w *world) someone(grants ...string) access.Caller {
	w.Helper()
	names++
	var role access.RoleID
	if len(grants) > 0 {
		role = w.role(fmt.Sprintf("role-%d", names), grants...)
	}
	return w.member(w.acme.ID, "", fmt.Sprintf("user-%d", names), role)
}

// longAgo is when people of the tests signed in: too long ago to see a secret.
var longAgo = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// confirmed is the caller after confirming their password.
func (w *world) confirmed(c access.Caller) access.Caller {
	c.ReauthenticatedAt = w.clock.Now()
	return c
}

func session(tenant tenancy.TenantID, user tenancy.UserID) access.Caller {
	return access.Caller{
		Tenant: tenant, Principal: access.Principal{Type: access.PrincipalUser, ID: string(user)}, Via: access.ViaSession,
		SessionID: "ses_1", ReauthenticatedAt: longAgo, RequestID: "req_1", UserAgent: "test",
	}
}

func userOf(c access.Caller) tenancy.UserID { return tenancy.UserID(c.Principal.ID) }

// key issues a user key to the caller.
func (w *world) key(c access.Caller) authority.IssuedKey {
	w.Helper()
	k, err := w.a.IssueAPIKey(w.Context(), c, authority.IssueAPIKeyInput{Name: "key"})
	w.must(err)
	return k
}

// with is the caller by one of their keys instead of a session.
func with(c access.Caller, k authority.IssuedKey) access.Caller {
	c.Via, c.CredentialID, c.SessionID = access.ViaCredential, k.ID.String(), ""
	return c
}

// lastEvent is the newest audit event of a tenant.
func (w *world) lastEvent(tenant tenancy.TenantID) audit.Event {
	w.Helper()
	var last audit.Event
	w.must(w.store.Read(w.Context(), tenant, func(tx *store.Tx) error {
		head, err := tx.AuditHead()
		if err != nil || head.Sequence == 0 {
			return err
		}
		list, err := tx.AuditEventsAfter(head.Sequence-1, 1)
		if err == nil && len(list) == 1 {
			last = list[0]
		}
		return err
	}))
	return last
}

// state is the feed's revision and the number of audit events: what any change moves.
func (w *world) state() (s [2]int64) {
	w.Helper()
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) (err error) {
		s[0] = int64(tx.Head())
		s[1], err = tx.AllTenantsAuditCount()
		return err
	}))
	return s
}

// unchanged fails when the function, which returns an error, changed anything.
func (w *world) refused(what string, kind problem.Kind, code string, do func() error) {
	w.Helper()
	before := w.state()
	err := do()
	if !problem.Is(err, kind) || (code != "" && !problem.HasCode(err, code)) {
		w.Errorf("%s: got %v (%s), want %s %s", what, err, problem.As(err).Code, kind, code)
	}
	if after := w.state(); after != before {
		w.Errorf("%s: refused, but something was written", what)
	}
}

// entries reads the revocation journal.
func (w *world) entries() (list []authority.JournalEntry) {
	w.Helper()
	f, err := os.Open(w.journalPath)
	w.must(err)
	defer func() { _ = f.Close() }()
	w.must(authority.ReadJournal(f, func(e authority.JournalEntry) error {
		list = append(list, e)
		return nil
	}))
	return list
}

// exec runs raw SQL; %s in it is left to the caller.
func (w *world) exec(query string, args ...any) {
	w.Helper()
	_, err := w.raw.ExecContext(w.Context(), query, args...)
	w.must(err)
}
