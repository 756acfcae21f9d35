package outbox_test

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/outbox/outboxtest"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// What a process that is to be killed reads from its environment.
const (
	killedDatabase = "CLAVIGER_TEST_KILLED_DATABASE"
	killedServer   = "CLAVIGER_TEST_KILLED_SERVER"
)

func renderNotice(_ context.Context, d store.Delivery) (outbox.Mail, bool, error) {
	return outbox.Mail{To: "ada@example.com", Subject: "About " + d.About, Text: "Look."}, true, nil
}

func mailWorker(s *store.Store, smtp outbox.SMTP, now func() time.Time) (*outbox.Worker, error) {
	mailer, err := outbox.NewMailer(outbox.MailerConfig{SMTP: smtp, Render: renderNotice})
	if err != nil {
		return nil, err
	}
	return outbox.New(outbox.Config{Store: s, Senders: map[store.DeliveryKind]outbox.Sender{store.DeliveryMail: mailer}, Now: now, Parallel: 1})
}

// TestDeliverUntilKilled is no test: it is the process that TestKill9 kills.
func TestDeliverUntilKilled(t *testing.T) {
	url := os.Getenv(killedDatabase)
	if url == "" {
		t.Skip("TestKill9 runs it in a process of its own")
	}
	w, err := mailWorker(storetest.MustOpen(t, url), outbox.SMTP{Addr: os.Getenv(killedServer), From: "keys@claviger.test", TLS: outbox.SMTPPlain}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// NV11: kill -9 between sending and recording loses nothing. What was on its way is sent once
// more, under the same Message-ID; what was recorded isn't, and the rest is sent once.
func TestKill9(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			for _, id := range []string{"dlv_1", "dlv_2", "dlv_3"} {
				storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					_, err := tx.InsertDelivery(store.Delivery{
						ID: id, TenantID: f.Tenant.ID, Kind: store.DeliveryMail, Recipient: "usr_" + id, About: id, CreatedAt: time.Now(),
					})
					return err
				})
			}
			server := killAtSecond(t, url)
			later := func() time.Time { return time.Now().Add(time.Hour) } // the dead one's lease is over
			w, err := mailWorker(s, server.Settings(), later)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := w.DeliverDue(t.Context()); n != 2 || err != nil {
				t.Errorf("%d attempts after the kill, %v", n, err)
			}
			got := map[string]int{}
			for _, m := range server.Mails() {
				got[m.Header.Get("Message-Id")]++
			}
			for id, want := range map[string]int{"<dlv_1@claviger.test>": 1, "<dlv_2@claviger.test>": 2, "<dlv_3@claviger.test>": 1} {
				if got[id] != want {
					t.Errorf("%s arrived %d times, want %d", id, got[id], want)
				}
			}
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				list, err := tx.Deliveries(store.DeliveryFilter{State: store.DeliveryDelivered}, store.Page{})
				if len(list.Items) != 3 {
					t.Errorf("%d are delivered", len(list.Items))
				}
				return err
			})
		})
	}
}

// killAtSecond runs a process that delivers, and kills it when the mail server has taken the
// second mail and not yet said so.
func killAtSecond(t *testing.T, url string) *outboxtest.Server {
	t.Helper()
	var mu sync.Mutex
	accepted := 0
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDeliverUntilKilled$")
	started, dead := make(chan struct{}), make(chan struct{})
	server := outboxtest.MustListen(t, outboxtest.Options{TLS: outbox.SMTPPlain, Behave: func(step outboxtest.Step, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		if step != outboxtest.StepAccepted {
			return nil
		}
		if accepted++; accepted != 2 {
			return nil
		}
		<-started
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		<-dead // so that the answer comes too late
		return nil
	}})
	cmd.Env = append(os.Environ(), killedDatabase+"="+url, killedServer+"="+server.Addr)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	_ = cmd.Wait() // it was killed
	close(dead)
	return server
}
