package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// CredentialFilter narrows a list of credentials. The zero filter is all that are neither
// deleted nor expired.
type CredentialFilter struct {
	Kinds          []credential.Kind
	At             tenancy.OrgID // this organization and all below; empty means all
	Owner          *access.Principal
	Level          access.PrincipalType // of the owner, such as a user's or the tenant's own; empty means any
	States         []credential.State   // as recorded: what is past its expiry may still be active here
	Search         string               // in name, shown characters, client or key ID, expiry date (ISO), external ID; names of organization, owner and creator; or the whole ID
	ExpiringBefore time.Time            // exclusive; zero means no matter when
	AsOf           uint64               // a feed's revision: only what was there already then; 0 means all
	IncludeDeleted bool                 // also deleted and expired ones
}

// Credentials lists the tenant's credentials, sorted by "name", "created_at", "expires_at"
// (never comes last), "last_used_at" (never comes first), or by what people see of
// "organization", "owner" (an organization's keys come first) and "created_by". Without an
// order they come by name, and what is searched for by creation, the latest first: to sort
// a large part of a million keys by name takes half a second.
func (tx *Tx) Credentials(f CredentialFilter, p Page) (List[credential.Credential], error) {
	if p.Sort == "" && f.Search != "" {
		p.Sort, p.Desc = "created_at", !p.Desc
	}
	l, err := tx.credentials(f)
	if err != nil {
		return List[credential.Credential]{}, err
	}
	return list(tx, l, p)
}

// CredentialIDs lists the IDs of up to n credentials, at most MaxLimit, in the order of creation. It
// begins after cursor, which an earlier answer for the same filter gave as next; empty means at the
// beginning, and as an answer that there are no more.
func (tx *Tx) CredentialIDs(f CredentialFilter, cursor string, n int) (ids []credential.ID, next string, err error) {
	l, err := tx.credentials(f)
	if err != nil {
		return nil, "", err
	}
	l.bare = []string{"row_id", "id"}
	l.item = func(r *credentialRow) (c credential.Credential, err error) {
		c.ID, err = credentialID(r.ID)
		return c, err
	}
	found, err := list(tx, l, Page{Limit: n, Cursor: cursor, Sort: "created_at", Uncounted: true})
	if err != nil {
		return nil, "", err
	}
	for i := range found.Items {
		ids = append(ids, found.Items[i].ID)
	}
	return ids, found.Next, nil
}

// CountCredentials counts all that match, however many.
func (tx *Tx) CountCredentials(f CredentialFilter) (int64, error) {
	l, err := tx.credentials(f)
	if err != nil {
		return 0, err
	}
	if l.total != nil {
		return l.total()
	}
	return l.countWhole(tx)
}

