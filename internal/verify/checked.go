package verify

import (
	"crypto/sha256"
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/token"
)

// checked is a token whose signature was found right. That is all it remembers: whether it
// may be used, and for what, is decided anew each time.
type checked struct {
	hash uint64
	raw  string            // the token; empty where only its sum is kept
	sum  [sha256.Size]byte // of a token too long to be kept

	form        Form
	keyID       string
	id          credential.ID
	idHash      uint64
	from, until int64     // Unix microseconds
	expires     time.Time // what it names

	claims *token.Claims // of the installation's own tokens
	keys   *token.Keys   // the set that it was checked with; it counts for no other
	scope  access.Set    // of access tokens
	// narrowed is what the credential may do, cut to the scope.
	narrowed atomic.Pointer[narrowed]
	who      atomic.Pointer[person] // of session tokens

	issuer string  // of assertions
	public *public // of assertions: the key that it was checked with; it counts for no other
}

func (c *checked) when(at int64) token.Fault {
	switch {
	case at < c.from:
		return token.NotYet
	case at >= c.until:
		return token.Over
	}
	return token.None
}

const (
	// maxChecked is how many tokens are remembered. With keptRaw it bounds the memory, also
	// when someone signs a new token for every call.
	maxChecked = 16_384
	keptRaw    = 1024
)

// checkedTokens remembers tokens that proved themselves, so that one that comes again costs
// no second signature. Each has two places where it may be; a third for both puts one out.
type checkedTokens struct {
	seed   maphash.Seed
	places [maxChecked]atomic.Pointer[checked]
}

func (t *checkedTokens) placesOf(hash uint64) [2]*atomic.Pointer[checked] {
	return [2]*atomic.Pointer[checked]{&t.places[hash%maxChecked], &t.places[(hash>>32)%maxChecked]}
}

// find compares the whole token, once a hash of it with a random seed is the same: nobody
// can come near another's token and learn how near.
func (t *checkedTokens) find(text string) *checked {
	hash := maphash.String(t.seed, text)
	for _, place := range t.placesOf(hash) {
		if c := place.Load(); c != nil && c.hash == hash && c.is(text) {
			return c
		}
	}
	return nil
}

func (c *checked) is(text string) bool {
	if c.raw != "" {
		return c.raw == text
	}
	return c.sum == sha256.Sum256([]byte(text))
}

// put remembers a token in place of one that is over, or of either.
func (t *checkedTokens) put(text string, c *checked, at int64) {
	c.hash = maphash.String(t.seed, text)
	if len(text) <= keptRaw {
		c.raw = strings.Clone(text)
	} else {
		c.sum = sha256.Sum256([]byte(text))
	}
	places := t.placesOf(c.hash)
	best := places[c.hash>>63]
	for _, place := range places {
		old := place.Load()
		if old == nil || old.until <= at || old.hash == c.hash && old.is(text) {
			best = place
			break
		}
	}
	best.Store(c)
}

func momentOf(at int64) time.Time { return time.UnixMicro(at).UTC() }
