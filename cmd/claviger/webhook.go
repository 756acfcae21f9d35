package main

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

func (p *program) webhookCommand() *cobra.Command {
	k := object[api.Webhook]{
		p: p, idOf: "webhook's ID, such as whk_01jd3x8q4w9k2m5n7p0r6t8v1y", pairs: webhookPairs,
		header: []string{"ID", "NAME", "STATE", "ADDRESS", "EVENTS", "LAST DELIVERY"},
		row: func(w *api.Webhook) []string {
			return []string{w.ID, w.Name, w.State, w.URL, eventsText(w), lastDelivery(w)}
		},
	}
	list := k.list("list", "List webhooks", noArguments, func(c *client.Client, cmd *cobra.Command, _ []string) iter.Seq2[api.Webhook, error] {
		return func(yield func(api.Webhook, error) bool) {
			all, err := c.Webhooks(cmd.Context())
			if err != nil {
				yield(api.Webhook{}, err)
			}
			for _, w := range all {
				if !yield(w, nil) {
					return
				}
			}
		}
	})
	return group("webhook", "Tell programs of your own what happens to credentials",
		"Manage webhooks on a server. People do that in the console, under Settings: a credential of a tenant cannot.\n"+
			"The caller's credential comes from CLAVIGER_CREDENTIAL or --credential-file; it must be the system's, and hold\n"+
			"claviger.tenants:manage.",
		p.webhookCreateCommand(), list, webhookChangeCommand(k),
		rotateCommand(p, k.idOf, "Make a new secret; with --grace the one before signs beside it", (*client.Client).RotateWebhookSecret, printIssuedWebhook),
		k.action("show", "Show a webhook, without its secret", (*client.Client).Webhook),
		k.action("suspend", "Send nothing until it is resumed", (*client.Client).SuspendWebhook),
		k.action("resume", "Let a suspended webhook go on, with what it missed in the last 3 days", (*client.Client).ResumeWebhook),
		k.end("End a webhook for good", (*client.Client).DeleteWebhook),
		p.deliveryObject().change("test", "Send a message of type webhook.test", "", func(c *client.Client, cmd *cobra.Command, id string) (*api.WebhookDelivery, error) {
			return c.TestWebhook(cmd.Context(), id)
		}),
		p.webhookDeliveriesCommand(), webhookReplayCommand(k),
	)
}

func (p *program) webhookCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create --name NAME --address URL",
		Short: "Make a webhook, whose secret is shown this once",
		Long: "Make a webhook, and print the secret with which its messages are signed. The secret is shown this once.\n" +
			"What else it is goes to stderr.",
		Args: noArguments,
	}
	o := p.take(cmd, callerSettings...)
	var r api.CreateWebhookRequest
	tenant := tenantFlag(cmd)
	cmd.Flags().StringVar(&r.Name, "name", "", "`NAME` by which people recognize it")
	cmd.Flags().StringVar(&r.URL, "address", "", "https `URL` that messages are sent to")
	cmd.Flags().StringSliceVar(&r.Events, "events", nil, "`TYPE,…` of events, such as credential.revoked (default: all)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if r.Name == "" || r.URL == "" {
			return &usageError{err: fmt.Errorf("a webhook needs a name and an address"), hint: "Give them with --name and --address."}
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		made, err := c.InTenant(*tenant).CreateWebhook(cmd.Context(), r)
		if err != nil {
			return err
		}
		return printIssuedWebhook(cmd, o, made)
	}
	return cmd
}

func printIssuedWebhook(cmd *cobra.Command, o *options, w *api.IssuedWebhook) error {
	return printSecrets(cmd, o, w, w.SecretAvailable, "Rotate it for a new one: claviger webhook rotate "+w.ID, webhookPairs(&w.Webhook), w.Secret)
}

