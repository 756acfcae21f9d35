package store

import (
	"fmt"

	"github.com/uptrace/bun"
)

// walkHits is walk over what the indexes find instead of all rows, for the order of creation
// on SQLite: its indexes give what they find in that order, one by one. It looks through a
// window of each index.
func (l *listing[M, T]) walkHits(tx *Tx, order sorting[M], at *cursor, desc bool, n, window int) (rows []M, whole bool, err error) {
	hits, end, more, err := l.nextHits(tx, at, desc, window)
	if err != nil || len(hits) == 0 {
		return nil, err == nil && !more, err
	}
	rows, err = all[M](tx, l.name, func(q *bun.SelectQuery) *bun.SelectQuery {
		q = l.where(l.from(q, order, at, desc)).Where("? IN (?)", bun.Ident(l.rowID), bun.List(hits)).Limit(int64(n))
		if more {
			// Beyond the nearest end of a window, hits of that index would be missing.
			q = q.Where("? "+beyond(!desc)+"= ?", bun.Ident(l.rowID), end)
		}
		return q
	})
	return rows, err == nil && (len(rows) >= n || !more), err
}

// nextHits are the next row numbers that each index finds, whether any has more, and the
// number up to which all are known if so.
func (l *listing[M, T]) nextHits(tx *Tx, at *cursor, desc bool, window int) (hits []int64, end int64, more bool, err error) {
	db, err := tx.rows()
	if err != nil {
		return nil, 0, false, err
	}
	for _, index := range l.narrow {
		q := index.beyond(at, desc)
		var some []int64
		if err := db.NewRaw(q.text+" LIMIT ?", append(q.args, window)...).Scan(tx.ctx, &some); err != nil {
			return nil, 0, false, tx.fail(fmt.Errorf("looking for %s: %w", l.name, err))
		}
		if len(some) == window {
			last := some[window-1]
			switch {
			case !more:
				end = last
			case desc:
				end = max(end, last)
			default:
				end = min(end, last)
			}
			more = true
		}
		hits = append(hits, some...)
	}
	return hits, end, more, nil
}

// beyond compares with a position in reading direction.
func beyond(desc bool) string {
	if desc {
		return "<"
	}
	return ">"
}
