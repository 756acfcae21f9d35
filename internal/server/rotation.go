package server

import (
	"context"
	"net/http"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// rotated is what may follow the rotation of one kind with a grace period.
type rotated[W any] struct {
	kind, tag, path string
	need, also      access.Permission
	deprecated      bool
	finish, back    func(context.Context, *call, *idOnceInput) (*body[W], error)
	uses            func(context.Context, *call, *IDInput) (*body[api.PreviousSecretUses], error)
}

func (s *Server) rotationRoutes() {
	a := s.authority
	addRotated(s, rotated[api.APIKey]{
		kind: "APIKey", tag: "API keys", path: "/v1/api-keys/{id}", need: access.APIKeysGenerate, also: access.OrganizationKeysGenerate,
		finish: keyAction(a.FinishAPIKeyRotation, "FinishAPIKeyRotation", "API key", apiKeyOf),
		back:   keyAction(a.RollBackAPIKey, "RollBackAPIKey", "API key", apiKeyOf),
		uses:   keyAnswer(a.APIKeyPreviousUses, "API key", previousUsesOf),
	})
	addRotated(s, rotated[api.VerifierKey]{
		kind: "VerifierKey", tag: "Verifier keys", path: "/v1/verifier-keys/{id}", need: access.VerifierKeysManage,
		finish: keyAction(a.FinishVerifierKeyRotation, "FinishVerifierKeyRotation", "verifier key", verifierKeyOf),
		back:   keyAction(a.RollBackVerifierKey, "RollBackVerifierKey", "verifier key", verifierKeyOf),
		uses:   keyAnswer(a.VerifierKeyPreviousUses, "verifier key", previousUsesOf),
	})
	addRotated(s, rotated[api.AccountKey]{
		kind: "AccountKey", tag: "Account keys (deprecated)", path: "/v1/account-keys/{id}", need: access.AccountKeysManage, deprecated: true,
		finish: keyAction(a.FinishAccountKeyRotation, "FinishAccountKeyRotation", "account key", accountKeyOf),
		back:   keyAction(a.RollBackAccountKey, "RollBackAccountKey", "account key", accountKeyOf),
		uses:   keyAnswer(a.AccountKeyPreviousUses, "account key", previousUsesOf),
	})
	addRotated(s, rotated[api.ClientCredential]{
		kind: "ClientCredential", tag: "API credentials", path: "/v1/client-credentials/{id}", need: access.ClientCredentialsManageOwn,
		finish: keyAction(a.FinishClientCredentialRotation, "FinishClientCredentialRotation", "client credential", clientCredentialOf),
		back:   keyAction(a.RollBackClientCredential, "RollBackClientCredential", "client credential", clientCredentialOf),
		uses:   keyAnswer(a.ClientCredentialPreviousUses, "client credential", previousUsesOf),
	})
	addRotated(s, rotated[api.App]{
		kind: "App", tag: "Apps", path: "/v1/apps/{id}", need: access.AppsManage,
		finish: appAction(a.FinishAppRotation, "FinishAppRotation"),
		back:   appAction(a.RollBackApp, "RollBackApp"),
		uses:   s.appPreviousUses,
	})
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/service-account-keys/{id}/rotate", Operation: "RotateServiceAccountKey",
		Permission: access.ServiceAccountsManage, tag: "Service accounts", status: http.StatusCreated,
		summary: "A second key pair in the place of one, which ends with the grace period; the private half is shown this once",
	}, s.rotateServiceAccountKey)
	addRotated(s, rotated[api.ServiceAccountKey]{
		kind: "ServiceAccountKey", tag: "Service accounts", path: "/v1/service-account-keys/{id}", need: access.ServiceAccountsManage,
		finish: keyAction(a.FinishServiceAccountKeyRotation, "FinishServiceAccountKeyRotation", "service account key", serviceAccountKeyOf),
		back:   keyAction(a.RollBackServiceAccountKey, "RollBackServiceAccountKey", "service account key", serviceAccountKeyOf),
		uses:   keyAnswer(a.ServiceAccountKeyPreviousUses, "service account key", previousUsesOf),
	})
}

type rotateServiceAccountKeyInput struct {
	IDInput
	OnceInput
	Body *api.RotateServiceAccountKeyRequest
}

func (s *Server) rotateServiceAccountKey(ctx context.Context, c *call, in *rotateServiceAccountKeyInput) (*body[api.IssuedServiceAccountKey], error) {
	id, err := credentialID(in.ID, "service account key")
	if err != nil {
		return nil, err
	}
	asked := deref(in.Body)
	once, err := in.once("RotateServiceAccountKey", in.ID, asked)
	if err != nil {
		return nil, err
	}
	made, err := s.authority.RotateServiceAccountKey(ctx, c.caller, authority.RotateServiceAccountKeyInput{
		ID: id, PublicKeyPEM: asked.PublicKey, Grace: time.Duration(asked.GracePeriodSeconds) * time.Second, Idempotency: once,
	})
	return answerWith(made, err, issuedServiceAccountKeyOf)
}

func addRotated[W any](s *Server, r rotated[W]) {
	route := func(method, path, operation, summary string) Route {
		return Route{
			Method: method, Pattern: r.path + path, Operation: operation, Permission: r.need, also: r.also, tag: r.tag,
			summary: summary, deprecated: r.deprecated,
		}
	}
	add(s, route(http.MethodPost, "/finish-rotation", "Finish"+r.kind+"Rotation", "End the grace period of the secret before now"), r.finish)
	add(s, route(http.MethodPost, "/roll-back", "RollBack"+r.kind,
		"Undo a rotation in its grace period: the new secret ends, the one before is current again"), r.back)
	add(s, route(http.MethodGet, "/previous-secret-uses", r.kind+"PreviousUses",
		"Who still uses the secret before: source address, user agent and last time"), r.uses)
}

func (s *Server) appPreviousUses(ctx context.Context, c *call, in *IDInput) (*body[api.PreviousSecretUses], error) {
	uses, err := s.authority.AppPreviousUses(ctx, c.caller, authority.AppInput{ID: tenancy.AppID(in.ID)})
	return answerWith(uses, err, previousUsesOf)
}

func previousUsesOf(u authority.PreviousSecretUses) api.PreviousSecretUses {
	out := api.PreviousSecretUses{
		SecretVersion: u.Version, ValidUntil: optional(u.ValidUntil), Items: make([]api.PreviousSecretUse, 0, len(u.Uses)), OtherCalls: u.OtherCalls,
	}
	for _, use := range u.Uses {
		item := api.PreviousSecretUse{UserAgent: use.UserAgent, LastUsedAt: use.LastUsedAt, Calls: use.Calls}
		if use.Source.IsValid() {
			item.SourceIP = use.Source.String()
		}
		out.Items = append(out.Items, item)
	}
	return out
}
