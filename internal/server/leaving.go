package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) leavingRoutes() {
	const tag, manage = "Users", access.UsersManage
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/users/{id}/credentials", Operation: "UserCredentials", Permission: manage, tag: tag,
		summary: "A user's credentials of every kind, and what you may let happen to them when the user leaves",
	}, s.userCredentials)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/users/{id}/new-owners", Operation: "NewOwners", Permission: manage, tag: tag,
		summary: "Who could get a user's credentials, and why not",
	}, s.newOwners)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/users/{id}/offboard", Operation: "OffboardUser", Permission: manage, tag: tag,
		summary: "Suspend, revoke or hand over a user's credentials, and suspend or delete the user, all at once or nothing",
	}, s.offboardUser)
}

type userCredentialsInput struct {
	IDInput
	PageInput
}

func (s *Server) userCredentials(ctx context.Context, c *call, in *userCredentialsInput) (*body[api.List[api.UserCredential]], error) {
	list, err := s.authority.UserCredentials(ctx, c.caller, authority.UserCredentialsInput{ID: tenancy.UserID(in.ID), Page: in.page()})
	return listAnswer(list, err, userCredentialOf)
}

type newOwnersInput struct {
	IDInput
	SearchInput
}

func (s *Server) newOwners(ctx context.Context, c *call, in *newOwnersInput) (*body[api.NewOwners], error) {
	list, err := s.authority.NewOwners(ctx, c.caller, authority.NewOwnersInput{ID: tenancy.UserID(in.ID), Search: in.Search})
	return answerWith(list, err, newOwnersOf)
}

type offboardUserInput struct {
	IDInput
	OnceInput
	Body api.OffboardUserRequest
}

func (s *Server) offboardUser(ctx context.Context, c *call, in *offboardUserInput) (*body[api.OffboardedUser], error) {
	once, err := in.once("OffboardUser", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	ask := authority.OffboardUserInput{ID: tenancy.UserID(in.ID), Departure: authority.Departure(in.Body.Then), Idempotency: once}
	for i, f := range in.Body.Credentials {
		id, err := credential.ParseID(f.ID)
		if err != nil {
			return nil, problem.InvalidField(fmt.Sprintf("/credentials/%d/id", i), "This is no credential's ID.")
		}
		ask.Credentials = append(ask.Credentials, authority.CredentialFate{ID: id, Fate: authority.Fate(f.Action), To: tenancy.UserID(f.To)})
	}
	done, err := s.authority.OffboardUser(ctx, c.caller, ask)
	return answerWith(done, err, offboardedUserOf)
}

func userCredentialOf(k authority.OwnedKey) api.UserCredential {
	return api.UserCredential{
		ID: k.ID.String(), Kind: string(k.Kind), ClientID: k.PublicID, Name: k.Name, Hint: k.Hint, State: string(k.State),
		ExpiresAt: optional(k.ExpiresAt), LastUsedAt: optional(k.LastUsedAt), Actions: texts(k.Fates),
	}
}

func newOwnersOf(list []authority.NewOwner) api.NewOwners {
	out := api.NewOwners{Items: make([]api.NewOwner, 0, len(list))}
	for _, o := range list {
		item := api.NewOwner{
			ID: string(o.User.ID), Username: o.User.Username, DisplayName: o.User.DisplayName,
			OrganizationID: string(o.User.OrganizationID), OrganizationName: o.OrganizationName,
			Refused: make([]api.NewOwnerRefusal, 0, len(o.Refused)),
		}
		for _, r := range o.Refused {
			item.Refused = append(item.Refused, api.NewOwnerRefusal{
				CredentialID: r.ID.String(), Code: cmp.Or(r.Why.Code, r.Why.Kind.String()), Message: r.Why.Message,
			})
		}
		out.Items = append(out.Items, item)
	}
	return out
}

func offboardedUserOf(done authority.OffboardedUser) api.OffboardedUser {
	out := api.OffboardedUser{User: userOf(done.User), Credentials: make([]api.OffboardedCredential, 0, len(done.Credentials))}
	for _, k := range done.Credentials {
		out.Credentials = append(out.Credentials, api.OffboardedCredential{
			ID: k.ID.String(), Kind: string(k.Kind), ClientID: k.PublicID, Name: k.Name, State: string(k.State), Owner: ownerOf(k.Key),
			SecretVersion: k.SecretVersion, Secret: api.Secret(k.Secret.Reveal()), SecretAvailable: k.SecretAvailable,
		})
	}
	return out
}
