package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Tx is a transaction for one tenant. It is good until the callback it was given to
// returns, and for one goroutine.
//
// Writes are buffered and sent together, at the next read or at the end; what is wrong with
// one, such as a name that is taken, is then the error of that read or of Write.
type Tx struct {
	*work
	tenant tenancy.TenantID
}

// work is what a transaction shares between its tenants' views.
type work struct {
	store *Store
	ctx   context.Context //nolint:containedctx // a Tx lives within one call
	db    bun.IDB
	turn  *turn // SQLite only
	head  head
	// committed is the head before this group of writes: what was read under another head
	// may be rolled back and must not be remembered.
	committed head
	writer    *writer // nil in a Read
	failed    error   // the first failure: nothing can be done with the transaction after it
	late      late    // what this transaction adds at the end
	// ends are the ends of audit chains that earlier transactions of the group moved.
	ends map[tenancy.TenantID]audit.Head
}

var (
	errReadOnly = errors.New("store: a write in a read-only transaction")
	errNoTenant = errors.New("store: the transaction has no tenant")
)

// TenantID is the tenant this transaction is for.
func (tx *Tx) TenantID() tenancy.TenantID { return tx.tenant }

// Context is the context of this transaction. In a Write it is not the caller's: a caller
// who leaves must not take the others of the group along.
func (tx *Tx) Context() context.Context { return tx.ctx }

// AllTenantsIn is the same transaction, for another tenant.
func (tx *Tx) AllTenantsIn(tenant tenancy.TenantID) *Tx {
	return &Tx{work: tx.work, tenant: tenant}
}

// Head is the feed's head revision, with what this transaction has added so far.
func (tx *Tx) Head() uint64 { return tx.head.revision }

// RightsRevision is the revision of the last change to anything that decides who may do
// what, which is everything in the feed but credentials, revoked tokens and signing keys. While it stays the same, what was
// resolved from them stays right.
func (tx *Tx) RightsRevision() uint64 { return tx.head.rights }

// write buffers a statement.
func (tx *Tx) write(st statement) error {
	if tx.failed != nil {
		return tx.failed
	}
	if tx.writer == nil {
		return errReadOnly
	}
	if err := st.checkText(); err != nil {
		return err
	}
	tx.writer.pending = append(tx.writer.pending, st)
	return nil
}

// exec buffers a statement that may touch any number of rows.
func (tx *Tx) exec(text string, args ...any) error {
	return tx.write(statement{text: text, args: args})
}

// flush sends what is buffered.
func (w *work) flush() error {
	if w.failed != nil || w.writer == nil || len(w.writer.pending) == 0 {
		return w.failed
	}
	w.failed = w.writer.send(w.ctx)
	return w.failed
}

// rows gets the transaction ready for a read: a read sees the writes before it.
func (tx *Tx) rows() (bun.IDB, error) {
	if err := tx.flush(); err != nil {
		return nil, err
	}
	if tx.turn != nil {
		tx.turn.pass()
	}
	return tx.db, nil
}

// fail notes the error of a read. PostgreSQL does nothing more in a transaction after one.
func (tx *Tx) fail(err error) error {
	err = explain(err)
	if tx.writer != nil {
		tx.failed = err
		tx.writer.conn.noteBroken()
	}
	return err
}

// find reads one row by a condition; Missing(thing) when there is none. Text that can't be
// in the database is not asked for.
func find[M any](tx *Tx, thing, where string, args ...any) (m M, err error) {
	for _, a := range args {
		if s, ok := a.(string); ok && !validText(s) {
			return m, problem.Missing(thing)
		}
	}
	db, err := tx.rows()
	if err != nil {
		return m, err
	}
	err = db.NewSelect().Model(&m).Where(where, args...).Limit(1).Scan(tx.ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return m, problem.Missing(thing)
	}
	if err != nil {
		return m, tx.fail(fmt.Errorf("reading a %s: %w", thing, err))
	}
	return m, nil
}

// all reads every row that a query selects.
func all[M any](tx *Tx, what string, refine func(*bun.SelectQuery) *bun.SelectQuery) ([]M, error) {
	return about[M](tx, what, 0, refine)
}

// about is all, with room for as many rows as are expected: growing would copy each several times.
func about[M any](tx *Tx, what string, expected int, refine func(*bun.SelectQuery) *bun.SelectQuery) (list []M, err error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	list = slices.Grow(list, expected)
	if err := refine(db.NewSelect().Model(&list)).Scan(tx.ctx); err != nil {
		return nil, tx.fail(fmt.Errorf("reading %s: %w", what, err))
	}
	return list, nil
}

// The types of things in the feed, as stored.
const (
	itemPlan         int64 = 1
	itemTenant       int64 = 2
	itemOrganization int64 = 3
	itemRole         int64 = 4
	itemAssignments  int64 = 5 // all of one principal: "type/id"
	itemUser         int64 = 6
	itemCredential   int64 = 7

	itemApp            int64 = 8
	itemServiceAccount int64 = 9
	itemCatalog        int64 = 10 // there is one
	itemRevokedToken   int64 = 11
	itemSigningKeys    int64 = 12 // all of them, as one
)

// touch adds a row to the feed and returns its revision. Every change of what verification
// holds goes through here.
func (tx *Tx) touch(item int64, id string) (revision int64, err error) {
	if tx.failed != nil {
		return 0, tx.failed
	}
	if tx.writer == nil {
		return 0, errReadOnly
	}
	if !validText(id) {
		return 0, errText
	}
	tx.head.revision++
	if item != itemCredential && item != itemRevokedToken && item != itemSigningKeys {
		tx.head.rights = tx.head.revision
	} else if c, err := credentialID(id); err == nil {
		tx.writer.touched[c] = true
		delete(tx.writer.callers, c)
	}
	revision = int64(tx.head.revision)
	tx.late.feed = append(tx.late.feed, revision, string(tx.tenant), item, id)
	return revision, nil
}

// own checks that an object to be written belongs to this transaction's tenant.
func (tx *Tx) own(tenant tenancy.TenantID) error {
	if tx.tenant == "" {
		return errNoTenant
	}
	if tenant != tx.tenant {
		return fmt.Errorf("store: an object of tenant %q in a transaction of tenant %q", tenant, tx.tenant)
	}
	return nil
}
