// Package signin is how people prove who they are at the console: passwords, invitations
// and the sessions that follow.
//
// What it promises: every refused sign-in reads the same and costs the same work, whether
// the tenant, the user or the password is wrong; guesses are slowed per user and per source
// address; passwords are kept as argon2id hashes and sessions under the SHA-256 of their
// tokens, so that the database alone opens nothing; a session's token changes at sign-in
// and when its user's rights change, and it ends when the user is suspended or the password
// changes.
package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/alexedwards/scs/v2"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/verify"
)

// Config says what a Manager works with. Store and Authority are required.
type Config struct {
	// Store is read for passwords and sessions; a session's last use is noted in it.
	Store *store.Store
	// Authority makes every change.
	Authority *authority.Authority
	// Index and Tokens are for automatic sign-in; without them there is none.
	Index  *verify.Index
	Tokens *token.Ring
	// Now is the clock; nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger // nil discards
	// IdleTimeout ends a session in which nothing happens; 0 means 1 h.
	IdleTimeout time.Duration
	// Lifetime ends a session whatever happens; 0 means 12 h.
	Lifetime time.Duration
	// Hashing is the work of a password hash; nil means 19 MiB, 2 passes, 1 thread.
	Hashing *argon2id.Params
}

// Manager signs people in and keeps their sessions. It is safe for concurrent use.
type Manager struct {
	store     *store.Store
	authority *authority.Authority
	index     *verify.Index
	tokens    *token.Ring
	clock     func() time.Time
	logger    *slog.Logger
	idle      time.Duration
	lifetime  time.Duration
	scs       *scs.SessionManager
	hasher    *hasher
	byUser    *throttle
	bySource  *throttle
	// Of automatic sign-ins, so that desktops that fail keep nobody from the console.
	byKey, automaticBySource *throttle
	renewed                  *renewals
	renewing                 sync.Mutex // held while a session moves to a new token
}

// Origin is where a request came from, for throttling and audit.
type Origin struct {
	Source    netip.Addr // the zero Addr when unknown
	UserAgent string
	RequestID string
}

// New checks the configuration.
func New(c Config) (*Manager, error) {
	if c.Store == nil {
		return nil, errors.New("signin: no store configured")
	}
	if c.Authority == nil {
		return nil, errors.New("signin: no authority configured")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = time.Hour
	}
	if c.Lifetime == 0 {
		c.Lifetime = 12 * time.Hour
	}
	hasher, err := newHasher(c.Hashing)
	if err != nil {
		return nil, err
	}
	m := &Manager{
		store: c.Store, authority: c.Authority, index: c.Index, tokens: c.Tokens, clock: c.Now, logger: c.Logger, idle: c.IdleTimeout, lifetime: c.Lifetime,
		hasher:   hasher,
		byUser:   newThrottle(guessesPerUser, guessWindow, throttleSize),
		bySource: newThrottle(guessesPerSource, guessWindow, throttleSize),
		byKey:    newThrottle(guessesPerKey, guessWindow, throttleSize),
		renewed:  &renewals{to: map[string]renewal{}},

		automaticBySource: newThrottle(automaticGuessesPerPlace, guessWindow, throttleSize),
	}
	m.scs = scs.New()
	m.scs.Lifetime = c.Lifetime
	m.scs.HashTokenInStore = true
	m.scs.Codec = sessionCodec{}
	m.scs.Store = sessionStore{m}
	return m, nil
}

// Run forgets sessions that are over, once an hour, until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		_, err := m.store.Write(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
			return tx.AllTenantsPruneSessions(m.now())
		})
		if err != nil && ctx.Err() == nil {
			m.logger.WarnContext(ctx, "forgetting old sessions failed", "error", err)
		}
	}
}

func (m *Manager) now() time.Time { return m.clock().UTC().Truncate(time.Microsecond) }

// SignInInput is what a person types.
type SignInInput struct {
	Tenant   string // slug
	Username string
	Password string
}

// errSignIn is the one answer to every sign-in that fails.
func errSignIn() error {
	return problem.New(problem.Unauthenticated, "sign_in_failed", "The company, the user name or the password is not right.")
}

// SignIn begins a session. Every failure is the same Unauthenticated problem
// "sign_in_failed"; too many of them are TooMany, whoever the name belongs to.
// previous is the token of a session that the browser still holds; it ends.
func (m *Manager) SignIn(ctx context.Context, in SignInInput, from Origin, previous string) (Session, error) {
	refund, err := m.guess(in.Tenant+"\x00"+Fold(in.Username), from.Source)
	if err != nil {
		return Session{}, err
	}
	who, err := m.find(ctx, in)
	if err != nil {
		return Session{}, err
	}
	good, err := m.hasher.check(ctx, in.Password, who.hash)
	if err != nil {
		return Session{}, err
	}
	if !good || !who.mayEnter {
		return Session{}, errSignIn()
	}
	refund()
	session, err := m.begin(ctx, who.user, from, previous)
	if problem.Is(err, problem.Unauthenticated) { // stopped at this very moment
		err = errSignIn()
	}
	return session, err
}

// person is a user who wants to sign in. When there is no such user, hash is empty.
type person struct {
	user     tenancy.User
	hash     string
	mayEnter bool
}

// find looks the person up; one who doesn't exist is the zero person, not an error.
func (m *Manager) find(ctx context.Context, in SignInInput) (person, error) {
	var out person
	err := m.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
		out = person{}
		tenant, err := tx.AllTenantsTenantBySlug(Fold(in.Tenant))
		if err != nil {
			return err
		}
		in0 := tx.AllTenantsIn(tenant.ID)
		if out.user, err = in0.UserByFolded(Fold(in.Username)); err != nil {
			return err
		}
		out.mayEnter, err = mayEnter(in0, tenant, out.user)
		if err != nil {
			return err
		}
		out.hash, err = in0.Password(out.user.ID)
		return err
	})
	if problem.Is(err, problem.NotFound) || problem.Is(err, problem.Invalid) {
		return person{}, nil
	}
	return out, err
}

// mayEnter reports whether the user, the organizations above and the tenant are active.
func mayEnter(tx *store.Tx, tenant tenancy.Tenant, user tenancy.User) (bool, error) {
	if tenant.State != tenancy.Active || user.State != tenancy.Active {
		return false, nil
	}
	org, err := tx.Organization(user.OrganizationID)
	if err != nil {
		return false, err
	}
	for _, id := range org.Path {
		above, err := tx.Organization(id)
		if err != nil {
			return false, err
		}
		if above.State != tenancy.Active {
			return false, nil
		}
	}
	return org.State == tenancy.Active, nil
}

// Caller is the session's user as a caller, without what they hold: that is resolved
// inside the transaction that uses it.
func (s Session) Caller(from Origin) access.Caller {
	return access.Caller{
		Tenant: s.TenantID, Principal: access.Principal{Type: access.PrincipalUser, ID: string(s.UserID)},
		Name: s.User.Username, Organization: s.User.OrganizationID, Via: access.ViaSession,
		SessionID: s.ID, ReauthenticatedAt: s.ReauthenticatedAt,
		Source: from.Source, UserAgent: from.UserAgent, RequestID: from.RequestID,
	}
}

// caller is nobody yet: whoever brings a one-time token.
func (o Origin) caller() access.Caller {
	return access.Caller{Source: o.Source, UserAgent: o.UserAgent, RequestID: o.RequestID}
}
