package signin

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// touchEvery is how precisely a session's last use is kept.
const touchEvery = time.Minute

// Session is a person's stay at the console.
type Session struct {
	ID                string // public; never the token
	TenantID          tenancy.TenantID
	UserID            tenancy.UserID
	User              tenancy.User // as of now; only where the session was just loaded
	CreatedAt         time.Time
	SeenAt            time.Time // to about a minute
	IdleAt            time.Time // exclusive
	ExpiresAt         time.Time // exclusive
	ReauthenticatedAt time.Time
	Source            string
	UserAgent         string

	// Token is set when the browser must be given a new one; zero otherwise.
	Token secret.Secret
}

// errNoSession is the answer to a token that opens nothing, whatever the reason.
func errNoSession() error {
	return problem.New(problem.Unauthenticated, "no_session", "You are not signed in, or your session is over. Sign in again.")
}

// Names of the values that the session library keeps for us.
const (
	keyID              = "id"
	keyTenant          = "tenant"
	keyUser            = "user"
	keyCreated         = "created"
	keyReauthenticated = "reauthenticated"
	keySource          = "source"
	keyAgent           = "agent"
	keyRights          = "rights"          // fingerprint of the user's roles
	keyRightsRevision  = "rights_revision" // revision at which it was taken
)

// begin makes a new session for a user who has just proved themselves.
func (m *Manager) begin(ctx context.Context, user tenancy.User, from Origin, previous string) (Session, error) {
	rights, err := m.rightsOf(ctx, user)
	if err != nil {
		return Session{}, err
	}
	if err := m.SignOut(ctx, previous, from); err != nil {
		return Session{}, err
	}
	caller := Session{TenantID: user.TenantID, UserID: user.ID, User: user}.Caller(from)
	ctx, err = m.scs.Load(withPut(ctx, func(ctx context.Context, row store.Session, _ []byte) error {
		_, err := m.authority.BeginSession(ctx, caller, authority.BeginSessionInput{Session: row})
		return err
	}), "")
	if err != nil {
		return Session{}, problem.Wrap(err)
	}
	if err := m.scs.RenewToken(ctx); err != nil {
		return Session{}, problem.Wrap(err)
	}
	now := m.now()
	m.scs.Put(ctx, keyID, "ses_"+strings.ToLower(rand.Text()))
	m.scs.Put(ctx, keyTenant, string(user.TenantID))
	m.scs.Put(ctx, keyUser, string(user.ID))
	m.scs.Put(ctx, keyCreated, stamp(now))
	m.scs.Put(ctx, keyReauthenticated, stamp(now))
	m.scs.Put(ctx, keySource, sourceText(from))
	m.scs.Put(ctx, keyAgent, clip(from.UserAgent))
	m.putRights(ctx, rights)
	token, _, err := m.scs.Commit(ctx)
	if err != nil {
		return Session{}, err
	}
	s := m.read(ctx)
	s.User, s.SeenAt, s.IdleAt = user, now, now.Add(m.idle)
	s.Token = secret.New(token)
	return s, nil
}

// Load returns the session of a token. It is over, an Unauthenticated problem, when its
// time is up or when its user, their organization or their tenant is not active. When the
// user's rights have changed, the session goes on under a new token.
func (m *Manager) Load(ctx context.Context, token string) (Session, error) {
	if token == "" || len(token) > 100 {
		return Session{}, errNoSession()
	}
	return m.load(ctx, token, true)
}

func (m *Manager) load(outer context.Context, token string, mayRenew bool) (Session, error) {
	var found loaded
	ctx, err := m.scs.Load(withLoaded(outer, &found), token)
	if err != nil {
		return Session{}, err
	}
	if !found.ok || !m.scs.Exists(ctx, keyUser) {
		return Session{}, errNoSession()
	}
	s := m.read(ctx)
	s.User, s.SeenAt, s.IdleAt = found.user, found.row.SeenAt, found.row.IdleExpiresAt
	switch {
	case mayRenew && found.rights.fingerprint != m.scs.GetString(ctx, keyRights):
		return m.renew(outer, ctx, token, s, found)
	case found.rights.revision != m.scs.GetString(ctx, keyRightsRevision) && m.now().Sub(found.row.SeenAt) >= touchEvery:
		m.putRights(ctx, found.rights)
		_, _, err = m.scs.Commit(ctx)
	case m.now().Sub(found.row.SeenAt) >= touchEvery:
		_, _, err = m.scs.Commit(ctx)
	}
	if err != nil {
		// Not being able to note the use of a session must not end it.
		m.logger.WarnContext(ctx, "noting a session's use failed", "error", err)
	}
	return s, nil
}

