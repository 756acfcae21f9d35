package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Worker delivers what is due. Any number of them, on any number of nodes, may work at the
// same time.
type Worker struct {
	cfg   Config
	stats stats
}

// New makes a worker. It does nothing before Run or DeliverDue.
func New(c Config) (*Worker, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	if c.Holder == "" {
		c.Holder = uuid.NewString()
	}
	return &Worker{cfg: c}, nil
}

// Run delivers until ctx ends, lets the attempts under way come to their end, and returns nil.
// What it can't do now, such as reading the database, is logged and tried again.
func (w *Worker) Run(ctx context.Context) error {
	var kinds errgroup.Group
	for kind, sender := range w.cfg.Senders {
		kinds.Go(func() error {
			w.queue(kind, sender).run(ctx)
			return nil
		})
	}
	return kinds.Wait()
}

// DeliverDue delivers what is due now, and what becomes due by that, and returns how many
// attempts that took. It is Run for those who have no time to wait for.
func (w *Worker) DeliverDue(ctx context.Context) (n int, err error) {
	for _, kind := range slices.Sorted(maps.Keys(w.cfg.Senders)) {
		made, err := w.queue(kind, w.cfg.Senders[kind]).drain(ctx)
		n += made
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

const (
	// keepFinished is how long a delivery can be looked at after it was done with.
	keepFinished = 30 * 24 * time.Hour
	// pruneChunk is how many are removed in one transaction, pruneChunks how often at most.
	pruneChunk, pruneChunks = 500, 200
	// mostLease is longer than any lease, and than clocks of nodes are apart.
	mostLease = 2 * time.Hour
)

// Tidy removes deliveries that were delivered or given up 30 days ago, and lets go out what a
// clock that was ahead has put off. A job calls it now and then.
func (w *Worker) Tidy(ctx context.Context) error {
	_, err := w.cfg.Store.Write(ctx, "", func(tx *store.Tx) error {
		now := w.cfg.Now()
		return tx.AllTenantsMendDeliveries(now, now.Add(mostLease), now.Add(retryAfterMax+mostLease))
	})
	if err != nil {
		return err
	}
	for range pruneChunks {
		var n int
		_, err := w.cfg.Store.Write(ctx, "", func(tx *store.Tx) (err error) {
			n, err = tx.AllTenantsPruneDeliveries(w.cfg.Now().Add(-keepFinished), pruneChunk)
			return err
		})
		if err != nil || n < pruneChunk {
			return err
		}
	}
	return nil
}

// queue are the deliveries of one kind as one worker sees them. One goroutine has it, but for
// the attempts.
type queue struct {
	*Worker
	kind    store.DeliveryKind
	sender  Sender
	under   int                      // attempts under way
	busy    map[string]int           // of them, by recipient
	tenants map[tenancy.TenantID]int // and by tenant
	failing map[string]bool          // recipients whose last attempt failed
	ended   chan ending              // one for each attempt
	wait    sync.WaitGroup           // for the attempts' goroutines
}

// ending says that an attempt has come to its end.
type ending struct {
	recipient string
	tenant    tenancy.TenantID
	failed    bool // may have been the recipient's fault, and may go on
}

func (w *Worker) queue(kind store.DeliveryKind, sender Sender) *queue {
	return &queue{
		Worker: w, kind: kind, sender: sender,
		busy: map[string]int{}, tenants: map[tenancy.TenantID]int{}, failing: map[string]bool{}, ended: make(chan ending, w.cfg.Parallel),
	}
}

func (q *queue) run(ctx context.Context) {
	tick := time.NewTicker(q.cfg.Poll)
	defer tick.Stop()
	defer q.wait.Wait()
	for ctx.Err() == nil {
		ended := q.ended
		if _, err := q.begin(ctx); err != nil && ctx.Err() == nil {
			q.cfg.Logger.WarnContext(ctx, "deliveries could not be read; they are tried again", slog.String("kind", string(q.kind)), slog.Any("error", err))
			ended = nil // only after a pause
		}
		select {
		case <-ctx.Done():
		case e := <-ended:
			q.end(e)
		case <-tick.C:
		}
	}
}

// drain delivers until nothing is due and nothing is under way.
func (q *queue) drain(ctx context.Context) (made int, err error) {
	defer q.wait.Wait()
	for {
		n, err := q.begin(ctx)
		made += n
		if err != nil {
			return made, fmt.Errorf("reading deliveries: %w", err)
		}
		if q.under == 0 {
			return made, nil
		}
		q.end(<-q.ended)
	}
}

// maxFailing bounds what is remembered of recipients.
const maxFailing = 10_000

func (q *queue) end(e ending) {
	q.under--
	if q.busy[e.recipient]--; q.busy[e.recipient] == 0 {
		delete(q.busy, e.recipient)
	}
	if q.tenants[e.tenant]--; q.tenants[e.tenant] == 0 {
		delete(q.tenants, e.tenant)
	}
	delete(q.failing, e.recipient)
	if e.failed {
		if len(q.failing) >= maxFailing {
			clear(q.failing)
		}
		q.failing[e.recipient] = true
	}
}

// room is how many attempts more a recipient may have: a quarter of what its tenant may, so
// that four that don't answer leave nothing to the others only when there are no others, and
// one when the last failed.
func (q *queue) room(recipient string) int {
	most := max(1, q.cfg.Parallel/8)
	if q.failing[recipient] {
		most = 1
	}
	return most - q.busy[recipient]
}

// share is how many attempts a tenant may have while so many are under way: as many as are
// free, so that however many tenants want all there is, one more gets something.
func (q *queue) share(under int) int { return q.cfg.Parallel - under }

// begin claims what is due, as far as there is room, and begins the attempts.
func (q *queue) begin(ctx context.Context) (n int, err error) {
	for ctx.Err() == nil && q.under < q.cfg.Parallel {
		chosen, err := q.choose(ctx)
		if err != nil || len(chosen) == 0 {
			return n, err
		}
		var claimed []store.Delivery
		_, err = q.cfg.Store.Write(ctx, "", func(tx *store.Tx) (err error) {
			claimed, err = tx.AllTenantsClaimDeliveries([]store.DeliveryKind{q.kind}, q.cfg.Holder, q.cfg.Now(), q.lease(), len(chosen), chosen...)
			return err
		})
		if err != nil {
			return n, err
		}
		for _, d := range claimed {
			q.under++
			q.busy[d.Recipient]++
			q.tenants[d.TenantID]++
			q.wait.Go(func() { q.ended <- ending{recipient: d.Recipient, tenant: d.TenantID, failed: q.attempt(ctx, d)} })
		}
		n += len(claimed)
		if len(claimed) == 0 {
			return n, nil // another worker was faster
		}
	}
	return n, ctx.Err()
}

// choose looks for what is due without keeping writers waiting, and shares the room out.
func (q *queue) choose(ctx context.Context) (ids []string, err error) {
	var full store.DeliveryExcept
	for recipient := range q.busy {
		if q.room(recipient) <= 0 {
			full.Recipients = append(full.Recipients, recipient)
		}
	}
	for tenant, busy := range q.tenants {
		if busy >= q.share(q.under) {
			full.Tenants = append(full.Tenants, tenant)
		}
	}
	var due []store.DueDelivery
	err = q.cfg.Store.Read(ctx, "", func(tx *store.Tx) (err error) {
		due, err = tx.AllTenantsDueDeliveries([]store.DeliveryKind{q.kind}, q.cfg.Now(), full, 4*q.cfg.Parallel)
		return err
	})
	given, shared := map[string]int{}, map[tenancy.TenantID]int{}
	for _, d := range due {
		if given[d.Recipient] < q.room(d.Recipient) && q.tenants[d.TenantID]+shared[d.TenantID] < q.share(q.under+len(ids)) {
			given[d.Recipient]++
			shared[d.TenantID]++
			ids = append(ids, d.ID)
		}
	}
	return ids, err
}

// lease is long enough for an attempt and for writing down what came of it.
func (w *Worker) lease() time.Duration { return 4 * w.cfg.Timeout }

// attempt makes one attempt and records what came of it. Being told to end cuts it off only
// after a while: a mail that was half sent is sent twice.
func (q *queue) attempt(ctx context.Context, d store.Delivery) (failed bool) {
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.cfg.Timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(endGrace, cancel) })
	defer stop()
	err := q.send(timed, d)
	outcome := q.outcome(d, err)
	held, writeErr := q.finish(ctx, d, outcome)
	q.report(ctx, d, outcome, err, held, writeErr)
	return outcome.State == store.DeliveryPending
}

