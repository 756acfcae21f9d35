package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/store"
)

func (s *Server) findRoutes() {
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/find", Operation: "Find", tag: "Me",
		summary: "Things of any type that you may see, by part of their name, or a credential by its ID",
	}, s.find)
}

type findInput struct {
	TenantInput
	Text string `query:"q" required:"true" maxLength:"200" doc:"Part of a word, or crd_ and the rest. Up to 8 of each type are answered."`
}

func (s *Server) find(ctx context.Context, c *call, in *findInput) (*body[api.List[api.Found]], error) {
	found, err := s.authority.Find(ctx, c.caller, authority.FindInput{Tenant: in.tenant(), Text: in.Text})
	return listAnswer(store.List[authority.Found]{Items: found, Total: int64(len(found))}, err, func(f authority.Found) api.Found {
		return api.Found{
			Type: f.Type, ID: f.ID, Name: f.Name, Detail: f.Detail, CredentialID: f.Credential, Kind: string(f.Kind), State: f.State,
			OrganizationID: string(f.OrganizationID), OrganizationName: f.OrganizationName,
		}
	})
}
