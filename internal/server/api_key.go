package server

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) apiKeyRoutes() {
	const tag, need = "API keys", access.APIKeysGenerate
	add(s, Route{Method: http.MethodPost, Pattern: "/v1/api-keys", Operation: "IssueAPIKey", Permission: need, tag: tag,
		summary: "Make a key; it is shown this once", status: http.StatusCreated}, s.issueAPIKey)
	add(s, Route{Method: http.MethodGet, Pattern: "/v1/api-keys", Operation: "APIKeys", Permission: need, tag: tag,
		summary: "All keys of the account"}, s.apiKeys)
	add(s, Route{Method: http.MethodGet, Pattern: "/v1/api-keys/{id}", Operation: "APIKey", Permission: need, tag: tag,
		summary: "One key, without its secret"}, s.apiKey)
	add(s, Route{Method: http.MethodPatch, Pattern: "/v1/api-keys/{id}", Operation: "RenameAPIKey", Permission: need, tag: tag,
		summary: "Rename a key"}, s.renameAPIKey)
	add(s, Route{Method: http.MethodPost, Pattern: "/v1/api-keys/{id}/suspend", Operation: "SuspendAPIKey", Permission: need, tag: tag,
		summary: "Stop a key until it is resumed"}, keyAction(s.authority.SuspendAPIKey, "SuspendAPIKey", "API key", apiKeyOf))
	add(s, Route{Method: http.MethodPost, Pattern: "/v1/api-keys/{id}/resume", Operation: "ResumeAPIKey", Permission: need, tag: tag,
		summary: "Let a suspended key verify again"}, keyAction(s.authority.ResumeAPIKey, "ResumeAPIKey", "API key", apiKeyOf))
	add(s, Route{Method: http.MethodPost, Pattern: "/v1/api-keys/{id}/rotate", Operation: "RotateAPIKey", Permission: need, tag: tag,
		summary: "A new secret under the same ID; it is shown this once"}, s.rotateAPIKey)
	add(s, Route{Method: http.MethodPost, Pattern: "/v1/api-keys/{id}/revoke", Operation: "RevokeAPIKey", Permission: need, tag: tag,
		summary: "End a key for good"}, keyAction(s.authority.RevokeAPIKey, "RevokeAPIKey", "API key", apiKeyOf))
	add(s, Route{Method: http.MethodDelete, Pattern: "/v1/api-keys/{id}", Operation: "DeleteAPIKey", Permission: need, tag: tag,
		summary: "End a key for good and hide it from lists", status: http.StatusNoContent}, s.deleteAPIKey)
}

type issueAPIKeyInput struct {
	TenantInput
	OnceInput
	Body api.IssueAPIKeyRequest
}

