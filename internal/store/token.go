package store

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// RevokedToken is a token that was revoked before its time.
type RevokedToken struct {
	ID         string // the token's own
	TenantID   tenancy.TenantID
	Credential credential.ID // that got it
	ExpiresAt  time.Time     // when it would have ended by itself
}

type revokedTokenRow struct {
	bun.BaseModel `bun:"table:revoked_tokens,alias:r"`

	ID           string
	TenantID     string
	CredentialID string
	ExpiresAt    int64
}

func (r *revokedTokenRow) item() (verify.RevokedToken, error) {
	return verify.RevokedToken{ID: r.ID, ExpiresAt: moment(r.ExpiresAt)}, nil
}

// InsertRevokedToken notes that a token of the tenant is revoked; twice is fine.
func (tx *Tx) InsertRevokedToken(t RevokedToken) error {
	if err := tx.own(t.TenantID); err != nil {
		return err
	}
	if _, err := tx.touch(itemRevokedToken, t.ID); err != nil {
		return err
	}
	return tx.exec("INSERT INTO revoked_tokens (id, tenant_id, credential_id, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
		t.ID, string(t.TenantID), string(t.Credential[:]), micros(t.ExpiresAt))
}

// RevokedTokens are the tokens that a credential of the tenant has revoked and that would
// still be good, at most limit of them.
func (tx *Tx) RevokedTokens(id credential.ID, now time.Time, limit int) (ids []string, err error) {
	rows, err := all[revokedTokenRow](tx, "revoked tokens", func(q *bun.SelectQuery) *bun.SelectQuery {
		return tx.scope(q).Where("credential_id = ? AND expires_at > ?", string(id[:]), micros(now)).Limit(int64(limit))
	})
	for i := range rows {
		ids = append(ids, rows[i].ID)
	}
	return ids, err
}

// AllTenantsPruneRevokedTokens removes those that would have ended by now.
func (tx *Tx) AllTenantsPruneRevokedTokens(now time.Time) error {
	return tx.exec("DELETE FROM revoked_tokens WHERE expires_at <= ?", micros(now))
}
