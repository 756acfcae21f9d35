package authority

import (
	"context"
	"errors"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/webhook"
)

// webhookMemory is how far back a webhook that was suspended is told of what it missed: as
// long as deliveries to one that doesn't answer are tried again.
const webhookMemory = 3 * 24 * time.Hour

// SuspendWebhook stops a webhook until it is resumed: what is on its way waits. Rights as
// CreateWebhook; audited as webhook.suspend.
func (a *Authority) SuspendWebhook(ctx context.Context, caller access.Caller, in WebhookInput) (Webhook, error) {
	return a.changeWebhookState(ctx, caller, in, "suspend", tenancy.Active, tenancy.Suspended)
}

// ResumeWebhook lets a suspended webhook work again; it is told what happened meanwhile, in
// the last 3 days, and what was on its way goes on at once. Rights as CreateWebhook; audited as webhook.resume.
func (a *Authority) ResumeWebhook(ctx context.Context, caller access.Caller, in WebhookInput) (Webhook, error) {
	return a.changeWebhookState(ctx, caller, in, "resume", tenancy.Suspended, tenancy.Active)
}

// DeleteWebhook ends a webhook for good and destroys its secret. What is on its way to it is
// given up. Rights as CreateWebhook; audited as webhook.delete.
func (a *Authority) DeleteWebhook(ctx context.Context, caller access.Caller, in WebhookInput) (Webhook, error) {
	return a.changeWebhookState(ctx, caller, in, "delete", "", tenancy.Deleted)
}

// changeWebhookState goes from a state, empty meaning any, to another.
func (a *Authority) changeWebhookState(ctx context.Context, caller access.Caller, in WebhookInput, action string, from, to tenancy.State) (out Webhook, err error) {
	missed, err := a.eventsBefore(ctx, caller, in, a.now().Add(-webhookMemory))
	if err != nil {
		return out, err
	}
	err = a.changeWebhook(ctx, caller, in.Tenant, in.ID, func(c *change, w store.Webhook) error {
		out, err = once(c, "webhook."+action+"/"+w.ID, in.Idempotency, func() (Webhook, string, error) {
			if from != "" && w.State != from {
				return Webhook{}, "", stateConflict("webhook", w.State)
			}
			old := w.State
			w.State, w.ModifiedAt = to, c.now
			switch to {
			case tenancy.Active:
				w.Position = max(w.Position, missed)
				if err := c.tx.WakeDeliveries(store.DeliveryWebhook, w.ID, c.now); err != nil {
					return Webhook{}, "", err
				}
			case tenancy.Deleted:
				w.URL, w.Sealed, w.SealedBefore, w.BeforeUntil = "", nil, nil, time.Time{}
			case tenancy.Suspended:
			}
			if err := c.tx.UpdateWebhook(w); err != nil {
				return Webhook{}, "", err
			}
			if err := c.record("webhook."+action, webhookTarget(w), fields{"state": old}, fields{"state": to}); err != nil {
				return Webhook{}, "", err
			}
			shown, err := c.showWebhook(w)
			return shown, w.ID, err
		}, func(string) (Webhook, error) { return c.showWebhook(w) })
		return err
	})
	return out, err
}

// eventsBefore is the last event of a webhook's tenant that is older than a time. It is found
// before the change, since that takes a while; events that come meanwhile are newer.
func (a *Authority) eventsBefore(ctx context.Context, caller access.Caller, in WebhookInput, t time.Time) (sequence int64, err error) {
	err = a.viewWebhook(ctx, caller, in.Tenant, in.ID, func(s *scope, _ store.Webhook) (err error) {
		sequence, err = s.tx.AuditSequenceBefore(t)
		return err
	})
	return sequence, err
}

// OpenWebhook answers where a delivery goes and the secrets that sign it, the newest first.
// webhook.ErrGone and webhook.ErrWaits say that it goes nowhere.
func (a *Authority) OpenWebhook(ctx context.Context, d store.Delivery) (out webhook.Target, err error) {
	var w store.Webhook
	var t tenancy.Tenant
	err = a.store.Read(ctx, d.TenantID, func(tx *store.Tx) (err error) {
		if t, err = tx.AllTenantsTenant(d.TenantID); err != nil {
			return err
		}
		w, err = tx.Webhook(d.Recipient)
		return err
	})
	switch {
	case problem.Is(err, problem.NotFound), err == nil && (t.State == tenancy.Deleted || w.State == tenancy.Deleted):
		return out, webhook.ErrGone
	case err != nil:
		return out, err
	case t.State != tenancy.Active || w.State != tenancy.Active:
		return out, webhook.ErrWaits
	}
	seal, err := a.sealingFor(ctx, SystemCaller(), d.TenantID)
	if err != nil {
		return out, err
	}
	out.URL = w.URL
	sealed := [][]byte{w.Sealed}
	if w.BeforeUntil.After(a.now()) {
		sealed = append(sealed, w.SealedBefore)
	}
	for i, s := range sealed {
		clear, err := seal.keys.OpenWebhookSecret(s, w.TenantID, w.ID, w.SecretVersion-i)
		if err != nil {
			return webhook.Target{}, err
		}
		out.Secrets = append(out.Secrets, clear)
	}
	return out, nil
}

// forgetWebhooks is how many webhooks' secrets are looked for at once.
const forgetWebhooks = 100

// ForgetWebhookSecrets destroys secrets of webhooks that were replaced and whose grace period
// is over. Audited per webhook, as the installation's own doing.
func (a *Authority) ForgetWebhookSecrets(ctx context.Context) error {
	now := a.now()
	var due []store.Webhook
	err := a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		due, err = tx.AllTenantsReplacedWebhookSecrets(now, forgetWebhooks)
		return err
	})
	if err != nil {
		return err
	}
	var failed []error
	for _, w := range due {
		failed = append(failed, a.forgetWebhookSecret(ctx, w, now))
	}
	return errors.Join(failed...)
}

func (a *Authority) forgetWebhookSecret(ctx context.Context, found store.Webhook, now time.Time) error {
	forget := func(tx *store.Tx) (w store.Webhook, done bool, err error) {
		w, err = tx.Webhook(found.ID)
		if err != nil || w.BeforeUntil.IsZero() || w.BeforeUntil.After(now) {
			return w, false, err
		}
		w.SealedBefore, w.BeforeUntil = nil, time.Time{}
		return w, true, tx.UpdateWebhook(w)
	}
	_, err := a.change(ctx, SystemCaller(), found.TenantID, func(c *change) error {
		w, done, err := forget(c.tx)
		if err != nil || !done {
			c.replayed = true
			return err
		}
		return c.record("webhook.forget_secret", webhookTarget(w), nil, fields{"secret_version": w.SecretVersion - 1})
	})
	if !problem.Is(err, problem.NotFound) {
		return err
	}
	// The tenant is deleted, and so is its audit chain's use: this is bookkeeping.
	_, err = a.store.Write(ctx, found.TenantID, func(tx *store.Tx) error {
		_, _, err := forget(tx)
		return err
	})
	return err
}
