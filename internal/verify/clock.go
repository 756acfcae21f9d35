package verify

import (
	"sync/atomic"
	"time"
)

// clock reads the time and remembers the latest that counted, so that a wall clock set
// back makes nothing valid again.
type clock struct {
	now  func() time.Time
	mark atomic.Int64 // Unix microseconds
}

// markEvery keeps verifications from writing to the mark each.
const markEvery = 10_000 // microseconds

// read returns the clock's own time, and Unix microseconds that never fall behind the mark.
func (c *clock) read() (now time.Time, at int64) {
	now = c.now()
	at = now.UnixMicro()
	mark := c.mark.Load()
	if at < mark {
		return now, mark
	}
	if at-mark >= markEvery {
		c.raise(at)
	}
	return now, at
}

// raise makes sure that no later reading is before at: whatever was decided because of
// the time stays decided.
func (c *clock) raise(at int64) {
	for {
		mark := c.mark.Load()
		if at <= mark || c.mark.CompareAndSwap(mark, at) {
			return
		}
	}
}
