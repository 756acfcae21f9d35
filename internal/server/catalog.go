package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

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
	out := api.CatalogView{Catalog: catalogOf(v.Catalog), Choosable: v.Choosable, NotChoosable: map[string]string{}, Missing: map[string][]string{}}
	for _, no := range v.NotChoosable {
		switch no.Why {
		case authority.ChoiceLegacy:
			out.NotChoosable[no.Key] = "This API takes account keys only."
		case authority.ChoiceNotInPlan:
			out.NotChoosable[no.Key] = "Your plan does not include this API."
		case authority.ChoiceNoApps:
			out.NotChoosable[no.Key] = "You may not make apps here."
		case authority.ChoicePrerequisite:
			names := make([]string, len(no.Needed))
			for i, p := range no.Needed {
				names[i] = authority.PlainName(p)
			}
			out.Missing[no.Key] = names
			out.NotChoosable[no.Key] = "You need the " + together(names) + " to choose this. A Super Admin can grant " + oneOrMore(names, "it", "them") + "."
		}
	}
	return out
}

// together names assignments in a sentence.
func together(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "") + " assignment"
	}
	return strings.Join(names[:last], ", ") + " and " + names[last] + " assignments"
}

func oneOrMore(names []string, one, more string) string {
	if len(names) == 1 {
		return one
	}
	return more
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
