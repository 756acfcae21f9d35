package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/webhook"
)

func (s *Server) webhookRoutes() {
	const tag, need = "Webhooks", access.TenantManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/webhooks", Operation: "CreateWebhook", Permission: need, tag: tag,
		summary: "Make a webhook; its secret is shown this once", status: http.StatusCreated,
	}, s.createWebhook)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/webhooks", Operation: "Webhooks", Permission: need, tag: tag,
		summary: "The tenant's webhooks, oldest first",
	}, s.webhooks)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/webhooks/{id}", Operation: "Webhook", Permission: need, tag: tag,
		summary: "One webhook, without its secret",
	}, s.webhook)
	add(s, Route{
		Method: http.MethodPatch, Pattern: "/v1/webhooks/{id}", Operation: "ChangeWebhook", Permission: need, tag: tag,
		summary: "Change a webhook's name, address or events",
	}, s.changeWebhook)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/webhooks/{id}/rotate-secret", Operation: "RotateWebhookSecret", Permission: need, tag: tag,
		summary: "A new secret, shown this once; the one before signs beside it for the grace period",
	}, s.rotateWebhookSecret)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/webhooks/{id}/suspend", Operation: "SuspendWebhook", Permission: need, tag: tag,
		summary: "Send nothing to a webhook until it is resumed",
	}, webhookAction(s.authority.SuspendWebhook, "SuspendWebhook"))
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/webhooks/{id}/resume", Operation: "ResumeWebhook", Permission: need, tag: tag,
		summary: "Let a suspended webhook go on, with what it missed in the last 3 days",
	}, webhookAction(s.authority.ResumeWebhook, "ResumeWebhook"))
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/webhooks/{id}", Operation: "DeleteWebhook", Permission: need, tag: tag,
		summary: "End a webhook for good", status: http.StatusNoContent,
	}, s.deleteWebhook)
	s.webhookDeliveryRoutes()
}

func (s *Server) webhookDeliveryRoutes() {
	const tag, need = "Webhooks", access.TenantManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/webhooks/{id}/test", Operation: "TestWebhook", Permission: need, tag: tag,
		summary: "Send a message of type webhook.test", status: http.StatusAccepted,
	}, s.testWebhook)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/webhooks/{id}/replay", Operation: "ReplayWebhook", Permission: need, tag: tag,
		summary: "Send again everything since a time", status: http.StatusAccepted,
	}, s.replayWebhook)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/webhooks/{id}/deliveries", Operation: "WebhookDeliveries", Permission: need, tag: tag,
		summary: "What was sent to a webhook, and what became of it; kept for 30 days",
	}, s.webhookDeliveries)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/webhooks/{id}/deliveries/{delivery_id}", Operation: "WebhookDelivery", Permission: need, tag: tag,
		summary: "One delivery, with its message",
	}, s.webhookDelivery)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/webhooks/{id}/deliveries/{delivery_id}/replay", Operation: "ReplayWebhookDelivery", Permission: need, tag: tag,
		summary: "Send one message again", status: http.StatusAccepted,
	}, s.replayWebhookDelivery)
}

type createWebhookInput struct {
	TenantInput
	OnceInput
	Body api.CreateWebhookRequest
}

