package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/store"
)

// deliveryMatrix has the routes of what goes out by mail and to webhooks.
var deliveryMatrix = map[string]row{
	"GET /v1/deliveries": {where: byRoot, roles: superAdmins, call: func(w *world, c *client, at place) reply {
		w.once("delivery", at, (*world).targetDelivery)
		return c.observed(http.MethodGet, of(at, "/v1/deliveries?kind=mail&limit=200"), nil)
	}, found: func(w *world, at place) string { return w.once("delivery", at, (*world).targetDelivery) }},
	"POST /v1/deliveries/{id}/retry": {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/deliveries/{id}/retry", (*world).targetDelivery, nil)},
}

// targetDelivery is a mail that waits.
func (w *world) targetDelivery(at place) string {
	w.Helper()
	d := store.Delivery{
		ID: w.unique("dlv_"), TenantID: at.tenant.ID, Kind: store.DeliveryMail, Recipient: "usr_ada", About: "notice",
		Payload: []byte(`{"digest":"dig_1"}`), CreatedAt: w.clock.now(),
	}
	_, err := w.node.Store().Write(w.Context(), at.tenant.ID, func(tx *store.Tx) error {
		_, err := tx.InsertDelivery(d)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return d.ID
}

// What was given up is listed, counted in /metrics, and tried again when somebody says so.
func TestDeadDeliveries(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		id := w.targetDelivery(place{tenant: w.a, org: w.a.RootOrg})
		_, err := w.node.Store().Write(t.Context(), "", func(tx *store.Tx) error {
			claimed, err := tx.AllTenantsClaimDeliveries([]store.DeliveryKind{store.DeliveryMail}, "test", w.clock.now(), time.Minute, 1, id)
			if err != nil {
				return err
			}
			_, err = tx.AllTenantsFinishDelivery(id, claimed[0].Fence, store.DeliveryOutcome{State: store.DeliveryDead, At: w.clock.now(), Status: 550, Error: "no such user"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.advance(time.Minute)
		counted := func(want ...string) {
			t.Helper()
			got := string(w.admin.raw(http.MethodGet, "/metrics", nil).body)
			for _, line := range append(want, `claviger_outbox_attempts_total{kind="mail",outcome="dead"} 0`) {
				if !strings.Contains(got, line+"\n") {
					t.Errorf("/metrics lacks %s", line)
				}
			}
		}
		counted(`claviger_outbox_deliveries{kind="mail",state="dead"} 1`, `claviger_outbox_deliveries{kind="mail",state="pending"} 0`,
			`claviger_outbox_oldest_pending_seconds{kind="mail"} 0`)
		list := w.admin.must(http.StatusOK, http.MethodGet, "/v1/deliveries?state=dead", nil)
		for _, part := range []string{`"id":"` + id, `"last_status":550`, `"last_error":"no such user"`, `"attempts":1`, `"finished_at"`} {
			if !strings.Contains(string(list.body), part) {
				t.Errorf("the list lacks %s: %s", part, list.body)
			}
		}
		if strings.Contains(string(list.body), "dig_1") || strings.Contains(string(list.body), "next_at") {
			t.Errorf("the list shows too much: %s", list.body)
		}
		again := w.admin.must(http.StatusOK, http.MethodPost, "/v1/deliveries/"+id+"/retry", nil)
		if !strings.Contains(string(again.body), `"state":"pending"`) || !strings.Contains(string(again.body), `"attempts":0`) {
			t.Errorf("tried again: %s", again.body)
		}
		counted(`claviger_outbox_deliveries{kind="mail",state="dead"} 0`, `claviger_outbox_deliveries{kind="mail",state="pending"} 1`)
	})
}
