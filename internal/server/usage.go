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
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) usageRoutes() {
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/usage", Operation: "Usage", Permission: access.UsageRead, tag: "Usage",
		summary: "How a credential was used, or all together, by hour or day",
	}, s.usage)
}

type usageInput struct {
	TenantInput
	CredentialID   string    `query:"credential_id" maxLength:"64" doc:"Absent means the sums of all."`
	OrganizationID string    `query:"organization_id" maxLength:"64" doc:"Without credential_id: of credentials at this organization and all below it."`
	From           time.Time `query:"from" doc:"Inclusive; absent means a day ago, or 30 days by day."`
	To             time.Time `query:"to" doc:"Exclusive; absent means now."`
	By             string    `query:"by" enum:"hour,day" default:"hour"`
}

func (s *Server) usage(ctx context.Context, c *call, in *usageInput) (*body[api.Usage], error) {
	ask := authority.UsageInput{Tenant: in.tenant(), At: tenancy.OrgID(in.OrganizationID), From: in.From, To: in.To, By: in.By}
	if in.CredentialID != "" {
		if in.OrganizationID != "" {
			return nil, problem.InvalidField("query.organization_id", "Give this or credential_id, not both.")
		}
		var err error
		if ask.Credential, err = credentialID(in.CredentialID, "credential"); err != nil {
			return nil, err
		}
	}
	used, err := s.authority.Usage(ctx, c.caller, ask)
	return answerWith(used, err, usageOf)
}

func usageOf(u authority.UsageOutput) api.Usage {
	out := api.Usage{From: u.From, To: u.To, By: u.By, Items: make([]api.UsagePeriod, 0, len(u.Items))}
	for _, p := range u.Items {
		period := api.UsagePeriod{At: p.At, Valid: p.Valid, Denied: map[string]int64{}}
		maps.Copy(period.Denied, p.Denied)
		out.Items = append(out.Items, period)
	}
	for _, k := range u.Most {
		out.MostUsed = append(out.MostUsed, api.UsedCredential{
			ID: k.ID.String(), Kind: string(k.Kind), Name: k.Name, State: string(k.State), Owner: ownerOf(k.Key),
			OrganizationID: string(k.OrganizationID), OrganizationName: k.OrganizationName, Valid: k.Valid, Denied: k.Denied,
		})
	}
	return out
}
