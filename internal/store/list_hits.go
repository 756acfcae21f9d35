package store

import (
	"fmt"
	"slices"

	"github.com/uptrace/bun"
)

// rawQuery is SQL with its arguments.
type rawQuery struct {
	text string
	args []any
}

// index selects rows by one index.
type index struct {
	rawQuery

	keeps rawQuery // what is true of the rows, where a list has several indexes
	// within, when set, selects all rows that count, by another index: SQLite walks both at once,
	// in the order of row numbers, and reads no row for it.
	within *rawQuery
	// exact, when set, has what where keeps read from an index that knows all it asks for.
	exact  func(*bun.SelectQuery) *bun.SelectQuery
	covers string // an order's column that the index knows, too
}

// from selects row numbers beyond a position in reading direction, in that direction; from the
// beginning when at is nil.
func (x index) from(at *cursor, desc bool) (q rawQuery) {
	both := []rawQuery{x.rawQuery}
	if x.within != nil {
		both = append(both, *x.within)
	}
	for i, one := range both {
		if i > 0 {
			q.text += " INTERSECT "
		}
		q.text += "SELECT hit FROM (" + one.text + ") AS found"
		q.args = append(q.args, one.args...)
		if at != nil {
			q.text += " WHERE hit " + beyond(desc) + " ?"
			q.args = append(q.args, at.Row)
		}
	}
	q.text += " ORDER BY hit" + direction(desc)
	return q
}

// all selects the numbers of all rows that the index finds.
func (x index) all() rawQuery {
	if x.within == nil {
		return x.rawQuery
	}
	q := x.from(nil, false)
	q.text = "SELECT hit FROM (" + q.text + ") AS merged"
	return q
}

// found selects what indexes find.
func found(list []index, by string) rawQuery {
	all := make([]rawQuery, len(list))
	for i, x := range list {
		all[i] = x.all()
	}
	return joined(all, by)
}

func joined(list []rawQuery, by string) (q rawQuery) {
	for i, one := range list {
		if i > 0 {
			q.text += by
		}
		q.text += one.text
		q.args = append(q.args, one.args...)
	}
	return q
}

// narrows reports whether what the index finds is worth beginning with.
func (l *listing[M, T]) narrows() bool {
	return len(l.narrow) > 0 && (!l.weak || l.counted > 0 && l.hits <= someHits)
}

// narrowsExactly reports whether an index finds what where keeps and nothing else.
func (l *listing[M, T]) narrowsExactly() bool {
	return len(l.narrow) == 1 && l.narrow[0].exact != nil
}

// narrowed makes the database begin with the rows that an index finds. SQLite takes a CROSS
// JOIN as an order to do so; left to itself it would walk the order of the page.
func (l *listing[M, T]) narrowed(q *bun.SelectQuery) *bun.SelectQuery {
	if !l.narrows() {
		return q
	}
	hits := found(l.narrow, " UNION ")
	return q.ModelTableExpr("("+hits.text+") AS found CROSS JOIN ?TableName AS ?TableAlias", hits.args...).
		Where("? = hit", bun.Ident(l.rowID))
}

// merges reports whether an index is walked together with another.
func (l *listing[M, T]) merges() bool {
	return slices.ContainsFunc(l.narrow, func(x index) bool { return x.within != nil })
}

// finds reports whether there is an index, and it finds no more rows than that.
func (l *listing[M, T]) finds(tx *Tx, most int) (bool, error) {
	if len(l.narrow) == 0 {
		return false, nil
	}
	if l.counted > 0 && (l.hits <= l.counted || most <= l.counted) {
		return l.hits <= most, nil
	}
	db, err := tx.rows()
	if err != nil {
		return false, err
	}
	// Rows that are found twice count twice: to tell them apart all would have to be read.
	hits := found(l.narrow, " UNION ALL ")
	err = db.NewRaw("SELECT count(*) FROM (SELECT 1 FROM ("+hits.text+") AS found LIMIT ?) AS hits", append(hits.args, most+1)...).Scan(tx.ctx, &l.hits)
	if err != nil {
		return false, tx.fail(fmt.Errorf("looking for %s: %w", l.name, err))
	}
	l.counted = most
	return l.hits <= most, nil
}

// walkHits is walk over what stepwise indexes find instead of all rows, in the order of
// creation. It looks through a window of each index.
func (l *listing[M, T]) walkHits(tx *Tx, order sorting[M], at *cursor, desc bool, n, window int) (rows []M, whole bool, err error) {
	hits, end, more, err := l.nextHits(tx, at, desc, window)
	if err != nil || len(hits) == 0 {
		return nil, err == nil && !more, err
	}
	rows, err = all[M](tx, l.name, func(q *bun.SelectQuery) *bun.SelectQuery {
		// These rows, and none by another index.
		q = q.ModelTableExpr("?TableName AS ?TableAlias NOT INDEXED")
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
		q := index.from(at, desc)
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
