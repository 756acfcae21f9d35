package store

import (
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/credential"
)

// group is all rows with one value of a looked-up order.
type group struct {
	key   string
	where func(*bun.SelectQuery) *bun.SelectQuery
}

// grouping tells the groups within a bound in an order, a batch of them, and whether there
// are more. The bound compares a value with a text; no text bounds nothing.
type grouping func(tx *Tx, bound rawQuery, desc bool) (list []group, more bool, err error)

const (
	// groupBatch is how many things are named at once.
	groupBatch = 100
	// mostGroups is how many groups are read for one page before all that matches is sorted
	// instead: most of them seem to have no row that matches.
	mostGroups = 400
)

// grouped puts a page together from the groups in their order, each by an index. It is not
// whole when too many of them have nothing for it.
func (l *listing[M, T]) grouped(tx *Tx, order sorting[M], at *cursor, desc bool, n int) (rows []M, whole bool, err error) {
	sign := ">"
	if desc {
		sign = "<"
	}
	var bound rawQuery
	if at != nil {
		bound = rawQuery{sign + "= ?", []any{at.Key.Text}}
	}
	for read := 0; read < mostGroups; {
		list, more, err := order.groups(tx, bound, desc)
		if err != nil {
			return nil, false, err
		}
		for _, g := range list {
			found, err := l.group(tx, g, at, desc, n-len(rows))
			if err != nil {
				return nil, false, err
			}
			if rows = append(rows, found...); len(rows) >= n {
				return rows, true, nil
			}
		}
		if !more {
			return rows, true, nil
		}
		read += len(list)
		bound = rawQuery{sign + " ?", []any{list[len(list)-1].key}}
	}
	return nil, false, nil
}

// group reads the rows of one group, in the order of creation.
func (l *listing[M, T]) group(tx *Tx, g group, at *cursor, desc bool, n int) ([]M, error) {
	return all[M](tx, l.name, func(q *bun.SelectQuery) *bun.SelectQuery {
		q = l.where(g.where(q.ColumnExpr("?TableColumns").ColumnExpr("CAST(? AS TEXT) AS sort_key", g.key)))
		direction, sign := " ASC", ">"
		if desc {
			direction, sign = " DESC", "<"
		}
		if at != nil && at.Key.Text == g.key {
			q = q.Where("? "+sign+" ?", bun.Ident(l.rowID), at.Row)
		}
		return q.OrderExpr("?"+direction, bun.Ident(l.rowID)).Limit(int64(n))
	})
}

// called is a thing with its name as orders have it.
type called struct{ ID, Key string }

// named reads things of a table in the order of their names, always all that share one.
func (tx *Tx) named(table, name string, bound rawQuery, desc bool) (list []called, more bool, err error) {
	db, err := tx.rows()
	if err != nil {
		return nil, false, err
	}
	of := func() *bun.SelectQuery {
		return db.NewSelect().TableExpr(table).ColumnExpr("id, "+name+" AS key").Where("tenant_id = ?", string(tx.tenant))
	}
	q := of()
	if bound.text != "" {
		q = q.Where(name+" "+bound.text, bound.args...)
	}
	direction := " ASC"
	if desc {
		direction = " DESC"
	}
	if err := q.OrderExpr(name+direction).Limit(groupBatch).Scan(tx.ctx, &list); err != nil {
		return nil, false, tx.fail(fmt.Errorf("reading names of %s: %w", table, err))
	}
	if len(list) < groupBatch {
		return list, false, nil
	}
	last := list[len(list)-1].Key
	list = slices.DeleteFunc(list, func(c called) bool { return c.Key == last })
	var alike []called
	if err := of().Where(name+" = ?", last).Scan(tx.ctx, &alike); err != nil {
		return nil, false, tx.fail(fmt.Errorf("reading names of %s: %w", table, err))
	}
	return append(list, alike...), true, nil
}

// gather makes groups of what has one name, in order. The column names the thing.
func (tx *Tx) gather(list []called, column string, desc bool) (out []group) {
	ids := map[string][]string{}
	var keys []string
	for _, c := range list {
		if ids[c.Key] == nil {
			keys = append(keys, c.Key)
		}
		ids[c.Key] = append(ids[c.Key], c.ID)
	}
	slices.Sort(keys)
	if desc {
		slices.Reverse(keys)
	}
	for _, key := range keys {
		out = append(out, group{key, func(q *bun.SelectQuery) *bun.SelectQuery {
			q = tx.beside(q)
			if len(ids[key]) == 1 {
				return q.Where(column+" = ?", ids[key][0])
			}
			return q.Where(column+" IN (?)", bun.List(ids[key]))
		}})
	}
	return out
}

// byOrganization groups credentials by the name of their organization.
func byOrganization(tx *Tx, bound rawQuery, desc bool) ([]group, bool, error) {
	list, more, err := tx.named("organizations", "name_key", bound, desc)
	return tx.gather(list, "organization_id", desc), more, err
}

// userShown is what users are sorted by: the display name, or else the user name.
const userShown = "CASE name_key WHEN '' THEN folded ELSE name_key END"

// byOwner groups credentials by what their owner is called. Those of owners that orders
// have no name for are one group, the first.
func byOwner(f CredentialFilter) grouping {
	var programs bool // may own some
	nameless := func(tx *Tx) group {
		return group{"", func(q *bun.SelectQuery) *bun.SelectQuery {
			return others(f).whereRare(tx.scope(q)).Where("kind <> 'user_key' AND principal_type NOT IN ('user', 'app', 'service_account')")
		}}
	}
	for _, k := range f.Kinds {
		programs = programs || k == credential.App || k == credential.ServiceAccountKey
	}
	programs = programs || len(f.Kinds) == 0
	return func(tx *Tx, bound rawQuery, desc bool) ([]group, bool, error) {
		list, more, err := tx.namedOwners(programs, bound, desc)
		if err != nil {
			return nil, false, err
		}
		out := tx.gather(list, "principal_id", desc)
		first := bound.text == "" || bound.text == ">= ?" && bound.args[0] == ""
		switch {
		case desc && !more:
			out = append(out, nameless(tx))
		case !desc && first:
			out = slices.Insert(out, 0, nameless(tx))
		}
		return out, more, nil
	}
}

// others is the filter without keys of users, for the index that the other kinds have.
func others(f CredentialFilter) CredentialFilter {
	f.States = nil
	f.Kinds = slices.DeleteFunc(slices.Clone(f.Kinds), func(k credential.Kind) bool { return k == credential.UserKey })
	return f
}

// namedOwners reads users, and apps and service accounts if they count, in the order of
// what they are called.
func (tx *Tx) namedOwners(programs bool, bound rawQuery, desc bool) (list []called, more bool, err error) {
	tables := []struct{ of, name string }{{"users", userShown}}
	if programs {
		tables = append(tables, []struct{ of, name string }{{"apps", "name_key"}, {"service_accounts", "email_key"}}...)
	}
	var ends []string // of tables that have more
	for _, t := range tables {
		some, further, err := tx.named(t.of, t.name, bound, desc)
		if err != nil {
			return nil, false, err
		}
		if further {
			ends = append(ends, some[len(some)-1].Key)
		}
		list = append(list, some...)
	}
	if len(ends) == 0 {
		return list, false, nil
	}
	// Beyond the nearest end, names of that table would be missing.
	slices.Sort(ends)
	end := ends[0]
	if desc {
		end = ends[len(ends)-1]
	}
	list = slices.DeleteFunc(list, func(c called) bool { return !desc && c.Key > end || desc && c.Key < end })
	return list, true, nil
}
