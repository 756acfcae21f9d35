package server

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) tenantRoutes() {
	const tag = "Tenants"
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/tenants", Operation: "CreateTenant", Permission: access.TenantsManage, tag: tag,
		summary: "Make a tenant", status: http.StatusCreated,
	}, s.createTenant)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/tenants", Operation: "Tenants", Permission: access.TenantsRead, tag: tag,
		summary: "All tenants",
	}, s.tenants)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/tenants/{id}", Operation: "Tenant", tag: tag,
		summary: "One tenant; people of a tenant see their own",
	}, s.tenant)
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/tenants/{id}", Operation: "ChangeTenant", Permission: access.TenantManage, tag: tag,
		summary: "Change a tenant",
	}, s.changeTenant)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/tenants/{id}/suspend", Operation: "SuspendTenant", Permission: access.TenantsManage, tag: tag,
		summary: "Stop everything of a tenant",
	}, s.suspendTenant)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/tenants/{id}/resume", Operation: "ResumeTenant", Permission: access.TenantsManage, tag: tag,
		summary: "Let a suspended tenant go on",
	}, s.resumeTenant)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/tenants/{id}", Operation: "DeleteTenant", Permission: access.TenantsManage, tag: tag,
		summary: "End a tenant and its credentials for good", status: http.StatusNoContent,
	}, s.deleteTenant)
}

type createTenantInput struct {
	OnceInput
	Body api.CreateTenantRequest
}

func (s *Server) createTenant(ctx context.Context, c *call, in *createTenantInput) (*body[api.Tenant], error) {
	once, err := in.once("CreateTenant", in.Body)
	if err != nil {
		return nil, err
	}
	ask := authority.CreateTenantInput{
		Slug: in.Body.Slug, Name: in.Body.Name, PlanID: tenancy.PlanID(in.Body.PlanID),
		Labels: labels(in.Body.ExternalID, in.Body.Metadata), Idempotency: once,
	}
	if in.Body.Policy != nil {
		if ask.Policy, err = policyFrom(*in.Body.Policy); err != nil {
			return nil, err
		}
	}
	return tenantAnswer(s.authority.CreateTenant(ctx, c.caller, ask))
}

type tenantsInput struct {
	PageInput
	SearchInput
	State string `query:"state" enum:"active,suspended,deleted"`
}

func (s *Server) tenants(ctx context.Context, c *call, in *tenantsInput) (*body[api.List[api.Tenant]], error) {
	list, err := s.authority.Tenants(ctx, c.caller, authority.TenantsInput{
		Search: in.Search, State: tenancy.State(in.State), Page: in.page(),
	})
	return listAnswer(list, err, tenantOf)
}

func (s *Server) tenant(ctx context.Context, c *call, in *IDInput) (*body[api.Tenant], error) {
	return tenantAnswer(s.authority.Tenant(ctx, c.caller, authority.TenantInput{ID: tenancy.TenantID(in.ID)}))
}

type changeTenantInput struct {
	IDInput
	Body api.ChangeTenantRequest
}

func (s *Server) changeTenant(ctx context.Context, c *call, in *changeTenantInput) (*body[api.Tenant], error) {
	ask := authority.ChangeTenantInput{
		ID: tenancy.TenantID(in.ID), Slug: in.Body.Slug, Name: in.Body.Name, PlanID: retyped[tenancy.PlanID](in.Body.PlanID),
	}
	if in.Body.Policy != nil {
		policy, err := policyFrom(*in.Body.Policy)
		if err != nil {
			return nil, err
		}
		ask.Policy = &policy
	}
	if in.Body.ExternalID != nil || in.Body.Metadata != nil {
		now, err := s.authority.Tenant(ctx, c.caller, authority.TenantInput{ID: ask.ID})
		if err != nil {
			return nil, err
		}
		ask.Labels = changedLabels(now.Labels, in.Body.ExternalID, in.Body.Metadata)
	}
	return tenantAnswer(s.authority.ChangeTenant(ctx, c.caller, ask))
}

type idOnceInput struct {
	IDInput
	OnceInput
}

func (in *idOnceInput) tenantAsk(operation string) (authority.TenantInput, error) {
	once, err := in.once(operation, in.ID)
	return authority.TenantInput{ID: tenancy.TenantID(in.ID), Idempotency: once}, err
}

func (s *Server) suspendTenant(ctx context.Context, c *call, in *idOnceInput) (*body[api.Tenant], error) {
	ask, err := in.tenantAsk("SuspendTenant")
	if err != nil {
		return nil, err
	}
	return tenantAnswer(s.authority.SuspendTenant(ctx, c.caller, ask))
}

