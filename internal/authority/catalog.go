package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// CatalogInput asks for the catalogue, with what the caller may choose from it.
type CatalogInput struct {
	Tenant         tenancy.TenantID
	OrganizationID tenancy.OrgID // where an app would be; empty means the root
}

// CatalogView is the catalogue as a caller may use it.
type CatalogView struct {
	catalog.Catalog
	Choosable []string // keys of the APIs that the caller may choose for an app there
}

// ChangeCatalogInput replaces the whole catalogue.
type ChangeCatalogInput struct {
	Catalog catalog.Catalog
	// Revision is that of the catalogue that was edited; another one meanwhile is a
	// conflict. Nil replaces whatever is there.
	Revision *int64
}

func (a *Authority) Catalog(ctx context.Context, caller access.Caller, in CatalogInput) (out CatalogView, err error) {
	return out, errUnfinished
}

func (a *Authority) ChangeCatalog(ctx context.Context, caller access.Caller, in ChangeCatalogInput) (out catalog.Catalog, err error) {
	return out, errUnfinished
}
