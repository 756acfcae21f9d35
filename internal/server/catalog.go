package server

import (
	"context"
	"net/http"
	"slices"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) catalogRoutes() {
	const tag = "API catalogue"
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/catalog", Operation: "Catalog", tag: tag,
		summary: "The vendor's APIs, desktop clients and licences, and what of them you may choose",
	}, s.catalog)
	add(s, Route{
		Method: http.MethodPut, Pattern: "/v1/catalog", Operation: "ChangeCatalog", Permission: access.CatalogManage, tag: tag,
		summary: "Replace the catalogue; apps and licences feel it at once",
	}, s.changeCatalog)
}

type catalogInput struct {
	TenantInput
	OrganizationID string `query:"organization_id" maxLength:"64" doc:"Where an app would be; absent means the account."`
}

func (s *Server) catalog(ctx context.Context, c *call, in *catalogInput) (*body[api.CatalogView], error) {
	view, err := s.authority.Catalog(ctx, c.caller, authority.CatalogInput{
		Tenant: in.tenant(), OrganizationID: tenancy.OrgID(in.OrganizationID),
	})
	return answerWith(view, err, catalogViewOf)
}

type changeCatalogInput struct {
	Body api.Catalog
}

func (s *Server) changeCatalog(ctx context.Context, c *call, in *changeCatalogInput) (*body[api.Catalog], error) {
	to, err := s.authority.ChangeCatalog(ctx, c.caller, authority.ChangeCatalogInput{Catalog: catalogFrom(in.Body), Revision: &in.Body.Revision})
	return answerWith(to, err, catalogOf)
}

// catalogViewOf is the catalogue with what the caller may choose of it, and why not.
func catalogViewOf(v authority.CatalogView) api.CatalogView {
	out := api.CatalogView{Catalog: catalogOf(v.Catalog), Choosable: v.Choosable, NotChoosable: map[string]string{}}
	for _, a := range v.APIs() {
		switch {
		case slices.Contains(v.Choosable, a.Key):
		case a.Legacy:
			out.NotChoosable[a.Key] = "This API takes account keys only."
		case len(a.Requires) > 0:
			out.NotChoosable[a.Key] = "Choosing this API needs " + string(a.Requires[0]) +
				", the right to make apps, and a plan that includes it. A Super Admin can give you a role that has it."
		default:
			out.NotChoosable[a.Key] = "Choosing this API needs the right to make apps, and a plan that includes it."
		}
	}
	return out
}

func catalogOf(c catalog.Catalog) api.Catalog {
	out := api.Catalog{
		Revision: c.Revision, Groups: make([]api.CatalogGroup, 0, len(c.Groups)),
		Clients: make([]api.Client, 0, len(c.Clients)), Licences: make([]api.Licence, 0, len(c.Licences)),
	}
	for _, g := range c.Groups {
		group := api.CatalogGroup{Key: g.Key, Name: g.Name, APIs: make([]api.CatalogAPI, 0, len(g.APIs))}
		for _, a := range g.APIs {
			group.APIs = append(group.APIs, api.CatalogAPI{
				Key: a.Key, Name: a.Name, DocumentationURL: a.DocumentationURL, Permissions: texts(a.Permissions),
				Requires: texts(a.Requires), Legacy: a.Legacy,
			})
		}
		out.Groups = append(out.Groups, group)
	}
	for _, c := range c.Clients {
		out.Clients = append(out.Clients, api.Client{Key: c.Key, Name: c.Name, Permissions: texts(c.Permissions)})
	}
	for _, l := range c.Licences {
		out.Licences = append(out.Licences, api.Licence{
			Key: l.Key, Name: l.Name, AllScopes: l.AllScopes, Scopes: texts(l.Scopes), Clients: slices.Clone(l.Clients),
		})
	}
	return out
}

func catalogFrom(c api.Catalog) catalog.Catalog {
	out := catalog.Catalog{Revision: c.Revision}
	for _, g := range c.Groups {
		group := catalog.Group{Key: g.Key, Name: g.Name}
		for _, a := range g.APIs {
			group.APIs = append(group.APIs, catalog.API{
				Key: a.Key, Name: a.Name, DocumentationURL: a.DocumentationURL, Permissions: typed[access.Permission](a.Permissions),
				Requires: typed[access.Permission](a.Requires), Legacy: a.Legacy,
			})
		}
		out.Groups = append(out.Groups, group)
	}
	for _, c := range c.Clients {
		out.Clients = append(out.Clients, catalog.Client{Key: c.Key, Name: c.Name, Permissions: typed[access.Grant](c.Permissions)})
	}
	for _, l := range c.Licences {
		out.Licences = append(out.Licences, catalog.Licence{
			Key: l.Key, Name: l.Name, AllScopes: l.AllScopes, Scopes: typed[access.Permission](l.Scopes), Clients: l.Clients,
		})
	}
	return out
}
