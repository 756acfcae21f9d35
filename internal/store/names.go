package store

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Named is what a principal is called now.
type Named struct {
	Name        string // of users the user name, of service accounts their e-mail address
	DisplayName string // of users; empty means none
}

// Names tells what principals of the tenant are called, also those at their end, in one
// query for each type. Those that the tenant doesn't have are left out; so is its own
// name, of a tenant as a principal.
func (tx *Tx) Names(principals []access.Principal) (map[access.Principal]Named, error) {
	of := map[access.PrincipalType]map[string]bool{}
	for _, p := range principals {
		if of[p.Type] == nil {
			of[p.Type] = map[string]bool{}
		}
		of[p.Type][p.ID] = true
	}
	out := make(map[access.Principal]Named, len(principals))
	for _, kind := range []struct {
		of                   access.PrincipalType
		table, name, display string
	}{
		{access.PrincipalUser, "users", "username", "display_name"},
		{access.PrincipalServiceAccount, "service_accounts", "email", "''"},
		{access.PrincipalApp, "apps", "name", "''"},
		{access.PrincipalOrganization, "organizations", "name", "''"},
	} {
		rows, err := tx.names(kind.table, kind.name, kind.display, of[kind.of])
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[access.Principal{Type: kind.of, ID: r.ID}] = Named{Name: r.Name, DisplayName: r.Display}
		}
	}
	return out, nil
}

// OrganizationNames tells what organizations of the tenant are called, also deleted ones.
func (tx *Tx) OrganizationNames(ids []tenancy.OrgID) (map[tenancy.OrgID]string, error) {
	of := make(map[string]bool, len(ids))
	for _, id := range ids {
		of[string(id)] = true
	}
	rows, err := tx.names("organizations", "name", "''", of)
	if err != nil {
		return nil, err
	}
	out := make(map[tenancy.OrgID]string, len(rows))
	for _, r := range rows {
		out[tenancy.OrgID(r.ID)] = r.Name
	}
	return out, nil
}

// ofTenant is the tenant's condition beside a list of IDs. An expression can't be looked up, so
// databases go by the IDs: SQLite takes a tenant for smaller than fifty of them.
const ofTenant = "tenant_id || '' = ?"

type nameRow struct{ ID, Name, Display string }

func (tx *Tx) names(table, name, display string, ids map[string]bool) (all []nameRow, err error) {
	list := slices.DeleteFunc(slices.Sorted(maps.Keys(ids)), func(id string) bool { return id == "" || !validText(id) })
	for chunk := range slices.Chunk(list, maxNamed) {
		db, err := tx.rows()
		if err != nil {
			return nil, err
		}
		var rows []nameRow
		err = db.NewSelect().TableExpr(table).ColumnExpr("id, "+name+" AS name, "+display+" AS display").
			Where(ofTenant, string(tx.tenant)).Where("id IN (?)", bun.List(chunk)).Scan(tx.ctx, &rows)
		if err != nil {
			return nil, tx.fail(fmt.Errorf("reading names of %s: %w", table, err))
		}
		all = append(all, rows...)
	}
	return all, nil
}

// AssignmentsOfAll is Assignments of many principals, in one query for each 2,000.
func (tx *Tx) AssignmentsOfAll(kind access.PrincipalType, ids []string) (map[string][]access.Assignment, error) {
	out := make(map[string][]access.Assignment, len(ids))
	valid := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !validText(id) })
	for chunk := range slices.Chunk(valid, maxNamed) {
		rows, err := all[assignmentRow](tx, "assignments", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where(ofTenant, string(tx.tenant)).Where("principal_type = ?", string(kind)).Where("principal_id IN (?)", bun.List(chunk)).Order("row_id")
		})
		if err != nil {
			return nil, err
		}
		list, err := convert(rows, (*assignmentRow).assignment)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			out[a.Principal.ID] = append(out[a.Principal.ID], a)
		}
	}
	return out, nil
}

// LatestCredentials finds the credential of each principal that is active or suspended, or
// else the one made last, in one query for each 2,000.
func (tx *Tx) LatestCredentials(kind access.PrincipalType, ids []string) (map[string]credential.Credential, error) {
	out := make(map[string]credential.Credential, len(ids))
	valid := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !validText(id) })
	for chunk := range slices.Chunk(valid, maxNamed) {
		rows, err := all[credentialRow](tx, "credentials", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where(ofTenant, string(tx.tenant)).Where("principal_id IN (?)", bun.List(chunk)).Where("principal_type = ?", string(kind)).Order("row_id")
		})
		if err != nil {
			return nil, err
		}
		for i := range rows {
			c, err := rows[i].credential()
			if err != nil {
				return nil, err
			}
			before, known := out[c.Principal.ID]
			if !known || !lives(before) || lives(c) {
				out[c.Principal.ID] = c
			}
		}
	}
	return out, nil
}

// Use is how a principal's credentials are, taken together.
type Use struct {
	Living     int       // active or suspended
	LastUsedAt time.Time // of any, also of ended ones; zero means never
}

// Uses tells how the credentials of many principals are, in one query for each 2,000.
// Principals without any are left out.
func (tx *Tx) Uses(kind access.PrincipalType, ids []string) (map[string]Use, error) {
	out := make(map[string]Use, len(ids))
	valid := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !validText(id) })
	for chunk := range slices.Chunk(valid, maxNamed) {
		db, err := tx.rows()
		if err != nil {
			return nil, err
		}
		var rows []struct {
			ID             string
			Living, LastAt int64
		}
		err = db.NewSelect().TableExpr("credentials").ColumnExpr("principal_id AS id").
			ColumnExpr("SUM(CASE WHEN state IN (?, ?) AND deleted_at = 0 THEN 1 ELSE 0 END) AS living", string(credential.Active), string(credential.Suspended)).
			ColumnExpr("MAX(last_used_at) AS last_at").
			Where(ofTenant, string(tx.tenant)).Where("principal_type = ?", string(kind)).Where("principal_id IN (?)", bun.List(chunk)).
			GroupExpr("principal_id").Scan(tx.ctx, &rows)
		if err != nil {
			return nil, tx.fail(fmt.Errorf("reading how credentials are used: %w", err))
		}
		for _, r := range rows {
			out[r.ID] = Use{Living: int(r.Living), LastUsedAt: moment(r.LastAt)}
		}
	}
	return out, nil
}

func lives(c credential.Credential) bool {
	return (c.State == credential.Active || c.State == credential.Suspended) && c.DeletedAt.IsZero()
}