func (tx *Tx) credentials(f CredentialFilter) (l listing[credentialRow, credential.Credential], err error) {
	search, err := tx.want(f.Search)
	if err != nil {
		return l, err
	}
	at, err := tx.pathAt(f.At)
	if err != nil {
		return l, err
	}
	var owner access.Principal
	if f.Owner != nil {
		owner = *f.Owner
	}
	if !validText(owner.ID) || !validText(string(f.Level)) {
		return l, errText
	}
	// Where anything else narrows the list, what it finds is looked through instead.
	halved := f.halved() && at == "" && f.Owner == nil && search.needle == "" && f.ExpiringBefore.IsZero()
	shown := f
	shown.Owner = nil
	l = listing[credentialRow, credential.Credential]{
		name: "credentials", filter: fmt.Sprintf("%v %v", shown, owner),
		sorts: []sorting[credentialRow]{
			{name: "name", column: "name_key", parted: true, key: func(r *credentialRow) sortKey { return sortKey{Text: r.NameKey} }},
			{name: "created_at", parted: true},
			{name: "expires_at", column: "expires_at", only: f.whereShownUntil, parted: !f.IncludeDeleted || halved, bounded: !f.ExpiringBefore.IsZero(), key: func(r *credentialRow) sortKey { return sortKey{Number: r.ExpiresAt, number: true} }},
			{name: "last_used_at", column: "last_used_at", parted: !f.IncludeDeleted || halved, key: func(r *credentialRow) sortKey { return sortKey{Number: r.LastUsedAt, number: true} }},
			byName("organization", organizationNamed, byOrganization),
			byName("owner", ownerNamed, byOwner(f)),
			byName("created_by", creatorNamed, nil),
		},
		hidden: []string{"search_text"},
		rowID:  "row_id",
		row:    func(r *credentialRow) int64 { return r.RowID },
		scope:  func(q *bun.SelectQuery) *bun.SelectQuery { return f.whereRare(tx.scope(q)) },
		where: func(q *bun.SelectQuery) *bun.SelectQuery {
			return tx.whereText(tx.whereBelow(whereCredential(q, f, owner), at), search)
		},
		many: func(r *credentialRow) int64 { return r.Many },
		item: (*credentialRow).credential,
	}
	l.narrow = tx.hits(f, owner, search, at)
	if f.Owner == nil && tx.store.db.engine == engineSQLite {
		switch {
		case search.needle != "" && f.rare():
			err = tx.withinRare(f, l.narrow)
		case search.needle == "" && at == "" && f.Level == "" && !f.ExpiringBefore.IsZero() && !f.IncludeDeleted:
			l.narrow, err = tx.exactlyExpiring(f)
		}
		if err != nil {
			return l, err
		}
	}
	l.stepwise = tx.store.db.engine == engineSQLite && (f.Owner != nil || search.needle != "")
	l.bulky = f.Owner == nil && search.needle != "" && tx.store.db.engine == enginePostgres
	l.scarce = f.rare()
	if l.bulky && len(l.narrow) > 1 {
		l.apart = tx.searchedApart(l, search, func(q *bun.SelectQuery) *bun.SelectQuery {
			return tx.whereBelow(whereCredential(q, f, owner), at)
		})
	}
	if f.Owner == nil && search.needle == "" {
		if l.parts, err = tx.organizationParts(at); err != nil {
			return l, err
		}
		if halved {
			l.parts, l.halved = tx.halves(f), true
		}
	}
	l.weak = f.Owner == nil && search.needle == "" && at == "" && f.ExpiringBefore.IsZero()
	if f.Owner == nil && search.needle == "" && f.ExpiringBefore.IsZero() && f.AsOf == 0 {
		l.total = func() (int64, error) { return tx.countKept(f, at, nil) }
	}
	if len(search.organizations) > 0 && f.Owner == nil && f.ExpiringBefore.IsZero() && f.AsOf == 0 {
		l.least = func() (int64, error) { return tx.countKept(f, at, search.organizations) }
	}
	return l, nil
}

// searchedApart are lists of what each column shows of a search: a list by the index of one
// column comes in the order of creation, or is little, where all at once would have to be sorted.
func (tx *Tx) searchedApart(l listing[credentialRow, credential.Credential], w wanted, filters func(*bun.SelectQuery) *bun.SelectQuery) (list []listing[credentialRow, credential.Credential]) {
	for i, c := range tx.columns(w) {
		one := l
		shows := func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("("+c.text+")", c.args...) }
		if c.single {
			// Its index has the order, so that all of it is near.
			one.narrow, one.bulky, one.where = nil, false, filters
			one.scope = func(q *bun.SelectQuery) *bun.SelectQuery { return shows(l.scope(q)) }
		} else {
			one.narrow, one.walked = l.narrow[i:i+1], true
			if i > 0 {
				one.many = nil // what is somebody's is found one after another
			}
			one.where = func(q *bun.SelectQuery) *bun.SelectQuery { return shows(filters(q)) }
		}
		list = append(list, one)
	}
	return list
}

