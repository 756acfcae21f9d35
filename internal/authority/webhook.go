package authority

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/webhook"
)

// MaxWebhooks is how many webhooks a tenant can have.
const MaxWebhooks = 100

// Webhook is an address of a tenant's own that is told what happens to its credentials.
type Webhook struct {
	ID            string // "whk_…"
	TenantID      tenancy.TenantID
	Name          string
	URL           string
	Events        []string // types of events; empty means all
	State         tenancy.State
	SecretVersion int
	GraceUntil    time.Time // until when the secret before signs too; zero when there is none
	CreatedAt     time.Time
	CreatedBy     access.Principal
	CreatedByName string
	ModifiedAt    time.Time
	// Last is its newest delivery; nil when there is none.
	Last *store.Delivery
}

// IssuedWebhook is a webhook with a secret that is shown this once.
type IssuedWebhook struct {
	Webhook
	Secret          secret.Secret
	SecretAvailable bool // false for a repeated request
}

// CreateWebhookInput describes a new webhook.
type CreateWebhookInput struct {
	Tenant tenancy.TenantID // empty means the caller's own
	Name   string
	URL    string
	Events []string // empty means all
	Idempotency
}

// WebhookInput names one webhook.
type WebhookInput struct {
	Tenant tenancy.TenantID
	ID     string
	Idempotency
}

// ChangeWebhookInput changes what is not nil.
type ChangeWebhookInput struct {
	Tenant tenancy.TenantID
	ID     string
	Name   *string
	URL    *string
	Events *[]string
}

// RotateWebhookInput asks for a new secret.
type RotateWebhookInput struct {
	Tenant tenancy.TenantID
	ID     string
	Grace  time.Duration // for which the one before signs too; whole seconds, at most 30 days
	Idempotency
}

// WebhooksInput asks for a tenant's webhooks.
type WebhooksInput struct{ Tenant tenancy.TenantID }

func webhookOf(w store.Webhook, now time.Time) Webhook {
	out := Webhook{
		ID: w.ID, TenantID: w.TenantID, Name: w.Name, URL: w.URL, Events: w.Events, State: w.State, SecretVersion: w.SecretVersion,
		CreatedAt: w.CreatedAt, CreatedBy: w.CreatedBy, CreatedByName: w.CreatedByName, ModifiedAt: w.ModifiedAt,
	}
	if w.BeforeUntil.After(now) {
		out.GraceUntil = w.BeforeUntil
	}
	return out
}

// showWebhook adds the newest delivery.
func (s *scope) showWebhook(w store.Webhook) (Webhook, error) {
	out := webhookOf(w, s.now)
	list, err := s.tx.Deliveries(store.DeliveryFilter{Kind: store.DeliveryWebhook, Recipient: w.ID}, store.Page{Limit: 1, Desc: true, Uncounted: true})
	if err == nil && len(list.Items) > 0 {
		out.Last = &list.Items[0]
	}
	return out, err
}

func webhookTarget(w store.Webhook) target { return target{kind: "webhook", id: w.ID, name: w.Name} }

// webhookFields leave out all of the address but its host: many hide a secret in it.
func webhookFields(w store.Webhook) fields {
	f := fields{"name": w.Name, "endpoint": webhook.Shown(w.URL), "events": w.Events}
	if len(w.Events) == 0 {
		f["events"] = "all"
	}
	return f
}

// mayManageWebhooks needs the right to the account's settings.
func (s *scope) mayManageWebhooks() error {
	if s.caller.Tenant == tenancy.SystemTenantID {
		return s.requireSystem(access.TenantsManage)
	}
	return s.administer(access.TenantManage, s.rootPath())
}

// webhook loads a webhook that is not deleted, for those who may manage it.
func (s *scope) webhook(id string) (store.Webhook, error) {
	if err := s.mayManageWebhooks(); err != nil {
		return store.Webhook{}, err
	}
	w, err := s.tx.Webhook(id)
	if err == nil && w.State == tenancy.Deleted {
		err = problem.Missing("webhook")
	}
	return w, err
}

func (a *Authority) webhookTenant(ctx context.Context, caller access.Caller, named tenancy.TenantID, id string) (tenancy.TenantID, error) {
	return a.locate(ctx, caller, named, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsWebhookTenant(id) })
}

// changeWebhook runs a change of one webhook.
func (a *Authority) changeWebhook(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, id string, do func(*change, store.Webhook) error) error {
	tenant, err := a.webhookTenant(ctx, caller, tenant, id)
	if err != nil {
		return err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		w, err := c.webhook(id)
		if err != nil {
			return err
		}
		return do(c, w)
	})
	return err
}