const (
	// endGrace is how long attempts go on after the worker was told to end.
	endGrace = 8 * time.Second
	// finishTries is how often an outcome is written while the database can't take it; the
	// pause doubles from finishPause on.
	finishTries = 7
	finishPause = 250 * time.Millisecond
)

// finish records an outcome. Until ctx ends it tries for a quarter of a minute: what isn't
// recorded is sent again.
func (q *queue) finish(ctx context.Context, d store.Delivery, o store.DeliveryOutcome) (held bool, err error) {
	pause := finishPause
	for try := 1; ; try++ {
		_, err = q.cfg.Store.Write(context.WithoutCancel(ctx), "", func(tx *store.Tx) (err error) {
			held, err = tx.AllTenantsFinishDelivery(d.ID, d.Fence, o)
			return err
		})
		if err == nil || try == finishTries {
			return held, err
		}
		select {
		case <-ctx.Done():
			return held, err
		case <-time.After(pause):
			pause *= 2
		}
	}
}

func (q *queue) report(ctx context.Context, d store.Delivery, o store.DeliveryOutcome, failure error, held bool, err error) {
	about := []any{
		slog.String("delivery_id", d.ID), slog.String("kind", string(d.Kind)), slog.String("tenant", string(d.TenantID)),
		slog.String("recipient", d.Recipient), slog.String("about", d.About), slog.Int("attempts", d.Attempts),
		slog.Int("status", o.Status), slog.String("failure", o.Error),
	}
	var why *hidden
	if errors.As(failure, &why) {
		about = append(about, slog.Any("cause", why.cause))
	}
	switch {
	case err != nil:
		q.cfg.Logger.ErrorContext(ctx, "the outcome of a delivery could not be recorded; it will be attempted again", append(about, slog.Any("error", err))...)
		return
	case !held:
		q.cfg.Logger.WarnContext(ctx, "a delivery was taken over by another worker before it ended", about...)
		return
	case o.State == store.DeliveryDead:
		q.cfg.Logger.ErrorContext(ctx, "a delivery was given up", about...)
	case o.State == store.DeliveryPending:
		q.cfg.Logger.WarnContext(ctx, "a delivery failed and is tried again", append(about, slog.Time("next_at", o.NextAt))...)
	}
	q.stats.add(d.Kind, o.State)
}

