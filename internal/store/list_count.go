package store

import (
	"fmt"

	"github.com/uptrace/bun"
)

// countWindow is how many rows are looked through for the total at first, fewWindow how many
// where an index gives what it finds one by one.
const countWindow, fewWindow = 3000, 500

// countOrMore is count, unless there are known to be more than it would count.
func (l *listing[M, T]) countOrMore(tx *Tx) (int64, error) {
	if l.least != nil {
		if n, err := l.least(); err != nil || n > fewHits {
			return CountLimit + 1, err
		}
	}
	return l.count(tx)
}

// count counts all matches: exactly where an index finds few, otherwise not beyond
// CountLimit+1.
func (l *listing[M, T]) count(tx *Tx) (int64, error) {
	if l.known != nil {
		if *l.known > fewHits {
			return CountLimit + 1, nil
		}
		return *l.known, nil
	}
	if l.narrowsExactly() {
		if few, err := l.finds(tx, fewHits); err != nil || few {
			return int64(l.hits), err
		}
		return CountLimit + 1, nil
	}
	if l.apart != nil {
		return l.countApart(tx)
	}
	if !l.bulky && !l.merges() {
		few, err := l.finds(tx, fewHits)
		if err != nil {
			return 0, err
		}
		if few {
			return l.countWhole(tx)
		}
	}
	// SQLite's index gives what it finds one by one, so that little is won by looking first.
	window, lazy := countWindow, tx.store.db.engine == engineSQLite
	if lazy {
		window = fewWindow
	}
	if lazy && (len(l.narrow) > 1 || l.merges()) {
		return l.countHits(tx)
	}
	if l.planned(tx) {
		return l.countSome(tx, l.filtered, CountLimit)
	}
	found, seen, err := l.countNear(tx, window)
	if err != nil || found > CountLimit || seen < int64(window) {
		return min(found, CountLimit+1), err
	}
	matching, most := l.filtered, CountLimit
	// Where one in 25 or more matches, walking finds enough sooner than PostgreSQL's index, which
	// finds all before the first; one in five, and it does than SQLite's.
	switch {
	case found*25 < seen || lazy && found*5 < seen:
		matching = func(q *bun.SelectQuery) *bun.SelectQuery { return l.narrowed(l.filtered(q)) }
		if l.bulky {
			most = fewHits
		}
	case l.scarce:
		// PostgreSQL would combine two indexes for it, and walks only if it is told how far.
		db, err := tx.rows()
		if err != nil {
			return 0, err
		}
		window = int(3 * CountLimit * seen / found / 2)
		some, err := l.countSome(tx, func(*bun.SelectQuery) *bun.SelectQuery {
			return l.within(db, sorting[M]{}, nil, false, window)
		}, CountLimit)
		if err != nil || some > CountLimit {
			return some, err
		}
	}
	return l.countSome(tx, matching, most)
}

// countSome counts what matches: exactly if that isn't more than most, else CountLimit+1.
func (l *listing[M, T]) countSome(tx *Tx, matching func(*bun.SelectQuery) *bun.SelectQuery, most int) (n int64, err error) {
	db, err := tx.rows()
	if err != nil {
		return 0, err
	}
	some := matching(db.NewSelect().Model((*M)(nil))).ColumnExpr("1").Limit(int64(most + 1))
	if err := db.NewSelect().TableExpr("(?) AS found", some).ColumnExpr("count(*)").Scan(tx.ctx, &n); err != nil {
		return 0, tx.fail(fmt.Errorf("counting %s: %w", l.name, err))
	}
	if n > int64(most) {
		n = CountLimit + 1
	}
	return n, nil
}

// countWhole counts all matches, however many.
func (l *listing[M, T]) countWhole(tx *Tx) (int64, error) {
	db, err := tx.rows()
	if err != nil {
		return 0, err
	}
	q := l.filtered(db.NewSelect().Model((*M)(nil)))
	switch {
	case l.narrowsExactly():
		q = l.narrow[0].exact(q)
	case !l.planned(tx):
		q = l.narrowed(q)
	}
	n, err := q.Count(tx.ctx)
	if err != nil {
		return 0, tx.fail(fmt.Errorf("counting %s: %w", l.name, err))
	}
	return n, nil
}

