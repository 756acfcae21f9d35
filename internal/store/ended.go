package store

import (
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// What is not hidden by its end doesn't set deleted_at: SQLite would write every index anew
// whose condition names it.
const (
	recordEnd    = "UPDATE credentials SET state = ?, ended_at = ? WHERE id = ? AND tenant_id = ?"
	recordHidden = "UPDATE credentials SET state = ?, ended_at = ?, deleted_at = ? WHERE id = ? AND tenant_id = ?"
)

// EndCredential records that a credential has ended: its state and times, nothing else of
// it. Every form from which its secrets could be recovered is removed; digests stay, for
// refusal only, and so do public keys.
func (tx *Tx) EndCredential(c credential.Credential) error {
	if err := tx.own(c.TenantID); err != nil {
		return err
	}
	if err := checkHidden(c); err != nil {
		return err
	}
	id, tenant := string(c.ID[:]), string(tx.tenant)
	if _, err := tx.touch(itemCredential, id); err != nil {
		return err
	}
	if err := tx.exec(destroySecret, id, tenant); err != nil {
		return err
	}
	if c.DeletedAt.IsZero() {
		return tx.write(statement{text: recordEnd, args: []any{string(c.State), micros(c.EndedAt), id, tenant}, one: "credential"})
	}
	args := []any{string(c.State), micros(c.EndedAt), micros(c.DeletedAt), id, tenant}
	return tx.write(statement{text: recordHidden, args: args, one: "credential"})
}

// DueCredential is a credential whose time is over and that nothing has ended yet.
type DueCredential struct {
	Tenant tenancy.TenantID
	ID     credential.ID
}

// dueCredentials names the conditions of the index that holds nothing but what may become
// due, so that databases use it: they look at what is due and at nothing besides.
const dueCredentials = "SELECT tenant_id, id FROM credentials WHERE state IN ('active', 'suspended')" +
	" AND expires_at < 9223372036854775807 AND expires_at <= ? ORDER BY expires_at LIMIT ?"

// AllTenantsDueCredentials finds credentials of any tenant whose time is over, earliest
// first, at most limit.
func (tx *Tx) AllTenantsDueCredentials(now time.Time, limit int) ([]DueCredential, error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var rows []struct{ TenantID, ID string }
	if err := db.NewRaw(dueCredentials, now.UnixMicro(), limit).Scan(tx.ctx, &rows); err != nil {
		return nil, tx.fail(fmt.Errorf("looking for what is due: %w", err))
	}
	list := make([]DueCredential, len(rows))
	for i, r := range rows {
		id, err := credentialID(r.ID)
		if err != nil {
			return nil, err
		}
		list[i] = DueCredential{tenancy.TenantID(r.TenantID), id}
	}
	return list, nil
}