// What a credential's other columns show, made ready for sorting. People are shown by their
// display name, and by their user name where they have none.
const (
	userNamed = "(SELECT " + userShown + " FROM users WHERE users.tenant_id = ?TableAlias.tenant_id AND users.id = "

	organizationNamed = "COALESCE((SELECT name_key FROM organizations WHERE organizations.tenant_id = ?TableAlias.tenant_id" +
		" AND organizations.id = ?TableAlias.organization_id), '')"
	ownerNamed = "COALESCE(CASE ?TableAlias.principal_type" +
		" WHEN 'user' THEN " + userNamed + "?TableAlias.principal_id)" +
		" WHEN 'app' THEN (SELECT name_key FROM apps WHERE apps.id = ?TableAlias.principal_id)" +
		" WHEN 'service_account' THEN (SELECT email_key FROM service_accounts WHERE service_accounts.id = ?TableAlias.principal_id) END, '')"
	creatorNamed = "COALESCE(CASE ?TableAlias.created_by_type WHEN 'user' THEN " + userNamed + "?TableAlias.created_by_id) END, lower(?TableAlias.created_by_name))"
)

func byName(name, looked string, groups grouping) sorting[credentialRow] {
	return sorting[credentialRow]{
		name: name, column: "sort_key", looked: looked, groups: groups, key: func(r *credentialRow) sortKey { return sortKey{Text: r.SortKey} },
	}
}

// whereShown leaves out what is deleted or expired, unless it was asked for. What expired
// has the time at which it was hidden, as what is deleted has.
func (f CredentialFilter) whereShown(q *bun.SelectQuery) *bun.SelectQuery {
	if f.IncludeDeleted {
		return q
	}
	return q.Where("deleted_at = 0")
}

// whereShownUntil is whereShown up to the expiry that was asked for, where the order by
// expiry begins or ends.
func (f CredentialFilter) whereShownUntil(q *bun.SelectQuery) *bun.SelectQuery {
	if !f.ExpiringBefore.IsZero() {
		q = q.Where("expires_at < ?", f.ExpiringBefore.UnixMicro())
	}
	return f.whereShown(q)
}

// mostParts is how many organizations' pages are put together to one.
const mostParts = 32

// organizationParts are the organizations at and below a path, each by itself; nil when
// there are too many, or none is asked for.
func (tx *Tx) organizationParts(path string) (parts []func(*bun.SelectQuery) *bun.SelectQuery, err error) {
	if path == "" {
		return nil, nil
	}
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	from, until := below(path)
	var ids []string
	err = db.NewRaw("SELECT id FROM organizations WHERE tenant_id = ? AND path >= ? AND path < ? LIMIT ?", string(tx.tenant), from, until, mostParts+1).Scan(tx.ctx, &ids)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("reading organizations: %w", err))
	}
	if len(ids) > mostParts {
		return nil, nil
	}
	for _, id := range ids {
		parts = append(parts, func(q *bun.SelectQuery) *bun.SelectQuery {
			return tx.beside(q).Where("organization_id = ?", id)
		})
	}
	return parts, nil
}

// rare reports whether the filter is for one state or kind that few have.
func (f CredentialFilter) rare() bool {
	return f.rareState() != "" || len(f.Kinds) == 1 && f.Kinds[0] != credential.UserKey
}

// rareState is the one state that the filter is for, if few have it and one index has all of those.
func (f CredentialFilter) rareState() credential.State {
	if len(f.States) != 1 || f.States[0] == credential.Active || f.halved() {
		return ""
	}
	return f.States[0]
}

// The conditions of the indexes by state: of what is shown, and of what is deleted or expired.
const (
	shownOfState   = "state = ? AND state <> 'active' AND deleted_at = 0"
	deletedOfState = "state = ? AND deleted_at <> 0"
)

// halved reports whether some of what the filter keeps by its state is shown and some is not,
// so that no index has all of it.
func (f CredentialFilter) halved() bool {
	return f.IncludeDeleted && len(f.States) == 1 && f.States[0] == credential.Revoked
}

