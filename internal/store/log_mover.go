package store

import (
	"context"
	"database/sql"
	"time"
)

// movePause is how long what was committed stays in SQLite's log alone, at least.
const movePause = 100 * time.Millisecond

// logMover moves what was committed from SQLite's log to its file, beside the writer. By
// itself SQLite has the writer do it after a commit, with everyone waiting: that is left for a
// log of 128 MB, which this one reaches only while readers don't let it go on.
type logMover struct {
	db      *sql.DB
	wrote   chan struct{}
	cancel  context.CancelFunc
	stopped chan struct{}
}

func startLogMover(db *sql.DB) *logMover {
	ctx, cancel := context.WithCancel(context.Background())
	m := &logMover{db: db, wrote: make(chan struct{}, 1), cancel: cancel, stopped: make(chan struct{})}
	go m.loop(ctx)
	return m
}

// note tells it of a commit.
func (m *logMover) note() {
	select {
	case m.wrote <- struct{}{}:
	default: // it knows already
	}
}

func (m *logMover) loop(ctx context.Context) {
	defer close(m.stopped)
	for {
		select {
		case <-m.wrote:
		case <-ctx.Done():
			return
		}
		for left, before := int64(1), int64(0); left > 0 && left != before; {
			select {
			case <-time.After(movePause):
			case <-ctx.Done():
				return
			}
			before, left = left, m.move(ctx)
		}
	}
}

// move returns how many pages it had to leave in the log: what came meanwhile, and what a
// reader still needs there. An error is the writer's to tell, which does the same in the end.
func (m *logMover) move(ctx context.Context) int64 {
	var busy, all, moved int64
	// Passive: it waits for nobody.
	if err := m.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &all, &moved); err != nil {
		return 0
	}
	return all - moved
}

func (m *logMover) close() error {
	m.cancel()
	<-m.stopped
	return m.db.Close()
}
