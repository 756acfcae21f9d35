package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// DeliveriesInput filters the list of deliveries.
type DeliveriesInput struct {
	// Tenant empty means the caller's own; for callers of the system, all tenants'.
	Tenant    tenancy.TenantID
	Kind      store.DeliveryKind
	State     store.DeliveryState
	Recipient string // a user's ID, a webhook's ID
	About     string
	Page      store.Page
}

// DeliveryInput names one delivery.
type DeliveryInput struct {
	Tenant tenancy.TenantID
	ID     string
	Idempotency
}

// mayManageDeliveries needs what those have who look after the tenant, or after all.
func (s *scope) mayManageDeliveries() error {
	if s.caller.Tenant == tenancy.SystemTenantID {
		return s.requireSystem(access.TenantsManage)
	}
	return s.administer(access.TenantManage, s.rootPath())
}

// Deliveries lists what goes out by mail and to webhooks, in the order in which it was made. It
// needs claviger.tenant:manage in the tenant, or claviger.tenants:manage in the system tenant.
func (a *Authority) Deliveries(ctx context.Context, caller access.Caller, in DeliveriesInput) (out store.List[store.Delivery], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.mayManageDeliveries(); err != nil {
			return err
		}
		f := store.DeliveryFilter{Kind: in.Kind, State: in.State, Recipient: in.Recipient, About: in.About}
		if s.caller.Tenant == tenancy.SystemTenantID {
			out, err = s.tx.AllTenantsDeliveries(in.Tenant, f, in.Page)
		} else {
			out, err = s.tx.Deliveries(f, in.Page)
		}
		for i := range out.Items {
			out.Items[i] = s.showDelivery(out.Items[i])
		}
		return err
	})
	return out, err
}

// showDelivery keeps from tenants what our conversations with the mail server tell of the
// operator's network and accounts. What was answered about a mail has a status.
func (s *scope) showDelivery(d store.Delivery) store.Delivery {
	d.Payload = nil
	if s.caller.Tenant != tenancy.SystemTenantID && d.Kind == store.DeliveryMail && d.LastError != "" && d.LastStatus == 0 {
		d.LastError = "The mail could not be handed to the mail server. The operators' log says why."
	}
	return d
}

// RetryDelivery has a delivery tried again at once, and then for three days more: one that was
// given up, or one that waits for its next attempt. Rights as Deliveries. Problems:
// already_delivered. Audited as delivery.retry.
func (a *Authority) RetryDelivery(ctx context.Context, caller access.Caller, in DeliveryInput) (out store.Delivery, err error) {
	tenant, err := a.locate(ctx, caller, in.Tenant, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsDeliveryTenant(in.ID) })
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		if err := c.mayManageDeliveries(); err != nil {
			return err
		}
		out, err = once(c, "delivery.retry/"+in.ID, in.Idempotency, func() (store.Delivery, string, error) {
			d, err := c.retryDelivery(in.ID)
			return d, in.ID, err
		}, c.tx.Delivery)
		out = c.showDelivery(out)
		return err
	})
	return out, err
}

func (c *change) retryDelivery(id string) (store.Delivery, error) {
	d, err := c.tx.Delivery(id)
	if err != nil {
		return d, err
	}
	if d.State == store.DeliveryDelivered {
		return d, problem.New(problem.Conflict, "already_delivered", "It was delivered already. There is nothing to try again.")
	}
	if err := c.tx.RetryDelivery(d, c.now); err != nil {
		return d, err
	}
	err = c.record("delivery.retry", target{kind: "delivery", id: d.ID, name: d.About},
		fields{"state": d.State, "attempts": d.Attempts}, fields{"kind": d.Kind, "recipient": d.Recipient, "state": store.DeliveryPending})
	if err != nil {
		return d, err
	}
	return c.tx.Delivery(id)
}
