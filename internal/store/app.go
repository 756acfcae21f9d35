package store

import (
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type appRow struct {
	bun.BaseModel `bun:"table:apps,alias:a"`

	RowID          int64
	ID             string
	TenantID       string
	OrganizationID string
	Name           string
	NameKey        string
	APIs           string `bun:"apis"`
	State          string
	ExternalID     string
	Metadata       string
	CreatedAt      int64
	CreatedByName  string
}

func (r *appRow) app() (tenancy.App, error) {
	apis, err := fromText[[]string](r.APIs)
	named, err2 := labels(r.ExternalID, r.Metadata)
	return tenancy.App{
		ID: tenancy.AppID(r.ID), TenantID: tenancy.TenantID(r.TenantID), OrganizationID: tenancy.OrgID(r.OrganizationID),
		Name: r.Name, APIs: apis, State: tenancy.State(r.State), Labels: named,
		CreatedAt: moment(r.CreatedAt), CreatedByName: r.CreatedByName,
	}, errors.Join(err, err2)
}

var (
	insertApp = insertInto("apps", "row_id", "id", "tenant_id", "created_at", "created_by_name", "created_by_key",
		"organization_id", "name", "name_key", "apis", "state", "external_id", "metadata", "search_text")
	updateApp = update("apps", "organization_id", "name", "name_key", "apis", "state", "external_id", "metadata", "search_text")
	appTaken  = problem.New(problem.Conflict, "app_exists", "Another app has this external ID. Choose another.")
)

// appArgs are the columns that may change, in the order of updateApp.
func appArgs(a tenancy.App) ([]any, error) {
	apis, err := listText(a.APIs)
	metadata, err2 := metadataText(a.Labels)
	return []any{
		string(a.OrganizationID), a.Name, fold(a.Name), apis, string(a.State),
		a.Labels.ExternalID, metadata, searchText(a.Name, a.Labels.ExternalID),
	}, errors.Join(err, err2)
}

// App is one app of the tenant, also a deleted one.
func (tx *Tx) App(id tenancy.AppID) (tenancy.App, error) {
	row, err := find[appRow](tx, "app", "id = ? AND tenant_id = ?", string(id), string(tx.tenant))
	if err != nil {
		return tenancy.App{}, err
	}
	return row.app()
}

// AppFilter narrows a list of apps. The zero filter is all but deleted ones.
type AppFilter struct {
	At             tenancy.OrgID   // apps of this organization and all below; empty means all
	Search         string          // part of name, external ID, or the name of creator or organization
	States         []tenancy.State // none means any
	IncludeDeleted bool
}

// Apps lists the tenant's apps, sorted by "name" or "created_at".
func (tx *Tx) Apps(f AppFilter, p Page) (List[tenancy.App], error) {
	where, err := tx.wherePrincipal(f.At, f.Search, f.States, f.IncludeDeleted)
	if err != nil {
		return List[tenancy.App]{}, err
	}
	return list(tx, listing[appRow, tenancy.App]{
		name: "apps", filter: fmt.Sprintf("%v", f),
		sorts: []sorting[appRow]{
			{name: "name", column: "name_key", key: func(r *appRow) sortKey { return sortKey{Text: r.NameKey} }},
			{name: "created_at"},
		},
		hidden: []string{"search_text", "created_by_key"},
		row:    func(r *appRow) int64 { return r.RowID },
		scope:  tx.scope,
		where:  where,
		item:   (*appRow).app,
	}, p)
}

// wherePrincipal is the condition of the lists of apps and of service accounts.
func (tx *Tx) wherePrincipal(
	below tenancy.OrgID, search string, states []tenancy.State, includeDeleted bool,
) (func(*bun.SelectQuery) *bun.SelectQuery, error) {
	n, err := newNeedle(search)
	if err != nil {
		return nil, err
	}
	at, err := tx.pathAt(below)
	if err != nil {
		return nil, err
	}
	for _, state := range states {
		if !validText(string(state)) {
			return nil, errText
		}
	}
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		if len(states) > 0 {
			q = q.Where("state IN (?)", bun.List(states))
		}
		q = tx.whereBelow(whereState(q, "", includeDeleted), at)
		if n == "" {
			return q
		}
		return q.Where(`(search_text LIKE ? ESCAPE '\' OR created_by_key LIKE ? ESCAPE '\' OR organization_id IN (`+namedOrganizations+`))`,
			n.like(), n.like(), string(tx.tenant), n.like())
	}, nil
}

// InsertApp adds an app. An external ID that is taken is a Conflict, code app_exists.
func (tx *Tx) InsertApp(a tenancy.App) error {
	if err := tx.own(a.TenantID); err != nil {
		return err
	}
	args, err := appArgs(a)
	if err != nil {
		return err
	}
	row, err := tx.touch(itemApp, string(a.ID))
	if err != nil {
		return err
	}
	return tx.write(statement{text: insertApp, taken: appTaken, args: append(
		[]any{row, string(a.ID), string(a.TenantID), micros(a.CreatedAt), a.CreatedByName, searchText(a.CreatedByName)}, args...)})
}

// UpdateApp changes all but ID and creation.
func (tx *Tx) UpdateApp(a tenancy.App) error {
	if err := tx.own(a.TenantID); err != nil {
		return err
	}
	args, err := appArgs(a)
	if err != nil {
		return err
	}
	if _, err := tx.touch(itemApp, string(a.ID)); err != nil {
		return err
	}
	return tx.write(statement{text: updateApp, one: "app", taken: appTaken, args: append(args, string(a.ID), string(tx.tenant))})
}

// AllTenantsAppTenant finds the tenant of an app.
func (tx *Tx) AllTenantsAppTenant(id tenancy.AppID) (tenancy.TenantID, error) {
	return tenantOf[appRow](tx, "app", string(id))
}
