package authority

import (
	"context"
	"reflect"
	"slices"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/problem"
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
	Choosable    []string // keys of the APIs that the caller may choose for an app there
	NotChoosable []NotChoosable
}

// NotChoosable is an API that the caller may not choose, and why.
type NotChoosable struct {
	Key    string
	Why    ChoiceReason
	Needed []access.Permission // with ChoicePrerequisite: those that the caller lacks
}

// ChoiceReason is why an API cannot be chosen.
type ChoiceReason string

// The reasons, the one that is hardest to change first.
const (
	ChoiceLegacy       ChoiceReason = "legacy"       // it takes account keys only (VC7)
	ChoiceNotInPlan    ChoiceReason = "not_in_plan"  // the tenant has not bought it
	ChoiceNoApps       ChoiceReason = "no_apps"      // the caller may not make apps there (EE1)
	ChoicePrerequisite ChoiceReason = "prerequisite" // the caller lacks an assignment (EE8)
)

// ChangeCatalogInput replaces the whole catalogue.
type ChangeCatalogInput struct {
	Catalog catalog.Catalog
	// Revision is that of the catalogue that was edited; another one meanwhile is a
	// conflict. Nil replaces whatever is there.
	Revision *int64
}

// Catalog answers the vendor's catalogue (EE4) and what of it the caller may choose for an
// app (EE8). It needs a right to apps, service accounts, client credentials, roles or
// users anywhere in the tenant, or claviger.catalog:manage.
func (a *Authority) Catalog(ctx context.Context, caller access.Caller, in CatalogInput) (out CatalogView, err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		_, err := s.visible("", access.AppsManage, access.ServiceAccountsManage, access.ClientCredentialsManageOwn,
			access.ClientCredentialsManage, access.AccountKeysManage, access.RolesRead, access.RolesManage, access.UsersRead,
			access.UsersManage, access.CatalogManage)
		if err != nil {
			return err
		}
		path, err := s.path(in.OrganizationID)
		if err != nil {
			return err
		}
		if out.Catalog, err = s.tx.AllTenantsCatalog(); err != nil {
			return err
		}
		s.choose(&out, path)
		return nil
	})
	return out, err
}

// choose fills in what the caller may choose for an app at the end of the path. What Choose
// refuses must be refused here.
func (s *scope) choose(v *CatalogView, path []tenancy.OrgID) {
	v.Choosable, v.NotChoosable = []string{}, nil
	held := s.caller.At(path)
	for _, api := range v.APIs() {
		needed := access.SetOf(api.Requires...).Without(held)
		var why ChoiceReason
		switch {
		case api.Legacy:
			why = ChoiceLegacy
		case !s.plan.Set().Covers(access.SetOf(api.Permissions...)):
			why = ChoiceNotInPlan
		case !s.holds(access.AppsManage, path):
			why = ChoiceNoApps
		case len(needed) > 0:
			why = ChoicePrerequisite
		default:
			v.Choosable = append(v.Choosable, api.Key)
			continue
		}
		no := NotChoosable{Key: api.Key, Why: why}
		if why == ChoicePrerequisite {
			for _, g := range needed {
				no.Needed = append(no.Needed, access.Permission(g))
			}
		}
		v.NotChoosable = append(v.NotChoosable, no)
	}
}

// ChangeCatalog replaces the catalogue, which reaches every app, licence and client
// credential at once. It needs claviger.catalog:manage in the system tenant. Problems:
// changed_meanwhile. Audited as catalog.change, with the keys of what is new, changed and gone.
func (a *Authority) ChangeCatalog(ctx context.Context, caller access.Caller, in ChangeCatalogInput) (out catalog.Catalog, err error) {
	_, err = a.change(ctx, caller, "", func(c *change) error {
		if err := c.requireSystem(access.CatalogManage); err != nil {
			return err
		}
		if err := in.Catalog.Validate(); err != nil {
			return err
		}
		old, err := c.tx.AllTenantsCatalog()
		if err != nil {
			return err
		}
		if in.Revision != nil && *in.Revision != old.Revision {
			return problem.New(problem.Conflict, "changed_meanwhile", "Someone else changed the catalogue meanwhile. Read it again, then repeat your change.")
		}
		if out, err = c.tx.AllTenantsSetCatalog(in.Catalog); err != nil {
			return err
		}
		return c.record("catalog.change", target{kind: "catalog", id: "catalog", name: "API catalogue"},
			fields{"revision": old.Revision}, catalogChanges(old, out))
	})
	return out, err
}

// catalogChanges names what differs between two catalogues; the whole of them would make
// every event as long as the catalogue.
func catalogChanges(old, next catalog.Catalog) fields {
	f := fields{"revision": next.Revision}
	namedChanges(f, "groups", old.Groups, next.Groups, func(g catalog.Group) string { return g.Key })
	namedChanges(f, "apis", old.APIs(), next.APIs(), func(a catalog.API) string { return a.Key })
	namedChanges(f, "clients", old.Clients, next.Clients, func(c catalog.Client) string { return c.Key })
	namedChanges(f, "licences", old.Licences, next.Licences, func(l catalog.Licence) string { return l.Key })
	return f
}

func namedChanges[T any](f fields, what string, old, next []T, key func(T) string) {
	before := map[string]T{}
	for _, v := range old {
		before[key(v)] = v
	}
	var added, changed, removed []string
	for _, v := range next {
		was, ok := before[key(v)]
		delete(before, key(v))
		switch {
		case !ok:
			added = append(added, key(v))
		case !reflect.DeepEqual(was, v):
			changed = append(changed, key(v))
		}
	}
	for k := range before {
		removed = append(removed, k)
	}
	slices.Sort(removed)
	for name, list := range map[string][]string{"added_": added, "changed_": changed, "removed_": removed} {
		if len(list) > 0 {
			f[name+what] = list
		}
	}
}
