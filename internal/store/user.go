package store

import (
	"fmt"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	RowID          int64
	ID             string
	TenantID       string
	OrganizationID string
	Username       string
	DisplayName    string
	NameKey        string
	Email          string
	Licence        string
	State          string
	ExternalID     string
	Metadata       string
	CreatedAt      int64
}

func (r *userRow) user() (tenancy.User, error) {
	named, err := labels(r.ExternalID, r.Metadata)
	return tenancy.User{
		ID: tenancy.UserID(r.ID), TenantID: tenancy.TenantID(r.TenantID), OrganizationID: tenancy.OrgID(r.OrganizationID),
		Username: r.Username, DisplayName: r.DisplayName, Email: r.Email, Licence: r.Licence,
		State: tenancy.State(r.State), Labels: named, CreatedAt: moment(r.CreatedAt),
	}, err
}

var (
	insertUser = insertInto("users", "row_id", "id", "tenant_id", "created_at", "organization_id", "username", "folded",
		"display_name", "name_key", "email", "licence", "state", "external_id", "metadata", "search_text")
	updateUser = update("users", "organization_id", "username", "folded", "display_name", "name_key", "email", "licence",
		"state", "external_id", "metadata", "search_text")
	userTaken = problem.New(problem.Conflict, "user_exists", "Another user has this user name or external ID. Choose another.")
)

// userArgs are the columns that may change, in the order of updateUser.
func userArgs(u tenancy.User, folded string) ([]any, error) {
	metadata, err := metadataText(u.Labels)
	return []any{
		string(u.OrganizationID), u.Username, folded, u.DisplayName, fold(u.DisplayName), u.Email, u.Licence,
		string(u.State), u.Labels.ExternalID, metadata, searchText(u.DisplayName, u.Username, u.Email, u.Labels.ExternalID),
	}, err
}

// User is one user of the tenant, also a deleted one.
func (tx *Tx) User(id tenancy.UserID) (tenancy.User, error) {
	type key struct {
		tenant tenancy.TenantID
		id     tenancy.UserID
	}
	return cached(tx, key{tx.tenant, id}, func() (tenancy.User, error) {
		row, err := find[userRow](tx, "user", "id = ? AND tenant_id = ?", string(id), string(tx.tenant))
		if err != nil {
			return tenancy.User{}, err
		}
		return row.user()
	})
}

// UserByFolded is the user with the folded user name who is not deleted.
func (tx *Tx) UserByFolded(folded string) (tenancy.User, error) {
	row, err := find[userRow](tx, "user", "folded = ? AND tenant_id = ? AND state <> 'deleted'", folded, string(tx.tenant))
	if err != nil {
		return tenancy.User{}, err
	}
	return row.user()
}

// UserFilter narrows a list of users. The zero filter is all but deleted ones.
type UserFilter struct {
	At             tenancy.OrgID // users of this organization and all below; empty means all
	Search         string        // part of user name, display name, e-mail address or external ID
	State          tenancy.State // empty means any
	IncludeDeleted bool
}

// Users lists the tenant's users, sorted by "name" or "created_at".
func (tx *Tx) Users(f UserFilter, p Page) (List[tenancy.User], error) {
	search, err := newNeedle(f.Search)
	if err != nil {
		return List[tenancy.User]{}, err
	}
	at, err := tx.pathAt(f.At)
	if err != nil {
		return List[tenancy.User]{}, err
	}
	return list(tx, listing[userRow, tenancy.User]{
		name: "users", filter: fmt.Sprintf("%v", f),
		sorts: []sorting[userRow]{
			{name: "name", column: "name_key", key: func(r *userRow) sortKey { return sortKey{Text: r.NameKey} }},
			{name: "created_at"},
		},
		hidden: []string{"search_text"},
		row:    func(r *userRow) int64 { return r.RowID },
		scope:  tx.scope,
		where: func(q *bun.SelectQuery) *bun.SelectQuery {
			q = whereState(q, string(f.State), f.IncludeDeleted)
			return whereSearch(tx.whereBelow(q, at), search)
		},
		item: (*userRow).user,
	}, p)
}

// InsertUser adds a user. folded is the user name as people are found by it; one that is
// taken is a Conflict, code user_exists.
func (tx *Tx) InsertUser(u tenancy.User, folded string) error {
	if err := tx.own(u.TenantID); err != nil {
		return err
	}
	args, err := userArgs(u, folded)
	if err != nil {
		return err
	}
	row, err := tx.touch(itemUser, string(u.ID))
	if err != nil {
		return err
	}
	return tx.write(statement{text: insertUser, taken: userTaken, args: append(
		[]any{row, string(u.ID), string(u.TenantID), micros(u.CreatedAt)}, args...)})
}

// UpdateUser changes all but ID and time of creation.
func (tx *Tx) UpdateUser(u tenancy.User, folded string) error {
	if err := tx.own(u.TenantID); err != nil {
		return err
	}
	args, err := userArgs(u, folded)
	if err != nil {
		return err
	}
	if _, err := tx.touch(itemUser, string(u.ID)); err != nil {
		return err
	}
	return tx.write(statement{text: updateUser, one: "user", taken: userTaken, args: append(args, string(u.ID), string(tx.tenant))})
}
