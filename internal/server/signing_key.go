package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/token"
)

func (s *Server) signingKeyRoutes() {
	const tag, need = "Signing keys", access.SigningKeysManage
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/signing-keys", Operation: "SigningKeys", Permission: need, tag: tag,
		summary: "The keys that sign tokens, in the order in which they take over",
	}, s.signingKeys)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/signing-keys/rotate", Operation: "RotateSigningKey", Permission: need, tag: tag,
		summary: "Let a new key take over; tokens of the others stay good", status: http.StatusCreated,
	}, s.rotateSigningKey)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/signing-keys/{id}/withdraw", Operation: "WithdrawSigningKey", Permission: need, tag: tag,
		summary: "End a key with all its tokens, at once",
	}, s.withdrawSigningKey)
}

func (s *Server) signingKeys(ctx context.Context, c *call, _ *struct{}) (*body[api.List[api.SigningKey]], error) {
	all, err := s.authority.SigningKeys(ctx, c.caller, authority.SigningKeysInput{})
	return listAnswer(store.List[token.SigningKey]{Items: all, Total: int64(len(all))}, err, signingKeyOf)
}

type rotateSigningKeyInput struct {
	Body api.RotateSigningKeyRequest `required:"false"`
}

func (s *Server) rotateSigningKey(ctx context.Context, c *call, in *rotateSigningKeyInput) (*body[api.SigningKey], error) {
	k, err := s.authority.RotateSigningKey(ctx, c.caller, authority.RotateSigningKeyInput{
		Algorithm: token.Algorithm(in.Body.Algorithm), AtOnce: in.Body.AtOnce,
	})
	return answerWith(k, err, signingKeyOf)
}

func (s *Server) withdrawSigningKey(ctx context.Context, c *call, in *IDInput) (*body[api.SigningKey], error) {
	k, err := s.authority.WithdrawSigningKey(ctx, c.caller, authority.WithdrawSigningKeyInput{ID: in.ID})
	return answerWith(k, err, signingKeyOf)
}

func signingKeyOf(k token.SigningKey) api.SigningKey {
	return api.SigningKey{
		ID: k.ID, Algorithm: string(k.Algorithm), CreatedAt: k.CreatedAt, SignsFrom: k.SignsFrom, VerifiesUntil: optional(k.VerifiesUntil),
	}
}
