package store

import (
	"context"
	"database/sql"
	"time"
)

// checkpointPause is how long what was committed stays in SQLite's log alone, at least.
const checkpointPause = 250 * time.Millisecond

// checkpointer moves what was committed from SQLite's log to its file, beside the writer. By
// itself SQLite has the writer do it after a commit, 16 MB at once, with everyone waiting: that
// is left for when readers or a constant stream of writes keep this one from getting to the end.
type checkpointer struct {
	db      *sql.DB
	wrote   chan struct{}
	cancel  context.CancelFunc
	stopped chan struct{}
}

func startCheckpoints(db *sql.DB) *checkpointer {
	ctx, cancel := context.WithCancel(context.Background())
	c := &checkpointer{db: db, wrote: make(chan struct{}, 1), cancel: cancel, stopped: make(chan struct{})}
	go c.loop(ctx)
	return c
}

// note tells it of a commit.
func (c *checkpointer) note() {
	select {
	case c.wrote <- struct{}{}:
	default: // it knows already
	}
}

func (c *checkpointer) loop(ctx context.Context) {
	defer close(c.stopped)
	for {
		select {
		case <-c.wrote:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(checkpointPause):
		case <-ctx.Done():
			return
		}
		// Passive: it waits for nobody, and leaves what it can't move for the next time. An error
		// is the writer's to tell, which does the same when the log is long enough.
		_, _ = c.db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	}
}

func (c *checkpointer) close() error {
	c.cancel()
	<-c.stopped
	return c.db.Close()
}
