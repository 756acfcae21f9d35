package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/webhook"
)

// webhookMatrix has the routes of webhooks, which are part of the account's settings.
var webhookMatrix = map[string]row{
	"POST /v1/webhooks": {where: byRoot, roles: superAdmins, call: func(w *world, c *client, at place) reply {
		return c.observed(http.MethodPost, of(at, "/v1/webhooks"), map[string]any{"name": w.unique("New"), "url": "https://hooks.example.com/"})
	}},
	"GET /v1/webhooks":                     {where: byRoot, roles: superAdmins, call: listed("/v1/webhooks")},
	"GET /v1/webhooks/{id}":                {where: byRoot, roles: superAdmins, call: on(http.MethodGet, "/v1/webhooks/{id}", (*world).targetWebhook, nil)},
	"PATCH /v1/webhooks/{id}":              {where: byRoot, roles: superAdmins, call: on(http.MethodPatch, "/v1/webhooks/{id}", (*world).targetWebhook, map[string]any{"name": "Renamed"})},
	"POST /v1/webhooks/{id}/rotate-secret": {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/webhooks/{id}/rotate-secret", (*world).targetWebhook, map[string]any{"grace_period_seconds": 60})},
	"POST /v1/webhooks/{id}/suspend":       {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/webhooks/{id}/suspend", (*world).targetWebhook, nil)},
	"POST /v1/webhooks/{id}/resume":        {where: byRoot, roles: superAdmins, call: resumable("/v1/webhooks/{id}/resume", (*world).targetWebhook)},
	"DELETE /v1/webhooks/{id}":             {where: byRoot, roles: superAdmins, call: on(http.MethodDelete, "/v1/webhooks/{id}", (*world).targetWebhook, nil)},
	"POST /v1/webhooks/{id}/test":          {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/webhooks/{id}/test", (*world).targetWebhook, nil)},
	"POST /v1/webhooks/{id}/replay": {where: byRoot, roles: superAdmins, call: func(w *world, c *client, at place) reply {
		return on(http.MethodPost, "/v1/webhooks/{id}/replay", (*world).targetWebhook, map[string]any{"since": w.clock.now().Add(-time.Hour)})(w, c, at)
	}},
	"GET /v1/webhooks/{id}/deliveries":               {where: byRoot, roles: superAdmins, call: on(http.MethodGet, "/v1/webhooks/{id}/deliveries", (*world).targetWebhook, nil)},
	"GET /v1/webhooks/{id}/deliveries/{delivery_id}": {where: byRoot, roles: superAdmins, call: onDelivery(http.MethodGet, "")},
	"POST /v1/webhooks/{id}/deliveries/{delivery_id}/replay": {
		where: byRoot, roles: superAdmins, call: onDelivery(http.MethodPost, "/replay"),
	},
}

// targetWebhook makes room where there are many: a tenant can have no more than a hundred.
func (w *world) targetWebhook(at place) string {
	w.Helper()
	list := ok2(w.node.Authority().Webhooks(w.Context(), w.system, authority.WebhooksInput{Tenant: at.tenant.ID}))(w)
	if len(list) > authority.MaxWebhooks/2 {
		for _, old := range list[:len(list)/2] {
			ok2(w.node.Authority().DeleteWebhook(w.Context(), w.system, authority.WebhookInput{Tenant: at.tenant.ID, ID: old.ID}))(w)
		}
	}
	return ok2(w.node.Authority().CreateWebhook(w.Context(), w.system, authority.CreateWebhookInput{
		Tenant: at.tenant.ID, Name: w.unique("Webhook"), URL: "https://hooks.example.com/",
	}))(w).ID
}

// onDelivery calls a route of one delivery that has ended.
func onDelivery(method, then string) func(*world, *client, place) reply {
	ended := func(w *world, at place) string {
		d := store.Delivery{
			ID: w.unique("dlv_"), TenantID: at.tenant.ID, Kind: store.DeliveryWebhook, Recipient: w.targetWebhook(at),
			About: string(webhook.Test), CreatedAt: w.clock.now(), Payload: []byte(`{"id":"msg_1","body":{}}`),
			NextAt: w.clock.now().Add(time.Hour), // the server's own worker leaves it alone
		}
		ok(w, uint64(0), second(w.node.Store().Write(w.Context(), at.tenant.ID, func(tx *store.Tx) error { return second(tx.InsertDelivery(d)) })))
		ok(w, uint64(0), second(w.node.Store().Write(w.Context(), at.tenant.ID, func(tx *store.Tx) error {
			claimed, err := tx.AllTenantsClaimDeliveries([]store.DeliveryKind{store.DeliveryWebhook}, "test", w.clock.now().Add(2*time.Hour), time.Minute, 1000)
			if err != nil {
				return err
			}
			for _, c := range claimed {
				if c.ID == d.ID {
					_, err = tx.AllTenantsFinishDelivery(c.ID, c.Fence, store.DeliveryOutcome{State: store.DeliveryDead, At: w.clock.now()})
				}
			}
			return err
		})))
		return d.Recipient + "/deliveries/" + d.ID
	}
	return func(w *world, c *client, at place) reply {
		id, used := at.id(w, method+"/deliveries"+then, ended)
		if at.ghost {
			id = ghostObject + "/deliveries/" + ghostObject
		}
		return used(c.observed(method, "/v1/webhooks/"+id+then, nil))
	}
}

func second[T any](_ T, err error) error { return err }

// The API's lists of types are those that there are.
func TestWebhookTypesOnTheWire(t *testing.T) {
	var want []string
	for _, kind := range webhook.Types() {
		want = append(want, string(kind))
	}
	for _, of := range []reflect.Type{reflect.TypeFor[api.CreateWebhookRequest](), reflect.TypeFor[api.ChangeWebhookRequest]()} {
		f, _ := of.FieldByName("Events")
		if got := strings.Split(f.Tag.Get("enum"), ","); !slices.Equal(got, want) {
			t.Errorf("%s takes %v, want %v", of, got, want)
		}
	}
}

// arrived is a request at an endpoint.
type arrived struct {
	header http.Header
	body   []byte
}

// endpoint answers with one status after another, and then 204.
func endpoint(t *testing.T, statuses ...int) (url string, got chan arrived) {
	t.Helper()
	got = make(chan arrived, 100)
	answers := make(chan int, len(statuses))
	for _, s := range statuses {
		answers <- s
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- arrived{r.Header.Clone(), body}
		select {
		case status := <-answers:
			w.WriteHeader(status)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func wantArrival(t *testing.T, got chan arrived) arrived {
	t.Helper()
	select {
	case a := <-got:
		return a
	case <-time.After(30 * time.Second):
		t.Fatal("nothing arrived within 30 s")
		return arrived{}
	}
}

// B9, over the wire: an administrator makes a webhook; what happens to a key arrives there,
// signed; the log of deliveries says so; the test button sends a test; what failed is sent
// again on request.
func TestB9Webhook(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		url, got := endpoint(t, http.StatusNoContent, http.StatusGone)
		c := w.person("super_admin", "root")
		made := into[api.IssuedWebhook](t, c.must(http.StatusCreated, http.MethodPost, "/v1/webhooks", map[string]any{
			"name": "Ours", "url": url + "/hook", "events": []string{"credential.revoked", "credential.issued"},
		}))
		if !made.SecretAvailable || !slices.Equal(made.Events, []string{"credential.issued", "credential.revoked"}) {
			t.Fatalf("made %+v", made.Webhook)
		}
		verifier, err := standardwebhooks.NewWebhook(made.Secret.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		key := into[api.IssuedAPIKey](t, c.must(http.StatusCreated, http.MethodPost, "/v1/api-keys", map[string]any{"name": "A key"}))
		first := wantArrival(t, got)
		if err := verifier.VerifyIgnoringTimestamp(first.body, first.header); err != nil || !strings.Contains(string(first.body), key.ID) {
			t.Errorf("%v: %s", err, first.body)
		}
		path := "/v1/webhooks/" + made.ID
		c.must(http.StatusOK, http.MethodPost, "/v1/api-keys/"+key.ID+"/revoke", nil)
		second := wantArrival(t, got)
		dead := w.wantDelivery(c, path, "dead")
		if dead.Event != "credential.revoked" || dead.Status != http.StatusGone || dead.Error == "" || dead.MessageID != second.header.Get("webhook-id") || dead.Message["type"] != "credential.revoked" {
			t.Errorf("the log says %+v", dead)
		}
		again := into[api.WebhookDelivery](t, c.must(http.StatusAccepted, http.MethodPost, path+"/deliveries/"+dead.ID+"/replay", nil))
		third := wantArrival(t, got)
		if again.ID == dead.ID || third.header.Get("webhook-id") != dead.MessageID || string(third.body) != string(second.body) {
			t.Errorf("sent again: %s", third.body)
		}
		c.must(http.StatusAccepted, http.MethodPost, path+"/test", nil)
		if test := wantArrival(t, got); !strings.Contains(string(test.body), `"type":"webhook.test"`) {
			t.Errorf("the test says %s", test.body)
		}
		rotated := into[api.IssuedWebhook](t, c.must(http.StatusOK, http.MethodPost, path+"/rotate-secret", map[string]any{"grace_period_seconds": 3600}))
		if rotated.SecretVersion != 2 || rotated.PreviousUntil == nil || rotated.Secret == made.Secret {
			t.Errorf("rotated to %+v", rotated.Webhook)
		}
		since := w.clock.now().Add(-time.Hour)
		c.must(http.StatusAccepted, http.MethodPost, path+"/replay", map[string]any{"since": since})
		both := wantArrival(t, got)
		if n := len(strings.Fields(both.header.Get("webhook-signature"))); n != 2 || verifier.VerifyIgnoringTimestamp(both.body, both.header) != nil {
			t.Errorf("%d signatures while both secrets sign", n)
		}
		shown := c.must(http.StatusOK, http.MethodGet, path, nil)
		if strings.Contains(string(shown.body), "whsec_") {
			t.Error("the secret is shown again")
		}
		c.must(http.StatusNoContent, http.MethodDelete, path, nil)
		c.must(http.StatusNotFound, http.MethodGet, path, nil)
	})
}

// wantDelivery waits until a webhook has a delivery in the state.
func (w *world) wantDelivery(c *client, path, state string) api.WebhookDelivery {
	w.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		list := into[api.List[api.WebhookDelivery]](w, c.must(http.StatusOK, http.MethodGet, path+"/deliveries?state="+state, nil))
		if len(list.Items) > 0 {
			return list.Items[0]
		}
		<-time.After(20 * time.Millisecond)
	}
	w.Fatalf("no delivery was %s within 30 s", state)
	return api.WebhookDelivery{}
}

// Addresses that lead inside are refused when they are given, in words that help.
func TestB9PrivateEndpoints(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		c := w.person("super_admin", "root")
		for _, url := range []string{"https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://user:pass@hooks.example.com/", "gopher://x/"} {
			got := c.must(http.StatusBadRequest, http.MethodPost, "/v1/webhooks", map[string]any{"name": "Inside", "url": url})
			if p := got.problem(t); len(p.Errors) != 1 || p.Errors[0].Pointer != "/url" || strings.Contains(string(got.body), "10.0.0.1") {
				t.Errorf("%s: %s", url, got.body)
			}
		}
	})
}
