package store

import (
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/tenancy"
)

// ImportRefusal is one line of an import that was refused. Nothing of the line is kept: what
// it held may be a secret.
type ImportRefusal struct {
	Line    int64
	Code    string
	Message string
}

type importRefusalRow struct {
	bun.BaseModel `bun:"table:import_refusals,alias:r"`

	OperationID string
	Line        int64
	TenantID    string
	Code        string
	Message     string
}

func (r *importRefusalRow) refusal() (ImportRefusal, error) {
	return ImportRefusal{Line: r.Line, Code: r.Code, Message: r.Message}, nil
}

var (
	newImportRefusals   = table{"import_refusals", []string{"operation_id", "line", "tenant_id", "code", "message"}}
	newImportDigests    = table{"import_digests", []string{"operation_id", "digest", "tenant_id"}}
	insertImportRefusal = insertInto(newImportRefusals.name, newImportRefusals.columns...)
	insertImportDigest  = insertInto(newImportDigests.name, newImportDigests.columns...)
)

// InsertImportRefusal notes that a line of an import was refused.
func (tx *Tx) InsertImportRefusal(operation string, r ImportRefusal) error {
	if tx.tenant == "" {
		return errNoTenant
	}
	return tx.write(statement{
		text: insertImportRefusal, into: &newImportRefusals, args: []any{operation, r.Line, string(tx.tenant), r.Code, r.Message},
	})
}

// ImportRefusals lists the refused lines of an import from one line to another, both
// included, in their order: at most limit, and MaxLimit.
func (tx *Tx) ImportRefusals(operation string, from, to int64, limit int) ([]ImportRefusal, error) {
	if !validText(operation) {
		return nil, nil
	}
	rows, err := all[importRefusalRow](tx, "refused lines", func(q *bun.SelectQuery) *bun.SelectQuery {
		return tx.scope(q).Where("operation_id = ? AND line >= ? AND line <= ?", operation, from, to).
			Order("line").Limit(int64(min(limit, MaxLimit)))
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*importRefusalRow).refusal)
}

// InsertImportDigest notes the digest of a key that an import has only tried.
func (tx *Tx) InsertImportDigest(operation string, digest [32]byte) error {
	if tx.tenant == "" {
		return errNoTenant
	}
	return tx.write(statement{text: insertImportDigest, into: &newImportDigests, args: []any{operation, digest[:], string(tx.tenant)}})
}

// DropImportDigests forgets what an import has tried.
func (tx *Tx) DropImportDigests(operation string) error {
	return tx.exec("DELETE FROM import_digests WHERE operation_id = ? AND tenant_id = ?", operation, string(tx.tenant))
}

// ImportedDigests finds which of the digests are those of secrets that were imported to the
// tenant, living or ended, or that the operation has tried. It never looks at other tenants.
func (tx *Tx) ImportedDigests(operation string, digests [][32]byte) (map[[32]byte]bool, error) {
	out := make(map[[32]byte]bool)
	for chunk := range slices.Chunk(digests, inChunk) {
		list := make([][]byte, len(chunk))
		for i := range chunk {
			list[i] = chunk[i][:]
		}
		db, err := tx.rows()
		if err != nil {
			return nil, err
		}
		tenant := string(tx.tenant)
		stored := db.NewSelect().TableExpr("credential_secrets AS s").Join("JOIN credentials AS c ON c.row_id = s.row_id").
			ColumnExpr("s.digest").Where("s.scheme <> ''").Where("s.digest IN (?)", bun.List(list)).Where("c."+ofTenant, tenant)
		tried := db.NewSelect().TableExpr("import_digests").ColumnExpr("digest").
			Where("operation_id = ?", operation).Where("digest IN (?)", bun.List(list)).Where("tenant_id = ?", tenant)
		for _, q := range []*bun.SelectQuery{stored, tried} {
			var found [][]byte
			if err := q.Scan(tx.ctx, &found); err != nil {
				return nil, tx.fail(fmt.Errorf("reading imported digests: %w", err))
			}
			for _, d := range found {
				if len(d) == 32 {
					out[[32]byte(d)] = true
				}
			}
		}
	}
	return out, nil
}

// UsersCalled finds users of the tenant who are not deleted: by ID, by folded user name, and
// by external ID, each in one query for each 500. One may be found more than once.
func (tx *Tx) UsersCalled(ids, folded, external []string) (users []tenancy.User, err error) {
	for _, by := range []struct {
		column string
		names  []string
	}{{"id", ids}, {"folded", folded}, {"external_id", external}} {
		names := slices.DeleteFunc(slices.Clone(by.names), func(s string) bool { return s == "" || !validText(s) })
		for chunk := range slices.Chunk(names, maxNamed) {
			rows, err := all[userRow](tx, "users", func(q *bun.SelectQuery) *bun.SelectQuery {
				if by.column == "id" {
					q = q.Where(ofTenant, string(tx.tenant))
				} else {
					q = tx.scope(q) // it begins the index
				}
				return q.Where("? IN (?)", bun.Ident(by.column), bun.List(chunk)).Where("state <> 'deleted'")
			})
			if err != nil {
				return nil, err
			}
			found, err := convert(rows, (*userRow).user)
			if err != nil {
				return nil, err
			}
			users = append(users, found...)
		}
	}
	return users, nil
}
