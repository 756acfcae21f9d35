package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/claviger-io/claviger/internal/notice"
	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/webhook"
)

// openOutbox makes the worker that delivers mail and webhooks.
func (n *Node) openOutbox() error {
	senders, err := n.senders()
	if err != nil {
		return err
	}
	n.outbox, err = outbox.New(outbox.Config{Store: n.store, Senders: senders, Now: n.cfg.Now, Logger: n.cfg.Logger})
	if err != nil {
		return fmt.Errorf("opening the outbox: %w", err)
	}
	return nil
}

// senders are those for which there are settings; what the others would deliver waits.
func (n *Node) senders() (map[store.DeliveryKind]outbox.Sender, error) {
	out := map[store.DeliveryKind]outbox.Sender{}
	if n.cfg.SMTP.Given() {
		mailer, err := outbox.NewMailer(outbox.MailerConfig{SMTP: n.cfg.SMTP, Render: n.renderMail, Now: n.cfg.Now})
		if err != nil {
			return nil, &HintedError{Err: fmt.Errorf("setting up mail: %w", err), Hint: "Try the settings with: claviger notice send-test ADDRESS"}
		}
		out[store.DeliveryMail] = mailer
	}
	var err error
	n.hooks, err = webhook.NewSender(webhook.Config{
		Open: n.authority.OpenWebhook, Allow: n.cfg.WebhookAllow, Now: n.cfg.Now, Version: n.cfg.Version,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up webhooks: %w", err)
	}
	out[store.DeliveryWebhook] = n.hooks
	return out, nil
}

// dispatchWebhooks turns what happened to credentials into deliveries.
func (n *Node) dispatchWebhooks(ctx context.Context) error {
	every(ctx, dispatchEvery, func() {
		if _, err := n.authority.DispatchWebhooks(ctx); err != nil && ctx.Err() == nil {
			n.cfg.Logger.WarnContext(ctx, "webhooks could not be told yet; they are tried again", slog.Any("error", err))
		}
	})
	return nil
}

// renderMail makes the mail of a delivery, by what it is about.
func (n *Node) renderMail(ctx context.Context, d store.Delivery) (m outbox.Mail, send bool, err error) {
	switch d.About {
	case notice.About:
		r, err := notice.New(notice.Config{Store: n.store, PublicURL: n.publicURL(), Now: n.cfg.Now})
		if err != nil {
			return m, false, err
		}
		return r.Render(ctx, d)
	default:
		// A node of a newer release made it, and will send it.
		return m, false, &outbox.Failure{Err: errors.New("this release knows no mail of that kind")}
	}
}
