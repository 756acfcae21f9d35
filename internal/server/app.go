package server

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) appRoutes() {
	const tag, need = "Apps", access.AppsManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/apps", Operation: "CreateApp", Permission: need, tag: tag,
		summary: "Make an app with its key and secret", status: http.StatusCreated,
	}, s.createApp)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/apps", Operation: "Apps", Permission: need, tag: tag,
		summary: "Apps that you may see",
	}, s.apps)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/apps/{id}", Operation: "App", Permission: need, tag: tag,
		summary: "One app, without its key and secret",
	}, s.app)
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/apps/{id}", Operation: "ChangeApp", Permission: need, tag: tag,
		summary: "Change an app; other APIs take effect at once",
	}, s.changeApp)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/apps/{id}/suspend", Operation: "SuspendApp", Permission: need, tag: tag,
		summary: "Stop an app until it is resumed",
	}, appAction(s.authority.SuspendApp, "SuspendApp"))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/apps/{id}/resume", Operation: "ResumeApp", Permission: need, tag: tag,
		summary: "Let a suspended app go on",
	}, appAction(s.authority.ResumeApp, "ResumeApp"))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/apps/{id}/rotate", Operation: "RotateApp", Permission: need, tag: tag,
		summary: "A new key and a new secret for the same app",
	}, s.rotateApp)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/apps/{id}/reveal", Operation: "RevealApp", Permission: need, tag: tag,
		summary: "Key and secret again; needs a session that gave its password within five minutes",
	}, s.revealApp)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/apps/{id}", Operation: "DeleteApp", Permission: need, tag: tag,
		summary: "End an app, its key and its tokens for good", status: http.StatusNoContent,
	}, s.deleteApp)
}

type createAppInput struct {
	TenantInput
	OnceInput
	Body api.CreateAppRequest
}

