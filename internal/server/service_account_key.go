package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) serviceAccountKeyRoutes() {
	const tag, thing, need = "Service accounts", "service account key", access.ServiceAccountsManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/service-accounts/{id}/keys", Operation: "IssueServiceAccountKey", Permission: need, tag: tag,
		summary: "Make a key pair, whose private half is shown this once and not kept; or take a public key", status: http.StatusCreated,
	}, s.issueServiceAccountKey)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/service-accounts/{id}/keys", Operation: "ServiceAccountKeys", Permission: need, tag: tag,
		summary: "The keys of a service account",
	}, s.serviceAccountKeys)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/service-account-keys/{id}", Operation: "ServiceAccountKey", Permission: need, tag: tag,
		summary: "One key of a service account",
	}, keyAnswer(s.authority.ServiceAccountKey, thing, serviceAccountKeyOf))
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/service-account-keys/{id}", Operation: "RenameServiceAccountKey", Permission: need, tag: tag,
		summary: "Rename a key of a service account",
	}, s.changeServiceAccountKey)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/service-account-keys/{id}/suspend", Operation: "SuspendServiceAccountKey", Permission: need, tag: tag,
		summary: "Stop a key of a service account until it is resumed",
	},
		keyAction(s.authority.SuspendServiceAccountKey, "SuspendServiceAccountKey", thing, serviceAccountKeyOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/service-account-keys/{id}/resume", Operation: "ResumeServiceAccountKey", Permission: need, tag: tag,
		summary: "Let a suspended key of a service account work again",
	},
		keyAction(s.authority.ResumeServiceAccountKey, "ResumeServiceAccountKey", thing, serviceAccountKeyOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/service-account-keys/{id}/revoke", Operation: "RevokeServiceAccountKey", Permission: need, tag: tag,
		summary: "End a key of a service account for good; its others go on",
	},
		keyAction(s.authority.RevokeServiceAccountKey, "RevokeServiceAccountKey", thing, serviceAccountKeyOf))
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/service-account-keys/{id}", Operation: "DeleteServiceAccountKey", Permission: need, tag: tag,
		summary: "End a key of a service account for good and hide it from lists", status: http.StatusNoContent,
	},
		deleteAction(s.authority.DeleteServiceAccountKey, thing))
}

type issueServiceAccountKeyInput struct {
	IDInput
	OnceInput
	Body *api.IssueServiceAccountKeyRequest
}

func (s *Server) issueServiceAccountKey(ctx context.Context, c *call, in *issueServiceAccountKeyInput) (*body[api.IssuedServiceAccountKey], error) {
	asked := deref(in.Body)
	once, err := in.once("IssueServiceAccountKey", in.ID, asked)
	if err != nil {
		return nil, err
	}
	networks, _, err := restrictions(asked.Networks, nil)
	if err != nil {
		return nil, err
	}
	made, err := s.authority.IssueServiceAccountKey(ctx, c.caller, authority.IssueServiceAccountKeyInput{
		ServiceAccount: tenancy.ServiceAccountID(in.ID), Name: asked.Name, PublicKeyPEM: asked.PublicKey,
		NotBefore: given(asked.NotBefore), ExpiresAt: asked.ExpiresAt, Networks: networks, Idempotency: once,
	})
	return answerWith(made, err, issuedServiceAccountKeyOf)
}

type serviceAccountKeysInput struct {
	IDInput
	PageInput
	SearchInput
	State          string `query:"state" enum:"active,suspended,revoked,expired"`
	IncludeDeleted bool   `query:"include_deleted" doc:"Deleted and expired ones too."`
}

func (s *Server) serviceAccountKeys(ctx context.Context, c *call, in *serviceAccountKeysInput) (*body[api.List[api.ServiceAccountKey]], error) {
	ask := authority.ServiceAccountKeysInput{
		ServiceAccount: tenancy.ServiceAccountID(in.ID), Search: in.Search, IncludeDeleted: in.IncludeDeleted, Page: in.page(),
	}
	if in.State != "" {
		ask.States = []credential.State{credential.State(in.State)}
	}
	list, err := s.authority.ServiceAccountKeys(ctx, c.caller, ask)
	return listAnswer(list, err, serviceAccountKeyOf)
}

type changeServiceAccountKeyInput struct {
	IDInput
	Body api.ChangeServiceAccountKeyRequest
}

func (s *Server) changeServiceAccountKey(ctx context.Context, c *call, in *changeServiceAccountKeyInput) (*body[api.ServiceAccountKey], error) {
	id, err := credentialID(in.ID, "service account key")
	if err != nil {
		return nil, err
	}
	key, err := s.authority.ChangeServiceAccountKey(ctx, c.caller, authority.ChangeKeyInput{ID: id, Name: &in.Body.Name})
	return answerWith(key, err, serviceAccountKeyOf)
}

func serviceAccountKeyOf(k authority.Key) api.ServiceAccountKey {
	return api.ServiceAccountKey{
		ID: k.ID.String(), KeyID: k.PublicID, ServiceAccountID: k.Principal.ID, TenantID: string(k.TenantID),
		OrganizationID: string(k.OrganizationID), Name: k.Name, Networks: networksOf(k.Networks), State: string(k.State),
		ExpiresAt: optional(k.ExpiresAt), ReplacedBy: k.Successor.String(), CreatedAt: k.CreatedAt, CreatedBy: creatorOf(k),
		EndedAt: optional(k.EndedAt), DeletedAt: optional(k.DeletedAt), LastUsedAt: optional(k.LastUsedAt),
	}
}

func issuedServiceAccountKeyOf(k authority.IssuedServiceAccountKey) api.IssuedServiceAccountKey {
	out := api.IssuedServiceAccountKey{ServiceAccountKey: serviceAccountKeyOf(k.Key), PrivateKeyAvailable: k.SecretAvailable}
	if k.SecretAvailable {
		out.KeyFile = &api.ServiceAccountKeyFile{
			AccountEmail: k.AccountEmail, AccountID: k.AccountID, KeyID: k.PublicID, PrivateKey: api.Secret(k.PrivateKeyPEM.Reveal()),
		}
	}
	return out
}
