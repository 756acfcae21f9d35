package store

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
)

// Page asks for one page of a list.
type Page struct {
	// Limit is the most items wanted: 0 means 50; at most MaxLimit.
	Limit int
	// Cursor is List.Next or List.Previous of an earlier answer with the same filter and
	// sort; empty means the first page. Any other is an Invalid problem for "query.cursor".
	Cursor string
	// Sort names an order; empty means the list's first. One that the list doesn't have is
	// an Invalid problem for "query.sort".
	Sort string
	// Desc turns the order round.
	Desc bool
	// Uncounted leaves out List.Total, which costs as much as the page where nothing keeps it.
	Uncounted bool
}

const (
	// MaxLimit is the largest page.
	MaxLimit = 1000
	// CountLimit is how far List.Total counts where the database keeps no count of it:
	// CountLimit+1 means more.
	CountLimit = 1000

	defaultLimit = 50
	// nearWindow is how many rows in the order of the page are looked through with the filter
	// at first: enough for filters that match much. farWindow is how many are when an index
	// finds no fewer.
	nearWindow = 400
	farWindow  = 30_000
	// fewHits is how many rows that an index finds are read and sorted for one page, someHits
	// how many are when midWindow wasn't enough.
	fewHits   = 5000
	someHits  = 30_000
	midWindow = 6000
)

// List is one page of a list. Pages are by position in the order, not by number: what is
// added or removed meanwhile neither repeats nor hides an item.
type List[T any] struct {
	Items    []T
	Next     string // cursor of the page after; empty means there is none
	Previous string // cursor of the page before; empty means there is none
	// Total is how many items all pages have. Of credentials it is exact for filters by kind,
	// state, level and organization, and where one index finds few; otherwise it may be counted
	// up to CountLimit only, and CountLimit+1 means more.
	Total int64
}

// listing describes a list: rows of M shown as items of T.
type listing[M, T any] struct {
	name   string // tells cursors of different lists apart
	filter string // tells cursors of different filters apart
	sorts  []sorting[M]
	row    func(*M) int64 // the row's own number, which makes every order total
	rowID  string         // its column; empty means row_id
	scope  func(*bun.SelectQuery) *bun.SelectQuery
	where  func(*bun.SelectQuery) *bun.SelectQuery
	// narrow, when set, selects the numbers of all rows that where keeps, as "hit", and few
	// others, by an index. It is the way when few rows match.
	narrow   []index               // a row may be found by several
	hits     int                   // how many narrow finds, up to counted+1
	counted  int                   // how far hits were counted; 0 means not yet
	weak     bool                  // narrow is worth it only when it finds few
	stepwise bool                  // narrow finds one by one, in the order of creation
	bulky    bool                  // narrow finds all at once, so that it costs much where it finds much
	walked   bool                  // what is near was looked through already
	scarce   bool                  // scope is for little, by an index that PostgreSQL combines with narrow's
	total    func() (int64, error) // tells how many there are without counting; nil when nobody knows
	least    func() (int64, error) // tells without counting how many there are at least; nil when nobody knows
	// many, when set, reads from a row how many match, which a page by one index may find out by the
	// way: all that it finds at once was read for it. known is what it found out.
	many  func(*M) int64
	known *int64
	// parts, when set, are the scopes of parts that make up what where keeps: pages in an order
	// that is parted are put together from their beginnings.
	parts  []func(*bun.SelectQuery) *bun.SelectQuery
	halved bool // no index has what all parts have, so that there is nothing to look through first
	// apart, when set, are lists that make up what where keeps, each by its own index; some rows
	// are in several. Pages in the order of creation are put together from theirs, and totals.
	apart  []listing[M, T]
	hidden []string // columns that where needs and items don't show
	bare   []string // the columns that items show; nil means all

	collation string // for the row number of a cursor, as the engine wants it
	item      func(*M) (T, error)
}

// sorting is one order of a list. Without a column it is by row number alone, which is the
// order of creation.
type sorting[M any] struct {
	name   string
	column string
	// looked, when set, is SQL for a text of another table; the row reads it as column.
	// There is no index for such an order: pages come from groups, or all that match are sorted.
	looked string
	groups grouping // with looked; nil when there are no indexes for them
	// only, when set, adds a condition that where has, too, for an index that has the order.
	only   func(*bun.SelectQuery) *bun.SelectQuery
	parted bool // there is an index for each part
	// bounded tells that the order begins and ends with what the filter keeps.
	bounded bool
	key     func(*M) sortKey
}

