package verify

import (
	"strings"
	"sync"
	"time"
)

// RevokedToken is a token that was revoked before its time.
type RevokedToken struct {
	ID        string
	ExpiresAt time.Time // when it would have ended by itself; nothing needs to be known then
}

// revokedTokens are the IDs of tokens that no longer count. There are few: a token lives for
// minutes, and what is over is forgotten.
type revokedTokens struct {
	mu    sync.RWMutex
	until map[string]int64 // guarded by mu; Unix microseconds
	clean int              // guarded by mu: how many there may be before the next look at what is over
}

const minRevoked = 1024

// has reports whether a token was revoked.
func (r *revokedTokens) has(id string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.until[id]
	return ok
}

// put adds a token, and now and then forgets those that are over at a time, in Unix
// microseconds.
func (r *revokedTokens) put(id string, until, at int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until, r.clean = make(map[string]int64), minRevoked
	}
	if len(r.until) >= r.clean {
		for id, until := range r.until {
			if until <= at {
				delete(r.until, id)
			}
		}
		r.clean = max(minRevoked, 2*len(r.until))
	}
	r.until[strings.Clone(id)] = until
}

// forgetAfter is how long after its end a revoked token is remembered: clocks differ.
const forgetAfter = 5 * time.Minute

// putRevokedToken never takes one back: one whose row is gone has ended by itself.
func (x *Index) putRevokedToken(t *RevokedToken, gone bool) {
	if gone {
		return
	}
	_, at := x.clock.read()
	x.revoked.put(t.ID, t.ExpiresAt.Add(forgetAfter).UnixMicro(), at)
}
