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

// CredentialCounts says how many credentials a filter finds, and which.
type CredentialCounts struct {
	Total    int64
	Kinds    map[credential.Kind]int64
	Used     int64 // since a time
	Expiring int64 // active or suspended now, and not any more at a time
}

// CountCredentialsBy counts all that match, however many: by kind, those that were used
// since a time, and those whose end lies after now and not after another time.
func (tx *Tx) CountCredentialsBy(f CredentialFilter, usedSince, now, endingBy time.Time) (out CredentialCounts, err error) {
	l, err := tx.credentials(f)
	if err != nil {
		return out, err
	}
	db, err := tx.rows()
	if err != nil {
		return out, err
	}
	var rows []struct {
		Kind                  string
		Found, Used, Expiring int64
	}
	err = l.narrowed(l.filtered(db.NewSelect().Model((*credentialRow)(nil)))).
		ColumnExpr("kind").ColumnExpr("count(*) AS found").
		ColumnExpr("count(*) FILTER (WHERE last_used_at >= ?) AS used", micros(usedSince)).
		ColumnExpr("count(*) FILTER (WHERE expires_at > ? AND expires_at <= ? AND state IN ('active', 'suspended')) AS expiring", micros(now), micros(endingBy)).
		Group("kind").Scan(tx.ctx, &rows)
	if err != nil {
		return out, tx.fail(fmt.Errorf("counting credentials: %w", err))
	}
	out.Kinds = make(map[credential.Kind]int64, len(rows))
	for _, r := range rows {
		out.Kinds[credential.Kind(r.Kind)] = r.Found
		out.Total, out.Used, out.Expiring = out.Total+r.Found, out.Used+r.Used, out.Expiring+r.Expiring
	}
	return out, nil
}

// Inventory is how much there is at an organization and below it.
type Inventory struct {
	Organizations   int64 // below it, itself not counted
	Users           int64
	ServiceAccounts int64
	Apps            int64
	Assignments     int64
	Credentials     map[credential.Kind]int64 // active and suspended ones
}

// Inventory counts what is at an organization and below it, without what is deleted or has
// ended.
func (tx *Tx) Inventory(at tenancy.OrgID) (out Inventory, err error) {
	path, err := tx.pathAt(at)
	if err != nil {
		return out, err
	}
	from, until := below(path)
	tenant := string(tx.tenant)
	const there = "tenant_id = ? AND organization_id IN (SELECT id FROM organizations WHERE tenant_id = ? AND path >= ? AND path < ?)"
	db, err := tx.rows()
	if err != nil {
		return out, err
	}
	for _, c := range []struct {
		table, where string
		args         []any
		to           *int64
	}{
		{"organizations", "tenant_id = ? AND path >= ? AND path < ? AND id <> ? AND state <> 'deleted'", []any{tenant, from, until, string(at)}, &out.Organizations},
		{"users", there + " AND state <> 'deleted'", []any{tenant, tenant, from, until}, &out.Users},
		{"service_accounts", there + " AND state <> 'deleted'", []any{tenant, tenant, from, until}, &out.ServiceAccounts},
		{"apps", there + " AND state <> 'deleted'", []any{tenant, tenant, from, until}, &out.Apps},
		{"assignments", there, []any{tenant, tenant, from, until}, &out.Assignments},
	} {
		err := db.NewSelect().TableExpr(c.table).ColumnExpr("count(*)").Where(c.where, c.args...).Scan(tx.ctx, c.to)
		if err != nil {
			return out, tx.fail(fmt.Errorf("counting %s: %w", c.table, err))
		}
	}
	out.Credentials, err = tx.countKinds(func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where(there, tenant, tenant, from, until).Where("state IN ('active', 'suspended') AND deleted_at = 0")
	})
	return out, err
}

// ActiveCredentials counts the tenant's credentials that are active at a time, by kind.
func (tx *Tx) ActiveCredentials(now time.Time) (map[credential.Kind]int64, error) {
	return tx.countKinds(func(q *bun.SelectQuery) *bun.SelectQuery {
		return tx.scope(q).Where("state = 'active' AND deleted_at = 0 AND expires_at > ?", micros(now))
	})
}

func (tx *Tx) countKinds(where func(*bun.SelectQuery) *bun.SelectQuery) (map[credential.Kind]int64, error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Kind  string
		Found int64
	}
	err = where(db.NewSelect().TableExpr("credentials")).
		ColumnExpr("kind").ColumnExpr("count(*) AS found").Group("kind").Scan(tx.ctx, &rows)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("counting credentials: %w", err))
	}
	kinds := make(map[credential.Kind]int64, len(rows))
	for _, r := range rows {
		kinds[credential.Kind(r.Kind)] = r.Found
	}
	return kinds, nil
}

// CountHolders counts who has each role, assignments at several places as one.
func (tx *Tx) CountHolders() (map[access.RoleID]int64, error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		RoleID string
		Found  int64
	}
	err = tx.scope(db.NewSelect().TableExpr("assignments")).ColumnExpr("role_id").ColumnExpr("count(DISTINCT principal_id) AS found").
		Group("role_id").Scan(tx.ctx, &rows)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("counting holders of roles: %w", err))
	}
	out := make(map[access.RoleID]int64, len(rows))
	for _, r := range rows {
		out[access.RoleID(r.RoleID)] = r.Found
	}
	return out, nil
}

// OpenLinks tells until when the latest one-time link of a purpose is open for each user
// who has one.
func (tx *Tx) OpenLinks(purpose string, now time.Time, users []tenancy.UserID) (map[tenancy.UserID]time.Time, error) {
	ids := map[string]bool{}
	for _, id := range users {
		if validText(string(id)) {
			ids[string(id)] = true
		}
	}
	out := map[tenancy.UserID]time.Time{}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(ids)), maxNamed) {
		rows, err := all[linkOnceRow](tx, "links", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where(ofTenant, string(tx.tenant)).Where("purpose = ? AND expires_at > ?", purpose, micros(now)).Where("user_id IN (?)", bun.List(chunk))
		})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if ends := moment(r.ExpiresAt); ends.After(out[tenancy.UserID(r.UserID)]) {
				out[tenancy.UserID(r.UserID)] = ends
			}
		}
	}
	return out, nil
}
