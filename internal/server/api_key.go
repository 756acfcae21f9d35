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
	const tag, thing, need = "API keys", "API key", access.APIKeysGenerate
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/api-keys", Operation: "IssueAPIKey", Permission: need, tag: tag,
		summary: "Make a key; a user's is shown this once", also: access.OrganizationKeysGenerate, status: http.StatusCreated,
	}, s.issueAPIKey)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/api-keys", Operation: "APIKeys", Permission: need, tag: tag,
		summary: "All keys of the account", also: access.OrganizationKeysGenerate,
	}, s.apiKeys)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/api-keys/count", Operation: "CountAPIKeys", Permission: need, tag: tag,
		summary: "How many keys a filter finds, for a bulk change", also: access.OrganizationKeysGenerate,
	}, s.countAPIKeys)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/api-keys/export", Operation: "ExportAPIKeys", Permission: need, tag: tag,
		summary: "The keys that a filter finds, as CSV, whole where they can be shown; needs a session that gave its password within five minutes",
		also:    access.OrganizationKeysGenerate, csv: true,
	}, s.exportAPIKeys)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/api-keys/bulk", Operation: "BulkAPIKeys", Permission: need, tag: tag,
		summary: "Suspend, resume, revoke or delete many keys", also: access.OrganizationKeysGenerate, status: http.StatusAccepted,
	}, s.bulkAPIKeys)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/api-keys/{id}", Operation: "APIKey", Permission: need, tag: tag,
		summary: "One key, without its secret", also: access.OrganizationKeysGenerate,
	}, keyAnswer(s.authority.APIKey, thing, apiKeyOf))
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/api-keys/{id}", Operation: "ChangeAPIKey", Permission: need, tag: tag,
		summary: "Rename a key; change an organization's", also: access.OrganizationKeysGenerate,
	}, s.changeAPIKey)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/api-keys/{id}/suspend", Operation: "SuspendAPIKey", Permission: need, tag: tag,
		summary: "Stop a key until it is resumed", also: access.OrganizationKeysGenerate,
	},
		keyAction(s.authority.SuspendAPIKey, "SuspendAPIKey", thing, apiKeyOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/api-keys/{id}/resume", Operation: "ResumeAPIKey", Permission: need, tag: tag,
		summary: "Let a suspended key verify again", also: access.OrganizationKeysGenerate,
	},
		keyAction(s.authority.ResumeAPIKey, "ResumeAPIKey", thing, apiKeyOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/api-keys/{id}/rotate", Operation: "RotateAPIKey", Permission: need, tag: tag,
		summary: "A new secret under the same ID; a user's is shown this once", also: access.OrganizationKeysGenerate,
	},
		rotateAction(s.authority.RotateAPIKey, "RotateAPIKey", thing, issuedAPIKeyOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/api-keys/{id}/reveal", Operation: "RevealAPIKey", Permission: access.OrganizationKeysGenerate, tag: tag,
		summary: "The whole key again, where it is recoverable; needs a session that gave its password within five minutes",
	}, keyAnswer(s.authority.RevealKey, thing, revealedKeyOf))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/api-keys/{id}/revoke", Operation: "RevokeAPIKey", Permission: need, tag: tag,
		summary: "End a key for good", also: access.OrganizationKeysGenerate,
	},
		keyAction(s.authority.RevokeAPIKey, "RevokeAPIKey", thing, apiKeyOf))
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/api-keys/{id}", Operation: "DeleteAPIKey", Permission: need, tag: tag,
		summary: "End a key for good and hide it from lists", also: access.OrganizationKeysGenerate, status: http.StatusNoContent,
	},
		deleteAction(s.authority.DeleteAPIKey, thing))
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
	if in.Body.Kind == string(credential.OrganizationKey) {
		if in.Body.OwnerID != "" {
			return nil, problem.InvalidField("/owner_id", "A key of an organization has no owner. Leave this out.")
		}
		key, err := s.authority.IssueOrganizationKey(ctx, c.caller, authority.IssueOrganizationKeyInput{
			Tenant: in.tenant(), Name: in.Body.Name, OrganizationID: tenancy.OrgID(in.Body.OrganizationID),
			NotBefore: given(in.Body.NotBefore), ExpiresAt: in.Body.ExpiresAt, Networks: networks, Limits: limits,
			Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
		})
		return answerWith(key, err, issuedAPIKeyOf)
	}
	if in.Body.OrganizationID != "" {
		return nil, problem.InvalidField("/organization_id", "A user's key is at its user's organization. Leave this out.")
	}
	key, err := s.authority.IssueAPIKey(ctx, c.caller, authority.IssueAPIKeyInput{
		Tenant: in.tenant(), Name: in.Body.Name, Owner: tenancy.UserID(in.Body.OwnerID),
		NotBefore: given(in.Body.NotBefore), ExpiresAt: in.Body.ExpiresAt, Networks: networks, Limits: limits,
		Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	})
	return answerWith(key, err, issuedAPIKeyOf)
}

