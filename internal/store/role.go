package store

import (
	"errors"
	"maps"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type roleRow struct {
	bun.BaseModel `bun:"table:roles,alias:r"`

	ID          string
	TenantID    string
	Name        string
	Description string
	BuiltIn     string
	Permissions string
	Includes    string
	CreatedAt   int64
	DeletedAt   int64
}

func (r *roleRow) role() (access.Role, error) {
	permissions, err := fromText[[]access.Grant](r.Permissions)
	includes, err2 := fromText[[]access.RoleID](r.Includes)
	return access.Role{
		ID: access.RoleID(r.ID), TenantID: tenancy.TenantID(r.TenantID), Name: r.Name, Description: r.Description,
		BuiltIn: r.BuiltIn, Permissions: permissions, Includes: includes, CreatedAt: moment(r.CreatedAt),
	}, errors.Join(err, err2)
}

var (
	insertRole = insertInto("roles", "name", "name_key", "description", "built_in", "permissions", "includes",
		"id", "tenant_id", "created_at", "deleted_at")
	updateRole = update("roles", "name", "name_key", "description", "built_in", "permissions", "includes")
	roleTaken  = problem.New(problem.Conflict, "role_exists", "Another role has this name. Choose another.")
)

func roleArgs(r access.Role) ([]any, error) {
	permissions, err := listText(r.Permissions)
	includes, err2 := listText(r.Includes)
	return []any{r.Name, fold(r.Name), r.Description, r.BuiltIn, permissions, includes}, errors.Join(err, err2)
}

// Role is one role of the tenant.
func (tx *Tx) Role(id access.RoleID) (access.Role, error) {
	roles, err := tx.roles()
	if err != nil {
		return access.Role{}, err
	}
	if r, ok := roles[id]; ok {
		return r, nil
	}
	return access.Role{}, problem.Missing("role")
}

// Roles are all roles of the tenant. The map is the caller's; the slices in it are shared.
func (tx *Tx) Roles() (map[access.RoleID]access.Role, error) {
	roles, err := tx.roles()
	return maps.Clone(roles), err
}

func (tx *Tx) roles() (map[access.RoleID]access.Role, error) {
	type key struct{ rolesOf tenancy.TenantID }
	return cached(tx, key{tx.tenant}, func() (map[access.RoleID]access.Role, error) {
		rows, err := all[roleRow](tx, "roles", func(q *bun.SelectQuery) *bun.SelectQuery {
			return tx.scope(q).Where("deleted_at = 0")
		})
		if err != nil {
			return nil, err
		}
		roles := make(map[access.RoleID]access.Role, len(rows))
		for i := range rows {
			r, err := rows[i].role()
			if err != nil {
				return nil, err
			}
			roles[r.ID] = r
		}
		return roles, nil
	})
}

// InsertRole adds a role. A name that is taken, in any case, is a Conflict, code role_exists.
func (tx *Tx) InsertRole(r access.Role) error {
	if err := tx.own(r.TenantID); err != nil {
		return err
	}
	args, err := roleArgs(r)
	if err != nil {
		return err
	}
	if _, err := tx.touch(itemRole, string(r.ID)); err != nil {
		return err
	}
	return tx.write(statement{text: insertRole, taken: roleTaken, args: append(args, string(r.ID), string(r.TenantID), micros(r.CreatedAt), int64(0))})
}

// UpdateRole changes all but ID and time of creation.
func (tx *Tx) UpdateRole(r access.Role) error {
	if err := tx.own(r.TenantID); err != nil {
		return err
	}
	args, err := roleArgs(r)
	if err != nil {
		return err
	}
	if _, err := tx.touch(itemRole, string(r.ID)); err != nil {
		return err
	}
	return tx.write(statement{text: updateRole + " AND deleted_at = 0", one: "role", taken: roleTaken, args: append(args, string(r.ID), string(tx.tenant))})
}

// DeleteRole takes a role away; its row stays as a tombstone. Remove its assignments and
// its mentions in other roles first: what still names it gives nothing.
func (tx *Tx) DeleteRole(id access.RoleID) error {
	if _, err := tx.touch(itemRole, string(id)); err != nil {
		return err
	}
	return tx.write(statement{
		text: "UPDATE roles SET deleted_at = ? WHERE id = ? AND tenant_id = ? AND deleted_at = 0",
		args: []any{micros(tx.store.now()), string(id), string(tx.tenant)}, one: "role",
	})
}

// RoleHolders lists who has the role, in the order of assignment.
func (tx *Tx) RoleHolders(id access.RoleID, p Page) (List[access.Assignment], error) {
	if _, err := tx.Role(id); err != nil {
		return List[access.Assignment]{}, err
	}
	return tx.AssignmentsOf(AssignmentFilter{Role: id}, p)
}
