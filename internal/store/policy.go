package store

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/credential"
)

// LivingFilter narrows the tenant's credentials that have not ended as of Now.
type LivingFilter struct {
	Now         time.Time
	Kind        credential.Kind // empty means any
	Longest     time.Duration   // those that end later after their making than this; 0 means any
	EndingAfter time.Time       // and later than this; zero means any
	Sealed      bool            // with a secret that can be shown again
	// IdleSince keeps active ones that were not used, made, resumed or due to begin after
	// it; zero means any. An app's that is suspended is not active.
	IdleSince time.Time
	// MadeFrom (inclusive) and MadeBefore (exclusive) are when they were made; zero means open.
	MadeFrom, MadeBefore time.Time
}

// appStopped is true of a credential whose app is not active.
const appStopped = "(kind = 'app' AND EXISTS (SELECT 1 FROM apps WHERE apps.id = c.principal_id AND apps.state <> 'active'))"

func (f LivingFilter) where(q *bun.SelectQuery) *bun.SelectQuery {
	q = q.Where("state IN ('active', 'suspended') AND deleted_at = 0 AND expires_at > ?", micros(f.Now))
	if f.Kind != "" {
		q = q.Where("kind = ?", string(f.Kind))
	}
	if f.Longest > 0 {
		q = q.Where("expires_at > created_at + ?", f.Longest.Microseconds())
	}
	if !f.EndingAfter.IsZero() {
		q = q.Where("expires_at > ?", micros(f.EndingAfter))
	}
	if f.Sealed {
		q = q.Where("EXISTS (SELECT 1 FROM credential_secrets AS s WHERE s.row_id = c.row_id AND s.sealed IS NOT NULL)")
	}
	if !f.IdleSince.IsZero() {
		at := micros(f.IdleSince)
		q = q.Where("state = 'active' AND last_used_at <= ? AND created_at <= ? AND resumed_at <= ? AND not_before <= ?", at, at, at, at).
			Where("NOT " + appStopped)
	}
	if !f.MadeFrom.IsZero() {
		q = q.Where("created_at >= ?", micros(f.MadeFrom))
	}
	if !f.MadeBefore.IsZero() {
		q = q.Where("created_at < ?", micros(f.MadeBefore))
	}
	return q
}

// LivingCredentials lists those that match, in the order of creation, limit at most.
func (tx *Tx) LivingCredentials(f LivingFilter, limit int64) ([]credential.Credential, error) {
	rows, err := all[credentialRow](tx, "credentials", func(q *bun.SelectQuery) *bun.SelectQuery {
		return f.where(tx.scope(q)).Order("row_id").Limit(limit)
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*credentialRow).credential)
}

// CountLiving counts all that match.
func (tx *Tx) CountLiving(f LivingFilter) (int64, error) {
	db, err := tx.rows()
	if err != nil {
		return 0, err
	}
	n, err := f.where(tx.scope(db.NewSelect().Model((*credentialRow)(nil)))).Count(tx.ctx)
	if err != nil {
		return 0, tx.fail(fmt.Errorf("counting credentials: %w", err))
	}
	return n, nil
}

// LivingFacts is what there is to know of a living credential for rules that the database
// cannot decide.
type LivingFacts struct {
	ID       credential.ID
	Name     string
	Networks []netip.Prefix
	Stopped  bool // it, or its app, is suspended
}

// livingPage is how many rows EachLiving reads at once.
const livingPage = 5000

// EachLiving hands out every credential that has not ended as of a time, in the order of
// creation.
func (tx *Tx) EachLiving(now time.Time, each func(LivingFacts) error) error {
	type row struct {
		RowID    int64
		ID       string
		Name     string
		Networks string
		Stopped  bool
	}
	last := int64(0)
	for {
		db, err := tx.rows()
		if err != nil {
			return err
		}
		var rows []row
		q := LivingFilter{Now: now}.where(tx.scope(db.NewSelect().Model((*credentialRow)(nil)))).
			Column("row_id", "id", "name", "networks").ColumnExpr("(state = 'suspended' OR "+appStopped+") AS stopped").
			Where("row_id > ?", last).Order("row_id").Limit(livingPage)
		if err := q.Scan(tx.ctx, &rows); err != nil {
			return tx.fail(fmt.Errorf("reading credentials: %w", err))
		}
		for _, r := range rows {
			last = r.RowID
			id, err := credentialID(r.ID)
			if err != nil {
				return err
			}
			networks, err := fromText[[]netip.Prefix](r.Networks)
			if err != nil {
				return err
			}
			if err := each(LivingFacts{ID: id, Name: r.Name, Networks: networks, Stopped: r.Stopped}); err != nil {
				return err
			}
		}
		if len(rows) < livingPage {
			return nil
		}
	}
}
