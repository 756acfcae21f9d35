package store

import (
	"context"
	"database/sql"
	"time"
)

// upkeep does, beside the writer, what commits leave to be done, and what the database would
// have one of them do in the end, with everyone waiting.
type upkeep struct {
	// do does it and returns how much is left that it can do soon. It tells no errors: the
	// writer will meet them.
	do      func(context.Context) (left int64)
	pause   time.Duration // at least so long after a commit
	wrote   chan struct{}
	cancel  context.CancelFunc
	stopped chan struct{}
}

func startUpkeep(pause time.Duration, do func(context.Context) int64) *upkeep {
	ctx, cancel := context.WithCancel(context.Background())
	u := &upkeep{do: do, pause: pause, wrote: make(chan struct{}, 1), cancel: cancel, stopped: make(chan struct{})}
	go u.loop(ctx)
	return u
}

// note tells it of a commit.
func (u *upkeep) note() {
	select {
	case u.wrote <- struct{}{}:
	default: // it knows already
	}
}

func (u *upkeep) loop(ctx context.Context) {
	defer close(u.stopped)
	for {
		select {
		case <-u.wrote:
		case <-ctx.Done():
			return
		}
		for left, before := int64(1), int64(0); left > 0 && left != before; {
			select {
			case <-time.After(u.pause):
			case <-ctx.Done():
				return
			}
			before, left = left, u.do(ctx)
		}
	}
}

func (u *upkeep) close() {
	u.cancel()
	<-u.stopped
}

// moveLog moves what was committed from SQLite's log to its file. By itself SQLite has the
// writer do it: that is left for a log of 128 MB, which this reaches only while readers don't
// let it go on. Left are pages that came meanwhile, and those that a reader still needs there.
func moveLog(ctx context.Context, db *sql.DB) (left int64) {
	var busy, all, moved int64
	// Passive: it waits for nobody.
	if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &all, &moved); err != nil {
		return 0
	}
	return all - moved
}

// tidySearch puts into PostgreSQL's search indexes what was written and is only listed beside
// them. By itself PostgreSQL has a write do it once that is 4 MB, which takes a third of a second.
func tidySearch(ctx context.Context, db *sql.DB) (left int64) {
	_, _ = db.ExecContext(ctx, "SELECT gin_clean_pending_list('credentials_search'::regclass), gin_clean_pending_list('users_search'::regclass)")
	return 0
}
