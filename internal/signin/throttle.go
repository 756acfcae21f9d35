package signin

import (
	"net/netip"
	"sync"
	"time"

	"github.com/claviger-io/claviger/internal/problem"
)

const (
	guessesPerUser   = 10
	guessesPerSource = 100
	guessWindow      = 15 * time.Minute
	throttleSize     = 20_000 // entries; about 2 MiB
)

// throttle counts failures by key in windows. It is bounded: when it is full the entry
// whose window began first makes room, so a flood of invented names can at worst forget
// old counts, never fill the memory.
type throttle struct {
	limit  int
	window time.Duration
	size   int

	mu      sync.Mutex
	entries map[string]attempts // guarded by mu
}

type attempts struct {
	count int
	began time.Time
}

func newThrottle(limit int, window time.Duration, size int) *throttle {
	return &throttle{limit: limit, window: window, size: size, entries: map[string]attempts{}}
}

// take counts an attempt. When there were too many it returns how long to wait.
func (t *throttle) take(key string, now time.Time) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, known := t.entries[key]
	if !known || now.Sub(a.began) >= t.window {
		a = attempts{began: now}
		if !known && len(t.entries) >= t.size {
			t.makeRoom(now)
		}
	}
	if a.count >= t.limit {
		return a.began.Add(t.window).Sub(now), false
	}
	a.count++
	t.entries[key] = a
	return 0, true
}

// refund takes an attempt back: it was not a guess.
func (t *throttle) refund(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a, ok := t.entries[key]; ok {
		if a.count--; a.count <= 0 {
			delete(t.entries, key)
			return
		}
		t.entries[key] = a
	}
}

// makeRoom drops what is over, and if nothing is, the oldest of a sample: map iteration
// begins at a random place, so no one can choose whose count is forgotten.
func (t *throttle) makeRoom(now time.Time) {
	const sample = 64
	var oldest string
	var began time.Time
	seen := 0
	for key, a := range t.entries {
		if now.Sub(a.began) >= t.window {
			delete(t.entries, key)
		} else if oldest == "" || a.began.Before(began) {
			oldest, began = key, a.began
		}
		if seen++; seen == sample {
			break
		}
	}
	if len(t.entries) >= t.size {
		delete(t.entries, oldest)
	}
}

// guess counts an attempt for the user and for the source, before its outcome is known, so
// that many at once can't slip through. refund takes both back.
func (m *Manager) guess(user string, source netip.Addr) (refund func(), err error) {
	now := m.now()
	where := sourceKey(source)
	if wait, ok := m.bySource.take(where, now); !ok {
		return nil, tooMany(wait)
	}
	if wait, ok := m.byUser.take(user, now); !ok {
		return nil, tooMany(wait)
	}
	return func() {
		m.bySource.refund(where)
		m.byUser.refund(user)
	}, nil
}

// sourceKey counts IPv6 by /64: one household has as many addresses as it likes.
func sourceKey(source netip.Addr) string {
	source = source.Unmap()
	if source.Is6() {
		if p, err := source.Prefix(64); err == nil {
			return p.String()
		}
	}
	return source.String()
}

func tooMany(wait time.Duration) error {
	p := problem.New(problem.TooMany, "too_many_attempts", "There were too many attempts. Wait a while, then try again.")
	p.RetryAfter = max(wait, time.Second)
	return p
}

// Guess counts an attempt at a one-time token from a source address; too many are TooMany.
func (m *Manager) Guess(from Origin) error {
	_, err := m.guess("token\x00"+sourceKey(from.Source), from.Source)
	return err
}