// send calls the sender; one that panics has failed.
func (q *queue) send(ctx context.Context, d store.Delivery) (err error) {
	defer func() {
		if p := recover(); p != nil {
			q.cfg.Logger.ErrorContext(ctx, "a sender panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = &Failure{Err: errors.New("the delivery failed for a fault of this server's; its log says more")}
		}
	}()
	return q.sender.Send(ctx, d)
}

// outcome says what becomes of a delivery after an attempt.
func (q *queue) outcome(d store.Delivery, err error) store.DeliveryOutcome {
	now := q.cfg.Now()
	if err == nil {
		return store.DeliveryOutcome{State: store.DeliveryDelivered, At: now}
	}
	failure := &Failure{Err: err}
	var said *Failure
	if errors.As(err, &said) {
		failure = said
	}
	o := store.DeliveryOutcome{State: store.DeliveryDead, At: now, Status: failure.Status, Error: err.Error()}
	last := d.FirstAt.Add(retryFor)
	if failure.Permanent || !now.Before(last) {
		return o
	}
	o.State, o.NextAt = store.DeliveryPending, now.Add(max(q.backoff(d.Attempts), min(failure.RetryAfter, retryAfterMax)))
	if o.NextAt.After(last) {
		o.NextAt = last // one more time
	}
	return o
}

// backoff is the pause after so many attempts.
func (w *Worker) backoff(attempts int) time.Duration {
	pause := retryFirst
	for i := 1; i < attempts && pause < retryMost; i++ {
		pause *= 2
	}
	pause = min(pause, retryMost)
	return pause - time.Duration(w.cfg.Rand()*float64(pause)/4)
}
