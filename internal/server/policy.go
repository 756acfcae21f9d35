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

func (s *Server) policyRoutes() {
	const tag = "Tenants"
	add(s, Route{
		Method: http.MethodPut, Pattern: "/v1/tenants/{id}/policy", Operation: "ChangePolicy", Permission: access.TenantManage, tag: tag,
		summary: "Replace a tenant's policy, for new credentials or for all",
	}, s.changePolicy)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/tenants/{id}/policy/preview", Operation: "PreviewPolicy", Permission: access.TenantManage, tag: tag,
		summary: "What a policy would do to the credentials that are there",
	}, s.previewPolicy)
}

type changePolicyInput struct {
	IDInput
	Body api.ChangePolicyRequest
}

func (s *Server) changePolicy(ctx context.Context, c *call, in *changePolicyInput) (*body[api.ChangedPolicy], error) {
	policy, err := policyFrom(in.Body.Policy)
	if err != nil {
		return nil, err
	}
	changed, err := s.authority.ChangePolicy(ctx, c.caller, authority.ChangePolicyInput{
		Tenant: tenancy.TenantID(in.ID), Policy: policy, All: in.Body.Apply == "all",
	})
	return answerWith(changed, err, func(p authority.ChangedPolicy) api.ChangedPolicy {
		out := api.ChangedPolicy{Tenant: tenantOf(p.Tenant)}
		if p.Operation != nil {
			o := operationOf(*p.Operation)
			out.Operation = &o
		}
		return out
	})
}

type previewPolicyInput struct {
	IDInput
	Body api.PreviewPolicyRequest
}

func (s *Server) previewPolicy(ctx context.Context, c *call, in *previewPolicyInput) (*body[api.PolicyPreview], error) {
	policy, err := policyFrom(in.Body.Policy)
	if err != nil {
		return nil, err
	}
	preview, err := s.authority.PreviewPolicy(ctx, c.caller, authority.PreviewPolicyInput{Tenant: tenancy.TenantID(in.ID), Policy: policy})
	return answerWith(preview, err, policyPreviewOf)
}

func policyPreviewOf(p authority.PolicyPreview) api.PolicyPreview {
	out := api.PolicyPreview{Rules: make([]api.RulePreview, 0, len(p.Rules)), Living: p.Living, Revision: p.Revision}
	for _, r := range p.Rules {
		rule := api.RulePreview{Rule: string(r.Rule), Kind: string(r.Kind), Does: string(r.Does), Count: r.Count, First: make([]api.PolicyEffect, 0, len(r.First))}
		for _, e := range r.First {
			effect := api.PolicyEffect{
				ID: e.ID.String(), Kind: string(e.Kind), Name: e.Name, State: string(e.State), Owner: ownerOf(e.Key),
				OrganizationID: string(e.OrganizationID), OrganizationName: e.OrganizationName,
				ExpiresAt: optional(e.ExpiresAt), LastUsedAt: optional(e.LastUsedAt), NewExpiresAt: optional(e.NewExpiresAt),
			}
			if len(e.NewNetworks) > 0 {
				effect.NewNetworks = networksOf(e.NewNetworks)
			}
			rule.First = append(rule.First, effect)
		}
		out.Rules = append(out.Rules, rule)
	}
	return out
}

// rulesFrom adds the rules that are no lifetimes.
func rulesFrom(p api.Policy, out *tenancy.Policy) (err error) {
	out.ShowOnce, out.NamePattern, out.NameHint, out.SuspendIdleDays = p.ShowOnce, p.NamePattern, p.NameHint, p.SuspendIdleDays
	if len(p.MayCreate) > 0 {
		out.MayCreate = make(map[string]tenancy.Creators, len(p.MayCreate))
		for kind, who := range p.MayCreate {
			out.MayCreate[kind] = tenancy.Creators(who)
		}
	}
	out.Networks, err = authority.PolicyNetworks(p.Networks)
	return err
}

// rulesOf is the other way.
func rulesOf(p tenancy.Policy, out *api.Policy) {
	out.ShowOnce, out.NamePattern, out.NameHint, out.SuspendIdleDays = p.ShowOnce, p.NamePattern, p.NameHint, p.SuspendIdleDays
	out.MayCreate = creatorsOf(p.MayCreate)
	if len(p.Networks) > 0 {
		out.Networks = networksOf(p.Networks)
	}
}

func creatorsOf(m map[string]tenancy.Creators) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for kind, who := range m {
		out[kind] = string(who)
	}
	return out
}

// floorOf is what the operators set; nil when that is nothing.
func floorOf(f tenancy.Floor) *api.Policy {
	p := tenancy.Policy{
		ShowOnce: f.ShowOnce, Networks: f.Networks, MayCreate: f.MayCreate, NamePattern: f.NamePattern, SuspendIdleDays: f.SuspendIdleDays,
	}
	out := api.Policy{MaxLifetimeSeconds: inSeconds(f.MaxLifetime), TokenLifetimeSeconds: int64(f.TokenLifetime / time.Second)}
	rulesOf(p, &out)
	if len(f.MaxLifetime)+len(f.ShowOnce)+len(f.Networks)+len(f.MayCreate) == 0 && f.NamePattern == "" && f.SuspendIdleDays == 0 && f.TokenLifetime == 0 {
		return nil
	}
	return &out
}
