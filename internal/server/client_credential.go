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

func (s *Server) clientCredentialRoutes() {
	const tag, thing, need = "API credentials", "client credential", access.ClientCredentialsManageOwn
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/client-credentials", Operation: "IssueClientCredential", Permission: need, tag: tag,
		summary: "Make a client ID and a client secret, which is shown this once", status: http.StatusCreated,
	}, s.issueClientCredential)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/client-credentials", Operation: "ClientCredentials", Permission: need, tag: tag,
		summary: "Your own API credentials; administrators see all",
	}, s.clientCredentials)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/client-credentials/scopes", Operation: "ClientCredentialScopes", Permission: need, tag: tag,
		summary: "The scopes that you may choose from; your licence decides",
	}, s.clientCredentialScopes)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/client-credentials/{id}", Operation: "ClientCredential", Permission: need, tag: tag,
		summary: "One API credential, without its secret",
	}, keyAnswer(s.authority.ClientCredential, thing, clientCredentialOf))
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/client-credentials/{id}", Operation: "ChangeClientCredential", Permission: need, tag: tag,
		summary: "Change the name or the scopes, at once",
	}, s.changeClientCredential)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/client-credentials/{id}/suspend", Operation: "SuspendClientCredential", Permission: need, tag: tag,
		summary: "Stop an API credential until it is resumed",
	},
		keyAction(s.authority.SuspendClientCredential, "SuspendClientCredential", thing, clientCredentialOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/client-credentials/{id}/resume", Operation: "ResumeClientCredential", Permission: need, tag: tag,
		summary: "Let a suspended API credential work again",
	},
		keyAction(s.authority.ResumeClientCredential, "ResumeClientCredential", thing, clientCredentialOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/client-credentials/{id}/rotate", Operation: "RotateClientCredential", Permission: need, tag: tag,
		summary: "A new secret under the same client ID; it is shown this once",
	},
		rotateAction(s.authority.RotateClientCredential, "RotateClientCredential", thing, issuedClientCredentialOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/client-credentials/{id}/revoke", Operation: "RevokeClientCredential", Permission: need, tag: tag,
		summary: "End an API credential for good",
	},
		keyAction(s.authority.RevokeClientCredential, "RevokeClientCredential", thing, clientCredentialOf))
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/client-credentials/{id}", Operation: "DeleteClientCredential", Permission: need, tag: tag,
		summary: "End an API credential for good and hide it from lists", status: http.StatusNoContent,
	},
		deleteAction(s.authority.DeleteClientCredential, thing))
}

type issueClientCredentialInput struct {
	TenantInput
	OnceInput
	Body api.IssueClientCredentialRequest
}

