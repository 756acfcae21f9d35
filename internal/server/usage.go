package server

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
)

func (s *Server) usageRoutes() {
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/usage", Operation: "Usage", Permission: access.UsageRead, tag: "Usage",
		summary: "How a credential was used, by hour or day",
	}, s.usage)
}

type usageInput struct {
	TenantInput
	CredentialID string    `query:"credential_id" required:"true" minLength:"1" maxLength:"64"`
	From         time.Time `query:"from" doc:"Inclusive; absent means a day ago, or 30 days by day."`
	To           time.Time `query:"to" doc:"Exclusive; absent means now."`
	By           string    `query:"by" enum:"hour,day" default:"hour"`
}

func (s *Server) usage(ctx context.Context, c *call, in *usageInput) (*body[api.Usage], error) {
	id, err := credentialID(in.CredentialID, "credential")
	if err != nil {
		return nil, err
	}
	used, err := s.authority.Usage(ctx, c.caller, authority.UsageInput{
		Tenant: in.tenant(), Credential: id, From: in.From, To: in.To, By: in.By,
	})
	return answerWith(used, err, usageOf)
}

func usageOf(u authority.UsageOutput) api.Usage {
	out := api.Usage{From: u.From, To: u.To, By: u.By, Items: make([]api.UsagePeriod, 0, len(u.Items))}
	for _, p := range u.Items {
		period := api.UsagePeriod{At: p.At, Valid: p.Valid, Denied: map[string]int64{}}
		maps.Copy(period.Denied, p.Denied)
		out.Items = append(out.Items, period)
	}
	return out
}