// KeysFilter narrows a list of credentials.
type KeysFilter struct {
	TenantInput
	SearchInput
	State          string    `query:"state" enum:"active,suspended,revoked,expired,living" doc:"Living are active and suspended ones."`
	ExpiringBefore time.Time `query:"expiring_before" doc:"Keys that end before this time."`
	IncludeDeleted bool      `query:"include_deleted" doc:"Deleted and expired ones too."`
}

func (in KeysFilter) ask() authority.KeysInput {
	out := authority.KeysInput{
		Tenant: in.tenant(), Search: in.Search, ExpiringBefore: in.ExpiringBefore, IncludeDeleted: in.IncludeDeleted,
	}
	out.States = statesOf(in.State)
	return out
}

// statesOf reads the filter of a list; none means every state.
func statesOf(state string) []credential.State {
	switch state {
	case "":
		return nil
	case "living":
		return []credential.State{credential.Active, credential.Suspended}
	}
	return []credential.State{credential.State(state)}
}

// KeysInput asks for one page of a list of credentials.
type KeysInput struct {
	KeysFilter
	PageInput
}

func (in KeysInput) ask() authority.KeysInput {
	out := in.KeysFilter.ask()
	out.Page = in.page()
	return out
}

// APIKeysFilter narrows a list of user and organization keys.
type APIKeysFilter struct {
	KeysFilter
	Kind           string `query:"kind" enum:"user_key,organization_key"`
	OrganizationID string `query:"organization_id" maxLength:"64" doc:"Keys at this organization and all below it."`
	OwnerID        string `query:"owner_id" maxLength:"64" doc:"Keys of this user."`
}

func (in APIKeysFilter) ask() authority.KeysInput {
	out := in.KeysFilter.ask()
	out.At, out.Owner, out.Kinds = tenancy.OrgID(in.OrganizationID), tenancy.UserID(in.OwnerID), kindsOf(in.Kind)
	return out
}

// kindsOf reads the filter of a list of keys; none means every kind that the caller may see.
func kindsOf(kind string) []credential.Kind {
	if kind == "" {
		return nil
	}
	return []credential.Kind{credential.Kind(kind)}
}

// APIKeysInput asks for one page of user and organization keys.
type APIKeysInput struct {
	APIKeysFilter
	PageInput
}

func (in APIKeysInput) ask() authority.KeysInput {
	out := in.APIKeysFilter.ask()
	out.Page = in.page()
	return out
}

func (s *Server) apiKeys(ctx context.Context, c *call, in *APIKeysInput) (*body[api.List[api.APIKey]], error) {
	list, err := s.authority.APIKeys(ctx, c.caller, in.ask())
	return listAnswer(list, err, apiKeyOf)
}

type changeAPIKeyInput struct {
	IDInput
	Body api.ChangeAPIKeyRequest
}

