package store

import (
	"fmt"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/problem"
)

type catalogRow struct {
	bun.BaseModel `bun:"table:catalog,alias:k"`

	ID       int64
	Document string
	Revision int64
}

func (r *catalogRow) catalog() (catalog.Catalog, error) {
	c, err := fromText[catalog.Catalog](r.Document)
	if err != nil {
		return catalog.Catalog{}, fmt.Errorf("reading the catalogue: %w", err)
	}
	c.Revision = r.Revision
	return c, nil
}

// catalogItem is the catalogue's name in the feed: there is one.
const catalogItem = "catalog"

// AllTenantsCatalog is the vendor's catalogue, the zero one when none was ever stored. What
// it points to is shared: nobody may change it.
func (tx *Tx) AllTenantsCatalog() (catalog.Catalog, error) {
	type catalogKey struct{}
	return cached(tx, catalogKey{}, func() (catalog.Catalog, error) {
		row, err := find[catalogRow](tx, "catalogue", "id = 1")
		if problem.Is(err, problem.NotFound) {
			return catalog.Catalog{}, nil
		}
		if err != nil {
			return catalog.Catalog{}, err
		}
		return row.catalog()
	})
}

// AllTenantsSetCatalog replaces the catalogue and returns it with its new revision, that of
// the feed. It must be valid: here nobody looks.
func (tx *Tx) AllTenantsSetCatalog(c catalog.Catalog) (catalog.Catalog, error) {
	revision, err := tx.AllTenantsIn("").touch(itemCatalog, catalogItem)
	if err != nil {
		return catalog.Catalog{}, err
	}
	c.Revision = revision
	document, err := jsonText(c)
	if err != nil {
		return catalog.Catalog{}, err
	}
	return c, tx.exec("INSERT INTO catalog (id, document, revision) VALUES (1, ?, ?) "+
		"ON CONFLICT (id) DO UPDATE SET document = excluded.document, revision = excluded.revision", document, revision)
}
