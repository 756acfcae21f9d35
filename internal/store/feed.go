package store

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// feedChannel is the PostgreSQL channel that wakes those who follow the feed. It carries
// nothing that is relied on: the table is the truth, and everyone polls it as well.
const feedChannel = "claviger_feed"

// feed wakes those who wait for the change feed to move.
type feed struct {
	mu   sync.Mutex
	head uint64        // guarded by mu: the newest revision heard of
	wake chan struct{} // guarded by mu: closed at the next move

	stop context.CancelFunc
	done chan struct{}
}

func newFeed(db *databases, log *slog.Logger) *feed {
	ctx, stop := context.WithCancel(context.Background())
	f := &feed{wake: make(chan struct{}), stop: stop, done: make(chan struct{})}
	if db.engine == engineSQLite {
		close(f.done)
		return f
	}
	go f.listen(ctx, db.pgx, log)
	return f
}

func (f *feed) close() {
	f.stop()
	<-f.done
}

// moved wakes everyone: the feed has grown to a revision, or may have (0).
func (f *feed) moved(revision uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.head = max(f.head, revision)
	close(f.wake)
	f.wake = make(chan struct{})
}

// wait returns when the feed may have moved beyond a revision.
func (f *feed) wait(ctx context.Context, after uint64) error {
	f.mu.Lock()
	head, wake := f.head, f.wake
	f.mu.Unlock()
	if head > after {
		return nil
	}
	select {
	case <-wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// listen hears of other processes' commits, for ever; a lost connection is made again.
func (f *feed) listen(ctx context.Context, config *pgx.ConnConfig, log *slog.Logger) {
	defer close(f.done)
	pause := 50 * time.Millisecond
	for ctx.Err() == nil {
		heard, err := f.hear(ctx, config)
		if ctx.Err() != nil {
			return
		}
		log.WarnContext(ctx, "lost the connection that listens for changes", slog.Any("error", err))
		f.moved(0) // something may have been missed
		if heard {
			pause = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// hear listens on one connection until it is lost.
func (f *feed) hear(ctx context.Context, config *pgx.ConnConfig) (heard bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+feedChannel); err != nil {
		return false, err
	}
	f.moved(0) // what happened before we listened
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return true, err
		}
		f.moved(revisionOf(n.Payload))
	}
}

func revisionOf(payload string) uint64 {
	n, err := strconv.ParseUint(payload, 10, 64)
	if err != nil {
		return 0 // not ours; waking for nothing does no harm
	}
	return n
}