func (s *Server) resumeTenant(ctx context.Context, c *call, in *idOnceInput) (*body[api.Tenant], error) {
	ask, err := in.tenantAsk("ResumeTenant")
	if err != nil {
		return nil, err
	}
	return tenantAnswer(s.authority.ResumeTenant(ctx, c.caller, ask))
}

func (s *Server) deleteTenant(ctx context.Context, c *call, in *IDInput) (*none, error) {
	_, err := s.authority.DeleteTenant(ctx, c.caller, authority.TenantInput{ID: tenancy.TenantID(in.ID)})
	return nil, err
}

func tenantAnswer(t tenancy.Tenant, err error) (*body[api.Tenant], error) {
	return answerWith(t, err, tenantOf)
}

func tenantOf(t tenancy.Tenant) api.Tenant {
	out := api.Tenant{
		ID: string(t.ID), Slug: t.Slug, Name: t.Name, AccountID: t.AccountID, PlanID: string(t.PlanID),
		RootOrganizationID: string(t.RootOrg), State: string(t.State),
		Policy: api.Policy{
			MaxLifetimeSeconds: inSeconds(t.Policy.MaxLifetime), DefaultLifetimeSeconds: inSeconds(t.Policy.DefaultLifetime),
			LegacyAccountKeys: t.Policy.LegacyAccountKeys, TokenLifetimeSeconds: int64(t.Policy.TokenLifetime / time.Second),
			AdministratorsSignInAutomatically: t.Policy.AdministratorsSignInAutomatically,
			Notices:                           noticesOf(t.Policy.Notices),
		},
		ExternalID: t.Labels.ExternalID, Metadata: maps.Clone(t.Labels.Metadata),
		CreatedAt: t.CreatedAt, ModifiedAt: t.ModifiedAt, APIAccessRequestedAt: optional(t.APIAccessRequestedAt), ImportUntil: optional(t.ImportUntil),
		PolicyFloor: floorOf(t.Policy.Kept.Floor),
	}
	rulesOf(t.Policy, &out.Policy)
	return out
}

func inSeconds(m map[string]time.Duration) map[string]int64 {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]int64, len(m))
	for k, d := range m {
		out[k] = int64(d / time.Second)
	}
	return out
}

// maxPolicyLifetime keeps durations far from overflow: a hundred years.
const maxPolicyLifetime = 100 * 365 * 24 * 60 * 60

func policyFrom(p api.Policy) (tenancy.Policy, error) {
	durations := func(pointer string, m map[string]int64) (map[string]time.Duration, error) {
		if len(m) == 0 {
			return nil, nil //nolint:nilnil // no entry is no limit
		}
		out := make(map[string]time.Duration, len(m))
		for kind, seconds := range m {
			if seconds < 1 || seconds > maxPolicyLifetime {
				return nil, problem.InvalidField(pointer, "A lifetime is from one second to a hundred years.")
			}
			out[kind] = time.Duration(seconds) * time.Second
		}
		return out, nil
	}
	out := tenancy.Policy{
		LegacyAccountKeys: p.LegacyAccountKeys, TokenLifetime: time.Duration(p.TokenLifetimeSeconds) * time.Second,
		AdministratorsSignInAutomatically: p.AdministratorsSignInAutomatically,
		Notices:                           noticesFrom(p.Notices),
	}
	var err error
	if out.MaxLifetime, err = durations("/policy/max_lifetime_seconds", p.MaxLifetimeSeconds); err != nil {
		return out, err
	}
	if out.DefaultLifetime, err = durations("/policy/default_lifetime_seconds", p.DefaultLifetimeSeconds); err != nil {
		return out, err
	}
	return out, rulesFrom(p, &out)
}

// answerWith turns what an operation returned into its answer.
func answerWith[T, U any](v T, err error, wire func(T) U) (*body[U], error) {
	if err != nil {
		return nil, err
	}
	return &body[U]{wire(v)}, nil
}

// listAnswer is the same for one page of a list.
func listAnswer[T, U any](l store.List[T], err error, wire func(T) U) (*body[api.List[U]], error) {
	if err != nil {
		return nil, err
	}
	out := api.List[U]{Items: make([]U, 0, len(l.Items)), NextCursor: l.Next, PreviousCursor: l.Previous, Total: l.Total}
	for _, item := range l.Items {
		out.Items = append(out.Items, wire(item))
	}
	return &body[api.List[U]]{out}, nil
}

func labels(externalID string, metadata map[string]string) tenancy.Labels {
	return tenancy.Labels{ExternalID: externalID, Metadata: metadata}
}

func changedLabels(now tenancy.Labels, externalID *string, metadata *map[string]string) *tenancy.Labels {
	if externalID != nil {
		now.ExternalID = *externalID
	}
	if metadata != nil {
		now.Metadata = *metadata
	}
	return &now
}

func retyped[T ~string](s *string) *T {
	if s == nil {
		return nil
	}
	t := T(*s)
	return &t
}
