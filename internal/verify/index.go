package verify

import (
	"context"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/token"
)

// Config says what an Index reads and how fresh it must be.
type Config struct {
	Source  Source
	Format  secret.Format
	Peppers *secret.Peppers
	// ImportKeys are those under which other systems digested the keys that were imported.
	// Nil: there are none, and keys that came in clear or as SHA-256 are found all the same.
	ImportKeys *secret.ImportKeys
	// Tokens reads the installation's own tokens, and gets its keys from the feed. Nil: none
	// of its own is accepted.
	Tokens *token.Ring
	// Now is the clock; nil means time.Now. It should carry a monotonic reading, as
	// time.Now does, so that steps of the wall clock leave staleness alone.
	Now func() time.Time
	// MaxStaleness is how long after the last proof of freshness the index goes on
	// answering; 0 means 30 s.
	MaxStaleness time.Duration
	// Poll is how often the feed is read when nothing wakes the index; 0 means 1 s.
	Poll   time.Duration
	Logger *slog.Logger // nil discards
}

// Stats are figures for operators.
type Stats struct {
	Stale       bool // the feed was last seen at its head longer ago than MaxStaleness: nothing is decided
	Ready       bool
	Undecided   bool // answers nothing until the feed has been read again
	Revision    uint64
	Staleness   time.Duration // since the last proof of freshness; 0 when there was none
	Credentials int
	Holders     int   // principals at organizations that have credentials there
	Bytes       int64 // of the credentials' slabs and tables, without the directory
}

// Index is the resident index. Its methods may be called by any number of goroutines.
type Index struct {
	cfg   Config
	log   *slog.Logger
	clock clock
	seed  [2]uint64

	shards [shardCount]shard
	mem    slabs
	dir    directory
	public publicIDs

	imported imported
	guesses  guesses

	revoked revokedTokens
	checked checkedTokens
	faults  faultLog
	queries queries
	legacy  atomic.Pointer[access.Set] // permissions of legacy APIs; nil for none
	dummy   secret.Digest              // compared with when nothing was found

	// proof says what the index knows and since when; nil means undecided.
	proof     atomic.Pointer[proof]
	proofMu   sync.Mutex // guards undecided and stores to proof
	undecided uint64     // how often MarkUndecided was called
	revision  atomic.Uint64

	// directoryMu is held by whoever applies while it changes dir. Only session tokens need
	// to read it meanwhile: everything else is worked into the holders.
	directoryMu sync.RWMutex
	generation  atomic.Uint64 // grows with each change that may concern a person

	applying chan struct{} // holds one token: whoever has it applies the feed, and owns dir's maps
	loaded   bool          // guarded by applying: a snapshot is in the index
	seen     *seen         // guarded by applying: what a snapshot that replaces another has brought
	wake     chan struct{}
	ready    chan struct{}

	drainMu sync.Mutex // one drain at a time; guards undrained
	// undrained was gathered for a drain that failed.
	undrained []Usage
	spillMu   sync.Mutex // guards spilled
	spilled   []Usage    // of hours that ended before they were drained
	previous  previousUses
}

// proof is the last time at which the index was known to hold the feed up to its head.
type proof struct {
	revision uint64
	from     time.Time // when the reading that proved it began
	at       int64     // the same in Unix microseconds of clock
}

// New makes an index that knows nothing yet: until Run has read a snapshot, Verify
// returns an Unavailable problem.
func New(cfg Config) *Index {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxStaleness <= 0 {
		cfg.MaxStaleness = 30 * time.Second
	}
	if cfg.Poll <= 0 {
		cfg.Poll = time.Second
	}
	x := &Index{
		cfg: cfg, log: cfg.Logger,
		clock:    clock{now: cfg.Now},
		seed:     [2]uint64{rand.Uint64() | 1, rand.Uint64() | 1}, //nolint:gosec // spreads keys over slots; nothing is secret about it
		dir:      newDirectory(),
		queries:  queries{seed: maphash.MakeSeed()},
		checked:  checkedTokens{seed: maphash.MakeSeed()},
		applying: make(chan struct{}, 1),
		wake:     make(chan struct{}, 1),
		ready:    make(chan struct{}),
	}
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	for i := range x.dummy {
		x.dummy[i] = byte(rand.Uint32()) //nolint:gosec // no digest: only something to compare with
	}
	return x
}

