package store

import (
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type assignmentRow struct {
	bun.BaseModel `bun:"table:assignments,alias:a"`

	RowID          int64
	ID             string
	TenantID       string
	PrincipalType  string
	PrincipalID    string
	RoleID         string
	OrganizationID string
	CreatedAt      int64
}

func (r *assignmentRow) assignment() (access.Assignment, error) {
	return access.Assignment{
		ID: access.AssignmentID(r.ID), TenantID: tenancy.TenantID(r.TenantID),
		Principal: access.Principal{Type: access.PrincipalType(r.PrincipalType), ID: r.PrincipalID},
		RoleID:    access.RoleID(r.RoleID), OrganizationID: tenancy.OrgID(r.OrganizationID), CreatedAt: moment(r.CreatedAt),
	}, nil
}

var (
	insertAssignment = insertInto("assignments", "row_id", "id", "tenant_id", "principal_type", "principal_id",
		"role_id", "organization_id", "created_at")
	assignmentTaken = problem.New(problem.Conflict, "assignment_exists", "The role is assigned there already.")
)

// principalItem is a principal's name in the feed.
func principalItem(p access.Principal) string { return string(p.Type) + "/" + p.ID }

// Assignment is one assignment of the tenant.
func (tx *Tx) Assignment(id access.AssignmentID) (access.Assignment, error) {
	row, err := find[assignmentRow](tx, "assignment", "id = ? AND tenant_id = ?", string(id), string(tx.tenant))
	if err != nil {
		return access.Assignment{}, err
	}
	return row.assignment()
}

// Assignments are all of one principal, in the order of assignment.
func (tx *Tx) Assignments(p access.Principal) ([]access.Assignment, error) {
	type key struct {
		tenant tenancy.TenantID
		access.Principal
	}
	list, err := cached(tx, key{tx.tenant, p}, func() ([]access.Assignment, error) {
		if !validText(p.ID) {
			return nil, nil
		}
		rows, err := all[assignmentRow](tx, "assignments", func(q *bun.SelectQuery) *bun.SelectQuery {
			return tx.scope(q).Where("principal_id = ? AND principal_type = ?", p.ID, string(p.Type)).Order("row_id")
		})
		if err != nil {
			return nil, err
		}
		return convert(rows, (*assignmentRow).assignment)
	})
	return slices.Clone(list), err
}

// AssignmentFilter narrows a list of assignments. The zero filter is all.
type AssignmentFilter struct {
	Principal *access.Principal
	Role      access.RoleID
	At        tenancy.OrgID // assignments at this organization and all below; empty means all
}

// AssignmentsOf lists the tenant's assignments, in the order of assignment ("created_at").
func (tx *Tx) AssignmentsOf(f AssignmentFilter, p Page) (List[access.Assignment], error) {
	at, err := tx.pathAt(f.At)
	if err != nil {
		return List[access.Assignment]{}, err
	}
	var principal access.Principal
	if f.Principal != nil {
		principal = *f.Principal
	}
	if !validText(string(f.Role)) || !validText(principal.ID) {
		return List[access.Assignment]{}, errText
	}
	return list(tx, listing[assignmentRow, access.Assignment]{
		name: "assignments", filter: fmt.Sprintf("%v %v %v", principal, f.Role, f.At),
		sorts: []sorting[assignmentRow]{{name: "created_at"}},
		row:   func(r *assignmentRow) int64 { return r.RowID },
		scope: func(q *bun.SelectQuery) *bun.SelectQuery {
			q = tx.scope(q)
			if f.Principal != nil {
				q = q.Where("principal_id = ? AND principal_type = ?", principal.ID, string(principal.Type))
			}
			if f.Role != "" {
				q = q.Where("role_id = ?", string(f.Role))
			}
			return q
		},
		where: func(q *bun.SelectQuery) *bun.SelectQuery { return tx.whereBelow(q, at) },
		item:  (*assignmentRow).assignment,
	}, p)
}

// InsertAssignment adds an assignment; the same again is a Conflict, code assignment_exists.
func (tx *Tx) InsertAssignment(a access.Assignment) error {
	if err := tx.own(a.TenantID); err != nil {
		return err
	}
	row, err := tx.touch(itemAssignments, principalItem(a.Principal))
	if err != nil {
		return err
	}
	return tx.write(statement{text: insertAssignment, taken: assignmentTaken, args: []any{
		row, string(a.ID), string(a.TenantID), string(a.Principal.Type), a.Principal.ID,
		string(a.RoleID), string(a.OrganizationID), micros(a.CreatedAt),
	}})
}

// DeleteAssignment removes an assignment.
func (tx *Tx) DeleteAssignment(id access.AssignmentID) error {
	a, err := tx.Assignment(id)
	if err != nil {
		return err
	}
	if _, err := tx.touch(itemAssignments, principalItem(a.Principal)); err != nil {
		return err
	}
	return tx.write(statement{
		text: "DELETE FROM assignments WHERE id = ? AND tenant_id = ?",
		args: []any{string(id), string(tx.tenant)}, one: "assignment",
	})
}

// Administrators lists the assignments of the given roles (none: of any) that active users
// have at the tenant's root organization: what access.KeepsAdministrator needs to know.
func (tx *Tx) Administrators(roles ...access.RoleID) ([]access.Assignment, error) {
	tenant, err := tx.Tenant()
	if err != nil {
		return nil, err
	}
	rows, err := all[assignmentRow](tx, "administrators", func(q *bun.SelectQuery) *bun.SelectQuery {
		q = tx.scope(q).Where("organization_id = ? AND principal_type = ?", string(tenant.RootOrg), string(access.PrincipalUser)).
			Where("EXISTS (SELECT 1 FROM users WHERE users.id = principal_id AND users.tenant_id = ? AND users.state = 'active')", string(tx.tenant))
		if len(roles) > 0 {
			q = q.Where("role_id IN (?)", bun.List(roles))
		}
		return q.Order("row_id")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*assignmentRow).assignment)
}
