package verify

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/claviger-io/claviger/internal/problem"
)

// ErrFeedGone is what a Source's Changes returns, wrapped or not, when rows after the
// asked revision are no longer kept: the index then reads a new snapshot.
var ErrFeedGone = errors.New("the change feed no longer reaches back that far")

// batch is how many rows of the feed are read at once.
const batch = 10_000

// applyTimeout ends an Applied whose database hangs. It must not depend on the caller's
// patience: a client that hangs up would make the node undecided.
const applyTimeout = 30 * time.Second

// Run reads a snapshot, then follows the feed until ctx ends, whose error it returns.
// Failures of the Source are logged and tried again; they never end Run.
func (x *Index) Run(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		err := x.catchUp(ctx, 0)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			if !failing {
				x.log.ErrorContext(ctx, "the index cannot follow the change feed", "error", err, "revision", x.Revision())
			}
			x.pause(ctx)
		case failing:
			x.log.InfoContext(ctx, "the index follows the change feed again", "revision", x.Revision())
		}
		failing = err != nil
		if err == nil {
			x.wait(ctx)
		}
	}
	return ctx.Err()
}

// pause waits before the next try.
func (x *Index) pause(ctx context.Context) {
	t := time.NewTimer(x.cfg.Poll)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// wait returns when the feed may have moved, after Poll, or when the index was marked.
func (x *Index) wait(ctx context.Context) {
	waiting, stop := context.WithTimeout(ctx, x.cfg.Poll)
	var woken sync.WaitGroup
	woken.Go(func() {
		select {
		case <-x.wake:
			stop()
		case <-waiting.Done():
		}
	})
	// A Source that can't wait must not make this loop spin.
	if err := x.cfg.Source.Wait(waiting, x.Revision()); err != nil {
		<-waiting.Done()
	}
	stop()
	woken.Wait()
}

// Applied returns once everything up to revision is in the index, applied in order. On
// failure the index answers nothing until it has read the feed again; the problem is
// Unavailable. It goes on when ctx is cancelled: the change is committed.
func (x *Index) Applied(ctx context.Context, revision uint64) error {
	if x.revision.Load() >= revision && x.proof.Load() != nil {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), applyTimeout)
	defer stop()
	if err := x.catchUp(ctx, revision); err != nil {
		x.MarkUndecided()
		return problem.Wrap(fmt.Errorf("applying revision %d: %w", revision, err))
	}
	return nil
}

// catchUp reads the feed to its head, which must be revision at least. With revision 0 it
// reads in any case; otherwise only if the index isn't there yet.
func (x *Index) catchUp(ctx context.Context, revision uint64) error {
	if err := x.lock(ctx); err != nil {
		return err
	}
	defer x.unlock()
	if revision > 0 && x.loaded && x.revision.Load() >= revision && x.proof.Load() != nil {
		return nil // whoever applied before brought it along
	}
	if !x.loaded {
		if err := x.load(ctx); err != nil {
			return err
		}
	}
	err := x.follow(ctx)
	if errors.Is(err, ErrFeedGone) {
		x.log.WarnContext(ctx, "the change feed does not connect; reading a new snapshot", "revision", x.Revision())
		if err = x.load(ctx); err == nil {
			err = x.follow(ctx)
		}
	}
	if err == nil && x.revision.Load() < revision {
		err = fmt.Errorf("the feed ends at %d, before %d", x.revision.Load(), revision)
	}
	return err
}

// follow applies the feed up to its head and records the proof.
func (x *Index) follow(ctx context.Context) error {
	limit := batch
	for {
		marks := x.marks()
		from, at := x.clock.read()
		after := x.revision.Load()
		changes, head, err := x.cfg.Source.Changes(ctx, after, limit)
		if err != nil {
			return fmt.Errorf("reading the change feed: %w", err)
		}
		if head < after {
			// An older database was put in place of the one that was read before.
			return fmt.Errorf("the feed ends at %d, the index is at %d: %w", head, after, ErrFeedGone)
		}
		for i := range changes {
			if err := x.put(changes[i].Item); err != nil {
				x.loaded = false
				x.MarkUndecided()
				return fmt.Errorf("applying revision %d: %w", changes[i].Revision, err)
			}
		}
		if len(changes) < limit {
			x.revision.Store(head)
			x.prove(from, at, marks)
			return nil
		}
		// A full batch may end in the middle of a revision: go on from the one before.
		last := changes[len(changes)-1].Revision
		if last > after+1 {
			x.revision.Store(last - 1)
			limit = batch
		} else {
			limit *= 2
		}
	}
}

// load reads a snapshot into the index. What the index had before and the snapshot
// doesn't bring is taken out at the end; meanwhile nothing is decided.
func (x *Index) load(ctx context.Context) error {
	x.loaded = false
	x.MarkUndecided()
	marks := x.marks()
	from, at := x.clock.read()
	x.seen = x.newSeen()
	revision, err := x.cfg.Source.Snapshot(ctx, x.put)
	if err != nil {
		x.seen = nil
		return fmt.Errorf("reading the snapshot: %w", err)
	}
	x.sweep()
	x.seen = nil
	x.revision.Store(revision)
	x.loaded = true
	x.prove(from, at, marks)
	select {
	case <-x.ready:
	default:
		close(x.ready)
	}
	n := x.Stats().Credentials
	x.log.InfoContext(ctx, "the index holds a snapshot", "revision", revision, "credentials", n)
	if n > 100_000 {
		// What reading so many rows left behind goes back to the system now, not at leisure.
		debug.FreeOSMemory()
	}
	return nil
}