// sortKey is a value of a sort column; which field counts depends on the column.
type sortKey struct {
	Text   string
	Number int64
	number bool
}

func (k sortKey) value() any {
	if k.number {
		return k.Number
	}
	return k.Text
}

// cursor is a position in a list, as it travels.
type cursor struct {
	List   uint64 // of list, tenant, filter and sort, so that it fits no other
	Key    sortKey
	Row    int64
	Before bool // the page that ends here; otherwise the one that begins here
}

func (c cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		return "" // strings and numbers always encode
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

var errCursor = problem.InvalidField("query.cursor", "Use a cursor from an answer to the same query, or none for the first page.")

func parseCursor(text string, list uint64) (c cursor, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return c, errCursor
	}
	if err := json.Unmarshal(b, &c); err != nil || c.List != list || !validText(c.Key.Text) {
		return c, errCursor
	}
	return c, nil
}

// list reads one page.
func list[M, T any](tx *Tx, l listing[M, T], p Page) (out List[T], err error) {
	if l.rowID == "" {
		l.rowID = "row_id"
	}
	limit, order, err := l.check(p)
	if err != nil {
		return out, err
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00%v", l.name, tx.tenant, l.filter, order.name, p.Desc)
	id := h.Sum64()
	if tx.store.db.engine == engineSQLite {
		// Without it SQLite doesn't see that the number of a row compares as in an index.
		l.collation = " COLLATE BINARY"
	}
	var at *cursor
	if p.Cursor != "" {
		c, err := parseCursor(p.Cursor, id)
		if err != nil {
			return out, err
		}
		c.Key.number = order.isNumber()
		at = &c
	}
	rows, err := l.page(tx, order, at, p.Desc, limit+1)
	if err != nil {
		return out, err
	}
	out, err = l.shape(rows, order, at, id, limit)
	if err != nil {
		return out, err
	}
	if at == nil && out.Next == "" {
		out.Total = int64(len(out.Items))
		return out, nil
	}
	switch {
	case p.Uncounted:
	case l.total != nil:
		out.Total, err = l.total()
	default:
		out.Total, err = l.countOrMore(tx)
	}
	return out, err
}

func (o sorting[M]) isNumber() bool {
	var m M
	return o.key != nil && o.key(&m).number
}

func (l *listing[M, T]) check(p Page) (limit int, order sorting[M], err error) {
	limit = p.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	if limit < 0 || limit > MaxLimit {
		return 0, order, problem.InvalidField("query.limit", fmt.Sprintf("Ask for 1 to %d items.", MaxLimit))
	}
	if p.Sort == "" {
		return limit, l.sorts[0], nil
	}
	i := slices.IndexFunc(l.sorts, func(s sorting[M]) bool { return s.name == p.Sort })
	if i < 0 {
		return 0, order, problem.InvalidField("query.sort", "The list has no such order.")
	}
	return limit, l.sorts[i], nil
}

// page reads up to n rows from a cursor on, in the direction of reading.
func (l *listing[M, T]) page(tx *Tx, order sorting[M], at *cursor, desc bool, n int) ([]M, error) {
	backwards := at != nil && at.Before
	if l.where == nil {
		return all[M](tx, l.name, func(q *bun.SelectQuery) *bun.SelectQuery {
			return l.from(q, order, at, desc != backwards).Limit(int64(n))
		})
	}
	if order.looked != "" {
		if rows, whole, err := l.fromGroups(tx, order, at, desc != backwards, n); err != nil || whole {
			return rows, err
		}
		return all[M](tx, l.name, func(q *bun.SelectQuery) *bun.SelectQuery {
			q = q.ColumnExpr("?TableColumns").ColumnExpr(order.looked+" AS ?", bun.Ident(order.column))
			return l.narrowed(l.where(l.from(q, order, at, desc != backwards))).Limit(int64(n))
		})
	}
	// First what is near in the order. Then whatever an index finds, if that is little; if it is
	// much, some of it will be found by looking further.
	desc = desc != backwards
	if l.narrowsExactly() && !order.bounded {
		return l.exactly(tx, order, at, desc, n)
	}
	if l.halved && order.parted {
		return l.merged(tx, order, at, desc, n)
	}
	near := l.walk
	if l.stepwise && order.column == "" {
		near = l.walkHits
	}
	rows, whole, err := near(tx, order, at, desc, n, nearWindow)
	if err != nil || whole {
		return rows, err
	}
	if l.parts != nil && order.parted {
		return l.merged(tx, order, at, desc, n)
	}
	if l.apart != nil && order.column == "" {
		return l.together(tx, order, at, desc, n)
	}
	return l.far(tx, order, at, desc, n)
}

// far is a page of which nearly nothing is near.
func (l *listing[M, T]) far(tx *Tx, order sorting[M], at *cursor, desc bool, n int) ([]M, error) {
	if rows, whole, err := l.further(tx, order, at, desc, n); err != nil || whole {
		return rows, err
	}
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	hits := l.place(l.where(l.from(db.NewSelect().Model((*M)(nil)), order, at, desc)), order)
	if !l.planned(tx) && !l.fewKnown(tx) || !l.narrows() {
		return l.picked(tx, order, desc, l.narrowed(hits).Limit(int64(n)))
	}
	// Where all that match are few PostgreSQL finds them best by itself, unless it is told how many
	// are wanted: OFFSET hides that from it.
	found := db.NewSelect().TableExpr("(? OFFSET 0) AS found", hits).ColumnExpr("*")
	if l.bulky && l.many != nil && at == nil {
		return l.told(tx, order, desc, l.ordered(found, order, desc).Limit(int64(n)))
	}
	return l.picked(tx, order, desc, l.ordered(found, order, desc).Limit(int64(n)))
}

// told is picked for the first page of what an index finds all at once. It tells how many match, too.
func (l *listing[M, T]) told(tx *Tx, order sorting[M], desc bool, places *bun.SelectQuery) ([]M, error) {
	rows, err := l.pickedWith(tx, order, desc, places.ColumnExpr("count(*) OVER () AS many"), "picked.many")
	if err != nil {
		return nil, err
	}
	l.known = new(int64)
	if len(rows) > 0 {
		*l.known = l.many(&rows[0])
	}
	return rows, nil
}

// exactly is a page of what an exact index finds, without looking at rows where the index knows
// the order, too.
func (l *listing[M, T]) exactly(tx *Tx, order sorting[M], at *cursor, desc bool, n int) ([]M, error) {
	if rows, whole, err := l.further(tx, order, at, desc, n); err != nil || whole {
		return rows, err
	}
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	hits := l.place(l.from(db.NewSelect().Model((*M)(nil)), order, at, desc), order)
	if exact := l.narrow[0]; order.column == "" || order.column == exact.covers {
		hits = exact.exact(l.where(hits))
	} else {
		hits = l.narrowed(hits)
	}
	return l.picked(tx, order, desc, hits.Limit(int64(n)))
}

// planned reports whether to leave it to the database which index to begin with.
func (l *listing[M, T]) planned(tx *Tx) bool {
	return tx.store.db.engine == enginePostgres && !l.bulky
}

// fewKnown reports whether one index is known to find little, and PostgreSQL would use it.
func (l *listing[M, T]) fewKnown(tx *Tx) bool {
	return tx.store.db.engine == enginePostgres && len(l.narrow) == 1 && l.counted > 0 && l.hits <= someHits
}

// further looks for a page beyond what is near, as long as an index would find more than that.
func (l *listing[M, T]) further(tx *Tx, order sorting[M], at *cursor, desc bool, n int) (rows []M, whole bool, err error) {
	for i, step := range []struct{ hits, window int }{{fewHits, midWindow}, {someHits, farWindow}} {
		// To ask an index that finds all at once costs more than to look a little further first.
		switch {
		case i == 0 && l.walked:
			continue
		case i > 0 && l.bulky && l.scarce:
			return nil, false, nil
		case i > 0 || !l.bulky:
			if few, err := l.finds(tx, step.hits); err != nil || few {
				return nil, err == nil && l.hits == 0, err
			}
		}
		if rows, whole, err = l.walk(tx, order, at, desc, n, step.window); err != nil || whole {
			return rows, whole, err
		}
	}
	return nil, false, nil
}

// fromGroups is a page in a looked-up order, unless so little matches that it is better sorted.
func (l *listing[M, T]) fromGroups(tx *Tx, order sorting[M], at *cursor, desc bool, n int) (rows []M, whole bool, err error) {
	if order.groups == nil {
		return nil, false, nil
	}
	few, err := l.finds(tx, fewHits)
	if err != nil || few {
		return nil, false, err
	}
	return l.grouped(tx, order, at, desc, n)
}

// walk looks through a window of rows in the order of the page. What it found is the whole
// page when there is enough of it, or nothing more to look through.
func (l *listing[M, T]) walk(tx *Tx, order sorting[M], at *cursor, desc bool, n, window int) (rows []M, whole bool, err error) {
	db, err := tx.rows()
	if err != nil {
		return nil, false, err
	}
	if tx.store.db.engine == enginePostgres {
		rows, err = l.picked(tx, order, desc, l.within(db, order, at, desc, window).Limit(int64(n)))
		if err != nil || len(rows) >= n {
			return rows, err == nil, err
		}
		end, err := l.end(tx, order, at, desc, window)
		return rows, err == nil && end == nil, err
	}
	end, err := l.end(tx, order, at, desc, window)
	if err != nil {
		return nil, false, err
	}
	// Conditions in a query of their own are asked of each row, and no other index is looked for.
	near := l.from(db.NewSelect().Model((*M)(nil)), order, at, desc).Where("EXISTS (?)", l.where(db.NewSelect().ColumnExpr("1")))
	if end != nil {
		near = l.beyond(near, order, beyond(!desc)+"=", *end)
	}
	rows, err = l.picked(tx, order, desc, l.place(near, order).Limit(int64(n)))
	return rows, err == nil && (len(rows) >= n || end == nil), err
}

// end is where a window ends, found by the order's index alone; nil when there are fewer rows.
func (l *listing[M, T]) end(tx *Tx, order sorting[M], at *cursor, desc bool, window int) (*cursor, error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var ends []M
	err = l.place(l.from(db.NewSelect().Model(&ends), order, at, desc), order).Offset(int64(window - 1)).Limit(1).Scan(tx.ctx)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("reading %s: %w", l.name, err))
	}
	if len(ends) == 0 {
		return nil, nil
	}
	c := l.position(order, &ends[0])
	return &c, nil
}

