package server

import (
	"context"
	"net/http"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/signin"
)

func (s *Server) sessionRoutes() {
	const tag = "Sessions"
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/sessions", Operation: "SignIn", Public: true, tag: tag,
		summary: "Sign in with a password", status: http.StatusCreated,
	}, s.signIn)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/sessions", Operation: "Sessions", tag: tag,
		summary: "Your own sessions",
	}, s.sessions)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/sessions/current", Operation: "SignOut", Public: true, tag: tag,
		summary: "Sign out", status: http.StatusNoContent,
	}, s.signOut)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/sessions/{id}", Operation: "EndSession", tag: tag,
		summary: "End another of your own sessions", status: http.StatusNoContent,
	}, s.endSession)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/sessions/current/reauthenticate", Operation: "Reauthenticate", tag: tag,
		summary: "Prove again that it is you",
	}, s.reauthenticate)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/invitations/accept", Operation: "AcceptInvitation", Public: true, tag: tag,
		summary: "Set the password of an invited user",
	}, s.acceptInvitation)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/sign-in/automatic", Operation: "SignInAutomatically", Public: true, tag: tag,
		summary: "Sign somebody in to a desktop client with the organization's key",
	}, s.signInAutomatically)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/sign-in/automatic/renew", Operation: "RenewAutomaticSignIn", Public: true, tag: tag,
		summary: "The next token of somebody who was signed in automatically",
	}, s.renewAutomaticSignIn)
}

// sessionAnswer gives the browser its cookie.
type sessionAnswer struct {
	SetCookie string `header:"Set-Cookie" doc:"The session's token."`
	Body      api.Session
}

type signInInput struct{ Body api.SignInRequest }

func (s *Server) signIn(ctx context.Context, c *call, in *signInInput) (*sessionAnswer, error) {
	session, err := s.signin.SignIn(ctx, signin.SignInInput{
		Tenant: in.Body.Tenant, Username: in.Body.Username, Password: in.Body.Password.Reveal(),
	}, c.from, c.token)
	if err != nil {
		return nil, err
	}
	return &sessionAnswer{SetCookie: cookieFor(session.Token.Reveal()), Body: sessionOf(session, session.ID)}, nil
}

func (s *Server) sessions(ctx context.Context, c *call, _ *struct{}) (*body[api.List[api.Session]], error) {
	session, err := c.person()
	if err != nil {
		return nil, err
	}
	all, err := s.signin.Sessions(ctx, session)
	if err != nil {
		return nil, err
	}
	out := api.List[api.Session]{Items: []api.Session{}, Total: int64(len(all))}
	for _, one := range all {
		out.Items = append(out.Items, sessionOf(one, session.ID))
	}
	return &body[api.List[api.Session]]{out}, nil
}

type signOutAnswer struct {
	SetCookie string `header:"Set-Cookie" doc:"Takes the session's token away."`
}

func (s *Server) signOut(ctx context.Context, c *call, _ *struct{}) (*signOutAnswer, error) {
	if c.token != "" {
		if err := s.signin.SignOut(ctx, c.token, c.from); err != nil {
			return nil, err
		}
	}
	return &signOutAnswer{SetCookie: cookieFor("")}, nil
}

func (s *Server) endSession(ctx context.Context, c *call, in *IDInput) (*none, error) {
	session, err := c.person()
	if err != nil {
		return nil, err
	}
	return nil, s.signin.EndSession(ctx, session, in.ID, c.from)
}

type reauthenticateInput struct{ Body api.ReauthenticateRequest }

func (s *Server) reauthenticate(ctx context.Context, c *call, in *reauthenticateInput) (*sessionAnswer, error) {
	if _, err := c.person(); err != nil {
		return nil, err
	}
	session, err := s.signin.Reauthenticate(ctx, c.token, in.Body.Password.Reveal(), c.from)
	if err != nil {
		return nil, err
	}
	return &sessionAnswer{SetCookie: cookieFor(session.Token.Reveal()), Body: sessionOf(session, session.ID)}, nil
}

type acceptInvitationInput struct{ Body api.AcceptInvitationRequest }

// acceptInvitation tells the person, who came with nothing but a link, what to sign in as.
func (s *Server) acceptInvitation(ctx context.Context, c *call, in *acceptInvitationInput) (*body[api.AcceptedInvitation], error) {
	tenant, user, err := s.signin.AcceptInvitation(ctx, in.Body.Token.Reveal(), in.Body.Password.Reveal(), c.from)
	if err != nil {
		return nil, err
	}
	return &body[api.AcceptedInvitation]{api.AcceptedInvitation{Tenant: tenant.Slug, Username: user.Username}}, nil
}

type signInAutomaticallyInput struct {
	Body api.AutomaticSignInRequest
}

func (s *Server) signInAutomatically(ctx context.Context, c *call, in *signInAutomaticallyInput) (*body[api.AutomaticSession], error) {
	session, err := s.signin.SignInAutomatically(ctx, signin.AutomaticInput{
		Key: secret.New(in.Body.Key.Reveal()), Username: in.Body.Username, Client: in.Body.Client,
	}, c.from)
	return answerWith(session, err, automaticSessionOf)
}

type renewAutomaticSignInInput struct {
	Body api.RenewAutomaticSignInRequest
}

func (s *Server) renewAutomaticSignIn(ctx context.Context, c *call, in *renewAutomaticSignInInput) (*body[api.AutomaticSession], error) {
	session, err := s.signin.RenewAutomatic(ctx, secret.New(in.Body.SessionToken.Reveal()), c.from)
	return answerWith(session, err, automaticSessionOf)
}

func automaticSessionOf(se signin.AutomaticSession) api.AutomaticSession {
	return api.AutomaticSession{SessionToken: api.Secret(se.Token.Reveal()), ExpiresAt: se.ExpiresAt, UserID: string(se.UserID)}
}

func sessionOf(se signin.Session, current string) api.Session {
	return api.Session{
		ID: se.ID, UserID: string(se.UserID), TenantID: string(se.TenantID), Current: se.ID == current,
		CreatedAt: se.CreatedAt, LastSeenAt: se.SeenAt, IdleAt: se.IdleAt, ExpiresAt: se.ExpiresAt,
		ReauthenticatedAt: optional(se.ReauthenticatedAt), Source: se.Source, UserAgent: se.UserAgent,
	}
}

// optional is nil for the zero time.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