// changeAPIKey renames a key of either kind. Whatever else is to change, a user's key has
// nothing of it to edit (PV8).
func (s *Server) changeAPIKey(ctx context.Context, c *call, in *changeAPIKeyInput) (*body[api.APIKey], error) {
	id, err := credentialID(in.ID, "API key")
	if err != nil {
		return nil, err
	}
	b := &in.Body
	if b.ExpiresAt != nil && b.NeverExpires {
		return nil, problem.InvalidField("/never_expires", "Give this or expires_at, not both.")
	}
	key, err := s.authority.APIKey(ctx, c.caller, authority.KeyInput{ID: id})
	if err != nil {
		return nil, err
	}
	if key.Kind == credential.UserKey {
		if b.ExpiresAt != nil || b.NeverExpires || b.Networks != nil || b.Limits != nil || b.ExternalID != nil || b.Metadata != nil {
			return nil, problem.New(problem.Invalid, "name_only", "Only the name of a user's key can be changed. Make another key for anything else.")
		}
		if b.Name == nil {
			return answerWith(key, nil, apiKeyOf)
		}
		key, err = s.authority.RenameAPIKey(ctx, c.caller, authority.RenameKeyInput{ID: id, Name: *b.Name})
		return answerWith(key, err, apiKeyOf)
	}
	ask := authority.ChangeKeyInput{ID: id, Name: b.Name, ExpiresAt: b.ExpiresAt}
	if b.NeverExpires {
		ask.ExpiresAt = &time.Time{}
	}
	if ask.Networks, ask.Limits, err = changedRestrictions(b.Networks, b.Limits); err != nil {
		return nil, err
	}
	if b.ExternalID != nil || b.Metadata != nil {
		ask.Labels = changedLabels(key.Labels, b.ExternalID, b.Metadata)
	}
	key, err = s.authority.ChangeOrganizationKey(ctx, c.caller, ask)
	return answerWith(key, err, apiKeyOf)
}

// changedRestrictions reads those of a change, where nil is as it was.
func changedRestrictions(networks *[]string, limits *api.Limits) (*[]netip.Prefix, *credential.Limits, error) {
	prefixes, bounds, err := restrictions(deref(networks), limits)
	if err != nil {
		return nil, nil, err
	}
	var outNetworks *[]netip.Prefix
	var outLimits *credential.Limits
	if networks != nil {
		outNetworks = &prefixes
	}
	if limits != nil {
		outLimits = &bounds
	}
	return outNetworks, outLimits, nil
}

func revealedKeyOf(k authority.RevealedKey) api.RevealedKey {
	return api.RevealedKey{Key: api.Secret(k.Secret.Reveal())}
}

// keyAnswer answers something about one key.
func keyAnswer[A, W any](ask func(context.Context, access.Caller, authority.KeyInput) (A, error), thing string, wire func(A) W) func(context.Context, *call, *IDInput) (*body[W], error) {
	return func(ctx context.Context, c *call, in *IDInput) (*body[W], error) {
		id, err := credentialID(in.ID, thing)
		if err != nil {
			return nil, err
		}
		answer, err := ask(ctx, c.caller, authority.KeyInput{ID: id})
		return answerWith(answer, err, wire)
	}
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

// rotateAction gives a key a new secret.
func rotateAction[W any](do func(context.Context, access.Caller, authority.RotateKeyInput) (authority.IssuedKey, error), operation, thing string, wire func(authority.IssuedKey) W) func(context.Context, *call, *rotateInput) (*body[W], error) {
	return func(ctx context.Context, c *call, in *rotateInput) (*body[W], error) {
		ask, err := in.ask(operation, thing)
		if err != nil {
			return nil, err
		}
		key, err := do(ctx, c.caller, ask)
		return answerWith(key, err, wire)
	}
}

// deleteAction ends a key and hides it.
func deleteAction(do func(context.Context, access.Caller, authority.KeyInput) (authority.Key, error), thing string) func(context.Context, *call, *IDInput) (*none, error) {
	return func(ctx context.Context, c *call, in *IDInput) (*none, error) {
		id, err := credentialID(in.ID, thing)
		if err != nil {
			return nil, err
		}
		_, err = do(ctx, c.caller, authority.KeyInput{ID: id})
		return nil, err
	}
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
		ID: k.ID.String(), TenantID: string(k.TenantID), OrganizationID: string(k.OrganizationID), OrganizationName: k.OrganizationName,
		Kind: string(k.Kind), Owner: ownerOf(k), Name: k.Name, Hint: k.Hint, State: string(k.State),
		Networks: networksOf(k.Networks), Recoverable: k.Recoverable, SecretVersion: k.SecretVersion, PreviousUntil: optional(k.GraceUntil),
		Imported: k.Origin != credential.Made, Weak: k.Origin == credential.ImportedWeak,
		NotBefore: optional(k.NotBefore), ExpiresAt: optional(k.ExpiresAt), CreatedAt: k.CreatedAt,
		CreatedBy: creatorOf(k),
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
	}
}

func ownerOf(k authority.Key) api.Principal {
	return personOf(k.Principal, k.OwnerName, k.OwnerDisplayName)
}

func creatorOf(k authority.Key) api.Principal {
	return personOf(k.CreatedBy, k.CreatedByName, k.CreatorDisplayName)
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
