package store

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
)

// IdempotencyRecord remembers the answer to a request, so that the same one again is
// answered and not done.
type IdempotencyRecord struct {
	Scope       string // caller and route
	Key         string // as the caller sent it
	RequestHash []byte // of method, path and body: another one under the same key is a conflict
	Status      int
	Body        []byte // never with a secret
	ExpiresAt   time.Time
}

type idempotencyRow struct {
	bun.BaseModel `bun:"table:idempotency,alias:i"`

	TenantID    string
	Scope       string
	Key         string
	RequestHash []byte
	Status      int64
	Body        []byte
	ExpiresAt   int64
}

// Idempotency is the record of a key; Missing when there is none that is still alive.
func (tx *Tx) Idempotency(scope, key string, now time.Time) (IdempotencyRecord, error) {
	row, err := find[idempotencyRow](tx, "idempotency key", "tenant_id = ? AND scope = ? AND key = ? AND expires_at > ?",
		string(tx.tenant), scope, key, micros(now))
	return IdempotencyRecord{
		Scope: row.Scope, Key: row.Key, RequestHash: row.RequestHash, Status: int(row.Status), Body: row.Body, ExpiresAt: moment(row.ExpiresAt),
	}, err
}

// PutIdempotency adds a record, or replaces a dead one. One that is alive, because the same
// request runs twice at once, is a Conflict, code idempotency_key_in_use.
func (tx *Tx) PutIdempotency(r IdempotencyRecord) error {
	// Two that race here are in one line with all writers, so the second finds the first's.
	if err := tx.exec("DELETE FROM idempotency WHERE tenant_id = ? AND scope = ? AND key = ? AND expires_at <= ?",
		string(tx.tenant), r.Scope, r.Key, micros(tx.store.now())); err != nil {
		return err
	}
	return tx.write(statement{
		text: "INSERT INTO idempotency (tenant_id, scope, key, request_hash, status, body, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		args: []any{string(tx.tenant), r.Scope, r.Key, r.RequestHash, int64(r.Status), r.Body, micros(r.ExpiresAt)},
		taken: problem.New(problem.Conflict, "idempotency_key_in_use",
			"A request with this Idempotency-Key was made already. Send it again to get its answer, or use another key."),
	})
}

// AllTenantsPruneIdempotency removes dead records.
func (tx *Tx) AllTenantsPruneIdempotency(now time.Time) error {
	return tx.exec("DELETE FROM idempotency WHERE expires_at <= ?", micros(now))
}

type settingRow struct {
	bun.BaseModel `bun:"table:settings,alias:s"`

	Key   string
	Value string
}

// AllTenantsSetting is a setting of the installation; empty when it was never set.
func (tx *Tx) AllTenantsSetting(key string) (string, error) {
	row, err := find[settingRow](tx, "setting", "key = ?", key)
	if problem.Is(err, problem.NotFound) {
		return "", nil
	}
	return row.Value, err
}

// AllTenantsPutSetting sets a setting of the installation.
func (tx *Tx) AllTenantsPutSetting(key, value string) error {
	return tx.exec("INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
}

type keysetRow struct {
	bun.BaseModel `bun:"table:tenant_keysets,alias:k"`

	TenantID   string
	Wrapped    []byte
	ModifiedAt int64
}

// TenantKeyset is the tenant's wrapped envelope keyset; Missing when there is none.
func (tx *Tx) TenantKeyset() ([]byte, error) {
	row, err := find[keysetRow](tx, "keyset", "tenant_id = ?", string(tx.tenant))
	return row.Wrapped, err
}

// PutTenantKeyset adds or replaces the tenant's wrapped envelope keyset.
func (tx *Tx) PutTenantKeyset(wrapped []byte, at time.Time) error {
	return tx.exec("INSERT INTO tenant_keysets (tenant_id, wrapped, modified_at) VALUES (?, ?, ?) "+
		"ON CONFLICT (tenant_id) DO UPDATE SET wrapped = excluded.wrapped, modified_at = excluded.modified_at",
		string(tx.tenant), wrapped, micros(at))
}

// DestroyTenantKeyset removes the tenant's wrapped envelope keyset: nothing that is sealed
// under it ever opens again.
func (tx *Tx) DestroyTenantKeyset() error {
	return tx.exec("DELETE FROM tenant_keysets WHERE tenant_id = ?", string(tx.tenant))
}
