package server

import (
	"context"
	"maps"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
)

func (s *Server) accountKeyRoutes() {
	const tag, thing, need = "Account keys (deprecated)", "account key", access.AccountKeysManage
	route := func(method, pattern, operation, summary string, status int) Route {
		return Route{
			Method: method, Pattern: "/v1/account-keys" + pattern, Operation: operation, Permission: need, tag: tag,
			summary: summary, status: status, deprecated: true,
		}
	}
	add(s, route(http.MethodPost, "", "IssueAccountKey", "Make a key that may do everything the plan allows; it is shown this once", http.StatusCreated), s.issueAccountKey)
	add(s, route(http.MethodGet, "", "AccountKeys", "All account keys of the tenant", 0), s.accountKeys)
	add(s, route(http.MethodGet, "/{id}", "AccountKey", "One account key, without its secret", 0), keyAnswer(s.authority.AccountKey, thing, accountKeyOf))
	add(s, route(http.MethodPatch, "/{id}", "RenameAccountKey", "Rename an account key", 0), s.changeAccountKey)
	add(s, route(http.MethodPost, "/{id}/suspend", "SuspendAccountKey", "Stop an account key until it is resumed", 0),
		keyAction(s.authority.SuspendAccountKey, "SuspendAccountKey", thing, accountKeyOf))
	add(s, route(http.MethodPost, "/{id}/resume", "ResumeAccountKey", "Let a suspended account key work again", 0),
		keyAction(s.authority.ResumeAccountKey, "ResumeAccountKey", thing, accountKeyOf))
	add(s, route(http.MethodPost, "/{id}/rotate", "RotateAccountKey", "A new secret under the same ID; it is shown this once", 0),
		rotateAction(s.authority.RotateAccountKey, "RotateAccountKey", thing, issuedAccountKeyOf))
	add(s, route(http.MethodPost, "/{id}/revoke", "RevokeAccountKey", "End an account key for good", 0),
		keyAction(s.authority.RevokeAccountKey, "RevokeAccountKey", thing, accountKeyOf))
	add(s, route(http.MethodDelete, "/{id}", "DeleteAccountKey", "End an account key for good and hide it from lists", http.StatusNoContent),
		deleteAction(s.authority.DeleteAccountKey, thing))
}

type issueAccountKeyInput struct {
	TenantInput
	OnceInput
	Body api.IssueAccountKeyRequest
}

func (s *Server) issueAccountKey(ctx context.Context, c *call, in *issueAccountKeyInput) (*body[api.IssuedAccountKey], error) {
	once, err := in.once("IssueAccountKey", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	networks, limits, err := restrictions(in.Body.Networks, in.Body.Limits)
	if err != nil {
		return nil, err
	}
	key, err := s.authority.IssueAccountKey(ctx, c.caller, authority.IssueAccountKeyInput{
		Tenant: in.tenant(), Name: in.Body.Name, NotBefore: given(in.Body.NotBefore), ExpiresAt: in.Body.ExpiresAt,
		Networks: networks, Limits: limits, Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	})
	return answerWith(key, err, issuedAccountKeyOf)
}

func (s *Server) accountKeys(ctx context.Context, c *call, in *KeysInput) (*body[api.List[api.AccountKey]], error) {
	list, err := s.authority.AccountKeys(ctx, c.caller, in.ask())
	return listAnswer(list, err, accountKeyOf)
}

type changeAccountKeyInput struct {
	IDInput
	Body api.ChangeAccountKeyRequest
}

func (s *Server) changeAccountKey(ctx context.Context, c *call, in *changeAccountKeyInput) (*body[api.AccountKey], error) {
	id, err := credentialID(in.ID, "account key")
	if err != nil {
		return nil, err
	}
	key, err := s.authority.ChangeAccountKey(ctx, c.caller, authority.ChangeKeyInput{ID: id, Name: &in.Body.Name})
	return answerWith(key, err, accountKeyOf)
}

func accountKeyOf(k authority.Key) api.AccountKey {
	return api.AccountKey{
		ID: k.ID.String(), TenantID: string(k.TenantID), Deprecated: true, Name: k.Name, Hint: k.Hint,
		State: string(k.State), Networks: networksOf(k.Networks), Limits: someLimits(k.Limits), SecretVersion: k.SecretVersion, PreviousUntil: optional(k.GraceUntil),
		NotBefore: optional(k.NotBefore), ExpiresAt: optional(k.ExpiresAt), CreatedAt: k.CreatedAt,
		CreatedBy: creatorOf(k),
		EndedAt:   optional(k.EndedAt), DeletedAt: optional(k.DeletedAt), LastUsedAt: optional(k.LastUsedAt),
		ExternalID: k.Labels.ExternalID, Metadata: maps.Clone(k.Labels.Metadata),
	}
}

func issuedAccountKeyOf(k authority.IssuedKey) api.IssuedAccountKey {
	return api.IssuedAccountKey{
		AccountKey: accountKeyOf(k.Key), Key: api.Secret(k.Secret.Reveal()), SecretAvailable: k.SecretAvailable,
	}
}
