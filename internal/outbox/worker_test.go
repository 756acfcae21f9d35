package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time // mu guards it
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// sender is a Sender that does what a test says and notes what it was given.
type sender struct {
	mu   sync.Mutex
	sent []string // mu guards it
	do   func(ctx context.Context, d store.Delivery) error
}

func (s *sender) Send(ctx context.Context, d store.Delivery) error {
	s.mu.Lock()
	s.sent = append(s.sent, d.ID)
	s.mu.Unlock()
	if s.do == nil {
		return nil
	}
	return s.do(ctx, d)
}

func (s *sender) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.sent
	s.sent = nil
	return out
}

// place is a store with a tenant, and what workers there need.
type place struct {
	testing.TB
	store   *store.Store
	tenant  storetest.Fixture
	clock   *clock
	log     *bytes.Buffer
	mail    *sender
	webhook *sender
}

func onEngines(t *testing.T, fn func(p *place)) {
	t.Helper()
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			fn(&place{
				TB: t, store: s, tenant: storetest.MustInsert(t, s, "a")[0], clock: &clock{now: storetest.Epoch},
				log: &bytes.Buffer{}, mail: &sender{}, webhook: &sender{},
			})
		})
	}
}

func (p *place) worker(change ...func(*outbox.Config)) *outbox.Worker {
	p.Helper()
	c := outbox.Config{
		Store: p.store, Now: p.clock.Now, Rand: func() float64 { return 0 }, Timeout: 5 * time.Second, Poll: time.Millisecond,
		Senders: map[store.DeliveryKind]outbox.Sender{store.DeliveryMail: p.mail, store.DeliveryWebhook: p.webhook},
		Logger:  slog.New(slog.NewTextHandler(p.log, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	w, err := outbox.New(c)
	if err != nil {
		p.Fatal(err)
	}
	return w
}

// add makes a delivery; change makes it another than a mail to user a.
func (p *place) add(id string, change ...func(*store.Delivery)) {
	p.Helper()
	d := store.Delivery{
		ID: id, TenantID: p.tenant.Tenant.ID, Kind: store.DeliveryMail, Recipient: "usr_a", About: "notice", CreatedAt: p.clock.Now(),
	}
	for _, f := range change {
		f(&d)
	}
	storetest.MustWrite(p, p.store, d.TenantID, func(tx *store.Tx) error {
		_, err := tx.InsertDelivery(d)
		return err
	})
}

func (p *place) find(id string) (d store.Delivery) {
	p.Helper()
	storetest.MustRead(p, p.store, p.tenant.Tenant.ID, func(tx *store.Tx) (err error) {
		d, err = tx.Delivery(id)
		return err
	})
	return d
}

func (p *place) deliver(w *outbox.Worker, want int) {
	p.Helper()
	if n, err := w.DeliverDue(p.Context()); err != nil || n != want {
		p.Fatalf("%d attempts, want %d, %v", n, want, err)
	}
}

func toHook(d *store.Delivery) {
	d.Kind, d.Recipient, d.About = store.DeliveryWebhook, "whk_a", "credential.issued"
}

// NV11: what failed is tried again, ever more seldom, for three days, and is then dead: logged,
// counted, and tried again only when somebody says so.
func TestRetryAndDeath(t *testing.T) {
	onEngines(t, func(p *place) {
		p.mail.do = func(context.Context, store.Delivery) error {
			return &outbox.Failure{Status: 451, Err: errors.New("greylisted")}
		}
		p.add("dlv_1")
		p.clock.move(10 * 24 * time.Hour) // the server was off; that doesn't count
		w := p.worker()
		begin := p.clock.Now()
		var pauses []time.Duration
		for len(pauses) < 100 {
			p.deliver(w, 1)
			d := p.find("dlv_1")
			if d.State != store.DeliveryPending {
				break
			}
			if d.LastStatus != 451 || d.LastError != "greylisted" || !d.LeasedUntil.IsZero() {
				p.Fatalf("waits: %+v", d)
			}
			pause := d.NextAt.Sub(p.clock.Now())
			pauses = append(pauses, pause)
			p.clock.move(pause - 1)
			p.deliver(w, 0)
			p.clock.move(1)
		}
		want := []time.Duration{40 * time.Second, 80 * time.Second, 160 * time.Second}
		if len(pauses) < 15 || len(pauses) > 25 || !slices.Equal(pauses[:3], want) || slices.Max(pauses) != 6*time.Hour {
			p.Errorf("pauses: %v", pauses)
		}
		d := p.find("dlv_1")
		if d.State != store.DeliveryDead || d.Attempts != len(pauses)+1 || !d.FinishedAt.Equal(begin.Add(72*time.Hour)) {
			p.Errorf("in the end: %+v", d)
		}
		if n := strings.Count(p.log.String(), "a delivery was given up"); n != 1 {
			p.Errorf("the log tells of it %d times", n)
		}
		attempts := map[outbox.Attempt]int64{
			{Kind: store.DeliveryMail, State: store.DeliveryPending}: int64(len(pauses)), {Kind: store.DeliveryMail, State: store.DeliveryDead}: 1,
		}
		if d := cmp.Diff(attempts, w.Attempts()); d != "" {
			p.Error(d)
		}
		p.clock.move(30 * 24 * time.Hour)
		p.deliver(w, 0)
		storetest.MustWrite(p, p.store, p.tenant.Tenant.ID, func(tx *store.Tx) error { return tx.RetryDelivery(d, p.clock.Now()) })
		p.mail.do = nil
		p.deliver(w, 1)
		if d := p.find("dlv_1"); d.State != store.DeliveryDelivered || d.Attempts != 1 || d.LastError != "" {
			p.Errorf("tried again: %+v", d)
		}
	})
}

// What the other side says decides: never again, or not before.
func TestOutcomes(t *testing.T) {
	secret := errors.New("database says: no such table")
	for _, tc := range []struct {
		name  string
		rand  float64
		do    func(context.Context, store.Delivery) error
		state store.DeliveryState
		pause time.Duration
		says  string
	}{
		{"delivered", 0, nil, store.DeliveryDelivered, 0, ""},
		{"any error", 0, func(context.Context, store.Delivery) error { return errors.New("no luck") }, store.DeliveryPending, 40 * time.Second, "no luck"},
		{"jitter", 0.9, func(context.Context, store.Delivery) error { return errors.New("no luck") }, store.DeliveryPending, 31 * time.Second, "no luck"},
		{"for good", 0, func(context.Context, store.Delivery) error {
			return fmt.Errorf("sending: %w", &outbox.Failure{Permanent: true, Status: 550})
		}, store.DeliveryDead, 0, "sending: the other side answered 550"},
		{"later", 0, func(context.Context, store.Delivery) error { return &outbox.Failure{RetryAfter: time.Hour} }, store.DeliveryPending, time.Hour, "the delivery failed"},
		{"much later", 0, func(context.Context, store.Delivery) error { return &outbox.Failure{RetryAfter: 1000 * time.Hour} }, store.DeliveryPending, 24 * time.Hour, "the delivery failed"},
		{"panic", 0, func(context.Context, store.Delivery) error { panic(secret) }, store.DeliveryPending, 40 * time.Second, "the delivery failed for a fault of this server's; its log says more"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onEngines(t, func(p *place) {
				p.mail.do = tc.do
				p.add("dlv_1")
				p.deliver(p.worker(func(c *outbox.Config) { c.Rand = func() float64 { return tc.rand } }), 1)
				d := p.find("dlv_1")
				if d.State != tc.state || d.LastError != tc.says {
					p.Errorf("%+v", d)
				}
				if tc.state == store.DeliveryPending && d.NextAt.Sub(p.clock.Now()) != tc.pause {
					p.Errorf("next in %v, want %v", d.NextAt.Sub(p.clock.Now()), tc.pause)
				}
			})
		})
	}
}

// A kind that nobody sends waits, and is sent once somebody does.
func TestKindWithoutSender(t *testing.T) {
	onEngines(t, func(p *place) {
		p.add("dlv_mail")
		p.add("dlv_hook", toHook)
		w := p.worker(func(c *outbox.Config) { delete(c.Senders, store.DeliveryMail) })
		p.deliver(w, 1)
		p.clock.move(30 * 24 * time.Hour)
		p.deliver(w, 0)
		if d := p.find("dlv_mail"); d.State != store.DeliveryPending || d.Attempts != 0 {
			p.Errorf("without a sender: %+v", d)
		}
		p.deliver(p.worker(), 1)
		if d := p.find("dlv_mail"); d.State != store.DeliveryDelivered {
			p.Errorf("with one: %+v", d)
		}
	})
}

// NV11: a process that is killed between sending and recording leaves its lease to end. Another
// then sends once more, and the first, should it live after all, changes nothing.
func TestKilledBetweenSendAndRecord(t *testing.T) {
	onEngines(t, func(p *place) {
		p.add("dlv_1")
		sent, goOn := make(chan struct{}), make(chan struct{})
		p.mail.do = func(context.Context, store.Delivery) error {
			close(sent)
			<-goOn
			return &outbox.Failure{Permanent: true, Err: errors.New("too late to say so")}
		}
		first := p.worker()
		done := make(chan error, 1)
		go func() {
			_, err := first.DeliverDue(context.WithoutCancel(p.Context()))
			done <- err
		}()
		<-sent // and nothing is recorded
		other := &sender{}
		second := p.worker(func(c *outbox.Config) { c.Senders = map[store.DeliveryKind]outbox.Sender{store.DeliveryMail: other} })
		p.clock.move(20*time.Second - 1)
		p.deliver(second, 0)
		p.clock.move(1)
		p.deliver(second, 1)
		close(goOn)
		if err := <-done; err != nil {
			p.Error(err)
		}
		if got := append(p.mail.took(), other.took()...); !slices.Equal(got, []string{"dlv_1", "dlv_1"}) {
			p.Errorf("sent: %v", got)
		}
		if d := p.find("dlv_1"); d.State != store.DeliveryDelivered || d.LastError != "" || d.Fence != 2 || d.Attempts != 2 {
			p.Errorf("in the end: %+v", d)
		}
		if !strings.Contains(p.log.String(), "taken over by another worker") || strings.Contains(p.log.String(), "given up") {
			p.Errorf("log: %s", p.log)
		}
		p.clock.move(24 * time.Hour)
		p.deliver(second, 0)
		p.deliver(first, 0)
	})
}

// Many workers at the same time send everything once, each lane in its order.
func TestWorkersShareTheWork(t *testing.T) {
	onEngines(t, func(p *place) {
		var mu sync.Mutex
		sent, lanes := map[string]int{}, map[string][]string{}
		underWay := map[string]bool{}
		p.webhook.do = func(_ context.Context, d store.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			sent[d.ID]++
			if underWay[d.Lane] {
				p.Errorf("two of lane %s at the same time", d.Lane)
			}
			underWay[d.Lane] = true
			if d.Attempts == 1 && strings.HasSuffix(d.ID, "1") {
				underWay[d.Lane] = false
				return errors.New("once more")
			}
			lanes[d.Lane] = append(lanes[d.Lane], d.ID)
			underWay[d.Lane] = false
			return nil
		}
		want := map[string][]string{}
		for i := range 60 {
			id, lane := fmt.Sprintf("dlv_%02d", i), fmt.Sprint(i%7)
			p.add(id, toHook, func(d *store.Delivery) { d.Lane, d.Recipient = lane, "whk_"+lane })
			want[lane] = append(want[lane], id)
		}
		for range 20 {
			var wait sync.WaitGroup
			for range 3 {
				w := p.worker()
				wait.Go(func() {
					if _, err := w.DeliverDue(p.Context()); err != nil {
						p.Error(err)
					}
				})
			}
			wait.Wait()
			p.clock.move(time.Minute)
		}
		if d := cmp.Diff(want, lanes); d != "" {
			p.Error(d)
		}
		for id, n := range sent {
			if wanted := 1 + strings.Count(id[len(id)-1:], "1"); n != wanted {
				p.Errorf("%s was sent %d times, want %d", id, n, wanted)
			}
		}
	})
}

// A recipient that doesn't answer keeps nobody else waiting, however much there is for it.
func TestOneRecipientDoesNotHoldUpTheOthers(t *testing.T) {
	onEngines(t, func(p *place) {
		goOn := make(chan struct{})
		var others sync.WaitGroup
		others.Add(5)
		p.webhook.do = func(_ context.Context, d store.Delivery) error {
			if d.Recipient == "whk_slow" {
				<-goOn
				return errors.New("timed out")
			}
			others.Done()
			return nil
		}
		for i := range 100 {
			p.add(fmt.Sprintf("dlv_%02d", i), toHook, func(d *store.Delivery) { d.Recipient = "whk_slow" })
		}
		for i := range 5 {
			p.add(fmt.Sprintf("dlv_other_%d", i), toHook, func(d *store.Delivery) { d.Recipient = "whk_" + fmt.Sprint(i) })
		}
		ctx, cancel := context.WithCancel(p.Context())
		done := make(chan error, 1)
		w := p.worker(func(c *outbox.Config) { c.Parallel = 8 })
		go func() { done <- w.Run(ctx) }()
		others.Wait()
		slow := slices.DeleteFunc(p.webhook.took(), func(id string) bool { return strings.Contains(id, "other") })
		if len(slow) > 2 {
			p.Errorf("%d attempts at the slow one at the same time", len(slow))
		}
		cancel()
		close(goOn)
		if err := <-done; err != nil {
			p.Error(err)
		}
		// Being told to end, the worker wrote down what it had begun.
		for _, id := range []string{slow[0], "dlv_other_4"} {
			if d := p.find(id); d.Attempts != 1 || !d.LeasedUntil.IsZero() {
				p.Errorf("%+v", d)
			}
		}
	})
}

// A tenant of which nobody answers, however many recipients it has and however much there is
// for them, leaves something to the others.
func TestOneTenantDoesNotHoldUpTheOthers(t *testing.T) {
	onEngines(t, func(p *place) {
		goOn, other := make(chan struct{}), make(chan struct{})
		p.webhook.do = func(_ context.Context, d store.Delivery) error {
			if d.TenantID != p.tenant.Tenant.ID {
				close(other)
				return nil
			}
			<-goOn
			return errors.New("timed out")
		}
		for i := range 100 {
			p.add(fmt.Sprintf("dlv_%02d", i), toHook, func(d *store.Delivery) { d.Recipient = "whk_" + fmt.Sprint(i) })
		}
		ctx, cancel := context.WithCancel(p.Context())
		done := make(chan error, 1)
		w := p.worker(func(c *outbox.Config) { c.Parallel = 8 })
		go func() { done <- w.Run(ctx) }()
		tenant := storetest.MustInsert(p, p.store, "b")[0].Tenant.ID
		p.add("dlv_other", toHook, func(d *store.Delivery) { d.TenantID, d.Recipient = tenant, "whk_other" })
		select {
		case <-other:
		case <-time.After(20 * time.Second):
			p.Error("another tenant's delivery waits for those that don't answer")
		}
		if n := len(p.webhook.took()); n > 5 {
			p.Errorf("%d of 8 attempts at the same time, and one tenant's should be half", n)
		}
		cancel()
		close(goOn)
		if err := <-done; err != nil {
			p.Error(err)
		}
	})
}

// What was done with 30 days ago is removed.
func TestTidy(t *testing.T) {
	onEngines(t, func(p *place) {
		p.add("dlv_1")
		w := p.worker()
		p.deliver(w, 1)
		p.clock.move(30 * 24 * time.Hour)
		p.add("dlv_2")
		for _, left := range []int{2, 1} {
			if err := w.Tidy(p.Context()); err != nil {
				p.Fatal(err)
			}
			storetest.MustRead(p, p.store, "", func(tx *store.Tx) error {
				list, err := tx.AllTenantsDeliveries("", store.DeliveryFilter{}, store.Page{})
				if len(list.Items) != left {
					p.Errorf("%d are left, want %d", len(list.Items), left)
				}
				return err
			})
			p.clock.move(time.Microsecond)
		}
	})
}

// NV11: a clock that was ahead for a while puts nothing off for good.
func TestClockThatWasAhead(t *testing.T) {
	onEngines(t, func(p *place) {
		p.clock.move(365 * 24 * time.Hour)
		p.add("dlv_leased")
		storetest.MustWrite(p, p.store, "", func(tx *store.Tx) error {
			_, err := tx.AllTenantsClaimDeliveries([]store.DeliveryKind{store.DeliveryMail}, "killed", p.clock.Now(), time.Minute, 1)
			return err
		})
		p.add("dlv_made")
		p.clock.move(-365 * 24 * time.Hour)
		p.add("dlv_later", func(d *store.Delivery) { d.NextAt = p.clock.Now().Add(24 * time.Hour) })
		w := p.worker()
		p.deliver(w, 0)
		if err := w.Tidy(p.Context()); err != nil {
			p.Fatal(err)
		}
		p.deliver(w, 2)
		p.clock.move(24 * time.Hour)
		p.deliver(w, 1)
	})
}
