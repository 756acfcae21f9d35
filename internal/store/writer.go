package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const (
	// maxAttempts is how often a group is tried when the database asks to try again.
	maxAttempts = 5
	// carefulGroups is how many groups are done with savepoints after one of them needed them.
	carefulGroups = 8
	// maxHeads bounds the memory of chain ends, maxCallers that of callers' credentials.
	maxHeads   = 100_000
	maxCallers = 10_000
)

// writer owns the one writing connection. It takes the requests that wait, lets them run one
// after another, and commits them together: one sync for all, and on PostgreSQL few round
// trips, because writes wait until somebody reads or all have run.
//
// A group is done at first as if nothing could fail in the database: without savepoints.
// When something does, the group is rolled back and done again with a savepoint for each
// request, so that the bad one fails alone.
type writer struct {
	store   *Store
	conn    *connection
	careful int // how many groups more get savepoints
	mark    mark
	pending []statement // writes not yet sent
	sent    bool        // the present request's writes, or some, were sent
	late    late        // of the requests that are done
	// committing is how long the present group's commit took.
	committing time.Duration

	// heads are the ends of the audit chains as of writes, the database's count of committed
	// write transactions: another process that wrote in between makes them stale.
	heads  map[tenancy.TenantID]audit.Head
	writes uint64
	// callers are credentials as committed, as of writes too. Those that this group of writes
	// touched are not among them.
	callers map[credential.ID]credential.Credential
	touched map[credential.ID]bool
}

// mark is where the transaction is between its savepoints.
type mark uint8

const (
	markNone  mark = iota // no savepoint yet
	markFresh             // one is open and nothing was done since
	markUsed              // one is open and holds the present request's writes
	markStale             // one is open and holds an earlier request's writes, which stay
)

// The states of a request.
const (
	requestWaiting int32 = iota
	requestTaken
	requestLeft // its caller gave up before its turn
)

// request is one call of Write.
type request struct {
	tenant tenancy.TenantID
	state  atomic.Int32
	turn   chan *Tx      // the writer hands over the transaction
	ran    chan error    // the caller hands it back with fn's error
	done   chan struct{} // closed when revision and err are set
	// revision and err are the outcome.
	revision uint64
	err      error
	spoilt   bool // its failure ended the transaction of the whole group
}

var (
	errClosed = problem.Wrap(errors.New("store: closed"))
	errExited = errors.New("store: the callback ended its goroutine")
)

// Write runs fn in a durable write transaction for the tenant and returns the feed's head
// revision after the commit. fn's error rolls back what fn did, nothing else, and is
// returned as it is. fn may run more than once, so it must not touch anything but tx.
//
// Other errors: ErrOutcomeUnknown when the database didn't answer the commit; ctx's error
// when it ended before fn's turn, and nothing was done; an Unavailable problem when the
// database can't be reached or written, and nothing was done.
func (s *Store) Write(ctx context.Context, tenant tenancy.TenantID, fn func(*Tx) error) (revision uint64, err error) {
	r := &request{tenant: tenant, turn: make(chan *Tx), ran: make(chan error), done: make(chan struct{})}
	select {
	case s.requests <- r:
	case <-s.closing:
		return 0, errClosed
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	left := ctx.Done()
	for {
		select {
		case tx := <-r.turn:
			left = nil
			r.run(tx, fn)
		case <-r.done:
			return r.revision, r.err
		case <-left:
			if r.state.CompareAndSwap(requestWaiting, requestLeft) {
				return 0, ctx.Err()
			}
			left = nil
		}
	}
}

// run calls fn on its caller's goroutine, so that a panic has the caller's stack, and a
// callback that ends its goroutine (a failing test) doesn't end the writer's.
func (r *request) run(tx *Tx, fn func(*Tx) error) {
	err := errExited
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: the callback panicked: %v\n%s", p, debug.Stack())
		}
		r.ran <- err
	}()
	err = fn(tx)
}

// loop serves requests until the store closes.
func (w *writer) loop() {
	defer close(w.store.stopped)
	for {
		select {
		case r := <-w.store.requests:
			w.serve(w.collect(r))
		case <-w.store.closing:
			if w.conn != nil {
				if err := w.conn.close(); err != nil {
					w.store.log.Warn("closing the writing connection", slog.Any("error", err))
				}
			}
			return
		}
	}
}

