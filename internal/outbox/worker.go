package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	kinds := slices.Sorted(func(yield func(store.DeliveryKind) bool) {
		for kind := range w.cfg.Senders {
			if !yield(kind) {
				return
			}
		}
	})
	for _, kind := range kinds {
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
)

// Prune removes deliveries that were delivered or given up 30 days ago.
func (w *Worker) Prune(ctx context.Context) error {
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

// recipient is whom deliveries are for.
type recipient struct {
	tenant tenancy.TenantID
	id     string
}

// queue are the deliveries of one kind as one worker sees them. One goroutine has it.
type queue struct {
	*Worker
	kind   store.DeliveryKind
	sender Sender
	under  int            // attempts under way
	ended  chan endedSend // one for each attempt
	wait   sync.WaitGroup // for the attempts' goroutines
}

type endedSend struct{ to recipient }

func (w *Worker) queue(kind store.DeliveryKind, sender Sender) *queue {
	return &queue{Worker: w, kind: kind, sender: sender, ended: make(chan endedSend, w.cfg.Parallel)}
}

func (q *queue) run(ctx context.Context) {
	tick := time.NewTicker(q.cfg.Poll)
	defer tick.Stop()
	defer q.wait.Wait()
	for {
		if _, err := q.begin(ctx); err != nil && ctx.Err() == nil {
			q.cfg.Logger.WarnContext(ctx, "deliveries could not be read; they are tried again", slog.String("kind", string(q.kind)), slog.Any("error", err))
			q.pause(ctx, tick)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-q.ended:
			q.under--
		case <-tick.C:
		}
	}
}

func (q *queue) pause(ctx context.Context, tick *time.Ticker) {
	select {
	case <-ctx.Done():
	case <-tick.C:
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
		<-q.ended
		q.under--
	}
}

// begin claims what is due, as far as there is room, and begins the attempts.
func (q *queue) begin(ctx context.Context) (n int, err error) {
	room := q.cfg.Parallel - q.under
	if room <= 0 || ctx.Err() != nil {
		return 0, ctx.Err()
	}
	var claimed []store.Delivery
	_, err = q.cfg.Store.Write(ctx, "", func(tx *store.Tx) (err error) {
		claimed, err = tx.AllTenantsClaimDeliveries([]store.DeliveryKind{q.kind}, q.cfg.Holder, q.cfg.Now(), 4*q.cfg.Timeout, room)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, d := range claimed {
		q.under++
		q.wait.Go(func() {
			q.attempt(ctx, d)
			q.ended <- endedSend{to: recipient{tenant: d.TenantID, id: d.Recipient}}
		})
	}
	return len(claimed), nil
}

// attempt makes one attempt and records what came of it. Being told to end doesn't cut it
// off: a mail that is half sent would be sent twice.
func (q *queue) attempt(ctx context.Context, d store.Delivery) {
	ctx = context.WithoutCancel(ctx)
	timed, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	defer cancel()
	err := q.send(timed, d)
	outcome := q.outcome(d, err)
	var held bool
	_, writeErr := q.cfg.Store.Write(ctx, "", func(tx *store.Tx) (err error) {
		held, err = tx.AllTenantsFinishDelivery(d.ID, d.Fence, outcome)
		return err
	})
	q.report(ctx, d, outcome, held, writeErr)
}

func (q *queue) report(ctx context.Context, d store.Delivery, o store.DeliveryOutcome, held bool, err error) {
	about := []any{
		slog.String("delivery_id", d.ID), slog.String("kind", string(d.Kind)), slog.String("tenant", string(d.TenantID)),
		slog.String("recipient", d.Recipient), slog.String("about", d.About), slog.Int("attempts", d.Attempts),
		slog.Int("status", o.Status), slog.String("failure", o.Error),
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