func (s *Server) createWebhook(ctx context.Context, c *call, in *createWebhookInput) (*body[api.IssuedWebhook], error) {
	once, err := in.once("CreateWebhook", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	made, err := s.authority.CreateWebhook(ctx, c.caller, authority.CreateWebhookInput{
		Tenant: in.tenant(), Name: in.Body.Name, URL: in.Body.URL, Events: in.Body.Events, Idempotency: once,
	})
	return answerWith(made, err, issuedWebhookOf)
}

func (s *Server) webhooks(ctx context.Context, c *call, in *TenantInput) (*body[api.List[api.Webhook]], error) {
	list, err := s.authority.Webhooks(ctx, c.caller, authority.WebhooksInput{Tenant: in.tenant()})
	return listAnswer(store.List[authority.Webhook]{Items: list, Total: int64(len(list))}, err, webhookOf)
}

func (s *Server) webhook(ctx context.Context, c *call, in *IDInput) (*body[api.Webhook], error) {
	w, err := s.authority.Webhook(ctx, c.caller, authority.WebhookInput{ID: in.ID})
	return answerWith(w, err, webhookOf)
}

type changeWebhookInput struct {
	IDInput
	Body api.ChangeWebhookRequest
}

func (s *Server) changeWebhook(ctx context.Context, c *call, in *changeWebhookInput) (*body[api.Webhook], error) {
	w, err := s.authority.ChangeWebhook(ctx, c.caller, authority.ChangeWebhookInput{
		ID: in.ID, Name: in.Body.Name, URL: in.Body.URL, Events: in.Body.Events,
	})
	return answerWith(w, err, webhookOf)
}

type rotateWebhookInput struct {
	IDInput
	OnceInput
	Body *api.RotateRequest
}

func (s *Server) rotateWebhookSecret(ctx context.Context, c *call, in *rotateWebhookInput) (*body[api.IssuedWebhook], error) {
	asked := deref(in.Body)
	once, err := in.once("RotateWebhookSecret", in.ID, asked)
	if err != nil {
		return nil, err
	}
	made, err := s.authority.RotateWebhookSecret(ctx, c.caller, authority.RotateWebhookInput{
		ID: in.ID, Grace: time.Duration(asked.GracePeriodSeconds) * time.Second, Idempotency: once,
	})
	return answerWith(made, err, issuedWebhookOf)
}

// webhookAction is a change of a webhook that takes nothing but its ID.
func webhookAction(do func(context.Context, access.Caller, authority.WebhookInput) (authority.Webhook, error), operation string) func(context.Context, *call, *idOnceInput) (*body[api.Webhook], error) {
	return func(ctx context.Context, c *call, in *idOnceInput) (*body[api.Webhook], error) {
		ask, err := in.webhookAsk(operation)
		if err != nil {
			return nil, err
		}
		w, err := do(ctx, c.caller, ask)
		return answerWith(w, err, webhookOf)
	}
}

func (in *idOnceInput) webhookAsk(operation string) (authority.WebhookInput, error) {
	once, err := in.once(operation, in.ID)
	return authority.WebhookInput{ID: in.ID, Idempotency: once}, err
}

func (s *Server) deleteWebhook(ctx context.Context, c *call, in *IDInput) (*none, error) {
	_, err := s.authority.DeleteWebhook(ctx, c.caller, authority.WebhookInput{ID: in.ID})
	return nil, err
}

func (s *Server) testWebhook(ctx context.Context, c *call, in *idOnceInput) (*body[api.WebhookDelivery], error) {
	ask, err := in.webhookAsk("TestWebhook")
	if err != nil {
		return nil, err
	}
	d, err := s.authority.TestWebhook(ctx, c.caller, ask)
	return answerWith(d, err, webhookDeliveryOf)
}

type replayWebhookInput struct {
	IDInput
	OnceInput
	Body api.ReplayWebhookRequest
}

func (s *Server) replayWebhook(ctx context.Context, c *call, in *replayWebhookInput) (*body[api.Webhook], error) {
	once, err := in.once("ReplayWebhook", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	w, err := s.authority.ReplayWebhook(ctx, c.caller, authority.ReplayWebhookInput{ID: in.ID, Since: in.Body.Since, Idempotency: once})
	return answerWith(w, err, webhookOf)
}

type webhookDeliveriesInput struct {
	IDInput
	PageInput
	State string `query:"state" enum:"pending,delivered,dead"`
	Event string `query:"event" maxLength:"64" doc:"Deliveries of this type of event."`
}

func (s *Server) webhookDeliveries(ctx context.Context, c *call, in *webhookDeliveriesInput) (*body[api.List[api.WebhookDelivery]], error) {
	list, err := s.authority.WebhookDeliveries(ctx, c.caller, authority.WebhookDeliveriesInput{
		ID: in.ID, State: store.DeliveryState(in.State), Event: in.Event, Page: in.page(),
	})
	return listAnswer(list, err, webhookDeliveryOf)
}

// WebhookDeliveryInput names one delivery of a webhook in the path.
type WebhookDeliveryInput struct {
	IDInput
	Delivery string `path:"delivery_id" maxLength:"64" doc:"The delivery's ID."`
}

func (s *Server) webhookDelivery(ctx context.Context, c *call, in *WebhookDeliveryInput) (*body[api.WebhookDelivery], error) {
	d, err := s.authority.WebhookDelivery(ctx, c.caller, authority.WebhookDeliveryInput{ID: in.ID, Delivery: in.Delivery})
	return answerWith(d, err, webhookDeliveryOf)
}

type replayWebhookDeliveryInput struct {
	WebhookDeliveryInput
	OnceInput
}

func (s *Server) replayWebhookDelivery(ctx context.Context, c *call, in *replayWebhookDeliveryInput) (*body[api.WebhookDelivery], error) {
	once, err := in.once("ReplayWebhookDelivery", in.ID, in.Delivery)
	if err != nil {
		return nil, err
	}
	d, err := s.authority.ReplayWebhookDelivery(ctx, c.caller, authority.WebhookDeliveryInput{ID: in.ID, Delivery: in.Delivery, Idempotency: once})
	return answerWith(d, err, webhookDeliveryOf)
}

func webhookOf(w authority.Webhook) api.Webhook {
	out := api.Webhook{
		ID: w.ID, TenantID: string(w.TenantID), Name: w.Name, URL: w.URL, Events: append([]string{}, w.Events...), State: string(w.State),
		SecretVersion: w.SecretVersion, PreviousUntil: optional(w.GraceUntil), CreatedAt: w.CreatedAt, ModifiedAt: w.ModifiedAt,
		CreatedBy: api.Principal{Type: string(w.CreatedBy.Type), ID: w.CreatedBy.ID, Name: w.CreatedByName},
	}
	if w.Last != nil {
		last := webhookDeliveryOf(*w.Last)
		last.Message = nil
		out.LastDelivery = &last
	}
	return out
}

func issuedWebhookOf(w authority.IssuedWebhook) api.IssuedWebhook {
	return api.IssuedWebhook{Webhook: webhookOf(w.Webhook), Secret: api.Secret(w.Secret.Reveal()), SecretAvailable: w.SecretAvailable}
}

func webhookDeliveryOf(d store.Delivery) api.WebhookDelivery {
	out := api.WebhookDelivery{
		ID: d.ID, WebhookID: d.Recipient, Event: d.About, State: string(d.State), Attempts: d.Attempts, Status: d.LastStatus, Error: d.LastError,
		CreatedAt: d.CreatedAt, FinishedAt: optional(d.FinishedAt),
	}
	if d.State == store.DeliveryPending {
		out.NextAttemptAt = optional(d.NextAt)
	}
	var m webhook.Message
	if json.Unmarshal(d.Payload, &m) == nil {
		out.MessageID = m.ID
		_ = json.Unmarshal(m.Body, &out.Message) // what can't be read isn't shown
	}
	return out
}