func (s *Server) issueAPIKey(ctx context.Context, c *call, in *issueAPIKeyInput) (*body[api.IssuedAPIKey], error) {
	once, err := in.once("IssueAPIKey", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	networks, limits, err := restrictions(in.Body.Networks, in.Body.Limits)
	if err != nil {
		return nil, err
	}
	key, err := s.authority.IssueAPIKey(ctx, c.caller, authority.IssueAPIKeyInput{
		Tenant: in.tenant(), Name: in.Body.Name, Owner: tenancy.UserID(in.Body.OwnerID),
		NotBefore: given(in.Body.NotBefore), ExpiresAt: in.Body.ExpiresAt, Networks: networks, Limits: limits,
		Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	})
	return answerWith(key, err, issuedAPIKeyOf)
}

// KeysInput filters a list of keys.
type KeysInput struct {
	TenantInput
	PageInput
	SearchInput
	State          string    `query:"state" enum:"active,suspended,revoked,expired"`
	ExpiringBefore time.Time `query:"expiring_before" doc:"Keys that end before this time."`
	IncludeDeleted bool      `query:"include_deleted" doc:"Deleted and expired ones too."`
}

type apiKeysInput struct {
	KeysInput
	OrganizationID string `query:"organization_id" maxLength:"64" doc:"Keys at this organization and all below it."`
	OwnerID        string `query:"owner_id" maxLength:"64" doc:"Keys of this user."`
}

func (in KeysInput) ask() authority.KeysInput {
	out := authority.KeysInput{
		Tenant: in.tenant(), Search: in.Search, ExpiringBefore: in.ExpiringBefore, IncludeDeleted: in.IncludeDeleted, Page: in.page(),
	}
	if in.State != "" {
		out.States = []credential.State{credential.State(in.State)}
	}
	return out
}

func (s *Server) apiKeys(ctx context.Context, c *call, in *apiKeysInput) (*body[api.List[api.APIKey]], error) {
	ask := in.ask()
	ask.At, ask.Owner = tenancy.OrgID(in.OrganizationID), tenancy.UserID(in.OwnerID)
	list, err := s.authority.APIKeys(ctx, c.caller, ask)
	return listAnswer(list, err, apiKeyOf)
}

func (s *Server) apiKey(ctx context.Context, c *call, in *IDInput) (*body[api.APIKey], error) {
	id, err := credentialID(in.ID, "API key")
	if err != nil {
		return nil, err
	}
	key, err := s.authority.APIKey(ctx, c.caller, authority.KeyInput{ID: id})
	return answerWith(key, err, apiKeyOf)
}

type renameAPIKeyInput struct {
	IDInput
	Body api.ChangeAPIKeyRequest
}

func (s *Server) renameAPIKey(ctx context.Context, c *call, in *renameAPIKeyInput) (*body[api.APIKey], error) {
	id, err := credentialID(in.ID, "API key")
	if err != nil {
		return nil, err
	}
	key, err := s.authority.RenameAPIKey(ctx, c.caller, authority.RenameKeyInput{ID: id, Name: deref(in.Body.Name)})
	return answerWith(key, err, apiKeyOf)
}

// keyAction is a change of a key that takes nothing but its ID.
func keyAction[W any](do func(context.Context, access.Caller, authority.KeyInput) (authority.Key, error), operation, thing string, wire func(authority.Key) W) func(context.Context, *call, *idOnceInput) (*body[W], error) {
	return func(ctx context.Context, c *call, in *idOnceInput) (*body[W], error) {
		id, err := credentialID(in.ID, thing)
		if err != nil {
			return nil, err
		}
		once, err := in.once(operation, in.ID)
		if err != nil {
			return nil, err
		}
		key, err := do(ctx, c.caller, authority.KeyInput{ID: id, Idempotency: once})
		return answerWith(key, err, wire)
	}
}

type rotateInput struct {
	IDInput
	OnceInput
	Body *api.RotateRequest
}

func (in *rotateInput) ask(operation, thing string) (authority.RotateKeyInput, error) {
	id, err := credentialID(in.ID, thing)
	if err != nil {
		return authority.RotateKeyInput{}, err
	}
	var asked api.RotateRequest
	if in.Body != nil {
		asked = *in.Body
	}
	once, err := in.once(operation, in.ID, asked)
	return authority.RotateKeyInput{ID: id, Grace: time.Duration(asked.GracePeriodSeconds) * time.Second, Idempotency: once}, err
}

func (s *Server) rotateAPIKey(ctx context.Context, c *call, in *rotateInput) (*body[api.IssuedAPIKey], error) {
	ask, err := in.ask("RotateAPIKey", "API key")
	if err != nil {
		return nil, err
	}
	key, err := s.authority.RotateAPIKey(ctx, c.caller, ask)
	return answerWith(key, err, issuedAPIKeyOf)
}

func (s *Server) deleteAPIKey(ctx context.Context, c *call, in *IDInput) (*none, error) {
	id, err := credentialID(in.ID, "API key")
	if err != nil {
		return nil, err
	}
	_, err = s.authority.DeleteAPIKey(ctx, c.caller, authority.KeyInput{ID: id})
	return nil, err
}

// credentialID reads an ID in a path. What can't be one names nothing.
func credentialID(text, thing string) (credential.ID, error) {
	id, err := credential.ParseID(text)
	if err != nil {
		return id, problem.Missing(thing)
	}
	return id, nil
}

func apiKeyOf(k authority.Key) api.APIKey {
	out := api.APIKey{
		ID: k.ID.String(), TenantID: string(k.TenantID), OrganizationID: string(k.OrganizationID), Kind: string(k.Kind),
		Owner: principalOf(k.Principal, k.OwnerName), Name: k.Name, Hint: k.Hint, State: string(k.State),
		Networks: networksOf(k.Networks), SecretVersion: k.SecretVersion,
		NotBefore: optional(k.NotBefore), ExpiresAt: optional(k.ExpiresAt), CreatedAt: k.CreatedAt,
		CreatedBy: principalOf(k.CreatedBy, k.CreatedByName),
		EndedAt:   optional(k.EndedAt), DeletedAt: optional(k.DeletedAt), LastUsedAt: optional(k.LastUsedAt),
		ExternalID: k.Labels.ExternalID, Metadata: maps.Clone(k.Labels.Metadata),
	}
	if len(k.Limits.Rates)+len(k.Limits.Quotas) > 0 {
		limits := limitsOf(k.Limits)
		out.Limits = &limits
	}
	return out
}

func issuedAPIKeyOf(k authority.IssuedKey) api.IssuedAPIKey {
	return api.IssuedAPIKey{
		APIKey: apiKeyOf(k.Key), Key: api.Secret(k.Secret.Reveal()), SecretAvailable: k.SecretAvailable,
		PreviousUntil: optional(k.GraceUntil),
	}
}

func networksOf(list []netip.Prefix) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.String()
	}
	return out
}

func limitsOf(l credential.Limits) api.Limits {
	var out api.Limits
	for _, r := range l.Rates {
		out.Rates = append(out.Rates, api.Rate{Name: r.Name, Limit: r.Limit, WindowSeconds: int64(r.Window / time.Second)})
	}
	for _, q := range l.Quotas {
		out.Quotas = append(out.Quotas, api.Quota{Name: q.Name, Limit: q.Limit, Period: string(q.Period)})
	}
	return out
}

// restrictions reads the networks and limits of a new credential.
func restrictions(networks []string, limits *api.Limits) ([]netip.Prefix, credential.Limits, error) {
	prefixes, err := credential.ParseNetworks(networks)
	if err != nil || limits == nil {
		return prefixes, credential.Limits{}, err
	}
	var out credential.Limits
	for _, r := range limits.Rates {
		out.Rates = append(out.Rates, credential.Rate{Name: r.Name, Limit: r.Limit, Window: time.Duration(r.WindowSeconds) * time.Second})
	}
	for _, q := range limits.Quotas {
		out.Quotas = append(out.Quotas, credential.Quota{Name: q.Name, Limit: q.Limit, Period: credential.QuotaPeriod(q.Period)})
	}
	return prefixes, out, nil
}

func given(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// deref reads what may be absent.
func deref[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
