package server

import (
	"context"
	"maps"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
)

func (s *Server) verifierKeyRoutes() {
	const tag, thing, need = "Verifier keys", "verifier key", access.VerifierKeysManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/verifier-keys", Operation: "IssueVerifierKey", Permission: need, tag: tag,
		summary: "Make a key that may verify credentials; it is shown this once", status: http.StatusCreated,
	}, s.issueVerifierKey)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/verifier-keys", Operation: "VerifierKeys", Permission: need, tag: tag,
		summary: "All verifier keys of the tenant",
	}, s.verifierKeys)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/verifier-keys/{id}", Operation: "VerifierKey", Permission: need, tag: tag,
		summary: "One verifier key, without its secret",
	}, keyAnswer(s.authority.VerifierKey, thing, verifierKeyOf))
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/verifier-keys/{id}", Operation: "RenameVerifierKey", Permission: need, tag: tag,
		summary: "Rename a verifier key",
	}, s.renameVerifierKey)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/verifier-keys/{id}/suspend", Operation: "SuspendVerifierKey", Permission: need, tag: tag,
		summary: "Stop a verifier key until it is resumed",
	}, keyAction(s.authority.SuspendVerifierKey, "SuspendVerifierKey", thing, verifierKeyOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/verifier-keys/{id}/resume", Operation: "ResumeVerifierKey", Permission: need, tag: tag,
		summary: "Let a suspended verifier key work again",
	}, keyAction(s.authority.ResumeVerifierKey, "ResumeVerifierKey", thing, verifierKeyOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/verifier-keys/{id}/rotate", Operation: "RotateVerifierKey", Permission: need, tag: tag,
		summary: "A new secret under the same ID; it is shown this once",
	}, rotateAction(s.authority.RotateVerifierKey, "RotateVerifierKey", thing, issuedVerifierKeyOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/verifier-keys/{id}/revoke", Operation: "RevokeVerifierKey", Permission: need, tag: tag,
		summary: "End a verifier key for good",
	}, keyAction(s.authority.RevokeVerifierKey, "RevokeVerifierKey", thing, verifierKeyOf))
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/verifier-keys/{id}", Operation: "DeleteVerifierKey", Permission: need, tag: tag,
		summary: "End a verifier key for good and hide it from lists", status: http.StatusNoContent,
	}, deleteAction(s.authority.DeleteVerifierKey, thing))
}

type issueVerifierKeyInput struct {
	TenantInput
	OnceInput
	Body api.IssueVerifierKeyRequest
}

func (s *Server) issueVerifierKey(ctx context.Context, c *call, in *issueVerifierKeyInput) (*body[api.IssuedVerifierKey], error) {
	once, err := in.once("IssueVerifierKey", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	networks, _, err := restrictions(in.Body.Networks, nil)
	if err != nil {
		return nil, err
	}
	key, err := s.authority.IssueVerifierKey(ctx, c.caller, authority.IssueVerifierKeyInput{
		Tenant: in.tenant(), Name: in.Body.Name, NotBefore: given(in.Body.NotBefore), ExpiresAt: in.Body.ExpiresAt,
		Networks: networks, Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	})
	return answerWith(key, err, issuedVerifierKeyOf)
}

func (s *Server) verifierKeys(ctx context.Context, c *call, in *KeysInput) (*body[api.List[api.VerifierKey]], error) {
	list, err := s.authority.VerifierKeys(ctx, c.caller, in.ask())
	return listAnswer(list, err, verifierKeyOf)
}

type renameVerifierKeyInput struct {
	IDInput
	Body api.ChangeVerifierKeyRequest
}

func (s *Server) renameVerifierKey(ctx context.Context, c *call, in *renameVerifierKeyInput) (*body[api.VerifierKey], error) {
	id, err := credentialID(in.ID, "verifier key")
	if err != nil {
		return nil, err
	}
	key, err := s.authority.RenameVerifierKey(ctx, c.caller, authority.RenameKeyInput{ID: id, Name: in.Body.Name})
	return answerWith(key, err, verifierKeyOf)
}

func verifierKeyOf(k authority.Key) api.VerifierKey {
	return api.VerifierKey{
		ID: k.ID.String(), TenantID: string(k.TenantID), Name: k.Name, Hint: k.Hint, State: string(k.State),
		Networks: networksOf(k.Networks), SecretVersion: k.SecretVersion, PreviousUntil: optional(k.GraceUntil),
		NotBefore: optional(k.NotBefore), ExpiresAt: optional(k.ExpiresAt), CreatedAt: k.CreatedAt,
		CreatedBy: creatorOf(k),
		EndedAt:   optional(k.EndedAt), DeletedAt: optional(k.DeletedAt), LastUsedAt: optional(k.LastUsedAt),
		ExternalID: k.Labels.ExternalID, Metadata: maps.Clone(k.Labels.Metadata),
	}
}

func issuedVerifierKeyOf(k authority.IssuedKey) api.IssuedVerifierKey {
	return api.IssuedVerifierKey{
		VerifierKey: verifierKeyOf(k.Key), Key: api.Secret(k.Secret.Reveal()), SecretAvailable: k.SecretAvailable,
	}
}
