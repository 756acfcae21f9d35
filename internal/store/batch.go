package store

import (
	"fmt"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// maxBatch is the most things that are read by ID in one go.
const maxBatch = MaxLimit

func batchError(n int) error {
	return fmt.Errorf("store: %d things asked for in one batch, at most %d can be", n, maxBatch)
}

// CredentialsByID reads many credentials at once, at most MaxLimit. Those that the tenant
// doesn't have are left out; the order is that of creation.
func (tx *Tx) CredentialsByID(ids []credential.ID) ([]credential.Credential, error) {
	if len(ids) > maxBatch {
		return nil, batchError(len(ids))
	}
	bare := bareIDs(ids)
	if len(bare) == 0 {
		return nil, nil
	}
	rows, err := about[credentialRow](tx, "credentials", len(bare), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where(ofTenant, string(tx.tenant)).Where("id IN (?)", bun.List(bare)).Order("row_id")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*credentialRow).credential)
}

// bareIDs are the IDs as they are stored, without those that no credential can have.
func bareIDs(ids []credential.ID) []string {
	list := make([]string, 0, len(ids))
	for i := range ids {
		if id := string(ids[i][:]); validText(id) {
			list = append(list, id)
		}
	}
	return list
}

// MaterialOf is Material for many credentials at once, at most MaxLimit.
func (tx *Tx) MaterialOf(ids []credential.ID) (map[credential.ID][]credential.Material, error) {
	if len(ids) > maxBatch {
		return nil, batchError(len(ids))
	}
	bare := bareIDs(ids)
	if len(bare) == 0 {
		return nil, nil
	}
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	type namedSecret struct {
		secretRow `bun:",extend"`

		ID string `bun:"id"`
	}
	var rows []namedSecret
	err = db.NewSelect().TableExpr("credential_secrets AS s").Join("JOIN credentials AS c ON c.row_id = s.row_id").
		ColumnExpr("s.row_id, s.field, s.version, s.digest, s.pepper_version, s.valid_until, s.sealed, s.public_key, s.scheme, s.weak, c.id").
		Where("c.id IN (?)", bun.List(bare)).Where("c."+ofTenant, string(tx.tenant)).
		OrderExpr("s.row_id, s.field, s.version").Scan(tx.ctx, &rows)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("reading material: %w", err))
	}
	out := make(map[credential.ID][]credential.Material, len(ids))
	for i := range rows {
		id, err := credentialID(rows[i].ID)
		if err != nil {
			return nil, err
		}
		m, err := rows[i].material(id)
		if err != nil {
			return nil, err
		}
		out[id] = append(out[id], m)
	}
	return out, nil
}

// Usernames are the names of many users at once, at most MaxLimit, also of deleted ones.
func (tx *Tx) Usernames(ids []tenancy.UserID) (map[tenancy.UserID]string, error) {
	if len(ids) > maxBatch {
		return nil, batchError(len(ids))
	}
	list := make([]string, 0, len(ids))
	for _, id := range ids {
		if validText(string(id)) {
			list = append(list, string(id))
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var rows []struct{ ID, Username string }
	err = db.NewSelect().TableExpr("users").Column("id", "username").
		Where(ofTenant, string(tx.tenant)).Where("id IN (?)", bun.List(list)).Scan(tx.ctx, &rows)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("reading user names: %w", err))
	}
	out := make(map[tenancy.UserID]string, len(rows))
	for _, r := range rows {
		out[tenancy.UserID(r.ID)] = r.Username
	}
	return out, nil
}