// halves are the two scopes of such a filter.
func (tx *Tx) halves(f CredentialFilter) (parts []func(*bun.SelectQuery) *bun.SelectQuery) {
	for _, of := range []string{shownOfState, deletedOfState} {
		parts = append(parts, func(q *bun.SelectQuery) *bun.SelectQuery { return tx.scope(q).Where(of, string(f.States[0])) })
	}
	return parts
}

// whereRare keeps one state or kind that few have, by the indexes that only such have.
func (f CredentialFilter) whereRare(q *bun.SelectQuery) *bun.SelectQuery {
	state := string(f.rareState())
	switch {
	case f.rareState() == credential.Expired:
		return q.Where(deletedOfState, state)
	case state != "":
		return q.Where(shownOfState, state) // to delete what is suspended revokes it
	case len(f.Kinds) == 1 && f.Kinds[0] != credential.UserKey:
		return q.Where("kind = ? AND kind <> 'user_key'", string(f.Kinds[0]))
	}
	return q
}

// withinRare has indexes walked together with the one of the state or kind that few have.
func (tx *Tx) withinRare(f CredentialFilter, list []index) error {
	db, err := tx.rows()
	if err != nil {
		return err
	}
	few := f.whereRare(tx.scope(db.NewSelect().TableExpr("credentials").ColumnExpr("row_id AS hit")))
	for i := range list {
		list[i].within = &rawQuery{"?", []any{few}}
	}
	return nil
}

// exactlyExpiring selects what a filter by expiry, kind and state keeps, by an index that knows
// all three, and the name: a row would cost twenty times as much to look at.
func (tx *Tx) exactlyExpiring(f CredentialFilter) ([]index, error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	x := index{covers: "name_key", exact: func(q *bun.SelectQuery) *bun.SelectQuery {
		// The bound is for the index alone. It comes last, since SQLite begins with the first.
		return q.ModelTableExpr("?TableName AS ?TableAlias INDEXED BY credentials_shown_until").Where("expires_at < ?", int64(forever))
	}}
	x.rawQuery = rawQuery{"?", []any{x.exact(whereCredential(tx.scope(db.NewSelect().Model((*credentialRow)(nil)).ColumnExpr("row_id AS hit")), f, access.Principal{}))}}
	return []index{x}, nil
}

// countKept adds up what the database keeps of how many there are. Of the filter it looks at
// kinds, states, the level and the organization with this path; organizations, when not nil, are
// the only ones that count.
func (tx *Tx) countKept(f CredentialFilter, path string, organizations []string) (n int64, err error) {
	db, err := tx.rows()
	if err != nil {
		return 0, err
	}
	q := tx.whereBelow(tx.scope(db.NewSelect().TableExpr("credential_counts")), path)
	if organizations != nil {
		q = q.Where("organization_id IN (?)", bun.List(organizations))
	}
	if len(f.Kinds) > 0 {
		q = q.Where("kind IN (?)", bun.List(f.Kinds))
	}
	if f.Level != "" {
		q = q.Where("principal_type = ?", string(f.Level))
	}
	if len(f.States) > 0 {
		q = q.Where("state IN (?)", bun.List(f.States))
	}
	if !f.IncludeDeleted {
		q = q.Where("NOT deleted")
	}
	if err := q.ColumnExpr("CAST(coalesce(sum(many), 0) AS BIGINT)").Scan(tx.ctx, &n); err != nil {
		return 0, tx.fail(fmt.Errorf("counting credentials: %w", err))
	}
	return n, nil
}

func whereCredential(q *bun.SelectQuery, f CredentialFilter, owner access.Principal) *bun.SelectQuery {
	if len(f.Kinds) > 0 {
		q = q.Where("kind IN (?)", bun.List(f.Kinds))
	}
	if f.Owner != nil {
		q = q.Where("principal_id = ? AND principal_type = ?", owner.ID, string(owner.Type))
	}
	if f.Level != "" {
		q = q.Where("principal_type = ?", string(f.Level))
	}
	if f.AsOf != 0 {
		// A row's number is the revision at which it came.
		q = q.Where("row_id <= ?", int64(f.AsOf))
	}
	if len(f.States) > 0 {
		q = q.Where("state IN (?)", bun.List(f.States))
	}
	if !f.ExpiringBefore.IsZero() {
		q = q.Where("expires_at < ?", f.ExpiringBefore.UnixMicro())
	}
	return f.whereShown(q)
}