func (s *Server) createApp(ctx context.Context, c *call, in *createAppInput) (*body[api.IssuedApp], error) {
	once, err := in.once("CreateApp", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	networks, limits, err := restrictions(in.Body.Networks, in.Body.Limits)
	if err != nil {
		return nil, err
	}
	app, err := s.authority.CreateApp(ctx, c.caller, authority.CreateAppInput{
		Tenant: in.tenant(), OrganizationID: tenancy.OrgID(in.Body.OrganizationID), Name: in.Body.Name, APIs: in.Body.APIs,
		ExpiresAt: in.Body.ExpiresAt, Networks: networks, Limits: limits,
		Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	})
	return answerWith(app, err, issuedAppOf)
}

// PrincipalsInput filters a list of apps or service accounts.
type PrincipalsInput struct {
	TenantInput
	PageInput
	SearchInput
	OrganizationID string `query:"organization_id" maxLength:"64" doc:"At this organization and all below it."`
	State          string `query:"state" enum:"active,suspended,deleted"`
	IncludeDeleted bool   `query:"include_deleted"`
}

func (in PrincipalsInput) states() []tenancy.State {
	if in.State == "" {
		return nil
	}
	return []tenancy.State{tenancy.State(in.State)}
}

func (in PrincipalsInput) deletedToo() bool {
	return in.IncludeDeleted || in.State == string(tenancy.Deleted)
}

func (s *Server) apps(ctx context.Context, c *call, in *PrincipalsInput) (*body[api.List[api.App]], error) {
	list, err := s.authority.Apps(ctx, c.caller, authority.AppsInput{
		Tenant: in.tenant(), At: tenancy.OrgID(in.OrganizationID), States: in.states(), Search: in.Search,
		IncludeDeleted: in.deletedToo(), Page: in.page(),
	})
	return listAnswer(list, err, appOf)
}

func (s *Server) app(ctx context.Context, c *call, in *IDInput) (*body[api.App], error) {
	app, err := s.authority.App(ctx, c.caller, authority.AppInput{ID: tenancy.AppID(in.ID)})
	return answerWith(app, err, appOf)
}

type changeAppInput struct {
	IDInput
	Body api.ChangeAppRequest
}

func (s *Server) changeApp(ctx context.Context, c *call, in *changeAppInput) (*body[api.App], error) {
	ask := authority.ChangeAppInput{ID: tenancy.AppID(in.ID), Name: in.Body.Name, APIs: in.Body.APIs}
	var err error
	if ask.Networks, ask.Limits, err = changedRestrictions(in.Body.Networks, in.Body.Limits); err != nil {
		return nil, err
	}
	if in.Body.ExternalID != nil || in.Body.Metadata != nil {
		now, err := s.authority.App(ctx, c.caller, authority.AppInput{ID: ask.ID})
		if err != nil {
			return nil, err
		}
		ask.Labels = changedLabels(now.Labels, in.Body.ExternalID, in.Body.Metadata)
	}
	app, err := s.authority.ChangeApp(ctx, c.caller, ask)
	return answerWith(app, err, appOf)
}

func appAction(do func(context.Context, access.Caller, authority.AppInput) (authority.App, error), operation string) func(context.Context, *call, *idOnceInput) (*body[api.App], error) {
	return func(ctx context.Context, c *call, in *idOnceInput) (*body[api.App], error) {
		once, err := in.once(operation, in.ID)
		if err != nil {
			return nil, err
		}
		app, err := do(ctx, c.caller, authority.AppInput{ID: tenancy.AppID(in.ID), Idempotency: once})
		return answerWith(app, err, appOf)
	}
}

func (s *Server) rotateApp(ctx context.Context, c *call, in *rotateInput) (*body[api.IssuedApp], error) {
	asked := deref(in.Body)
	once, err := in.once("RotateApp", in.ID, asked)
	if err != nil {
		return nil, err
	}
	app, err := s.authority.RotateApp(ctx, c.caller, authority.RotateAppInput{
		ID: tenancy.AppID(in.ID), Grace: time.Duration(asked.GracePeriodSeconds) * time.Second, Idempotency: once,
	})
	return answerWith(app, err, issuedAppOf)
}

func (s *Server) revealApp(ctx context.Context, c *call, in *IDInput) (*body[api.RevealedApp], error) {
	app, err := s.authority.RevealApp(ctx, c.caller, authority.AppInput{ID: tenancy.AppID(in.ID)})
	return answerWith(app, err, func(a authority.RevealedApp) api.RevealedApp {
		return api.RevealedApp{Key: api.Secret(a.Key.Reveal()), Secret: api.Secret(a.Secret.Reveal())}
	})
}

func (s *Server) deleteApp(ctx context.Context, c *call, in *IDInput) (*none, error) {
	_, err := s.authority.DeleteApp(ctx, c.caller, authority.AppInput{ID: tenancy.AppID(in.ID)})
	return nil, err
}

func appOf(a authority.App) api.App {
	k := a.Credential
	out := api.App{
		ID: string(a.ID), TenantID: string(a.TenantID), OrganizationID: string(a.OrganizationID),
		OrganizationName: k.OrganizationName, Recoverable: k.Recoverable, Name: a.Name,
		APIs: make([]api.AppAPI, 0, len(a.APIs)), CredentialID: k.ID.String(), Hint: k.Hint, State: string(a.State),
		Networks: networksOf(k.Networks), Limits: someLimits(k.Limits), SecretVersion: k.SecretVersion, PreviousUntil: optional(k.GraceUntil),
		ExpiresAt: optional(k.ExpiresAt), CreatedAt: a.CreatedAt, CreatedBy: personOf(k.CreatedBy, a.CreatedByName, k.CreatorDisplayName),
		LastUsedAt: optional(k.LastUsedAt), ExternalID: a.Labels.ExternalID, Metadata: maps.Clone(a.Labels.Metadata),
	}
	for _, key := range a.APIs {
		chosen := api.AppAPI{Key: key}
		for _, known := range a.Chosen {
			if known.Key == key {
				chosen.Name, chosen.DocumentationURL = known.Name, known.DocumentationURL
			}
		}
		out.APIs = append(out.APIs, chosen)
	}
	return out
}

func issuedAppOf(a authority.IssuedApp) api.IssuedApp {
	return api.IssuedApp{
		App: appOf(a.App), Key: api.Secret(a.Key.Reveal()), Secret: api.Secret(a.Secret.Reveal()), SecretAvailable: a.SecretAvailable,
	}
}

// someLimits is nil where there are none.
func someLimits(l credential.Limits) *api.Limits {
	if len(l.Rates)+len(l.Quotas) == 0 {
		return nil
	}
	out := limitsOf(l)
	return &out
}
