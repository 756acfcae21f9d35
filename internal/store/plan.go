package store

import (
	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type planRow struct {
	bun.BaseModel `bun:"table:plans,alias:p"`

	ID          string
	Key         string
	Name        string
	APIAccess   bool
	Permissions string
	CreatedAt   int64
}

func (r *planRow) plan() (catalog.Plan, error) {
	permissions, err := fromText[[]access.Grant](r.Permissions)
	return catalog.Plan{
		ID: tenancy.PlanID(r.ID), Key: r.Key, Name: r.Name, APIAccess: r.APIAccess,
		Permissions: permissions, CreatedAt: moment(r.CreatedAt),
	}, err
}

var planTaken = problem.New(problem.Conflict, "plan_exists", "Another plan has this key. Choose another.")

// AllTenantsPlan is one plan; plans belong to no tenant.
func (tx *Tx) AllTenantsPlan(id tenancy.PlanID) (catalog.Plan, error) {
	return cached(tx, id, func() (catalog.Plan, error) {
		row, err := find[planRow](tx, "plan", "id = ?", string(id))
		if err != nil {
			return catalog.Plan{}, err
		}
		return row.plan()
	})
}

// AllTenantsPlanByKey is the plan with the key.
func (tx *Tx) AllTenantsPlanByKey(key string) (catalog.Plan, error) {
	row, err := find[planRow](tx, "plan", "key = ?", key)
	if err != nil {
		return catalog.Plan{}, err
	}
	return row.plan()
}

// AllTenantsPlans lists all plans by key.
func (tx *Tx) AllTenantsPlans() ([]catalog.Plan, error) {
	rows, err := all[planRow](tx, "plans", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("key") })
	if err != nil {
		return nil, err
	}
	return convert(rows, (*planRow).plan)
}

// AllTenantsInsertPlan adds a plan. A key that is taken is a Conflict, code plan_exists.
func (tx *Tx) AllTenantsInsertPlan(p catalog.Plan) error {
	permissions, err := listText(p.Permissions)
	if err != nil {
		return err
	}
	if _, err := tx.AllTenantsIn("").touch(itemPlan, string(p.ID)); err != nil {
		return err
	}
	return tx.write(statement{
		text:  "INSERT INTO plans (id, key, name, api_access, permissions, created_at) VALUES (?, ?, ?, ?, ?, ?)",
		args:  []any{string(p.ID), p.Key, p.Name, p.APIAccess, permissions, micros(p.CreatedAt)},
		taken: planTaken,
	})
}

// AllTenantsUpdatePlan changes all but ID and time of creation.
func (tx *Tx) AllTenantsUpdatePlan(p catalog.Plan) error {
	permissions, err := listText(p.Permissions)
	if err != nil {
		return err
	}
	if _, err := tx.AllTenantsIn("").touch(itemPlan, string(p.ID)); err != nil {
		return err
	}
	return tx.write(statement{
		text:  "UPDATE plans SET key = ?, name = ?, api_access = ?, permissions = ? WHERE id = ?",
		args:  []any{p.Key, p.Name, p.APIAccess, permissions, string(p.ID)},
		one:   "plan",
		taken: planTaken,
	})
}

// AllTenantsDeletePlan removes a plan; one that a tenant has, also a deleted one, is a
// Conflict, code in_use.
func (tx *Tx) AllTenantsDeletePlan(id tenancy.PlanID) error {
	if _, err := tx.AllTenantsIn("").touch(itemPlan, string(id)); err != nil {
		return err
	}
	return tx.write(statement{text: "DELETE FROM plans WHERE id = ?", args: []any{string(id)}, one: "plan"})
}

// convert makes items of rows.
func convert[M, T any](rows []M, item func(*M) (T, error)) ([]T, error) {
	items := make([]T, len(rows))
	for i := range rows {
		var err error
		if items[i], err = item(&rows[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}
