package store

import (
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/tenancy"
)

// DeliveryFilter narrows a list of deliveries; empty fields mean any.
type DeliveryFilter struct {
	Kind      DeliveryKind
	State     DeliveryState
	Recipient string
	About     string
}

// parts are the filter's conditions. Of the first there is an index in the order of the list.
func (f DeliveryFilter) parts() (list []rawQuery) {
	for _, c := range []struct{ column, value string }{
		{"recipient", f.Recipient}, {"state", string(f.State)}, {"kind", string(f.Kind)}, {"about", f.About},
	} {
		if c.value != "" {
			list = append(list, rawQuery{text: c.column + " = ?", args: []any{c.value}})
		}
	}
	return list
}

// Deliveries lists the tenant's deliveries in the order in which they were made.
func (tx *Tx) Deliveries(f DeliveryFilter, p Page) (List[Delivery], error) {
	return deliveries(tx, f, p, tx.scope)
}

// AllTenantsDeliveries lists the deliveries of one tenant, or of all when it is empty, in the
// order in which they were made.
func (tx *Tx) AllTenantsDeliveries(tenant tenancy.TenantID, f DeliveryFilter, p Page) (List[Delivery], error) {
	if tenant != "" {
		return tx.AllTenantsIn(tenant).Deliveries(f, p)
	}
	return deliveries(tx, f, p, func(q *bun.SelectQuery) *bun.SelectQuery { return q })
}

func deliveries(tx *Tx, f DeliveryFilter, p Page, scope func(*bun.SelectQuery) *bun.SelectQuery) (List[Delivery], error) {
	if !validText(f.Recipient) || !validText(f.About) {
		return List[Delivery]{}, errText
	}
	l := listing[deliveryRow, Delivery]{
		name: "deliveries", filter: fmt.Sprintf("%v", f),
		sorts: []sorting[deliveryRow]{{name: "created_at"}},
		row:   func(r *deliveryRow) int64 { return r.RowID },
		scope: scope,
		item:  (*deliveryRow).delivery,
	}
	parts := f.parts()
	if len(parts) > 0 {
		l.scope = func(q *bun.SelectQuery) *bun.SelectQuery { return scope(q).Where(parts[0].text, parts[0].args...) }
	}
	if len(parts) > 1 {
		rest := joined(parts[1:], " AND ")
		l.where = func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where(rest.text, rest.args...) }
	}
	return list(tx, l, p)
}

// DeliveryCount says how many deliveries of a kind are in a state.
type DeliveryCount struct {
	Kind   DeliveryKind
	State  DeliveryState
	Count  int64
	Oldest time.Time // when the oldest of them was made
}

// AllTenantsDeliveryCounts counts the deliveries that are pending or dead.
func (tx *Tx) AllTenantsDeliveryCounts() ([]DeliveryCount, error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Kind, State   string
		Found, Oldest int64
	}
	err = db.NewSelect().TableExpr("deliveries").Column("kind", "state").
		ColumnExpr("count(*) AS found").ColumnExpr("min(created_at) AS oldest").
		Where("state IN ('pending', 'dead')").Group("kind", "state").OrderExpr("kind, state").Scan(tx.ctx, &rows)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("counting deliveries: %w", err))
	}
	out := make([]DeliveryCount, len(rows))
	for i, r := range rows {
		out[i] = DeliveryCount{Kind: DeliveryKind(r.Kind), State: DeliveryState(r.State), Count: r.Found, Oldest: moment(r.Oldest)}
	}
	return out, nil
}

// AllTenantsMendDeliveries makes deliveries due whose times a clock that was wrong has put
// further off than any can be: leases that end after leased, attempts after next.
func (tx *Tx) AllTenantsMendDeliveries(now, leased, next time.Time) error {
	if err := tx.exec("UPDATE deliveries SET next_at = ?, first_at = 0 WHERE state = 'pending' AND next_at > ?", micros(now), micros(next)); err != nil {
		return err
	}
	return tx.exec("UPDATE deliveries SET leased_until = 0 WHERE state = 'pending' AND leased_until > ?", micros(leased))
}

// AllTenantsPruneDeliveries removes the deliveries that were finished longest ago, before a
// time, at most limit of them, and returns how many.
func (tx *Tx) AllTenantsPruneDeliveries(before time.Time, limit int) (int, error) {
	rows, err := all[deliveryRow](tx, "deliveries", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Column("row_id").Where("state <> 'pending'").Where("finished_at < ?", micros(before)).Order("finished_at").Limit(int64(limit))
	})
	if err != nil {
		return 0, err
	}
	for i := range rows {
		if err := tx.exec("DELETE FROM deliveries WHERE row_id = ?", rows[i].RowID); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}
