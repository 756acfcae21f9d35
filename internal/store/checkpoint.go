package store

import (
	"context"
	"database/sql"
	"time"
)

// checkpointPause is how long what was committed stays in SQLite's log alone, at least.
const checkpointPause = 100 * time.Millisecond

// checkpointer moves what was committed from SQLite's log to its file, beside the writer. By
// itself SQLite has the writer do it after a commit, with everyone waiting: that is left for a
// log of 128 MB, which this one reaches only while readers don't let it go on.
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
		for left, before := int64(1), int64(0); left > 0 && left != before; {
			select {
			case <-time.After(checkpointPause):
			case <-ctx.Done():
				return
			}
			before, left = left, c.move(ctx)
		}
	}
}

// move returns how many pages it had to leave in the log: what came meanwhile, and what a
// reader still needs there. An error is the writer's to tell, which does the same in the end.
func (c *checkpointer) move(ctx context.Context) int64 {
	var busy, all, moved int64
	// Passive: it waits for nobody.
	if err := c.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &all, &moved); err != nil {
		return 0
	}
	return all - moved
}

func (c *checkpointer) close() error {
	c.cancel()
	<-c.stopped
	return c.db.Close()
}
