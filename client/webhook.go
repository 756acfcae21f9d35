package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/claviger-io/claviger/api"
)

const webhooks = "webhooks"

// WebhookDeliveryFilter narrows a list of deliveries. The zero filter is all that are kept.
type WebhookDeliveryFilter struct {
	State string // pending, delivered or dead
	Event string // type of event, such as credential.revoked
}

func (f WebhookDeliveryFilter) values() url.Values {
	v := url.Values{}
	set(v, "state", f.State)
	set(v, "event", f.Event)
	return v
}

// Webhooks lists the webhooks of the tenant, oldest first; there are few.
func (c *Client) Webhooks(ctx context.Context) ([]api.Webhook, error) {
	list, err := page[api.Webhook](ctx, c, at("v1", webhooks), url.Values{}, Page{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Webhook shows one webhook, without its secret.
func (c *Client) Webhook(ctx context.Context, id string) (*api.Webhook, error) {
	return one[api.Webhook](ctx, c, read(at("v1", webhooks, id), nil, nil))
}

// CreateWebhook makes a webhook. The answer holds its secret: it is shown this once.
func (c *Client) CreateWebhook(ctx context.Context, r api.CreateWebhookRequest) (*api.IssuedWebhook, error) {
	return one[api.IssuedWebhook](ctx, c, change(at("v1", webhooks), r))
}

// ChangeWebhook changes what is set in r.
func (c *Client) ChangeWebhook(ctx context.Context, id string, r api.ChangeWebhookRequest) (*api.Webhook, error) {
	return one[api.Webhook](ctx, c, modify(http.MethodPatch, at("v1", webhooks, id), r))
}

// RotateWebhookSecret gives a webhook a new secret, which the answer holds this once. The one
// before signs beside it for grace, whole seconds up to 30 days; 0 ends it at once.
func (c *Client) RotateWebhookSecret(ctx context.Context, id string, grace time.Duration) (*api.IssuedWebhook, error) {
	return one[api.IssuedWebhook](ctx, c, change(at("v1", webhooks, id, "rotate-secret"), rotation(grace)))
}

// SuspendWebhook stops a webhook until it is resumed.
func (c *Client) SuspendWebhook(ctx context.Context, id string) (*api.Webhook, error) {
	return one[api.Webhook](ctx, c, change(at("v1", webhooks, id, "suspend"), nil))
}

// ResumeWebhook lets a suspended webhook go on, with what it missed in the last 3 days.
func (c *Client) ResumeWebhook(ctx context.Context, id string) (*api.Webhook, error) {
	return one[api.Webhook](ctx, c, change(at("v1", webhooks, id, "resume"), nil))
}

// DeleteWebhook ends a webhook for good.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	return c.do(ctx, modify(http.MethodDelete, at("v1", webhooks, id), nil))
}

// TestWebhook sends a message of type webhook.test. The answer is the delivery as it begins;
// WebhookDelivery tells what becomes of it.
func (c *Client) TestWebhook(ctx context.Context, id string) (*api.WebhookDelivery, error) {
	return one[api.WebhookDelivery](ctx, c, change(at("v1", webhooks, id, "test"), nil))
}

// ReplayWebhook sends again everything since a time, at most 30 days ago.
func (c *Client) ReplayWebhook(ctx context.Context, id string, since time.Time) (*api.Webhook, error) {
	return one[api.Webhook](ctx, c, change(at("v1", webhooks, id, "replay"), api.ReplayWebhookRequest{Since: since}))
}

// WebhookDeliveries lists what was sent to a webhook, in the order of making, page after
// page, as the loop asks for them. After an error nothing follows.
func (c *Client) WebhookDeliveries(ctx context.Context, id string, f WebhookDeliveryFilter) iter.Seq2[api.WebhookDelivery, error] {
	return each[api.WebhookDelivery](ctx, c, at("v1", webhooks, id, "deliveries"), f.values)
}

// WebhookDeliveryPage lists one page of deliveries.
func (c *Client) WebhookDeliveryPage(ctx context.Context, id string, f WebhookDeliveryFilter, p Page) (*api.List[api.WebhookDelivery], error) {
	return page[api.WebhookDelivery](ctx, c, at("v1", webhooks, id, "deliveries"), f.values(), p)
}

// WebhookDelivery shows one delivery.
func (c *Client) WebhookDelivery(ctx context.Context, id, delivery string) (*api.WebhookDelivery, error) {
	return one[api.WebhookDelivery](ctx, c, read(at("v1", webhooks, id, "deliveries", delivery), nil, nil))
}

// ReplayWebhookDelivery sends one message again, as a delivery of its own.
func (c *Client) ReplayWebhookDelivery(ctx context.Context, id, delivery string) (*api.WebhookDelivery, error) {
	return one[api.WebhookDelivery](ctx, c, change(at("v1", webhooks, id, "deliveries", delivery, "replay"), nil))
}