// Ready reports whether a snapshot has been read.
func (x *Index) Ready() bool {
	select {
	case <-x.ready:
		return true
	default:
		return false
	}
}

// Loaded is closed once the first snapshot has been read.
func (x *Index) Loaded() <-chan struct{} { return x.ready }

// Revision is the last revision of the feed that the index holds.
func (x *Index) Revision() uint64 { return x.revision.Load() }

// Stats returns figures for operators.
func (x *Index) Stats() Stats {
	s := Stats{Ready: x.Ready(), Revision: x.Revision(), Bytes: x.mem.bytes.Load()}
	for i := range x.shards {
		sh := &x.shards[i]
		sh.mu.RLock()
		s.Credentials += sh.live
		sh.mu.RUnlock()
	}
	s.Holders = int(x.dir.holders.size.Load())
	p := x.proof.Load()
	if s.Undecided = p == nil; !s.Undecided {
		now, at := x.clock.read()
		s.Staleness = p.staleness(now, at)
		s.Stale = s.Staleness < 0 || s.Staleness > x.cfg.MaxStaleness
	}
	return s
}

// The problems of an index that can't decide. They are the same values each time, so
// that refusing allocates nothing while the database is away.
var (
	errUndecided = &problem.Problem{
		Kind: problem.Unavailable, Code: "undecided", RetryAfter: time.Second,
		Message: "Claviger cannot decide right now. Try again in a moment.",
	}
	errStale = &problem.Problem{
		Kind: problem.Unavailable, Code: "stale", RetryAfter: time.Second,
		Message: "Claviger has not heard of changes for too long to decide. Try again in a moment.",
	}
)

// staleness is how long ago the proof began: by the clock's own difference, which a step
// of the wall clock leaves alone when readings are monotonic, or by the latest time that
// was ever read, whichever is more. It is negative for a clock that went back behind it.
func (p *proof) staleness(now time.Time, at int64) time.Duration {
	d := now.Sub(p.from)
	if d < 0 {
		return -1
	}
	return max(d, time.Duration(at-p.at)*time.Microsecond)
}

// fresh returns the proof that the index may answer by and the time, in Unix microseconds,
// or an Unavailable problem. The proof is taken before the clock is read: one made in between
// would seem to come from the future, as it does when the clock was set back.
func (x *Index) fresh() (p *proof, at int64, staleness time.Duration, err error) {
	p = x.proof.Load()
	now, at := x.clock.read()
	if p == nil {
		return nil, at, 0, errUndecided
	}
	staleness = p.staleness(now, at)
	if staleness < 0 || staleness > x.cfg.MaxStaleness {
		x.clock.raise(at) // once stale it stays stale, though the clock be set back
		return nil, at, 0, errStale
	}
	return p, at, staleness, nil
}

// MarkUndecided makes the index answer nothing until it has read the feed again: for a
// commit whose outcome is unknown.
func (x *Index) MarkUndecided() {
	x.proofMu.Lock()
	x.undecided++
	x.proof.Store(nil)
	x.proofMu.Unlock()
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// marks is how often the index was marked undecided. A reading proves something only if
// nothing was marked since it began.
func (x *Index) marks() uint64 {
	x.proofMu.Lock()
	defer x.proofMu.Unlock()
	return x.undecided
}

// prove records that a reading which began at from, after marks, reached the feed's head.
func (x *Index) prove(from time.Time, at int64, marks uint64) {
	x.proofMu.Lock()
	defer x.proofMu.Unlock()
	if x.undecided != marks {
		return
	}
	x.proof.Store(&proof{revision: x.revision.Load(), from: from, at: at})
}

// lock takes the right to apply, or returns ctx's error.
func (x *Index) lock(ctx context.Context) error {
	select {
	case x.applying <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (x *Index) unlock() { <-x.applying }