// wanted is a search made ready: the text, and who and what is called so. Columns that show
// the name of another thing are found by that thing's own name.
type wanted struct {
	needle        needle
	id            string // what is searched for is a credential's ID, as it is stored
	organizations []string
	principals    []string
	people        rawQuery // selects the principals
	many          bool     // more than maxNamed are called so: they are left to the database
}

// maxNamed is how many IDs are written into a query.
const maxNamed = 2000

const (
	namedOrganizations = `SELECT id FROM organizations WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'`
	namedPrincipals    = `SELECT id FROM users WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'` +
		` UNION ALL SELECT id FROM apps WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'` +
		` UNION ALL SELECT id FROM service_accounts WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'`
)

// want finds out who and what is called so. Knowing that nobody is, as is mostly the case,
// spares the database three searches and PostgreSQL's planner a wrong guess.
func (tx *Tx) want(search string) (w wanted, err error) {
	if w.needle, err = newNeedle(search); err != nil || w.needle == "" {
		return w, err
	}
	// Only all of it: parts of an ID are parts of keys, which search doesn't find.
	if id, err := credential.ParseID(strings.TrimSpace(search)); err == nil {
		w.id = string(id[:])
	}
	db, err := tx.rows()
	if err != nil {
		return w, err
	}
	principals, err := tx.principalsNamed(w.needle)
	if err != nil {
		return w, err
	}
	w.people = principals
	organizations := rawQuery{namedOrganizations, tx.namedArgs(namedOrganizations, w.needle)}
	for _, named := range []struct {
		rawQuery

		ids *[]string
	}{{organizations, &w.organizations}, {principals, &w.principals}} {
		err := db.NewRaw("SELECT id FROM ("+named.text+") AS named LIMIT ?", append(named.args, maxNamed+1)...).Scan(tx.ctx, named.ids)
		if err != nil {
			return w, tx.fail(fmt.Errorf("reading names: %w", err))
		}
		w.many = w.many || len(*named.ids) > maxNamed
	}
	return w, nil
}

const (
	// manyUsers is from how many users of a tenant on their names are looked up among all
	// tenants' instead of read one by one.
	manyUsers     = 2000
	countUsers    = "SELECT count(*) FROM (SELECT 1 FROM users WHERE tenant_id = ? LIMIT ?) AS hits"
	indexedUsers  = `SELECT u.id FROM user_search AS s CROSS JOIN users AS u WHERE user_search MATCH ? AND u.row_id = s.rowid AND u.tenant_id = ? AND u.search_text LIKE ? ESCAPE '\'`
	namedNonUsers = `SELECT id FROM apps WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'` +
		` UNION ALL SELECT id FROM service_accounts WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'`
)

// principalsNamed selects who and what is called so. PostgreSQL finds trigrams through an
// index if that is better, SQLite has to be told to, and by CROSS JOIN to begin with it.
func (tx *Tx) principalsNamed(n needle) (rawQuery, error) {
	q := rawQuery{namedPrincipals, tx.namedArgs(namedPrincipals, n)}
	if tx.store.db.engine == enginePostgres {
		return q, nil
	}
	db, err := tx.rows()
	if err != nil {
		return q, err
	}
	var users int
	if err := db.NewRaw(countUsers, string(tx.tenant), manyUsers).Scan(tx.ctx, &users); err != nil {
		return q, tx.fail(fmt.Errorf("counting users: %w", err))
	}
	if users < manyUsers {
		return q, nil
	}
	return rawQuery{
		indexedUsers + " UNION ALL " + namedNonUsers,
		append([]any{n.trigrams(), string(tx.tenant), n.like()}, tx.namedArgs(namedNonUsers, n)...),
	}, nil
}