// renew moves the session to a new token, once: of requests that arrive together the
// first does, and the others find the session under its new token.
func (m *Manager) renew(outer, ctx context.Context, token string, s Session, found loaded) (Session, error) {
	m.renewing.Lock()
	defer m.renewing.Unlock()
	if m.renewed.has(hashedToken(token), m.now()) {
		return m.load(outer, token, false)
	}
	m.putRights(ctx, found.rights)
	return m.renewToken(ctx, s, m.move)
}

func (m *Manager) renewToken(ctx context.Context, s Session, do put) (Session, error) {
	ctx = withPut(ctx, do)
	old := m.renewed.resolve(hashedToken(m.scs.Token(ctx)), m.now())
	if err := m.scs.RenewToken(ctx); err != nil {
		return Session{}, err
	}
	token, _, err := m.scs.Commit(ctx)
	if err != nil {
		return Session{}, err
	}
	// Requests that were under way with the old token find the session all the same.
	m.renewed.add(old, hashedToken(token), m.now())
	s.Token = secret.New(token)
	s.SeenAt, s.IdleAt = m.now(), m.now().Add(m.idle)
	return s, nil
}

// SignOut ends the session of a token. There need not be one.
func (m *Manager) SignOut(ctx context.Context, token string, from Origin) error {
	if token == "" || len(token) > 100 {
		return nil
	}
	var found loaded
	if _, err := m.scs.Load(withLoaded(ctx, &found), token); err != nil || !found.ok {
		return err
	}
	s := fromRow(found.row)
	s.User = found.user
	err := m.EndSession(ctx, s, s.ID, from)
	if problem.Is(err, problem.NotFound) || problem.Is(err, problem.Unauthenticated) { // over by now
		return nil
	}
	return err
}

// Sessions lists the user's sessions that are still alive.
func (m *Manager) Sessions(ctx context.Context, s Session) ([]Session, error) {
	var rows []store.Session
	err := m.store.Read(ctx, s.TenantID, func(tx *store.Tx) (err error) {
		rows, err = tx.SessionsOf(s.UserID)
		return err
	})
	if err != nil {
		return nil, err
	}
	now := m.now()
	out := make([]Session, 0, len(rows))
	for _, row := range rows {
		if now.Before(row.ExpiresAt) && now.Before(row.IdleExpiresAt) {
			out = append(out, fromRow(row))
		}
	}
	return out, nil
}

// EndSession ends one of the user's own sessions by its public ID.
func (m *Manager) EndSession(ctx context.Context, s Session, id string, from Origin) error {
	_, err := m.authority.EndOwnSession(ctx, s.Caller(from), authority.EndOwnSessionInput{ID: id})
	return err
}

// read makes a Session of what the session library holds.
func (m *Manager) read(ctx context.Context) Session {
	created := unstamp(m.scs.GetString(ctx, keyCreated))
	return Session{
		ID:                m.scs.GetString(ctx, keyID),
		TenantID:          tenancy.TenantID(m.scs.GetString(ctx, keyTenant)),
		UserID:            tenancy.UserID(m.scs.GetString(ctx, keyUser)),
		CreatedAt:         created,
		ExpiresAt:         created.Add(m.lifetime),
		ReauthenticatedAt: unstamp(m.scs.GetString(ctx, keyReauthenticated)),
		Source:            m.scs.GetString(ctx, keySource),
		UserAgent:         m.scs.GetString(ctx, keyAgent),
	}
}

func fromRow(row store.Session) Session {
	_, values, err := sessionCodec{}.Decode(row.Data)
	reauthenticated := ""
	if err == nil {
		reauthenticated, _ = values[keyReauthenticated].(string)
	}
	return Session{
		ID: row.PublicID, TenantID: row.TenantID, UserID: row.UserID,
		CreatedAt: row.CreatedAt, SeenAt: row.SeenAt, IdleAt: row.IdleExpiresAt, ExpiresAt: row.ExpiresAt,
		ReauthenticatedAt: unstamp(reauthenticated), Source: row.Source, UserAgent: row.UserAgent,
	}
}

func stamp(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

func unstamp(s string) time.Time {
	micros, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func sourceText(from Origin) string {
	if !from.Source.IsValid() {
		return ""
	}
	return from.Source.Unmap().String()
}

// clip keeps a user agent short and printable.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 200)]
}