func webhookChangeCommand(k object[api.Webhook]) *cobra.Command {
	var name, address string
	var events []string
	cmd := k.change("change", "Change a webhook's name, address or events", "", func(c *client.Client, cmd *cobra.Command, id string) (*api.Webhook, error) {
		return c.ChangeWebhook(cmd.Context(), id, api.ChangeWebhookRequest{
			Name: given(cmd, "name", &name), URL: given(cmd, "address", &address), Events: given(cmd, "events", &events),
		})
	})
	cmd.Flags().StringVar(&name, "name", "", "the new `NAME`")
	cmd.Flags().StringVar(&address, "address", "", "the new https `URL`")
	cmd.Flags().StringSliceVar(&events, "events", nil, "`TYPE,…` of events from now on; empty for all")
	return cmd
}

func webhookReplayCommand(k object[api.Webhook]) *cobra.Command {
	var since string
	cmd := k.change("replay", "Send again everything since a time", "", func(c *client.Client, cmd *cobra.Command, id string) (*api.Webhook, error) {
		from, err := sinceWhen(since, time.Now())
		if err != nil {
			return nil, err
		}
		return c.ReplayWebhook(cmd.Context(), id, from)
	})
	cmd.Flags().StringVar(&since, "since", "", "`WHEN`: a date, a time, or how long ago, such as 2h or 7d; at most 30d")
	return cmd
}

// sinceWhen reads a date, a time, or a duration before now.
func sinceWhen(s string, now time.Time) (time.Time, error) {
	if d, err := parseDuration(s); err == nil && s != "" {
		return now.Add(-d), nil
	}
	t, err := parseWhen(s, now)
	if err != nil || t == nil {
		return time.Time{}, &usageError{
			err:  fmt.Errorf("a replay needs to know since when"),
			hint: "Give --since a date such as 2027-01-31, a time such as 2027-01-31T12:00:00Z, or how long ago, such as 2h or 7d.",
		}
	}
	return *t, nil
}

func (p *program) deliveryObject() object[api.WebhookDelivery] {
	return object[api.WebhookDelivery]{
		p: p, idOf: "webhook's ID, such as whk_01jd3x8q4w9k2m5n7p0r6t8v1y",
		pairs: func(d *api.WebhookDelivery) []string {
			return []string{"Delivery", d.ID, "Message", d.MessageID, "Event", d.Event, "State", d.State}
		},
		header: []string{"ID", "CREATED", "EVENT", "STATE", "ATTEMPTS", "ANSWER", "MESSAGE"},
		row: func(d *api.WebhookDelivery) []string {
			return []string{d.ID, when(&d.CreatedAt, ""), d.Event, d.State, fmt.Sprint(d.Attempts), answerText(d), d.MessageID}
		},
	}
}

func (p *program) webhookDeliveriesCommand() *cobra.Command {
	k := p.deliveryObject()
	var f client.WebhookDeliveryFilter
	cmd := k.list("deliveries ID", "List what was sent to a webhook, and what became of it", oneArgument(k.idOf),
		func(c *client.Client, cmd *cobra.Command, args []string) iter.Seq2[api.WebhookDelivery, error] {
			return c.WebhookDeliveries(cmd.Context(), args[0], f)
		})
	cmd.Flags().StringVar(&f.State, "state", "", "`STATE`: pending, delivered or dead")
	cmd.Flags().StringVar(&f.Event, "event", "", "`TYPE` of event")
	return cmd
}

func answerText(d *api.WebhookDelivery) string {
	switch {
	case d.Status != 0:
		return fmt.Sprint(d.Status)
	case d.State == "delivered":
		return "taken"
	}
	return d.Error
}

func eventsText(w *api.Webhook) string {
	if len(w.Events) == 0 {
		return "all"
	}
	return strings.Join(w.Events, " ")
}

func lastDelivery(w *api.Webhook) string {
	if w.LastDelivery == nil {
		return "never"
	}
	return w.LastDelivery.State + " " + when(&w.LastDelivery.CreatedAt, "")
}

func webhookPairs(w *api.Webhook) []string {
	pairs := []string{
		"ID", w.ID, "Name", w.Name, "State", w.State, "Address", w.URL, "Events", eventsText(w), "Last delivery", lastDelivery(w),
		"Created", when(&w.CreatedAt, ""), "Secret version", fmt.Sprint(w.SecretVersion),
	}
	if w.PreviousUntil != nil {
		pairs = append(pairs, "Secret before", "until "+when(w.PreviousUntil, ""))
	}
	return pairs
}
