package store

import "time"

const (
	// ownTurn is how long SQLite works in a transaction before the thread gives way, mostAway how
	// long a transaction is away altogether: whoever waits for the writer waits for that, too.
	ownTurn  = 300 * time.Microsecond
	mostAway = 10 * time.Millisecond
)

// turn is a transaction's time on a processor. SQLite works in this process, for milliseconds
// without a pause, and where all processors are busy a thread that wakes up for a verification
// would wait as long: the operating system takes a processor away from who has it only some
// hundred times a second.
type turn struct {
	began time.Time     // zero before the first statement
	away  time.Duration // how long others had the processor
	yield func()
}

// pass is called between two statements. It lets others run when the turn was long enough.
func (t *turn) pass() {
	now := time.Now()
	if t.began.IsZero() {
		t.began = now
		return
	}
	if now.Sub(t.began) < ownTurn || t.away >= mostAway {
		return
	}
	t.yield()
	t.began = time.Now()
	t.away += t.began.Sub(now)
}
