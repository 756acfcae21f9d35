package store

import (
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type tenantRow struct {
	bun.BaseModel `bun:"table:tenants,alias:t"`

	RowID      int64
	ID         string
	Slug       string
	Name       string
	NameKey    string
	AccountID  int64
	PlanID     string `bun:",nullzero"`
	RootOrg    string
	State      string
	Policy     string
	ExternalID string
	Metadata   string
	CreatedAt  int64
	ModifiedAt int64

	APIAccessRequestedAt int64 `bun:"api_access_requested_at"`
	ImportUntil          int64
}

func (r *tenantRow) tenant() (tenancy.Tenant, error) {
	policy, err := fromText[tenancy.Policy](r.Policy)
	named, err2 := labels(r.ExternalID, r.Metadata)
	return tenancy.Tenant{
		ID: tenancy.TenantID(r.ID), Slug: r.Slug, Name: r.Name, AccountID: r.AccountID,
		PlanID: tenancy.PlanID(r.PlanID), RootOrg: tenancy.OrgID(r.RootOrg), State: tenancy.State(r.State),
		Policy: policy, Labels: named, CreatedAt: moment(r.CreatedAt), ModifiedAt: moment(r.ModifiedAt),
		APIAccessRequestedAt: moment(r.APIAccessRequestedAt), ImportUntil: moment(r.ImportUntil),
	}, errors.Join(err, err2)
}

var (
	insertTenant = insertInto("tenants", "row_id", "id", "slug", "name", "name_key", "account_id", "plan_id", "root_org",
		"state", "policy", "external_id", "metadata", "search_text", "api_access_requested_at", "import_until", "created_at", "modified_at")
	tenantTaken = problem.New(problem.Conflict, "tenant_exists", "Another tenant has this slug, account ID or external ID. Choose another.")
)

const updateTenant = "UPDATE tenants SET slug = ?, name = ?, name_key = ?, account_id = ?, plan_id = ?, root_org = ?, state = ?, " +
	"policy = ?, external_id = ?, metadata = ?, search_text = ?, api_access_requested_at = ?, import_until = ?, modified_at = ? WHERE id = ?"

// tenantArgs are the columns that may change, in the order of updateTenant.
func tenantArgs(t tenancy.Tenant) ([]any, error) {
	policy, err := jsonText(t.Policy)
	metadata, err2 := metadataText(t.Labels)
	var plan any // NULL for none: an empty plan would break the foreign key
	if t.PlanID != "" {
		plan = string(t.PlanID)
	}
	return []any{
		t.Slug, t.Name, fold(t.Name), t.AccountID, plan, string(t.RootOrg), string(t.State), policy,
		t.Labels.ExternalID, metadata, searchText(t.Name, t.Slug, t.Labels.ExternalID),
		micros(t.APIAccessRequestedAt), micros(t.ImportUntil),
	}, errors.Join(err, err2)
}

// Tenant is this transaction's tenant, also when it is deleted; Missing when there is none.
func (tx *Tx) Tenant() (tenancy.Tenant, error) { return tx.AllTenantsTenant(tx.tenant) }

// InsertTenant adds the tenant; the transaction must be the tenant's own. A slug, account
// ID or external ID that is taken is a Conflict, code tenant_exists.
func (tx *Tx) InsertTenant(t tenancy.Tenant) error {
	if err := tx.own(t.ID); err != nil {
		return err
	}
	args, err := tenantArgs(t)
	if err != nil {
		return err
	}
	row, err := tx.touch(itemTenant, string(t.ID))
	if err != nil {
		return err
	}
	args = append([]any{row, string(t.ID)}, args...)
	args = append(args, micros(t.CreatedAt), micros(t.ModifiedAt))
	return tx.write(statement{text: insertTenant, args: args, taken: tenantTaken})
}

// UpdateTenant changes all but ID and time of creation; Missing when there is none.
func (tx *Tx) UpdateTenant(t tenancy.Tenant) error {
	if err := tx.own(t.ID); err != nil {
		return err
	}
	args, err := tenantArgs(t)
	if err != nil {
		return err
	}
	if _, err := tx.touch(itemTenant, string(t.ID)); err != nil {
		return err
	}
	args = append(args, micros(t.ModifiedAt), string(t.ID))
	return tx.write(statement{text: updateTenant, args: args, one: "tenant", taken: tenantTaken})
}

// AllTenantsTenant is any tenant, also a deleted one.
func (tx *Tx) AllTenantsTenant(id tenancy.TenantID) (tenancy.Tenant, error) {
	return cached(tx, id, func() (tenancy.Tenant, error) {
		row, err := find[tenantRow](tx, "tenant", "id = ?", string(id))
		if err != nil {
			return tenancy.Tenant{}, err
		}
		return row.tenant()
	})
}

// AllTenantsTenantBySlug is the tenant with the slug that is not deleted.
func (tx *Tx) AllTenantsTenantBySlug(slug string) (tenancy.Tenant, error) {
	row, err := find[tenantRow](tx, "tenant", "slug = ? AND state <> 'deleted'", slug)
	if err != nil {
		return tenancy.Tenant{}, err
	}
	return row.tenant()
}

// TenantFilter narrows a list of tenants. The zero filter is all but deleted ones.
type TenantFilter struct {
	Search         string        // part of name, slug or external ID
	State          tenancy.State // empty means any
	IncludeDeleted bool
}

// AllTenantsTenants lists tenants, sorted by "name" or "created_at".
func (tx *Tx) AllTenantsTenants(f TenantFilter, p Page) (List[tenancy.Tenant], error) {
	search, err := newNeedle(f.Search)
	if err != nil {
		return List[tenancy.Tenant]{}, err
	}
	return list(tx, listing[tenantRow, tenancy.Tenant]{
		name: "tenants", filter: fmt.Sprintf("%v", f),
		sorts: []sorting[tenantRow]{
			{name: "name", column: "name_key", key: func(r *tenantRow) sortKey { return sortKey{Text: r.NameKey} }},
			{name: "created_at"},
		},
		hidden: []string{"search_text"},
		row:    func(r *tenantRow) int64 { return r.RowID },
		where: func(q *bun.SelectQuery) *bun.SelectQuery {
			q = whereState(q, string(f.State), f.IncludeDeleted)
			return whereSearch(q, search)
		},
		item: (*tenantRow).tenant,
	}, p)
}

func whereState(q *bun.SelectQuery, state string, includeDeleted bool) *bun.SelectQuery {
	if state != "" {
		return q.Where("state = ?", state)
	}
	if !includeDeleted {
		return q.Where("state <> 'deleted'")
	}
	return q
}

func whereSearch(q *bun.SelectQuery, n needle) *bun.SelectQuery {
	if n == "" {
		return q
	}
	return q.Where(`search_text LIKE ? ESCAPE '\'`, n.like())
}
