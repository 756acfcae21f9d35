package store

import (
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type organizationRow struct {
	bun.BaseModel `bun:"table:organizations,alias:o"`

	RowID      int64
	ID         string
	TenantID   string
	ParentID   string
	Path       string
	Name       string
	NameKey    string
	State      string
	ExternalID string
	Metadata   string
	Domains    string
	CreatedAt  int64
}

func (r *organizationRow) organization() (tenancy.Organization, error) {
	named, err := labels(r.ExternalID, r.Metadata)
	domains, err2 := fromText[[]string](r.Domains)
	return tenancy.Organization{
		ID: tenancy.OrgID(r.ID), TenantID: tenancy.TenantID(r.TenantID), ParentID: tenancy.OrgID(r.ParentID),
		Path: pathOf(r.Path), Name: r.Name, State: tenancy.State(r.State), Domains: domains, Labels: named, CreatedAt: moment(r.CreatedAt),
	}, errors.Join(err, err2)
}

var (
	insertOrganization = insertInto("organizations", "row_id", "id", "tenant_id", "parent_id", "path", "name", "name_key",
		"state", "external_id", "metadata", "domains", "search_text", "created_at")
	updateOrganization = update("organizations", "name", "name_key", "state", "external_id", "metadata", "domains", "search_text")
	organizationTaken  = problem.New(problem.Conflict, "organization_exists", "Another organization has this external ID. Choose another.")
	domainTaken        = problem.New(problem.Conflict, "domain_taken", "Another organization of the account has one of these domains. Take it away there first.")
)

// Organization is one organization of the tenant, also a deleted one.
func (tx *Tx) Organization(id tenancy.OrgID) (tenancy.Organization, error) {
	type key struct {
		tenant tenancy.TenantID
		id     tenancy.OrgID
	}
	return cached(tx, key{tx.tenant, id}, func() (tenancy.Organization, error) {
		row, err := find[organizationRow](tx, "organization", "id = ? AND tenant_id = ?", string(id), string(tx.tenant))
		if err != nil {
			return tenancy.Organization{}, err
		}
		return row.organization()
	})
}

// OrganizationFilter narrows a list of organizations. The zero filter is all but deleted ones.
type OrganizationFilter struct {
	At             tenancy.OrgID // this one and all below; empty means the whole tree
	Search         string        // part of name or external ID
	State          tenancy.State // empty means any
	IncludeDeleted bool
}

// Organizations lists the tenant's organizations, sorted by "name" or "created_at".
func (tx *Tx) Organizations(f OrganizationFilter, p Page) (List[tenancy.Organization], error) {
	search, err := newNeedle(f.Search)
	if err != nil {
		return List[tenancy.Organization]{}, err
	}
	var at string
	if f.At != "" {
		root, err := tx.Organization(f.At)
		if err != nil {
			return List[tenancy.Organization]{}, err
		}
		at = pathText(root.Path)
	}
	return list(tx, listing[organizationRow, tenancy.Organization]{
		name: "organizations", filter: fmt.Sprintf("%v", f),
		sorts: []sorting[organizationRow]{
			{name: "name", column: "name_key", key: func(r *organizationRow) sortKey { return sortKey{Text: r.NameKey} }},
			{name: "created_at"},
		},
		hidden: []string{"search_text"},
		row:    func(r *organizationRow) int64 { return r.RowID },
		scope:  tx.scope,
		where: func(q *bun.SelectQuery) *bun.SelectQuery {
			if at != "" {
				from, until := below(at)
				q = q.Where("path >= ? AND path < ?", from, until)
			}
			return whereSearch(whereState(q, string(f.State), f.IncludeDeleted), search)
		},
		item: (*organizationRow).organization,
	}, p)
}

// scope is every list's condition: the tenant.
func (tx *Tx) scope(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Where("tenant_id = ?", string(tx.tenant))
}

// beside is scope where another condition tells more. PostgreSQL knows how many rows each keeps,
// but not of an expression.
func (tx *Tx) beside(q *bun.SelectQuery) *bun.SelectQuery {
	if tx.store.db.engine == enginePostgres {
		return tx.scope(q)
	}
	return q.Where(ofTenant, string(tx.tenant))
}

// whereBelow keeps what belongs to an organization or one below it.
func (tx *Tx) whereBelow(q *bun.SelectQuery, path string) *bun.SelectQuery {
	if path == "" {
		return q
	}
	from, until := below(path)
	return q.Where("organization_id IN (SELECT id FROM organizations WHERE tenant_id = ? AND path >= ? AND path < ?)",
		string(tx.tenant), from, until)
}

// pathAt is the path of an organization, "" for none.
func (tx *Tx) pathAt(id tenancy.OrgID) (string, error) {
	if id == "" {
		return "", nil
	}
	o, err := tx.Organization(id)
	return pathText(o.Path), err
}

// InsertOrganization adds an organization; Path must lead from the root to it.
func (tx *Tx) InsertOrganization(o tenancy.Organization) error {
	if err := tx.own(o.TenantID); err != nil {
		return err
	}
	if len(o.Path) == 0 || o.Path[len(o.Path)-1] != o.ID {
		return errors.New("store: an organization's path must end with itself")
	}
	metadata, err := metadataText(o.Labels)
	if err != nil {
		return err
	}
	domains, err := listText(o.Domains)
	if err != nil {
		return err
	}
	row, err := tx.touch(itemOrganization, string(o.ID))
	if err != nil {
		return err
	}
	err = tx.write(statement{text: insertOrganization, taken: organizationTaken, args: []any{
		row, string(o.ID), string(o.TenantID), string(o.ParentID), pathText(o.Path), o.Name, fold(o.Name),
		string(o.State), o.Labels.ExternalID, metadata, domains, searchText(o.Name, o.Labels.ExternalID), micros(o.CreatedAt),
	}})
	if err != nil {
		return err
	}
	return tx.insertDomains(o)
}

// insertDomains notes whose the domains are, so that each is one organization's.
func (tx *Tx) insertDomains(o tenancy.Organization) error {
	if o.State == tenancy.Deleted {
		return nil
	}
	for _, d := range o.Domains {
		if err := tx.write(statement{
			text: "INSERT INTO organization_domains (tenant_id, domain, organization_id) VALUES (?, ?, ?)",
			args: []any{string(tx.tenant), d, string(o.ID)}, taken: domainTaken,
		}); err != nil {
			return err
		}
	}
	return nil
}

type domainRow struct {
	bun.BaseModel `bun:"table:organization_domains,alias:d"`

	TenantID       string
	Domain         string
	OrganizationID string
}

// OrganizationOfDomain is the tenant's organization that has a domain, in the form of
// tenancy.FoldDomain; Missing when none has.
func (tx *Tx) OrganizationOfDomain(domain string) (tenancy.OrgID, error) {
	row, err := find[domainRow](tx, "domain", "domain = ? AND tenant_id = ?", domain, string(tx.tenant))
	return tenancy.OrgID(row.OrganizationID), err
}

// UpdateOrganization changes name, state, domains and labels; MoveOrganization changes its
// place. A domain that another organization of the tenant has is a Conflict, code domain_taken.
func (tx *Tx) UpdateOrganization(o tenancy.Organization) error {
	if err := tx.own(o.TenantID); err != nil {
		return err
	}
	metadata, err := metadataText(o.Labels)
	if err != nil {
		return err
	}
	domains, err := listText(o.Domains)
	if err != nil {
		return err
	}
	before, err := tx.Organization(o.ID)
	if err != nil {
		return err
	}
	if _, err := tx.touch(itemOrganization, string(o.ID)); err != nil {
		return err
	}
	err = tx.write(statement{text: updateOrganization, one: "organization", taken: organizationTaken, args: []any{
		o.Name, fold(o.Name), string(o.State), o.Labels.ExternalID, metadata, domains, searchText(o.Name, o.Labels.ExternalID),
		string(o.ID), string(tx.tenant),
	}})
	if err != nil || slices.Equal(before.Domains, o.Domains) && before.State == o.State {
		return err
	}
	if err := tx.exec("DELETE FROM organization_domains WHERE organization_id = ? AND tenant_id = ?", string(o.ID), string(tx.tenant)); err != nil {
		return err
	}
	return tx.insertDomains(o)
}

// MoveOrganization puts an organization, with all below it, under another parent. Under
// itself, or below itself, is a Conflict, code organization_cycle.
func (tx *Tx) MoveOrganization(id, newParent tenancy.OrgID) error {
	moved, err := tx.Organization(id)
	if err != nil {
		return err
	}
	parent, err := tx.Organization(newParent)
	if err != nil {
		return err
	}
	if moved.ParentID == "" || tenancy.IsWithin(parent.Path, id) {
		return problem.New(problem.Conflict, "organization_cycle", "An organization cannot be moved below itself, and the account cannot be moved.")
	}
	oldPath := pathText(moved.Path)
	newPath := pathText(parent.Path) + string(id) + "/"
	from, until := below(oldPath)
	ids, err := tx.subtree(oldPath)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := tx.touch(itemOrganization, id); err != nil {
			return err
		}
	}
	if err := tx.exec("UPDATE organizations SET parent_id = ? WHERE id = ? AND tenant_id = ?", string(newParent), string(id), string(tx.tenant)); err != nil {
		return err
	}
	return tx.exec("UPDATE organizations SET path = ? || substr(path, ?) WHERE tenant_id = ? AND path >= ? AND path < ?",
		newPath, int64(len(oldPath)+1), string(tx.tenant), from, until)
}

func (tx *Tx) subtree(path string) (ids []string, err error) {
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	from, until := below(path)
	err = tx.scope(db.NewSelect().Model((*organizationRow)(nil)).Column("id")).
		Where("path >= ? AND path < ?", from, until).Order("path").Scan(tx.ctx, &ids)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("reading organizations: %w", err))
	}
	return ids, nil
}
