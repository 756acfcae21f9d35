package store

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// AuditAnchor is the recorded end of one tenant's chain and how far the system chain
// covers it.
type AuditAnchor struct {
	Head           audit.Head
	LinkedSequence int64 // events up to here are covered by a link of the system chain
}

type linkRow struct {
	bun.BaseModel `bun:"table:audit_links,alias:l"`

	Sequence int64
	At       int64
	Heads    string
	Previous []byte
	Hash     []byte
}

// storedHead is a head as it stands in the heads column.
type storedHead struct {
	Tenant   string
	Sequence int64
	Hash     string
}

func (r *linkRow) link() (l audit.Link, err error) {
	stored, err := fromText[[]storedHead](r.Heads)
	if err != nil {
		return l, err
	}
	l = audit.Link{Sequence: r.Sequence, At: moment(r.At), Heads: make([]audit.Head, len(stored))}
	for i, h := range stored {
		raw, err := hex.DecodeString(h.Hash)
		if err != nil {
			return l, errors.New("store: a linked hash is not hexadecimal")
		}
		hash, err := hashOf(raw)
		if err != nil {
			return l, err
		}
		l.Heads[i] = audit.Head{TenantID: tenancy.TenantID(h.Tenant), Sequence: h.Sequence, Hash: hash}
	}
	if l.Previous, err = hashOf(r.Previous); err != nil {
		return l, err
	}
	l.Hash, err = hashOf(r.Hash)
	return l, err
}

// AllTenantsAuditAnchors lists every tenant's chain, by tenant ID.
func (tx *Tx) AllTenantsAuditAnchors() ([]AuditAnchor, error) {
	rows, err := all[headRow](tx, "audit chains", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("tenant_id") })
	if err != nil {
		return nil, err
	}
	return convert(rows, func(r *headRow) (AuditAnchor, error) {
		h, err := r.head()
		return AuditAnchor{Head: h, LinkedSequence: r.Linked}, err
	})
}

// AllTenantsMovedHeads lists the chains that have grown since a link last covered them, by
// tenant ID.
func (tx *Tx) AllTenantsMovedHeads() ([]audit.Head, error) {
	rows, err := all[headRow](tx, "audit chains", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("linked < sequence").Order("tenant_id")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*headRow).head)
}

// AllTenantsLastLink is the end of the system chain; the zero Link when it is empty.
func (tx *Tx) AllTenantsLastLink() (audit.Link, error) {
	rows, err := all[linkRow](tx, "audit links", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Order("sequence DESC").Limit(1)
	})
	if err != nil || len(rows) == 0 {
		return audit.Link{}, err
	}
	return rows[0].link()
}

// AllTenantsAppendLink adds a link to the system chain and notes what it covers.
func (tx *Tx) AllTenantsAppendLink(l audit.Link) error {
	stored := make([]storedHead, len(l.Heads))
	for i, h := range l.Heads {
		stored[i] = storedHead{Tenant: string(h.TenantID), Sequence: h.Sequence, Hash: hex.EncodeToString(h.Hash[:])}
	}
	heads, err := listText(stored)
	if err != nil {
		return err
	}
	err = tx.exec("INSERT INTO audit_links (sequence, at, heads, previous, hash) VALUES (?, ?, ?, ?, ?)",
		l.Sequence, micros(l.At), heads, l.Previous[:], l.Hash[:])
	if err != nil {
		return err
	}
	for _, h := range l.Heads {
		if err := tx.exec("UPDATE audit_heads SET linked = ? WHERE tenant_id = ?", h.Sequence, string(h.TenantID)); err != nil {
			return err
		}
	}
	return nil
}

// AllTenantsLinksAfter lists at most limit links after a sequence, in order.
func (tx *Tx) AllTenantsLinksAfter(sequence int64, limit int) ([]audit.Link, error) {
	rows, err := all[linkRow](tx, "audit links", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("sequence > ?", sequence).Order("sequence").Limit(int64(limit))
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*linkRow).link)
}

// AllTenantsLinksBefore lists at most limit links before a sequence, the last one first.
func (tx *Tx) AllTenantsLinksBefore(sequence int64, limit int) ([]audit.Link, error) {
	rows, err := all[linkRow](tx, "audit links", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("sequence < ?", sequence).Order("sequence DESC").Limit(int64(limit))
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*linkRow).link)
}

// AuditLinked is the sequence of the tenant's last event that the system chain covers.
func (tx *Tx) AuditLinked() (int64, error) {
	row, err := find[headRow](tx, "audit chain", "tenant_id = ?", string(tx.tenant))
	if problem.Is(err, problem.NotFound) {
		return 0, nil
	}
	return row.Linked, err
}

// AllTenantsAuditCount is how many events there are, in all chains.
func (tx *Tx) AllTenantsAuditCount() (n int64, err error) {
	db, err := tx.rows()
	if err != nil {
		return 0, err
	}
	// A chain has no gaps, so its end is its length.
	err = db.NewSelect().Model((*headRow)(nil)).ColumnExpr("COALESCE(sum(sequence), 0)").Scan(tx.ctx, &n)
	if err != nil {
		return 0, tx.fail(fmt.Errorf("counting audit events: %w", err))
	}
	return n, nil
}
