package store

import (
	"fmt"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type serviceAccountRow struct {
	bun.BaseModel `bun:"table:service_accounts,alias:v"`

	RowID          int64
	ID             string
	TenantID       string
	OrganizationID string
	Email          string
	EmailKey       string
	Description    string
	State          string
	ExternalID     string
	Metadata       string
	CreatedAt      int64
	CreatedByName  string
}

func (r *serviceAccountRow) serviceAccount() (tenancy.ServiceAccount, error) {
	named, err := labels(r.ExternalID, r.Metadata)
	return tenancy.ServiceAccount{
		ID: tenancy.ServiceAccountID(r.ID), TenantID: tenancy.TenantID(r.TenantID), OrganizationID: tenancy.OrgID(r.OrganizationID),
		Email: r.Email, Description: r.Description, State: tenancy.State(r.State), Labels: named,
		CreatedAt: moment(r.CreatedAt), CreatedByName: r.CreatedByName,
	}, err
}

var (
	insertServiceAccount = insertInto("service_accounts", "row_id", "id", "tenant_id", "created_at", "created_by_name", "created_by_key",
		"organization_id", "email", "email_key", "description", "state", "external_id", "metadata", "search_text")
	updateServiceAccount = update("service_accounts", "organization_id", "email", "email_key", "description", "state",
		"external_id", "metadata", "search_text")
	serviceAccountTaken = problem.New(problem.Conflict, "service_account_exists",
		"Another service account has this e-mail address or external ID. Choose another.")
)

// serviceAccountArgs are the columns that may change, in the order of updateServiceAccount.
func serviceAccountArgs(a tenancy.ServiceAccount) ([]any, error) {
	metadata, err := metadataText(a.Labels)
	return []any{
		string(a.OrganizationID), a.Email, fold(a.Email), a.Description, string(a.State),
		a.Labels.ExternalID, metadata, searchText(a.Email, a.Description, a.Labels.ExternalID),
	}, err
}

// ServiceAccount is one service account of the tenant, also a deleted one.
func (tx *Tx) ServiceAccount(id tenancy.ServiceAccountID) (tenancy.ServiceAccount, error) {
	row, err := find[serviceAccountRow](tx, "service account", "id = ? AND tenant_id = ?", string(id), string(tx.tenant))
	if err != nil {
		return tenancy.ServiceAccount{}, err
	}
	return row.serviceAccount()
}

// ServiceAccountFilter narrows a list of service accounts. The zero filter is all but
// deleted ones.
type ServiceAccountFilter struct {
	At             tenancy.OrgID   // of this organization and all below; empty means all
	Search         string          // part of e-mail address, description, external ID, or the name of creator or organization
	States         []tenancy.State // none means any
	IncludeDeleted bool
}

// ServiceAccounts lists the tenant's service accounts, sorted by "email" or "created_at".
func (tx *Tx) ServiceAccounts(f ServiceAccountFilter, p Page) (List[tenancy.ServiceAccount], error) {
	where, err := tx.wherePrincipal(f.At, f.Search, f.States, f.IncludeDeleted)
	if err != nil {
		return List[tenancy.ServiceAccount]{}, err
	}
	return list(tx, listing[serviceAccountRow, tenancy.ServiceAccount]{
		name: "service accounts", filter: fmt.Sprintf("%v", f),
		sorts: []sorting[serviceAccountRow]{
			{name: "email", column: "email_key", key: func(r *serviceAccountRow) sortKey { return sortKey{Text: r.EmailKey} }},
			{name: "created_at"},
		},
		hidden: []string{"search_text", "created_by_key"},
		row:    func(r *serviceAccountRow) int64 { return r.RowID },
		scope:  tx.scope,
		where:  where,
		item:   (*serviceAccountRow).serviceAccount,
	}, p)
}

// InsertServiceAccount adds a service account. An e-mail address or external ID that is
// taken is a Conflict, code service_account_exists.
func (tx *Tx) InsertServiceAccount(a tenancy.ServiceAccount) error {
	if err := tx.own(a.TenantID); err != nil {
		return err
	}
	args, err := serviceAccountArgs(a)
	if err != nil {
		return err
	}
	row, err := tx.touch(itemServiceAccount, string(a.ID))
	if err != nil {
		return err
	}
	return tx.write(statement{text: insertServiceAccount, taken: serviceAccountTaken, args: append(
		[]any{row, string(a.ID), string(a.TenantID), micros(a.CreatedAt), a.CreatedByName, searchText(a.CreatedByName)}, args...)})
}

// UpdateServiceAccount changes all but ID and creation.
func (tx *Tx) UpdateServiceAccount(a tenancy.ServiceAccount) error {
	if err := tx.own(a.TenantID); err != nil {
		return err
	}
	args, err := serviceAccountArgs(a)
	if err != nil {
		return err
	}
	if _, err := tx.touch(itemServiceAccount, string(a.ID)); err != nil {
		return err
	}
	return tx.write(statement{
		text: updateServiceAccount, one: "service account", taken: serviceAccountTaken,
		args: append(args, string(a.ID), string(tx.tenant)),
	})
}

// AllTenantsServiceAccountTenant finds the tenant of a service account.
func (tx *Tx) AllTenantsServiceAccountTenant(id tenancy.ServiceAccountID) (tenancy.TenantID, error) {
	return tenantOf[serviceAccountRow](tx, "service account", string(id))
}