// countNear counts matches among the first rows in the order of creation.
func (l *listing[M, T]) countNear(tx *Tx, window int) (found, seen int64, err error) {
	db, err := tx.rows()
	if err != nil {
		return 0, 0, err
	}
	near := l.columns(db.NewSelect().Model((*M)(nil))).OrderExpr("?", bun.Ident(l.rowID)).Limit(int64(window))
	if l.scope != nil {
		near = l.scope(near)
	}
	q := db.NewSelect().TableExpr("(?) AS near", near).ColumnExpr("count(*) AS seen")
	if l.where == nil {
		q = q.ColumnExpr("count(*) AS found")
	} else {
		// What matches is told by the conditions alone, which bun only puts after WHERE.
		q = q.ColumnExpr("(SELECT count(*) FROM (?) AS matching) AS found", l.where(db.NewSelect().TableExpr("(?) AS near", near).ColumnExpr("1")).Limit(CountLimit+1))
	}
	var row struct{ Seen, Found int64 }
	if err := q.Scan(tx.ctx, &row); err != nil {
		return 0, 0, tx.fail(fmt.Errorf("counting %s: %w", l.name, err))
	}
	return row.Found, row.Seen, nil
}

func (l *listing[M, T]) filtered(q *bun.SelectQuery) *bun.SelectQuery {
	if l.scope != nil {
		q = l.scope(q)
	}
	if l.where != nil {
		q = l.where(q)
	}
	return q
}

// countApart counts matches in lists that may overlap, of each those that none before has: exactly
// if there are few, otherwise not beyond CountLimit+1.
func (l *listing[M, T]) countApart(tx *Tx) (n int64, err error) {
	for i := range l.apart {
		one := l.apart[i]
		one.where = func(q *bun.SelectQuery) *bun.SelectQuery {
			q = l.apart[i].where(q)
			for _, before := range l.narrow[:i] {
				q = q.Where("("+before.keeps.text+") IS NOT TRUE", before.keeps.args...)
			}
			return q
		}
		some, err := one.countPart(tx, i > 0)
		if err != nil {
			return 0, err
		}
		if n += some; some == CountLimit+1 || n > fewHits {
			return CountLimit + 1, nil
		}
	}
	return n, nil
}

// countPart counts the matches of one of several lists. Names' indexes find little, or one after another.
func (l *listing[M, T]) countPart(tx *Tx, named bool) (int64, error) {
	if !named {
		return l.count(tx)
	}
	return l.countSome(tx, func(q *bun.SelectQuery) *bun.SelectQuery { return l.narrowed(l.filtered(q)) }, fewHits)
}

// countHits counts matches among what several indexes find, up to CountLimit+1: of each index
// those that none before has. To tell apart what is found twice, SQLite would find everything first.
func (l *listing[M, T]) countHits(tx *Tx) (n int64, err error) {
	db, err := tx.rows()
	if err != nil {
		return 0, err
	}
	one := *l
	for i := 0; i < len(l.narrow) && n <= CountLimit; i++ {
		one.narrow = l.narrow[i : i+1]
		q := one.narrowed(l.filtered(db.NewSelect().Model((*M)(nil)))).ColumnExpr("1").Limit(CountLimit + 1 - n)
		// An index may find what only another's condition is true of.
		q = q.Where("("+l.narrow[i].keeps.text+")", l.narrow[i].keeps.args...)
		for _, before := range l.narrow[:i] {
			q = q.Where("("+before.keeps.text+") IS NOT TRUE", before.keeps.args...)
		}
		var some int64
		if err := db.NewSelect().TableExpr("(?) AS found", q).ColumnExpr("count(*)").Scan(tx.ctx, &some); err != nil {
			return 0, tx.fail(fmt.Errorf("counting %s: %w", l.name, err))
		}
		n += some
	}
	return n, nil
}
