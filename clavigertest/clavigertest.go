// Package clavigertest runs a real Claviger in a test: the whole server on a temporary
// SQLite file, with a system administrator and one tenant, gone when the test ends.
//
//	func TestMyAPI(t *testing.T) {
//		s := clavigertest.NewServer(t)
//		user := s.MustCreateUser("ada", "analyst")
//		key := s.MustIssueAPIKey(user)
//		…call your API, whose middleware asks s.Verifier(), with key.Key.Reveal()…
//		s.MustRevokeAPIKey(key.ID)
//		…and see it refused…
//	}
//
// Nothing of it is fake: what a test sees here is what production does.
package clavigertest

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/signin"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// readyWithin is how long a server may take to be ready before the test fails.
const readyWithin = 30 * time.Second

// Server is a running Claviger with one tenant. Its Must… methods end the test when
// something fails; call them from the test's own goroutine.
type Server struct {
	// URL is where the server listens, such as "http://127.0.0.1:41234".
	URL string
	// Tenant is the tenant made for the test. Its plan includes everything.
	Tenant api.Tenant
	// VerifierKey may verify credentials of every tenant, and nothing else.
	VerifierKey api.Secret
	// SystemAdmin is the system tenant's administrator.
	SystemAdmin Person
	// TenantAdmin is the Tenant's Super Admin.
	TenantAdmin Person

	tb     testing.TB
	node   *node.Node
	admin  *client.Client // the system administrator's session
	roles  map[string]access.RoleID
	system access.Caller
}

// Person is somebody who can sign in.
type Person struct {
	ID       string // user ID
	Tenant   string // the tenant's slug
	Username string
	Password api.Secret
}

// NewServer starts a server that is ready when it returns, and ends it with the test.
// What it logs is shown when the test fails.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	log := &lockedBuffer{}
	n, err := node.Open(tb.Context(), node.Config{
		Database:    "sqlite:" + filepath.Join(tb.TempDir(), "claviger.db"),
		Journal:     filepath.Join(tb.TempDir(), "revocations.journal"),
		Checkpoints: filepath.Join(tb.TempDir(), "checkpoints.jsonl"),
		Logger:      slog.New(slog.NewTextHandler(log, nil)),
		// A test's own endpoints are on this machine.
		WebhookAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	})
	if err != nil {
		tb.Fatalf("clavigertest: starting the server: %v", err)
	}
	s := &Server{URL: n.URL(), tb: tb, node: n, system: authority.SystemCaller(), roles: map[string]access.RoleID{}}
	s.run(log)
	s.seed()
	return s
}

// run runs the server until the test ends.
func (s *Server) run(log *lockedBuffer) {
	s.tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.node.Run(ctx) }()
	s.tb.Cleanup(func() {
		if s.admin != nil {
			s.admin.CloseIdleConnections()
		}
		stop()
		if err := <-ended; err != nil {
			s.tb.Errorf("clavigertest: the server ended with: %v", err)
		}
		if err := s.node.Close(); err != nil {
			s.tb.Errorf("clavigertest: closing the server: %v", err)
		}
		if s.tb.Failed() {
			s.tb.Logf("clavigertest: the server's log:\n%s", log.String())
		}
	})
	late := time.NewTimer(readyWithin)
	defer late.Stop()
	select {
	case <-s.node.Ready():
	case err := <-ended:
		ended <- nil // for the cleanup
		s.tb.Fatalf("clavigertest: the server ended before it was ready: %v", err)
	case <-late.C:
		s.tb.Fatalf("clavigertest: the server was not ready within %s", readyWithin)
	}
}

// seed makes the two administrators, the tenant and the verifier key.
func (s *Server) seed() {
	s.tb.Helper()
	ctx, a := s.tb.Context(), s.node.Authority()
	root := must(a.Tenant(ctx, s.system, authority.TenantInput{ID: tenancy.SystemTenantID}))(s, "reading the system tenant")
	s.SystemAdmin = s.person(root, "root", "system_administrator")
	s.admin = s.MustSignIn(s.SystemAdmin)

	plan, err := s.admin.CreatePlan(ctx, api.CreatePlanRequest{Key: "everything", Name: "Everything", APIAccess: true, Permissions: []string{"*:*"}})
	s.check(err, "making the plan")
	tenant, err := s.admin.CreateTenant(ctx, api.CreateTenantRequest{Slug: "test", Name: "Test Tenant", PlanID: plan.ID})
	s.check(err, "making the tenant")
	s.Tenant = *tenant
	own := must(a.Tenant(ctx, s.system, authority.TenantInput{ID: tenancy.TenantID(tenant.ID)}))(s, "reading the tenant")
	s.TenantAdmin = s.person(own, "admin", "super_admin")
	key, err := s.admin.IssueVerifierKey(ctx, api.IssueVerifierKeyRequest{Name: "clavigertest"})
	s.check(err, "issuing the verifier key")
	s.VerifierKey = key.Key
}

// person makes a user with a password and a role at the tenant's root organization.
func (s *Server) person(t tenancy.Tenant, username string, roles ...string) Person {
	s.tb.Helper()
	ctx, a := s.tb.Context(), s.node.Authority()
	made := must(a.CreateUser(ctx, s.system, authority.CreateUserInput{Tenant: t.ID, OrganizationID: t.RootOrg, Username: username}))(s, "making a user")
	for _, key := range roles {
		_, err := a.Assign(ctx, s.system, authority.AssignInput{
			Tenant: t.ID, RoleID: s.role(t.ID, key), OrganizationID: t.RootOrg,
			Principal: access.Principal{Type: access.PrincipalUser, ID: string(made.User.ID)},
		})
		s.check(err, "assigning the role "+key)
	}
	password := strings.ToLower(rand.Text())
	_, _, err := s.node.SignIn().AcceptInvitation(ctx, made.Invitation.Token.Reveal(), password, signin.Origin{})
	s.check(err, "accepting an invitation")
	return Person{ID: string(made.User.ID), Tenant: t.Slug, Username: username, Password: api.Secret(password)}
}

func (s *Server) role(tenant tenancy.TenantID, key string) access.RoleID {
	s.tb.Helper()
	name := string(tenant) + " " + key
	if s.roles[name] == "" {
		for _, r := range must(s.node.Authority().Roles(s.tb.Context(), s.system, authority.RolesInput{Tenant: tenant}))(s, "listing roles") {
			if r.BuiltIn != "" {
				s.roles[string(tenant)+" "+r.BuiltIn] = r.ID
			}
		}
	}
	if s.roles[name] == "" {
		s.tb.Fatalf("clavigertest: there is no built-in role %q", key)
	}
	return s.roles[name]
}

func (s *Server) check(err error, doing string) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatalf("clavigertest: %s: %v", doing, err)
	}
}

// must takes a value and an error, and ends the test on an error.
func must[T any](v T, err error) func(s *Server, doing string) T {
	return func(s *Server, doing string) T {
		s.tb.Helper()
		s.check(err, doing)
		return v
	}
}

// lockedBuffer takes the log of the server's goroutines.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns what was written.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