// within selects the places of what matches in a window. PostgreSQL reads a query with a limit
// as it is, row by row as long as they are wanted. To a position within many equal values it
// wouldn't stop: its indexes know such an end by the first column alone.
func (l *listing[M, T]) within(db bun.IDB, order sorting[M], at *cursor, desc bool, window int) *bun.SelectQuery {
	near := l.columns(l.from(db.NewSelect().Model((*M)(nil)), order, at, desc)).Limit(int64(window))
	return l.ordered(l.place(l.where(db.NewSelect().TableExpr("(?) AS near", near)), order), order, desc)
}

// columns selects all that conditions may ask for.
func (l *listing[M, T]) columns(q *bun.SelectQuery) *bun.SelectQuery {
	q = q.ColumnExpr("?TableColumns")
	for _, column := range l.hidden {
		q = q.Column(column)
	}
	return q
}

// merged reads the beginning of each part and puts them together.
func (l *listing[M, T]) merged(tx *Tx, order sorting[M], at *cursor, desc bool, n int) (rows []M, err error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var parts rawQuery
	of := *l
	for i, part := range l.parts {
		of.scope = part
		if i > 0 {
			parts.text += " UNION ALL "
		}
		parts.text += "SELECT * FROM (?) AS part"
		parts.args = append(parts.args, of.place(l.where(of.from(db.NewSelect().Model((*M)(nil)), order, at, desc)), order).Limit(int64(n)))
	}
	together := db.NewSelect().TableExpr("("+parts.text+") AS parts", parts.args...).ColumnExpr("*")
	return l.picked(tx, order, desc, l.ordered(together, order, desc).Limit(int64(n)))
}