// collect takes everyone who waits already, up to the size of a group.
func (w *writer) collect(first *request) []*request {
	group := []*request{first}
	// Those who were just answered come back at once; let them.
	runtime.Gosched()
	for len(group) < w.store.maxGroup {
		select {
		case r := <-w.store.requests:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

// serve does a group, again if the database asks for it, and tells everyone.
func (w *writer) serve(group []*request) {
	taken := slices.DeleteFunc(group, func(r *request) bool {
		return !r.state.CompareAndSwap(requestWaiting, requestTaken)
	})
	var err error
	for attempt := 0; attempt < maxAttempts && len(taken) > 0; attempt++ {
		var again bool
		if again, err = w.attempt(taken); !again {
			break
		}
		// Whoever spoilt the transaction for the others has its answer; they go on without it.
		taken = slices.DeleteFunc(taken, func(r *request) bool {
			if r.spoilt {
				close(r.done)
			}
			return r.spoilt
		})
		if errors.Is(err, errCareful) {
			continue
		}
		w.store.log.Warn("a write transaction is tried again", slog.Int("attempt", attempt+1), slog.Any("error", err))
		time.Sleep(time.Duration(attempt) * 10 * time.Millisecond)
	}
	for _, r := range taken {
		if err != nil {
			r.revision, r.err = 0, err
		}
		close(r.done)
	}
}

// attempt does a group once. An error is everyone's; again says that nothing was done and
// another attempt may succeed.
func (w *writer) attempt(group []*request) (again bool, err error) {
	ctx, cancel := w.store.writeContext()
	defer cancel()
	if w.conn == nil || w.conn.broken {
		if err := w.reconnect(ctx); err != nil {
			return true, problem.Wrap(err)
		}
	}
	before, err := w.conn.begin(ctx)
	if err != nil {
		w.rollback(ctx)
		return w.conn.broken || isRetryable(err), problem.Wrap(fmt.Errorf("beginning a write: %w", err))
	}
	w.committing = 0
	began := time.Now()
	defer func() { w.store.held(Hold{Whole: time.Since(began), Commit: w.committing}) }()
	if before.writes != w.writes || w.heads == nil || len(w.heads) > maxHeads || len(w.callers) > maxCallers {
		w.heads, w.callers = map[tenancy.TenantID]audit.Head{}, map[credential.ID]credential.Credential{}
	}
	w.touched = map[credential.ID]bool{}
	w.mark, w.pending, w.late = markNone, w.pending[:0], late{}
	now, wrote := before, false
	for _, r := range group {
		did, err := w.member(ctx, r, before, &now)
		if err != nil {
			return true, w.giveUp(ctx, err)
		}
		wrote = wrote || did
	}
	if !wrote {
		w.rollback(ctx)
		return false, nil
	}
	now.writes++
	last, err := w.finish(ctx, before, now)
	if err != nil {
		err = w.giveUp(ctx, err)
		return errors.Is(err, errCareful) || w.conn.broken || isRetryable(err), err
	}
	if err := w.commit(ctx, before, now, last); err != nil {
		w.heads = nil
		if len(last) > 0 && !errors.Is(err, ErrOutcomeUnknown) {
			err = w.giveUp(ctx, err)
			return errors.Is(err, errCareful) || w.conn.broken || isRetryable(err), err
		}
		return isRetryable(err), err
	}
	maps.Copy(w.heads, w.late.heads)
	w.writes, w.careful = now.writes, max(0, w.careful-1)
	for _, r := range group {
		r.revision = now.revision
	}
	w.store.feed.moved(now.revision)
	w.store.db.committed()
	return false, nil
}

// errCareful asks for the group to be done again with savepoints.
var errCareful = errors.New("store: a group of writes is done again with savepoints")

// giveUp rolls a group back, and has savepoints tell whose fault it was if it had none.
func (w *writer) giveUp(ctx context.Context, err error) error {
	w.rollback(ctx)
	if w.careful == 0 && !w.conn.broken && !isRetryable(err) {
		w.careful = carefulGroups
		return errCareful
	}
	return problem.Wrap(err)
}

// member lets one request run. Its own failure stays its own; an error here is everyone's.
func (w *writer) member(ctx context.Context, r *request, committed head, now *head) (wrote bool, err error) {
	if r.err != nil && errors.Is(r.err, errExited) {
		return false, nil // nobody is there to run it again
	}
	if w.mark == markUsed {
		w.mark = markStale
	}
	w.sent = false
	before := len(w.pending)
	t := &work{store: w.store, ctx: ctx, db: w.conn.conn, turn: w.conn.turn, head: *now, committed: committed, writer: w, ends: w.late.heads}
	r.turn <- &Tx{work: t, tenant: r.tenant}
	r.err = <-r.ran
	if r.err == nil && w.careful > 0 {
		r.err = t.flush()
	}
	if r.err == nil {
		r.err = t.failed // which fn kept to itself
	}
	if r.err == nil {
		wrote = w.sent || len(w.pending) > before || t.late.any()
		*now = t.head
		w.late.add(t.late)
		return wrote, nil
	}
	switch {
	case w.conn.broken || isRetryable(r.err) || isRetryable(t.failed):
		return false, r.err
	case w.sent && w.careful == 0:
		return false, errCareful
	case w.sent:
		return false, w.rollbackMember(ctx)
	case t.failed != nil && w.conn.engine == enginePostgres:
		// A read failed before there was a savepoint: the transaction is lost for all.
		r.spoilt = true
		return false, r.err
	}
	w.pending = w.pending[:before]
	return false, nil
}

// send sends all pending writes, in careful groups under the present request's savepoint.
func (w *writer) send(ctx context.Context) error {
	w.sent = true
	list := w.gathered(w.pending)
	if w.careful > 0 {
		list = append(w.opening(), list...)
		w.mark = markUsed
	}
	w.pending = w.pending[:0]
	return w.conn.run(ctx, list)
}

// gathered makes one statement of many that insert rows into the same table, one after
// another. Groups with savepoints are left alone: there it counts whose row fails.
func (w *writer) gathered(list []statement) []statement {
	if w.careful > 0 {
		return list
	}
	out := make([]statement, 0, len(list))
	for len(list) > 0 {
		n := slices.IndexFunc(list, func(st statement) bool { return st.into == nil })
		if n < 0 {
			n = len(list)
		}
		for run := list[:n]; len(run) > 0; {
			into := run[0].into
			var args []any
			var others []statement
			for _, st := range run {
				if st.into == into {
					args = append(args, st.args...)
				} else {
					others = append(others, st)
				}
			}
			out = insertRows(out, into.name, into.columns, args)
			run = others
		}
		list = list[n:]
		for len(list) > 0 && list[0].into == nil {
			out = append(out, list[0])
			list = list[1:]
		}
	}
	return out
}

func (w *writer) opening() []statement {
	release := statement{text: "RELEASE SAVEPOINT member", checked: true}
	savepoint := statement{text: "SAVEPOINT member", checked: true}
	switch w.mark {
	case markNone:
		return []statement{savepoint}
	case markStale:
		return []statement{release, savepoint}
	case markFresh, markUsed:
	}
	return nil
}

func (w *writer) rollbackMember(ctx context.Context) error {
	w.mark, w.pending = markFresh, w.pending[:0]
	return w.conn.run(ctx, []statement{{text: "ROLLBACK TO SAVEPOINT member", checked: true}})
}

// rollback ends the whole transaction. Its own failure says nothing new: a connection that
// can't roll back is broken, and the server rolls back when it goes.
func (w *writer) rollback(ctx context.Context) {
	w.heads = nil
	if !w.conn.broken {
		_ = w.conn.run(ctx, []statement{{text: "ROLLBACK", checked: true}})
	}
}

// finish sends what is still to be written: pending writes, then feed and audit. What it
// returns goes together with the commit: on PostgreSQL that saves a round trip, as long as
// only the database can find fault with it.
func (w *writer) finish(ctx context.Context, before, now head) (last []statement, err error) {
	list := append(w.gathered(w.pending), w.late.statements()...)
	if w.conn.engine == engineSQLite && now.revision != before.revision {
		list = append(list, statement{text: indexNew, args: []any{int64(before.revision)}, checked: true})
	}
	w.pending = w.pending[:0]
	if w.conn.engine == enginePostgres && !slices.ContainsFunc(list, func(st statement) bool { return st.one != "" }) {
		return list, nil
	}
	return nil, w.conn.run(ctx, list)
}

// commit sends what is left, writes the head and commits. ErrOutcomeUnknown means just that.
func (w *writer) commit(ctx context.Context, before, now head, last []statement) error {
	list := append(last, statement{
		text:    "UPDATE feed_head SET revision = ?, rights_revision = ?, writes = ? WHERE id = 1",
		args:    []any{int64(now.revision), int64(now.rights), int64(now.writes)},
		checked: true,
	})
	end := statement{text: "COMMIT", checked: true}
	if w.conn.engine == enginePostgres {
		if now.revision != before.revision {
			list = append(list, statement{text: "SELECT pg_notify('" + feedChannel + "', ?)", args: []any{strconv.FormatUint(now.revision, 10)}})
		}
		err := w.timed(ctx, append(list, end))
		var answer *pgconn.PgError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &answer) && answer.Severity == "ERROR":
			w.rollback(ctx)
			return problem.Wrap(err)
		}
		return problem.Wrap(fmt.Errorf("%w: %w", ErrOutcomeUnknown, err))
	}
	if err := w.conn.run(ctx, list); err != nil {
		w.rollback(ctx)
		return problem.Wrap(err)
	}
	err := w.timed(ctx, []statement{end})
	if err == nil {
		return nil
	}
	w.rollback(ctx)
	if isLocked(err) || isFull(err) {
		return problem.Wrap(err)
	}
	return problem.Wrap(fmt.Errorf("%w: %w", ErrOutcomeUnknown, err))
}

// timed runs the statements that end with the commit.
func (w *writer) timed(ctx context.Context, list []statement) error {
	began := time.Now()
	defer func() { w.committing = time.Since(began) }()
	return w.conn.run(ctx, list)
}

func (w *writer) reconnect(ctx context.Context) error {
	if w.conn != nil {
		_ = w.conn.close() // the server is gone; there is nothing left to lose
		w.conn = nil
	}
	conn, err := w.store.db.connect(ctx)
	if err != nil {
		return fmt.Errorf("connecting to the database: %w", err)
	}
	w.conn = conn
	return nil
}
