package client

import (
	"context"
	"iter"
	"net/url"

	"github.com/claviger-io/claviger/api"
)

const deliveries = "deliveries"

// DeliveryFilter narrows a list of deliveries. Callers of the system see those of all
// tenants, unless they ask in one (InTenant).
type DeliveryFilter struct {
	Kind      string // mail or webhook
	State     string // pending, delivered or dead
	Recipient string // a user's ID, a webhook's ID
	About     string // such as notice, or the type of an event
}

func (f DeliveryFilter) values() url.Values {
	v := url.Values{}
	set(v, "kind", f.Kind)
	set(v, "state", f.State)
	set(v, "recipient", f.Recipient)
	set(v, "about", f.About)
	return v
}

// Deliveries lists mail and calls of webhooks in the order in which they were made, page after
// page, as the loop asks for them. After an error nothing follows.
func (c *Client) Deliveries(ctx context.Context, f DeliveryFilter) iter.Seq2[api.Delivery, error] {
	return each[api.Delivery](ctx, c, at("v1", deliveries), f.values)
}

// DeliveryPage lists one page of deliveries.
func (c *Client) DeliveryPage(ctx context.Context, f DeliveryFilter, p Page) (*api.List[api.Delivery], error) {
	return page[api.Delivery](ctx, c, at("v1", deliveries), f.values(), p)
}

// RetryDelivery has a delivery tried again at once that was given up, or that waits.
func (c *Client) RetryDelivery(ctx context.Context, id string) (*api.Delivery, error) {
	return one[api.Delivery](ctx, c, change(at("v1", deliveries, id, "retry"), nil))
}
