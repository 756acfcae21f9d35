package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

func planItem(p catalog.Plan) verify.Item {
	return verify.Item{Plan: &verify.Plan{ID: p.ID, APIAccess: p.APIAccess, Permissions: p.Permissions}}
}

// Snapshot streams everything that verification holds, as of one revision: catalogue,
// plans, tenants, organizations, roles, assignments, users, service accounts, apps, revoked tokens, signing keys, credentials. Credentials come without what
// verification doesn't ask for: name, hint, and the times and origin of creation.
func (s *Store) Snapshot(ctx context.Context, put func(verify.Item) error) (revision uint64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	views, h, err := s.openViews(ctx)
	if err != nil {
		return 0, problem.Wrap(fmt.Errorf("beginning a snapshot: %w", err))
	}
	defer func() {
		for _, v := range views {
			v.close()
		}
	}()
	tx := &Tx{work: &work{store: s, ctx: ctx, db: views[0].conn, head: h, committed: h}}
	if err := tx.allTenantsSmallThings(put); err != nil {
		return 0, fmt.Errorf("reading the snapshot: %w", err)
	}
	if err := tx.allTenantsBigThings(views, put); err != nil {
		return 0, fmt.Errorf("reading the snapshot's credentials: %w", err)
	}
	return h.revision, nil
}

func (tx *Tx) allTenantsSmallThings(put func(verify.Item) error) error {
	if err := stream(tx, nil, (*catalogRow).catalog, func(c catalog.Catalog) error { return put(verify.Item{Catalog: &c}) }); err != nil {
		return err
	}
	if err := stream(tx, nil, (*planRow).plan, func(p catalog.Plan) error { return put(planItem(p)) }); err != nil {
		return err
	}
	held, err := tx.AllTenantsHeld()
	if err != nil {
		return err
	}
	if err := stream(tx, nil, (*tenantRow).tenant, func(t tenancy.Tenant) error { return put(verify.Item{Tenant: &t, Held: held}) }); err != nil {
		return err
	}
	byPath := func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("tenant_id", "path") }
	if err := stream(tx, byPath, (*organizationRow).organization, func(o tenancy.Organization) error {
		return put(verify.Item{Organization: &o})
	}); err != nil {
		return err
	}
	live := func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("deleted_at = 0") }
	if err := stream(tx, live, (*roleRow).role, func(r access.Role) error { return put(verify.Item{Role: &r}) }); err != nil {
		return err
	}
	if err := tx.allTenantsAssignmentStream(put); err != nil {
		return err
	}
	if err := stream(tx, nil, (*userRow).user, func(u tenancy.User) error { return put(verify.Item{User: &u}) }); err != nil {
		return err
	}
	if err := stream(tx, nil, (*serviceAccountRow).serviceAccount, func(a tenancy.ServiceAccount) error {
		return put(verify.Item{ServiceAccount: &a})
	}); err != nil {
		return err
	}
	if err := stream(tx, nil, (*appRow).app, func(a tenancy.App) error { return put(verify.Item{App: &a}) }); err != nil {
		return err
	}
	alive := func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("expires_at > ?", micros(tx.store.now())) }
	if err := stream(tx, alive, (*revokedTokenRow).item, func(t verify.RevokedToken) error { return put(verify.Item{RevokedToken: &t}) }); err != nil {
		return err
	}
	keys, err := tx.AllTenantsSigningKeys()
	if err != nil {
		return err
	}
	return put(verify.Item{SigningKeys: &verify.SigningKeys{List: keys}})
}

// stream reads all rows of a table one by one.
func stream[M, T any](tx *Tx, refine func(*bun.SelectQuery) *bun.SelectQuery, item func(*M) (T, error), put func(T) error) error {
	q := tx.db.NewSelect().Model((*M)(nil))
	if refine != nil {
		q = refine(q)
	}
	rows, err := q.Rows(tx.ctx)
	if err != nil {
		return tx.fail(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	db := tx.store.db.read
	for rows.Next() {
		var m M
		if err := db.ScanRow(tx.ctx, rows, &m); err != nil {
			return err
		}
		v, err := item(&m)
		if err != nil {
			return err
		}
		if err := put(v); err != nil {
			return err
		}
	}
	return rows.Err()
}

// allTenantsAssignmentStream gives all assignments of one principal at a time.
func (tx *Tx) allTenantsAssignmentStream(put func(verify.Item) error) error {
	var now *verify.PrincipalAssignments
	flush := func() error {
		if now == nil {
			return nil
		}
		return put(verify.Item{Assignments: now})
	}
	inOrder := func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Order("tenant_id", "principal_id", "principal_type", "row_id")
	}
	err := stream(tx, inOrder, (*assignmentRow).assignment, func(a access.Assignment) error {
		if now == nil || now.Principal != a.Principal || now.TenantID != a.TenantID {
			if err := flush(); err != nil {
				return err
			}
			now = &verify.PrincipalAssignments{Principal: a.Principal, TenantID: a.TenantID}
		}
		now.List = append(now.List, a)
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}
