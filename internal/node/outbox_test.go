package node_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/outbox/outboxtest"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// A node with a mail server works off mail, and leaves to newer releases what it doesn't know;
// without one, mail waits.
func TestNodeWorksOffMail(t *testing.T) {
	for name, smtp := range map[string]outbox.SMTP{"without": {}, "with": outboxtest.MustListen(t, outboxtest.Options{}).Settings()} {
		t.Run(name, func(t *testing.T) {
			n, _ := mustRun(t, node.Config{Database: "sqlite:" + filepath.Join(t.TempDir(), "claviger.db"), SMTP: smtp})
			mail := store.Delivery{ID: "dlv_mail", TenantID: tenancy.SystemTenantID, Kind: store.DeliveryMail, About: "something new", CreatedAt: time.Now()}
			hook := mail
			hook.ID, hook.Kind, hook.Recipient = "dlv_hook", store.DeliveryWebhook, "whk_none"
			_, err := n.Store().Write(t.Context(), tenancy.SystemTenantID, func(tx *store.Tx) error {
				_, err := tx.InsertDelivery(mail)
				_, err2 := tx.InsertDelivery(hook)
				return errors.Join(err, err2)
			})
			if err != nil {
				t.Fatal(err)
			}
			read := func(id string) (d store.Delivery) {
				err := n.Store().Read(t.Context(), tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
					d, err = tx.Delivery(id)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			ended := func(d store.Delivery) bool { return d.Attempts > 0 && d.LeasedUntil.IsZero() }
			tick := time.NewTicker(5 * time.Millisecond) // the worker has a clock of its own
			defer tick.Stop()
			deadline := time.After(20 * time.Second)
			for !ended(read(hook.ID)) || smtp.Given() && !ended(read(mail.ID)) {
				select {
				case <-tick.C:
				case <-deadline:
					t.Fatal("nothing was attempted")
				}
			}
			d := read(mail.ID)
			if smtp.Given() && (d.State != store.DeliveryPending || d.LastError != "this release knows no mail of that kind") {
				t.Errorf("mail of a newer release: %+v", d)
			}
			if !smtp.Given() && (d.State != store.DeliveryPending || d.Attempts != 0) {
				t.Errorf("mail without a server: %+v", d)
			}
		})
	}
	_, err := node.Open(t.Context(), node.Config{Database: "sqlite:" + filepath.Join(t.TempDir(), "claviger.db"), SMTP: outbox.SMTP{Addr: "nowhere"}})
	var hinted *node.HintedError
	if !errors.As(err, &hinted) {
		t.Errorf("bad settings: %v", err)
	}
}
