package store

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type passwordRow struct {
	bun.BaseModel `bun:"table:passwords,alias:p"`

	UserID     string
	TenantID   string
	Hash       string
	ModifiedAt int64
}

// Password is the hash of a user's password; Missing when none is set.
func (tx *Tx) Password(id tenancy.UserID) (hash string, err error) {
	row, err := find[passwordRow](tx, "password", "user_id = ? AND tenant_id = ?", string(id), string(tx.tenant))
	return row.Hash, err
}

// SetPassword sets the hash of a user's password; Missing when the tenant has no such user.
func (tx *Tx) SetPassword(id tenancy.UserID, hash string, at time.Time) error {
	return tx.write(statement{
		text: "INSERT INTO passwords (user_id, tenant_id, hash, modified_at) SELECT id, tenant_id, ?, ? FROM users WHERE id = ? AND tenant_id = ? " +
			"ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, modified_at = excluded.modified_at",
		args: []any{hash, micros(at), string(id), string(tx.tenant)}, one: "user",
	})
}

// OneTimeLink is a link that works once, such as an invitation.
type OneTimeLink struct {
	TokenHash []byte // SHA-256 of the token, which itself is never stored
	Purpose   string // "invitation", "first_admin", …
	UserID    tenancy.UserID
	Data      []byte // what the purpose needs; nil means nothing
	CreatedAt time.Time
	ExpiresAt time.Time // exclusive
}

type linkOnceRow struct {
	bun.BaseModel `bun:"table:one_time_links,alias:l"`

	TokenHash []byte
	TenantID  string
	Purpose   string
	UserID    string
	Data      []byte
	CreatedAt int64
	ExpiresAt int64
}

// InsertOneTimeLink adds a link for the tenant.
func (tx *Tx) InsertOneTimeLink(l OneTimeLink) error {
	return tx.exec("INSERT INTO one_time_links (token_hash, tenant_id, purpose, user_id, data, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		l.TokenHash, string(tx.tenant), l.Purpose, string(l.UserID), l.Data, micros(l.CreatedAt), micros(l.ExpiresAt))
}

// AllTenantsOneTimeLink looks at a link without using it. The tenant is not known before
// the link is. Missing when it is unknown, used or past.
func (tx *Tx) AllTenantsOneTimeLink(tokenHash []byte, purpose string, now time.Time) (OneTimeLink, tenancy.TenantID, error) {
	row, err := find[linkOnceRow](tx, "link", "token_hash = ? AND purpose = ? AND expires_at > ?", tokenHash, purpose, micros(now))
	return OneTimeLink{
		TokenHash: row.TokenHash, Purpose: row.Purpose, UserID: tenancy.UserID(row.UserID), Data: row.Data,
		CreatedAt: moment(row.CreatedAt), ExpiresAt: moment(row.ExpiresAt),
	}, tenancy.TenantID(row.TenantID), err
}

// AllTenantsTakeOneTimeLink uses a link up. Missing when it is unknown, used or past.
func (tx *Tx) AllTenantsTakeOneTimeLink(tokenHash []byte, purpose string, now time.Time) (OneTimeLink, tenancy.TenantID, error) {
	l, tenant, err := tx.AllTenantsOneTimeLink(tokenHash, purpose, now)
	if err != nil {
		return l, tenant, err
	}
	return l, tenant, tx.write(statement{text: "DELETE FROM one_time_links WHERE token_hash = ?", args: []any{tokenHash}, one: "link"})
}

// EndOneTimeLinks removes a user's links of a purpose; an empty purpose means all.
func (tx *Tx) EndOneTimeLinks(id tenancy.UserID, purpose string) error {
	if purpose == "" {
		return tx.exec("DELETE FROM one_time_links WHERE user_id = ? AND tenant_id = ?", string(id), string(tx.tenant))
	}
	return tx.exec("DELETE FROM one_time_links WHERE user_id = ? AND tenant_id = ? AND purpose = ?", string(id), string(tx.tenant), purpose)
}

// Session is a signed-in browser.
type Session struct {
	TokenHash     []byte // SHA-256 of the token, which itself is never stored
	PublicID      string // what may be shown and audited
	TenantID      tenancy.TenantID
	UserID        tenancy.UserID
	Data          []byte // the session library's own
	Source        string // IP address at sign-in
	UserAgent     string
	CreatedAt     time.Time
	SeenAt        time.Time
	IdleExpiresAt time.Time // exclusive
	ExpiresAt     time.Time // exclusive; absolute
}

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	TokenHash     []byte
	PublicID      string
	TenantID      string
	UserID        string
	Data          []byte
	Source        string
	UserAgent     string
	CreatedAt     int64
	SeenAt        int64
	IdleExpiresAt int64
	ExpiresAt     int64
}