func (s *Server) issueClientCredential(ctx context.Context, c *call, in *issueClientCredentialInput) (*body[api.IssuedClientCredential], error) {
	once, err := in.once("IssueClientCredential", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	networks, limits, err := restrictions(in.Body.Networks, in.Body.Limits)
	if err != nil {
		return nil, err
	}
	made, err := s.authority.IssueClientCredential(ctx, c.caller, authority.IssueClientCredentialInput{
		Tenant: in.tenant(), Level: authority.Level(in.Body.Level), Owner: tenancy.UserID(in.Body.OwnerID), Name: in.Body.Name,
		Scopes: typed[access.Permission](in.Body.Scopes), NotBefore: given(in.Body.NotBefore), ExpiresAt: in.Body.ExpiresAt,
		Networks: networks, Limits: limits, Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	})
	return answerWith(made, err, issuedClientCredentialOf)
}

type clientCredentialsInput struct {
	KeysInput
	OrganizationID string `query:"organization_id" maxLength:"64" doc:"At this organization and all below it."`
	Level          string `query:"level" enum:"user,account" doc:"Those of users, or those of the account."`
	Mine           bool   `query:"mine" doc:"Your own only."`
	OwnerID        string `query:"owner_id" maxLength:"64" doc:"This user's only."`
}

func (s *Server) clientCredentials(ctx context.Context, c *call, in *clientCredentialsInput) (*body[api.List[api.ClientCredential]], error) {
	ask := in.ask()
	list, err := s.authority.ClientCredentials(ctx, c.caller, authority.ClientCredentialsInput{
		Tenant: ask.Tenant, Level: authority.Level(in.Level), Mine: in.Mine, Owner: tenancy.UserID(in.OwnerID), At: tenancy.OrgID(in.OrganizationID), States: ask.States,
		Search: ask.Search, ExpiringBefore: ask.ExpiringBefore, IncludeDeleted: ask.IncludeDeleted, Page: ask.Page,
	})
	return listAnswer(list, err, clientCredentialOf)
}

type scopesInput struct {
	TenantInput
	Level   string `query:"level" enum:"user,account"`
	OwnerID string `query:"owner_id" maxLength:"64" doc:"System callers only: whose scopes."`
}

func (s *Server) clientCredentialScopes(ctx context.Context, c *call, in *scopesInput) (*body[api.OfferedScopes], error) {
	offered, err := s.authority.ClientCredentialScopes(ctx, c.caller, authority.ScopesInput{
		Tenant: in.tenant(), Level: authority.Level(in.Level), Owner: tenancy.UserID(in.OwnerID),
	})
	return answerWith(offered, err, func(o authority.OfferedScopes) api.OfferedScopes {
		return api.OfferedScopes{Licence: o.Licence, Scopes: texts(o.Scopes)}
	})
}

type changeClientCredentialInput struct {
	IDInput
	Body api.ChangeClientCredentialRequest
}

func (s *Server) changeClientCredential(ctx context.Context, c *call, in *changeClientCredentialInput) (*body[api.ClientCredential], error) {
	id, err := credentialID(in.ID, "client credential")
	if err != nil {
		return nil, err
	}
	ask := authority.ChangeClientCredentialInput{ID: id, Name: in.Body.Name, Scopes: retypedList[access.Permission](in.Body.Scopes)}
	if ask.Networks, ask.Limits, err = changedRestrictions(in.Body.Networks, in.Body.Limits); err != nil {
		return nil, err
	}
	if in.Body.ExternalID != nil || in.Body.Metadata != nil {
		now, err := s.authority.ClientCredential(ctx, c.caller, authority.KeyInput{ID: id})
		if err != nil {
			return nil, err
		}
		ask.Labels = changedLabels(now.Labels, in.Body.ExternalID, in.Body.Metadata)
	}
	key, err := s.authority.ChangeClientCredential(ctx, c.caller, ask)
	return answerWith(key, err, clientCredentialOf)
}

func clientCredentialOf(k authority.Key) api.ClientCredential {
	level := authority.LevelUser
	if k.Principal.Type == access.PrincipalTenant {
		level = authority.LevelAccount
	}
	return api.ClientCredential{
		ID: k.ID.String(), ClientID: k.PublicID, TenantID: string(k.TenantID), OrganizationID: string(k.OrganizationID),
		OrganizationName: k.OrganizationName,
		Level:            string(level), Owner: ownerOf(k), Name: k.Name, Scopes: texts(k.Scopes), Hint: k.Hint,
		State: string(k.State), Networks: networksOf(k.Networks), Limits: someLimits(k.Limits), SecretVersion: k.SecretVersion,
		NotBefore: optional(k.NotBefore), PreviousUntil: optional(k.GraceUntil), ExpiresAt: optional(k.ExpiresAt),
		CreatedAt: k.CreatedAt, CreatedBy: creatorOf(k), EndedAt: optional(k.EndedAt),
		DeletedAt: optional(k.DeletedAt), LastUsedAt: optional(k.LastUsedAt),
		ExternalID: k.Labels.ExternalID, Metadata: maps.Clone(k.Labels.Metadata),
	}
}

func issuedClientCredentialOf(k authority.IssuedKey) api.IssuedClientCredential {
	return api.IssuedClientCredential{
		ClientCredential: clientCredentialOf(k.Key), ClientSecret: api.Secret(k.Secret.Reveal()), SecretAvailable: k.SecretAvailable,
	}
}