// namedArgs are the tenant and the pattern, once for each table that the query names.
func (tx *Tx) namedArgs(query string, n needle) []any {
	var args []any
	for range strings.Count(query, "?") / 2 {
		args = append(args, string(tx.tenant), n.like())
	}
	return args
}

// shown is the condition that a column shows the text.
type shown struct {
	rawQuery

	single bool // it is for one value, of which an index has the order of creation
}

// columns are conditions, one for each column that may show the text.
func (tx *Tx) columns(w wanted) (list []shown) {
	list = append(list, shown{rawQuery: rawQuery{`search_text LIKE ? ESCAPE '\'`, []any{w.needle.like()}}})
	if w.id != "" {
		list = append(list, shown{rawQuery{"id = ?", []any{w.id}}, true})
	}
	places := rawQuery{namedOrganizations, tx.namedArgs(namedOrganizations, w.needle)}
	for _, c := range []struct {
		column string
		named  rawQuery
		ids    []string
	}{
		{"organization_id", places, w.organizations},
		{"created_by_id", w.people, w.principals},
		{"principal_id", w.people, w.principals},
	} {
		switch {
		case w.many:
			list = append(list, shown{rawQuery: rawQuery{c.column + " IN (" + c.named.text + ")", c.named.args}})
		case len(c.ids) == 1:
			list = append(list, shown{rawQuery{c.column + " = ?", []any{c.ids[0]}}, true})
		case len(c.ids) > 0:
			list = append(list, shown{rawQuery: rawQuery{c.column + " IN (?)", []any{bun.List(c.ids)}}})
		}
	}
	return list
}

// whereText keeps rows that show the text in a column.
func (tx *Tx) whereText(q *bun.SelectQuery, w wanted) *bun.SelectQuery {
	if w.needle == "" {
		return q
	}
	return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, c := range tx.columns(w) {
			q = q.WhereOr(c.text, c.args...)
		}
		return q
	})
}

// hits selects the rows that one of the filter's conditions keeps, by the index that is
// likely to find the fewest; nil when no index helps.
func (tx *Tx) hits(f CredentialFilter, owner access.Principal, w wanted, path string) []index {
	tenant := string(tx.tenant)
	by := func(text string, args ...any) []index { return []index{{rawQuery: rawQuery{text, args}}} }
	switch {
	case f.Owner != nil:
		return by("SELECT row_id AS hit FROM credentials WHERE principal_id = ?", owner.ID)
	case w.needle != "":
		return tx.textHits(w)
	case path != "":
		from, until := below(path)
		return by("SELECT row_id AS hit FROM credentials WHERE organization_id IN (SELECT id FROM organizations WHERE tenant_id = ? AND path >= ? AND path < ?)",
			tenant, from, until)
	case !f.ExpiringBefore.IsZero():
		list := by("SELECT row_id AS hit FROM credentials WHERE tenant_id = ? AND expires_at < ?", tenant, f.ExpiringBefore.UnixMicro())
		if !f.IncludeDeleted {
			list[0].text += " AND deleted_at = 0"
		}
		return list
	case !f.IncludeDeleted:
		return by("SELECT row_id AS hit FROM credentials WHERE tenant_id = ? AND deleted_at = 0", tenant)
	}
	return nil
}

// textHits selects the rows that whereText keeps, and few others: each column by its own index.
func (tx *Tx) textHits(w wanted) (list []index) {
	for i, c := range tx.columns(w) {
		x := index{rawQuery: rawQuery{"SELECT row_id AS hit FROM credentials WHERE " + c.text, c.args}, keeps: c.rawQuery}
		if i == 0 && tx.store.db.engine == engineSQLite {
			// SQLite finds trigrams through a table of its own, PostgreSQL through an index.
			x.text, x.args = "SELECT rowid AS hit FROM credential_search WHERE credential_search MATCH ?", []any{w.needle.trigrams()}
		}
		list = append(list, x)
	}
	return list
}