func (r *sessionRow) session() (Session, error) {
	return Session{
		TokenHash: r.TokenHash, PublicID: r.PublicID, TenantID: tenancy.TenantID(r.TenantID), UserID: tenancy.UserID(r.UserID),
		Data: r.Data, Source: r.Source, UserAgent: r.UserAgent, CreatedAt: moment(r.CreatedAt), SeenAt: moment(r.SeenAt),
		IdleExpiresAt: moment(r.IdleExpiresAt), ExpiresAt: moment(r.ExpiresAt),
	}, nil
}

const putSession = "INSERT INTO sessions (token_hash, public_id, tenant_id, user_id, data, source, user_agent, created_at, seen_at, idle_expires_at, expires_at) " +
	"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (token_hash) DO UPDATE SET data = excluded.data, seen_at = excluded.seen_at, " +
	"idle_expires_at = excluded.idle_expires_at, expires_at = excluded.expires_at, tenant_id = excluded.tenant_id, user_id = excluded.user_id"

// AllTenantsSession finds a session by its token; whose it is isn't known before. Missing
// when there is none. Whether it has expired is the caller's to see.
func (tx *Tx) AllTenantsSession(tokenHash []byte) (Session, error) {
	row, err := find[sessionRow](tx, "session", "token_hash = ?", tokenHash)
	if err != nil {
		return Session{}, err
	}
	return row.session()
}

// AllTenantsPutSession adds a session, or changes the one with the same token.
func (tx *Tx) AllTenantsPutSession(s Session) error {
	data := s.Data
	if data == nil {
		data = []byte{}
	}
	return tx.exec(putSession, s.TokenHash, s.PublicID, string(s.TenantID), string(s.UserID), data, s.Source, s.UserAgent,
		micros(s.CreatedAt), micros(s.SeenAt), micros(s.IdleExpiresAt), micros(s.ExpiresAt))
}

// AllTenantsDeleteSession ends a session; none is fine.
func (tx *Tx) AllTenantsDeleteSession(tokenHash []byte) error {
	return tx.exec("DELETE FROM sessions WHERE token_hash = ?", tokenHash)
}

// AllTenantsPruneSessions removes what has expired.
func (tx *Tx) AllTenantsPruneSessions(now time.Time) error {
	return tx.exec("DELETE FROM sessions WHERE idle_expires_at <= ? OR expires_at <= ?", micros(now), micros(now))
}

// SessionsOf lists a user's sessions, newest first.
func (tx *Tx) SessionsOf(id tenancy.UserID) ([]Session, error) {
	if !validText(string(id)) {
		return nil, problem.Missing("user")
	}
	rows, err := all[sessionRow](tx, "sessions", func(q *bun.SelectQuery) *bun.SelectQuery {
		return tx.scope(q).Where("user_id = ?", string(id)).Order("created_at DESC", "public_id")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*sessionRow).session)
}

// EndSessions ends a user's sessions, all but the one with the public ID except.
func (tx *Tx) EndSessions(id tenancy.UserID, except string) error {
	return tx.exec("DELETE FROM sessions WHERE user_id = ? AND tenant_id = ? AND public_id <> ?", string(id), string(tx.tenant), except)
}