// viewWebhook looks at one webhook.
func (a *Authority) viewWebhook(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, id string, look func(*scope, store.Webhook) error) error {
	tenant, err := a.webhookTenant(ctx, caller, tenant, id)
	if err != nil {
		return err
	}
	return a.view(ctx, caller, tenant, func(s *scope) error {
		w, err := s.webhook(id)
		if err != nil {
			return err
		}
		return look(s, w)
	})
}

// webhookSecret makes a secret as Standard Webhooks has them: 256 bits in base64.
func (a *Authority) webhookSecret() (secret.Secret, error) {
	var b [32]byte
	if _, err := io.ReadFull(a.rand, b[:]); err != nil {
		return secret.Secret{}, fmt.Errorf("making a webhook's secret: %w", err)
	}
	return secret.New("whsec_" + base64.StdEncoding.EncodeToString(b[:])), nil
}

func (s *sealing) sealWebhook(c *change, clear secret.Secret, id string, version int) ([]byte, error) {
	keys, err := s.settle(c)
	if err != nil {
		return nil, err
	}
	return keys.SealWebhookSecret(clear, c.tenant.ID, id, version)
}

// validateWebhook applies the rules, and brings the types of events into their own order.
func (a *Authority) validateWebhook(w *store.Webhook) error {
	if err := tenancy.ValidateName("/name", w.Name); err != nil {
		return err
	}
	if err := webhook.CheckURL(w.URL, a.webhookAllow); err != nil {
		return err
	}
	var ordered []string
	for _, t := range webhook.Types() {
		if slices.Contains(w.Events, string(t)) {
			ordered = append(ordered, string(t))
		}
	}
	for i, t := range w.Events {
		if !slices.Contains(ordered, t) {
			return problem.InvalidField("/events/"+strconv.Itoa(i), "There are no such events. Choose from the list in the documentation, or none for all.")
		}
	}
	w.Events = ordered
	return nil
}

// CreateWebhook makes a webhook, which is told of everything that happens from then on. Its
// secret is shown this once. It needs claviger.tenant:manage at the tenant's root, in a
// person's session. Problems: too_many_webhooks. Audited as webhook.create.
func (a *Authority) CreateWebhook(ctx context.Context, caller access.Caller, in CreateWebhookInput) (out IssuedWebhook, err error) {
	id, err := newID("whk_")
	if err != nil {
		return out, err
	}
	clear, err := a.webhookSecret()
	if err != nil {
		return out, err
	}
	seal, err := a.sealingFor(ctx, caller, in.Tenant)
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, in.Tenant, func(c *change) error {
		if err := c.mayManageWebhooks(); err != nil {
			return err
		}
		out, err = once(c, "webhook.create", in.Idempotency, func() (IssuedWebhook, string, error) {
			w, err := c.createWebhook(id, in, clear, seal)
			return IssuedWebhook{Webhook: webhookOf(w, c.now), Secret: clear, SecretAvailable: true}, id, err
		}, c.webhookWithoutSecret)
		return err
	})
	if err != nil {
		return IssuedWebhook{}, err
	}
	return out, nil
}

func (c *change) createWebhook(id string, in CreateWebhookInput, clear secret.Secret, seal *sealing) (store.Webhook, error) {
	w := store.Webhook{
		ID: id, TenantID: c.tenant.ID, Name: in.Name, URL: in.URL, Events: in.Events, State: tenancy.Active, SecretVersion: 1,
		CreatedAt: c.now, CreatedBy: c.caller.Principal, CreatedByName: plain(c.caller.Name), ModifiedAt: c.now,
	}
	if err := c.a.validateWebhook(&w); err != nil {
		return w, err
	}
	list, err := c.tx.Webhooks()
	if err != nil {
		return w, err
	}
	if len(list) >= MaxWebhooks {
		return w, problem.New(problem.Conflict, "too_many_webhooks", "There are "+strconv.Itoa(MaxWebhooks)+" webhooks already. Delete one that is no longer needed.")
	}
	head, err := c.tx.AuditHead()
	if err != nil {
		return w, err
	}
	w.Position = head.Sequence
	if w.Sealed, err = seal.sealWebhook(c, clear, id, 1); err != nil {
		return w, err
	}
	if err := c.tx.InsertWebhook(w); err != nil {
		return w, err
	}
	return w, c.record("webhook.create", webhookTarget(w), nil, webhookFields(w))
}