// together is a page in the order of creation, put together from lists that may overlap.
func (l *listing[M, T]) together(tx *Tx, order sorting[M], at *cursor, desc bool, n int) ([]M, error) {
	rows, whole, err := l.walk(tx, order, at, desc, n, midWindow)
	if err != nil || whole {
		return rows, err
	}
	for i := range l.apart {
		some, err := l.apart[i].far(tx, order, at, desc, n)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	slices.SortFunc(rows, func(a, b M) int {
		if desc {
			a, b = b, a
		}
		return cmp.Compare(l.row(&a), l.row(&b))
	})
	rows = slices.CompactFunc(rows, func(a, b M) bool { return l.row(&a) == l.row(&b) })
	return rows[:min(len(rows), n)], nil
}

// place selects of a row only what it is ordered by: rows are read whole once it is known
// which ones are wanted.
func (l *listing[M, T]) place(q *bun.SelectQuery, order sorting[M]) *bun.SelectQuery {
	if order.column != "" {
		q = q.Column(order.column)
	}
	return q.Column(l.rowID)
}

// picked reads the rows whose places a query selects, in order.
func (l *listing[M, T]) picked(tx *Tx, order sorting[M], desc bool, places *bun.SelectQuery) ([]M, error) {
	return l.pickedWith(tx, order, desc, places)
}

// pickedWith is picked, with more columns than the rows' own.
func (l *listing[M, T]) pickedWith(tx *Tx, order sorting[M], desc bool, places *bun.SelectQuery, more ...string) (rows []M, err error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	q := db.NewSelect().Model(&rows).ModelTableExpr("(?) AS picked CROSS JOIN ?TableName AS ?TableAlias", places).
		Where("?TableAlias.? = picked.?", bun.Ident(l.rowID), bun.Ident(l.rowID))
	if l.bare == nil {
		q = q.ColumnExpr("?TableColumns")
	}
	for _, column := range more {
		q = q.ColumnExpr(column)
	}
	for _, column := range l.bare {
		q = q.ColumnExpr("?TableAlias.?", bun.Ident(column))
	}
	if l.scope != nil {
		q = l.scope(q) // some rows are numbered by tenant
	}
	if err := l.orderedOf(q, "picked.", order, desc).Scan(tx.ctx); err != nil {
		return nil, tx.fail(fmt.Errorf("reading %s: %w", l.name, err))
	}
	return rows, nil
}

// from is the scope from a cursor on, in order.
func (l *listing[M, T]) from(q *bun.SelectQuery, order sorting[M], at *cursor, desc bool) *bun.SelectQuery {
	if l.scope != nil {
		q = l.scope(q)
	}
	if order.only != nil {
		q = order.only(q)
	}
	if at != nil {
		q = l.beyond(q, order, beyond(desc), *at)
	}
	return l.ordered(q, order, desc)
}

// beyond keeps what compares so with a position in the order.
func (l *listing[M, T]) beyond(q *bun.SelectQuery, order sorting[M], sign string, at cursor) *bun.SelectQuery {
	switch {
	case order.column == "":
		return q.Where("? "+sign+" ?", bun.Ident(l.rowID), at.Row)
	case order.looked != "":
		return q.Where("("+order.looked+", ?) "+sign+" (?, ?)", bun.Ident(l.rowID), at.Key.value(), at.Row)
	default:
		return q.Where("(?, ?) "+sign+" (?, ?"+l.collation+")", bun.Ident(order.column), bun.Ident(l.rowID), at.Key.value(), at.Row)
	}
}

// position is where a row is in the order.
func (l *listing[M, T]) position(order sorting[M], r *M) cursor {
	c := cursor{Row: l.row(r)}
	if order.key != nil {
		c.Key = order.key(r)
	}
	return c
}

func (l *listing[M, T]) ordered(q *bun.SelectQuery, order sorting[M], desc bool) *bun.SelectQuery {
	return l.orderedOf(q, "", order, desc)
}

// orderedOf is ordered by the columns of one of several tables; of is its name with a dot.
func (l *listing[M, T]) orderedOf(q *bun.SelectQuery, of string, order sorting[M], desc bool) *bun.SelectQuery {
	if order.column != "" {
		q = q.OrderExpr("?"+direction(desc), bun.Ident(of+order.column))
	}
	return q.OrderExpr("?"+direction(desc), bun.Ident(of+l.rowID))
}

func direction(desc bool) string {
	if desc {
		return " DESC"
	}
	return " ASC"
}

// shape makes a page of what was read: one row more than asked for tells that there is more.
func (l *listing[M, T]) shape(rows []M, order sorting[M], at *cursor, id uint64, limit int) (out List[T], err error) {
	more := len(rows) > limit
	rows = rows[:min(len(rows), limit)]
	backwards := at != nil && at.Before
	if backwards {
		slices.Reverse(rows)
	}
	out.Items = make([]T, len(rows))
	for i := range rows {
		if out.Items[i], err = l.item(&rows[i]); err != nil {
			return out, fmt.Errorf("reading %s: %w", l.name, err)
		}
	}
	if len(rows) == 0 {
		return out, nil
	}
	position := func(r *M, before bool) string {
		c := l.position(order, r)
		c.List, c.Before = id, before
		return c.String()
	}
	if more || backwards {
		out.Next = position(&rows[len(rows)-1], false)
	}
	if backwards && more || !backwards && at != nil {
		out.Previous = position(&rows[0], true)
	}
	return out, nil
}
