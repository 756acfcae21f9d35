package client_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/clavigertest"
	"github.com/claviger-io/claviger/client"
)

// B9: the life of a webhook, by the client.
func TestWebhooks(t *testing.T) {
	arrived := make(chan message, 10)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := message{id: r.Header.Get("webhook-id")}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Errorf("message %s: %v", m.id, err)
		}
		arrived <- m
		w.WriteHeader(http.StatusNoContent)
	}))
	defer endpoint.Close()
	ctx, c := t.Context(), clavigertest.NewServer(t).Admin()
	made, err := c.CreateWebhook(ctx, api.CreateWebhookRequest{Name: "Ours", URL: endpoint.URL, Events: []string{"credential.issued"}})
	must(t, err)
	if made.Secret.Reveal() == "" || !made.SecretAvailable {
		t.Error("it has no secret")
	}
	name := "Renamed"
	for what, do := range map[string]func() (*api.Webhook, error){
		"change": func() (*api.Webhook, error) {
			return c.ChangeWebhook(ctx, made.ID, api.ChangeWebhookRequest{Name: &name})
		},
		"show": func() (*api.Webhook, error) { return c.Webhook(ctx, made.ID) },
		"replay": func() (*api.Webhook, error) { // since before the server's own verifier key was issued
			return c.ReplayWebhook(ctx, made.ID, time.Now().Add(-time.Minute))
		},
	} {
		if w, err := do(); err != nil || w.ID != made.ID {
			t.Errorf("%s: %v, %v", what, w, err)
		}
	}
	if m := next(t, arrived); m.Type != "credential.issued" {
		t.Errorf("replayed: %+v, want the verifier key's issuing", m)
	}
	d, err := c.TestWebhook(ctx, made.ID)
	must(t, err)
	if m := next(t, arrived); m.id != d.MessageID || m.Type != "webhook.test" {
		t.Errorf("%+v arrived, want the test %s", m, d.MessageID)
	}
	for d.State == "pending" { // its outcome is written a moment after
		d, err = c.WebhookDelivery(ctx, made.ID, d.ID)
		must(t, err)
	}
	again, err := c.ReplayWebhookDelivery(ctx, made.ID, d.ID)
	if err != nil || again.ID == d.ID || again.MessageID != d.MessageID {
		t.Errorf("sent again: %+v, %v", again, err)
	}
	n := 0
	for one, err := range c.WebhookDeliveries(ctx, made.ID, client.WebhookDeliveryFilter{Event: "webhook.test"}) {
		must(t, err)
		if one.WebhookID != made.ID {
			t.Errorf("another webhook's delivery: %+v", one)
		}
		n++
	}
	page, err := c.WebhookDeliveryPage(ctx, made.ID, client.WebhookDeliveryFilter{Event: "webhook.test"}, client.Page{Limit: 1})
	if err != nil || n != 2 || page.Total != 2 || len(page.Items) != 1 {
		t.Errorf("%d deliveries, a page of %+v, %v", n, page, err)
	}
	rotated, err := c.RotateWebhookSecret(ctx, made.ID, time.Hour)
	if err != nil || rotated.PreviousUntil == nil || rotated.Secret == made.Secret {
		t.Errorf("a new secret: %v", err)
	}
	w, err := c.SuspendWebhook(ctx, made.ID)
	if err != nil || w.State != "suspended" {
		t.Errorf("suspended: %+v, %v", w, err)
	}
	w, err = c.ResumeWebhook(ctx, made.ID)
	if err != nil || w.State != "active" {
		t.Errorf("resumed: %+v, %v", w, err)
	}
	must(t, c.DeleteWebhook(ctx, made.ID))
	if list, err := c.Webhooks(ctx); err != nil || len(list) != 0 {
		t.Errorf("%d webhooks are left, %v", len(list), err)
	}
}

// message is what an endpoint is told.
type message struct {
	id   string
	Type string `json:"type"`
}

func next(t *testing.T, arrived <-chan message) message {
	t.Helper()
	select {
	case m := <-arrived:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("nothing arrived within 30 s")
		return message{}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