func (c *change) webhookWithoutSecret(id string) (IssuedWebhook, error) {
	w, err := c.tx.Webhook(id)
	if err != nil {
		return IssuedWebhook{}, err
	}
	shown, err := c.showWebhook(w)
	return IssuedWebhook{Webhook: shown}, err
}

// ChangeWebhook changes what is given; it counts for what is delivered from then on. Rights
// as CreateWebhook; audited as webhook.change.
func (a *Authority) ChangeWebhook(ctx context.Context, caller access.Caller, in ChangeWebhookInput) (out Webhook, err error) {
	err = a.changeWebhook(ctx, caller, in.Tenant, in.ID, func(c *change, old store.Webhook) error {
		w := old
		set(&w.Name, in.Name)
		set(&w.URL, in.URL)
		set(&w.Events, in.Events)
		if err := c.a.validateWebhook(&w); err != nil {
			return err
		}
		w.ModifiedAt = c.now
		if err := c.tx.UpdateWebhook(w); err != nil {
			return err
		}
		before, after := differences(webhookFields(old), webhookFields(w))
		if w.URL != old.URL {
			after["url_changed"] = true
		}
		if err := c.record("webhook.change", webhookTarget(w), before, after); err != nil {
			return err
		}
		out, err = c.showWebhook(w)
		return err
	})
	return out, err
}

// RotateWebhookSecret makes a new secret, which is shown this once. The one before signs
// beside it for the grace period, so that receivers can change over. Rights as
// CreateWebhook; audited as webhook.rotate_secret.
func (a *Authority) RotateWebhookSecret(ctx context.Context, caller access.Caller, in RotateWebhookInput) (out IssuedWebhook, err error) {
	if err := credential.ValidateGrace(in.Grace); err != nil {
		return out, err
	}
	tenant, err := a.webhookTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	clear, err := a.webhookSecret()
	if err != nil {
		return out, err
	}
	seal, err := a.sealingFor(ctx, caller, tenant)
	if err != nil {
		return out, err
	}
	err = a.changeWebhook(ctx, caller, tenant, in.ID, func(c *change, w store.Webhook) error {
		out, err = once(c, "webhook.rotate_secret/"+in.ID, in.Idempotency, func() (IssuedWebhook, string, error) {
			w, err := c.rotateWebhook(w, in.Grace, clear, seal)
			if err != nil {
				return IssuedWebhook{}, "", err
			}
			shown, err := c.showWebhook(w)
			return IssuedWebhook{Webhook: shown, Secret: clear, SecretAvailable: true}, w.ID, err
		}, c.webhookWithoutSecret)
		return err
	})
	if err != nil {
		return IssuedWebhook{}, err
	}
	return out, nil
}

func (c *change) rotateWebhook(w store.Webhook, grace time.Duration, clear secret.Secret, seal *sealing) (store.Webhook, error) {
	before := w.SecretVersion
	w.SealedBefore, w.BeforeUntil = nil, time.Time{}
	if grace > 0 {
		w.SealedBefore, w.BeforeUntil = w.Sealed, c.now.Add(grace)
	}
	w.SecretVersion++
	w.ModifiedAt = c.now
	var err error
	if w.Sealed, err = seal.sealWebhook(c, clear, w.ID, w.SecretVersion); err != nil {
		return w, err
	}
	if err := c.tx.UpdateWebhook(w); err != nil {
		return w, err
	}
	return w, c.record("webhook.rotate_secret", webhookTarget(w), fields{"secret_version": before},
		fields{"secret_version": w.SecretVersion, "grace_until": c.now.Add(grace)})
}

// Webhook answers one webhook, without its secret. Rights as CreateWebhook.
func (a *Authority) Webhook(ctx context.Context, caller access.Caller, in WebhookInput) (out Webhook, err error) {
	err = a.viewWebhook(ctx, caller, in.Tenant, in.ID, func(s *scope, w store.Webhook) (err error) {
		out, err = s.showWebhook(w)
		return err
	})
	return out, err
}

// Webhooks lists a tenant's webhooks, oldest first. Rights as CreateWebhook.
func (a *Authority) Webhooks(ctx context.Context, caller access.Caller, in WebhooksInput) (out []Webhook, err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.mayManageWebhooks(); err != nil {
			return err
		}
		list, err := s.tx.Webhooks()
		if err != nil {
			return err
		}
		out = make([]Webhook, len(list))
		for i, w := range list {
			if out[i], err = s.showWebhook(w); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
