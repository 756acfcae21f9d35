package server

import (
	"context"
	"maps"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) userRoutes() {
	const tag = "Users"
	const read, manage = access.UsersRead, access.UsersManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/users", Operation: "CreateUser", Permission: manage, tag: tag,
		summary: "Make a user and an invitation for them", status: http.StatusCreated,
	}, s.createUser)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/users", Operation: "Users", Permission: read, tag: tag,
		summary: "Users that you may see",
	}, s.users)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/users/{id}", Operation: "User", Permission: read, tag: tag,
		summary: "One user",
	}, s.user)
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/users/{id}", Operation: "ChangeUser", Permission: manage, tag: tag,
		summary: "Change a user; another organization takes their keys along",
	}, s.changeUser)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/users/{id}/invite", Operation: "InviteUser", Permission: manage, tag: tag,
		summary: "Invite a user again",
	}, s.inviteUser)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/users/{id}/suspend", Operation: "SuspendUser", Permission: manage, tag: tag,
		summary: "Stop a user, their sessions and their keys",
	}, s.suspendUser)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/users/{id}/resume", Operation: "ResumeUser", Permission: manage, tag: tag,
		summary: "Let a suspended user go on",
	}, s.resumeUser)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/users/{id}", Operation: "DeleteUser", Permission: manage, tag: tag,
		summary: "End a user and their keys for good", status: http.StatusNoContent,
	}, s.deleteUser)
}

type createUserInput struct {
	TenantInput
	OnceInput
	Body api.CreateUserRequest
}

func (s *Server) createUser(ctx context.Context, c *call, in *createUserInput) (*body[api.CreatedUser], error) {
	once, err := in.once("CreateUser", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	made, err := s.authority.CreateUser(ctx, c.caller, authority.CreateUserInput{
		Tenant: in.tenant(), OrganizationID: tenancy.OrgID(in.Body.OrganizationID), Username: in.Body.Username,
		DisplayName: in.Body.DisplayName, Email: in.Body.Email, Licence: in.Body.Licence,
		Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	})
	return answerWith(made, err, s.createdUserOf)
}

type usersInput struct {
	TenantInput
	PageInput
	SearchInput
	OrganizationID string `query:"organization_id" maxLength:"64" doc:"Users of this organization and all below it."`
	State          string `query:"state" enum:"active,suspended,deleted"`
}

func (s *Server) users(ctx context.Context, c *call, in *usersInput) (*body[api.List[api.User]], error) {
	list, err := s.authority.Users(ctx, c.caller, authority.UsersInput{
		Tenant: in.tenant(), At: tenancy.OrgID(in.OrganizationID), Search: in.Search, State: tenancy.State(in.State), Page: in.page(),
	})
	return listAnswer(list, err, shownUserOf)
}

func (s *Server) user(ctx context.Context, c *call, in *IDInput) (*body[api.User], error) {
	user, err := s.authority.User(ctx, c.caller, authority.UserInput{ID: tenancy.UserID(in.ID)})
	return answerWith(user, err, shownUserOf)
}

type changeUserInput struct {
	IDInput
	Body api.ChangeUserRequest
}

func (s *Server) changeUser(ctx context.Context, c *call, in *changeUserInput) (*body[api.User], error) {
	ask := authority.ChangeUserInput{
		ID: tenancy.UserID(in.ID), Username: in.Body.Username, DisplayName: in.Body.DisplayName, Email: in.Body.Email,
		Licence: in.Body.Licence, OrganizationID: retyped[tenancy.OrgID](in.Body.OrganizationID),
	}
	if in.Body.ExternalID != nil || in.Body.Metadata != nil {
		now, err := s.authority.User(ctx, c.caller, authority.UserInput{ID: ask.ID})
		if err != nil {
			return nil, err
		}
		ask.Labels = changedLabels(now.Labels, in.Body.ExternalID, in.Body.Metadata)
	}
	user, err := s.authority.ChangeUser(ctx, c.caller, ask)
	return answerWith(user, err, userOf)
}

func (in *idOnceInput) userAsk(operation string) (authority.UserInput, error) {
	once, err := in.once(operation, in.ID)
	return authority.UserInput{ID: tenancy.UserID(in.ID), Idempotency: once}, err
}

func (s *Server) inviteUser(ctx context.Context, c *call, in *idOnceInput) (*body[api.CreatedUser], error) {
	ask, err := in.userAsk("InviteUser")
	if err != nil {
		return nil, err
	}
	made, err := s.authority.InviteUser(ctx, c.caller, ask)
	return answerWith(made, err, s.createdUserOf)
}

func (s *Server) suspendUser(ctx context.Context, c *call, in *idOnceInput) (*body[api.User], error) {
	ask, err := in.userAsk("SuspendUser")
	if err != nil {
		return nil, err
	}
	user, err := s.authority.SuspendUser(ctx, c.caller, ask)
	return answerWith(user, err, userOf)
}

func (s *Server) resumeUser(ctx context.Context, c *call, in *idOnceInput) (*body[api.User], error) {
	ask, err := in.userAsk("ResumeUser")
	if err != nil {
		return nil, err
	}
	user, err := s.authority.ResumeUser(ctx, c.caller, ask)
	return answerWith(user, err, userOf)
}

func (s *Server) deleteUser(ctx context.Context, c *call, in *IDInput) (*none, error) {
	_, err := s.authority.DeleteUser(ctx, c.caller, authority.UserInput{ID: tenancy.UserID(in.ID)})
	return nil, err
}

func (s *Server) createdUserOf(made authority.InvitedUser) api.CreatedUser {
	out := api.CreatedUser{User: userOf(made.User)}
	if !made.Invitation.Token.IsZero() {
		token := made.Invitation.Token.Reveal()
		out.Invitation = &api.Invitation{
			Token: api.Secret(token), URL: api.Secret(s.link("/invitation", token)), ExpiresAt: made.Invitation.ExpiresAt,
		}
	}
	return out
}

func shownUserOf(u authority.User) api.User {
	out := userOf(u.User)
	out.OrganizationName, out.InvitedUntil = u.OrganizationName, optional(u.InvitedUntil)
	for _, r := range u.Roles {
		out.Roles = append(out.Roles, api.UserRole{
			AssignmentID: string(r.ID), RoleID: string(r.RoleID), RoleName: r.RoleName,
			OrganizationID: string(r.OrganizationID), OrganizationName: r.OrganizationName,
		})
	}
	return out
}

func userOf(u tenancy.User) api.User {
	return api.User{
		ID: string(u.ID), TenantID: string(u.TenantID), OrganizationID: string(u.OrganizationID), Username: u.Username,
		DisplayName: u.DisplayName, Email: u.Email, Licence: u.Licence, State: string(u.State),
		ExternalID: u.Labels.ExternalID, Metadata: maps.Clone(u.Labels.Metadata), CreatedAt: u.CreatedAt,
	}
}
