package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/secret"
)

func (s *Server) firstAdminRoutes() {
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/first-admin", Operation: "AcceptFirstAdmin", Public: true, tag: "First start",
		summary: "Make the installation's first administrator, once", status: http.StatusCreated,
	}, s.firstAdmin)
}

type firstAdminInput struct{ Body api.FirstAdminRequest }

// firstAdmin has no caller: the link is the proof.
func (s *Server) firstAdmin(ctx context.Context, c *call, in *firstAdminInput) (*body[api.User], error) {
	if err := s.signin.Guess(c.from); err != nil {
		return nil, err
	}
	hash, err := s.signin.HashPassword(ctx, "/password", in.Body.Password.Reveal(), in.Body.Username)
	if err != nil {
		return nil, err
	}
	user, err := s.authority.AcceptFirstAdmin(ctx, s.nobody(c), authority.AcceptFirstAdminInput{
		Token: secret.New(in.Body.Token.Reveal()), Username: in.Body.Username, DisplayName: in.Body.DisplayName, PasswordHash: hash,
	})
	if err != nil {
		return nil, err
	}
	return &body[api.User]{userOf(user)}, nil
}

// nobody is a caller without any identity, who holds nothing.
func (s *Server) nobody(c *call) access.Caller {
	return access.Caller{Source: c.from.Source, UserAgent: c.from.UserAgent, RequestID: c.id}
}
