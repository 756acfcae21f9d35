package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
)

func (s *Server) meRoutes() {
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/me", Operation: "Me", tag: "Me",
		summary: "Who you are and what you may do",
	}, s.me)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/me/password", Operation: "ChangePassword", tag: "Me",
		summary: "Set a new password and end your other sessions", status: http.StatusNoContent,
	}, s.changePassword)
}

func (s *Server) me(ctx context.Context, c *call, _ *struct{}) (*body[api.Me], error) {
	out, err := s.authority.Me(ctx, c.caller, authority.MeInput{})
	if err != nil {
		return nil, err
	}
	me := api.Me{
		Principal:    api.Principal{Type: string(out.Caller.Principal.Type), ID: out.Caller.Principal.ID, Name: out.Caller.Name},
		Via:          string(out.Caller.Via),
		CredentialID: out.Caller.CredentialID,
		System:       out.System,
		Tenant: api.MeTenant{
			ID: string(out.Tenant.ID), Slug: out.Tenant.Slug, Name: out.Tenant.Name, AccountID: out.Tenant.AccountID,
			PlanKey: out.Plan.Key, PlanName: out.Plan.Name, APIAccess: out.Plan.APIAccess, RootOrgID: string(out.Tenant.RootOrg),
		},
		Organization: api.MeOrg{ID: string(out.Organization.ID), Name: out.Organization.Name},
		Permissions:  grantsOf(out.Permissions),
		Holdings:     []api.Holding{},

		APICredentials: out.APICredentials,
	}
	if out.User != nil {
		me.Username, me.DisplayName, me.Email, me.Licence = out.User.Username, out.User.DisplayName, out.User.Email, out.User.Licence
	}
	for i, h := range out.Caller.Holdings {
		place := out.Places[i]
		me.Holdings = append(me.Holdings, api.Holding{
			OrganizationID: string(h.Organization), OrganizationName: place.Name, OrganizationPath: texts(place.Path), Permissions: grantsOf(h.Set),
		})
	}
	if c.session != nil {
		session := sessionOf(*c.session, c.session.ID)
		me.Session = &session
	}
	return &body[api.Me]{me}, nil
}

func grantsOf(set access.Set) []string { return texts(set.Grants()) }

// texts never returns nil: lists are never null.
func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = string(t)
	}
	return out
}

// typed is the other way.
func typed[T ~string](list []string) []T {
	out := make([]T, len(list))
	for i, t := range list {
		out[i] = T(t)
	}
	return out
}

type changePasswordInput struct {
	Body api.ChangePasswordRequest
}

func (s *Server) changePassword(ctx context.Context, c *call, in *changePasswordInput) (*none, error) {
	session, err := c.person()
	if err != nil {
		return nil, err
	}
	return nil, s.signin.ChangePassword(ctx, session, in.Body.CurrentPassword.Reveal(), in.Body.NewPassword.Reveal(), c.from)
}
