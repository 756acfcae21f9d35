package clavigertest

import (
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Client returns a client that calls with the credential; empty means without one. It is
// closed with the test.
func (s *Server) Client(credential api.Secret) *client.Client {
	s.tb.Helper()
	c, err := client.New(s.URL, client.WithCredential(credential.Reveal()), client.WithUserAgent("clavigertest"))
	s.check(err, "making a client")
	s.tb.Cleanup(c.CloseIdleConnections)
	return c
}

// Verifier returns a client that may verify credentials, and nothing else: what a
// middleware asks with.
func (s *Server) Verifier() *client.Client {
	s.tb.Helper()
	return s.Client(s.VerifierKey)
}

// Admin returns a client in the session of the system administrator, who may manage
// everything of every tenant.
func (s *Server) Admin() *client.Client { return s.admin }

// MustSignIn returns a client in a new session of the person.
func (s *Server) MustSignIn(p Person) *client.Client {
	s.tb.Helper()
	c, err := s.Client("").SignIn(s.tb.Context(), api.SignInRequest{Tenant: p.Tenant, Username: p.Username, Password: p.Password})
	s.check(err, "signing in")
	return c
}

// MustCreateUser makes a user of the Tenant, at its root organization, who can sign in.
// Roles are keys of built-in ones, such as "super_admin", "admin", "analyst" or "agent";
// without any the user holds nothing.
func (s *Server) MustCreateUser(username string, roles ...string) Person {
	s.tb.Helper()
	t := must(s.node.Authority().Tenant(s.tb.Context(), s.system, authority.TenantInput{ID: tenancy.TenantID(s.Tenant.ID)}))(s, "reading the tenant")
	return s.person(t, username, roles...)
}

// KeyOption changes a key before it is issued.
type KeyOption func(*api.IssueAPIKeyRequest)

// WithExpiry ends the key at the time.
func WithExpiry(at time.Time) KeyOption {
	return func(r *api.IssueAPIKeyRequest) { r.ExpiresAt = &at }
}

// WithNetworks restricts the key to addresses or CIDR prefixes.
func WithNetworks(networks ...string) KeyOption {
	return func(r *api.IssueAPIKeyRequest) { r.Networks = networks }
}

// WithRate allows limit calls in each window, which is whole seconds.
func WithRate(limit int64, window time.Duration) KeyOption {
	return func(r *api.IssueAPIKeyRequest) {
		if r.Limits == nil {
			r.Limits = &api.Limits{}
		}
		r.Limits.Rates = append(r.Limits.Rates, api.Rate{Name: "test", Limit: limit, WindowSeconds: int64(window / time.Second)})
	}
}

// WithName gives the key a name other than "test key".
func WithName(name string) KeyOption {
	return func(r *api.IssueAPIKeyRequest) { r.Name = name }
}

// MustIssueAPIKey makes an API key that speaks for the person.
func (s *Server) MustIssueAPIKey(owner Person, options ...KeyOption) *api.IssuedAPIKey {
	s.tb.Helper()
	r := api.IssueAPIKeyRequest{Name: "test key", OwnerID: owner.ID}
	for _, option := range options {
		option(&r)
	}
	k, err := s.admin.InTenant(s.Tenant.ID).IssueAPIKey(s.tb.Context(), r)
	s.check(err, "issuing an API key")
	return k
}

// MustSuspendAPIKey stops a key until it is resumed.
func (s *Server) MustSuspendAPIKey(id string) {
	s.tb.Helper()
	_, err := s.admin.SuspendAPIKey(s.tb.Context(), id)
	s.check(err, "suspending an API key")
}

// MustResumeAPIKey lets a suspended key verify again.
func (s *Server) MustResumeAPIKey(id string) {
	s.tb.Helper()
	_, err := s.admin.ResumeAPIKey(s.tb.Context(), id)
	s.check(err, "resuming an API key")
}

// MustRevokeAPIKey ends a key. When it returns, the server refuses it.
func (s *Server) MustRevokeAPIKey(id string) {
	s.tb.Helper()
	_, err := s.admin.RevokeAPIKey(s.tb.Context(), id)
	s.check(err, "revoking an API key")
}

// MustVerify asks about a credential, and for the permissions when they are not empty.
func (s *Server) MustVerify(credential api.Secret, permissions string) api.VerifyResponse {
	s.tb.Helper()
	v, err := s.Verifier().Verify(s.tb.Context(), api.VerifyRequest{Credential: credential, Permissions: permissions})
	s.check(err, "verifying")
	return v
}
