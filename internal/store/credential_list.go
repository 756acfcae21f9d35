package store

import (
	"fmt"
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
	Search         string               // in name, shown characters, client or key ID, expiry date (ISO), external ID; names of organization, owner and creator
	ExpiringBefore time.Time            // exclusive; zero means no matter when
	AsOf           uint64               // a feed's revision: only what was there already then; 0 means all
	IncludeDeleted bool                 // also deleted and expired ones
}

// Credentials lists the tenant's credentials, sorted by "name", "created_at", "expires_at"
// (never comes last) or "last_used_at" (never comes first).
func (tx *Tx) Credentials(f CredentialFilter, p Page) (List[credential.Credential], error) {
	l, err := tx.credentials(f)
	if err != nil {
		return List[credential.Credential]{}, err
	}
	return list(tx, l, p)
}

// CountCredentials counts all that match, however many.
func (tx *Tx) CountCredentials(f CredentialFilter) (int64, error) {
	l, err := tx.credentials(f)
	if err != nil {
		return 0, err
	}
	db, err := tx.rows()
	if err != nil {
		return 0, err
	}
	n, err := l.narrowed(l.scope(db.NewSelect().Model((*credentialRow)(nil)))).Count(tx.ctx)
	if err != nil {
		return 0, tx.fail(fmt.Errorf("counting credentials: %w", err))
	}
	return int64(n), nil
}

func (tx *Tx) credentials(f CredentialFilter) (l listing[credentialRow, credential.Credential], err error) {
	search, err := newNeedle(f.Search)
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
	shown := f
	shown.Owner = nil
	l = listing[credentialRow, credential.Credential]{
		name: "credentials", filter: fmt.Sprintf("%v %v", shown, owner),
		sorts: []sorting[credentialRow]{
			{name: "name", column: "name_key", key: func(r *credentialRow) sortKey { return sortKey{Text: r.NameKey} }},
			{name: "created_at"},
			{name: "expires_at", column: "expires_at", key: func(r *credentialRow) sortKey { return sortKey{Number: r.ExpiresAt, number: true} }},
			{name: "last_used_at", column: "last_used_at", key: func(r *credentialRow) sortKey { return sortKey{Number: r.LastUsedAt, number: true} }},
		},
		hidden: []string{"search_text"},
		row:    func(r *credentialRow) int64 { return r.RowID },
		scope:  tx.scope,
		where: func(q *bun.SelectQuery) *bun.SelectQuery {
			return tx.whereText(tx.whereBelow(whereCredential(q, f, owner), at), search)
		},
		item: (*credentialRow).credential,
	}
	if search != "" {
		l.narrow = func(q *bun.SelectQuery) *bun.SelectQuery { return tx.whereIndexed(q, search) }
	}
	return l, nil
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
	if !f.IncludeDeleted {
		q = q.Where("deleted_at = 0 AND state <> 'expired'")
	}
	return q
}

// The columns that show names of other things: they are found by these things' own names.
// Named principals take the tenant and the pattern once for each of their tables.
const (
	namedOrganizations = `SELECT id FROM organizations WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'`
	namedPrincipals    = `SELECT id FROM users WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'` +
		` UNION ALL SELECT id FROM apps WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'` +
		` UNION ALL SELECT id FROM service_accounts WHERE tenant_id = ? AND search_text LIKE ? ESCAPE '\'`
)

// named are the arguments of one named organization and two named principals.
func (tx *Tx) named(n needle) []any {
	args := make([]any, 0, 14)
	for range 7 {
		args = append(args, string(tx.tenant), n.like())
	}
	return args
}

// whereText keeps rows that show the needle in a column.
func (tx *Tx) whereText(q *bun.SelectQuery, n needle) *bun.SelectQuery {
	if n == "" {
		return q
	}
	return q.Where(`(search_text LIKE ? ESCAPE '\' OR organization_id IN (`+namedOrganizations+`)`+
		` OR created_by_id IN (`+namedPrincipals+`) OR principal_id IN (`+namedPrincipals+`))`,
		append([]any{n.like()}, tx.named(n)...)...)
}

// whereIndexed is a quick way to all rows that whereText keeps, and few others: each column
// by its own index.
func (tx *Tx) whereIndexed(q *bun.SelectQuery, n needle) *bun.SelectQuery {
	found := `SELECT row_id FROM credentials WHERE search_text LIKE ? ESCAPE '\'`
	text := n.like()
	if tx.store.db.engine == engineSQLite {
		// SQLite finds trigrams through a table of its own, PostgreSQL through an index.
		found, text = "SELECT rowid FROM credential_search WHERE credential_search MATCH ?", n.trigrams()
	}
	return q.Where("row_id IN ("+found+
		" UNION SELECT row_id FROM credentials WHERE organization_id IN ("+namedOrganizations+")"+
		" UNION SELECT row_id FROM credentials WHERE created_by_id IN ("+namedPrincipals+")"+
		" UNION SELECT row_id FROM credentials WHERE principal_id IN ("+namedPrincipals+"))",
		append([]any{text}, tx.named(n)...)...)
}
