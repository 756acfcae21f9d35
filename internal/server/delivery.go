package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) deliveryRoutes() {
	const tag = "Deliveries"
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/deliveries", Operation: "Deliveries", Permission: access.TenantManage, tag: tag,
		summary: "Mail and calls of webhooks: what waits, what was delivered, what was given up",
	}, s.deliveries)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/deliveries/{id}/retry", Operation: "RetryDelivery", Permission: access.TenantManage, tag: tag,
		summary: "Try a delivery again that was given up, or that waits",
	}, s.retryDelivery)
}

type deliveriesInput struct {
	TenantID string `query:"tenant_id" maxLength:"64" doc:"System callers only: which tenant; absent means all of them."`
	PageInput
	Kind      string `query:"kind" enum:"mail,webhook"`
	State     string `query:"state" enum:"pending,delivered,dead"`
	Recipient string `query:"recipient" maxLength:"64" doc:"A user's ID, a webhook's ID."`
	About     string `query:"about" maxLength:"64" doc:"Such as notice, or the type of an event."`
}

func (s *Server) deliveries(ctx context.Context, c *call, in *deliveriesInput) (*body[api.List[api.Delivery]], error) {
	list, err := s.authority.Deliveries(ctx, c.caller, authority.DeliveriesInput{
		Tenant: tenancy.TenantID(in.TenantID), Kind: store.DeliveryKind(in.Kind), State: store.DeliveryState(in.State),
		Recipient: in.Recipient, About: in.About, Page: in.page(),
	})
	return listAnswer(list, err, deliveryOf)
}

func (s *Server) retryDelivery(ctx context.Context, c *call, in *idOnceInput) (*body[api.Delivery], error) {
	once, err := in.once("RetryDelivery", in.ID)
	if err != nil {
		return nil, err
	}
	d, err := s.authority.RetryDelivery(ctx, c.caller, authority.DeliveryInput{ID: in.ID, Idempotency: once})
	return answerWith(d, err, deliveryOf)
}

func deliveryOf(d store.Delivery) api.Delivery {
	out := api.Delivery{
		ID: d.ID, TenantID: string(d.TenantID), Kind: string(d.Kind), Recipient: d.Recipient, About: d.About, State: string(d.State),
		Attempts: d.Attempts, CreatedAt: d.CreatedAt, FinishedAt: optional(d.FinishedAt), LastStatus: d.LastStatus, LastError: d.LastError,
	}
	if d.State == store.DeliveryPending {
		out.NextAt = optional(d.NextAt)
	}
	return out
}
