package verify

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
)

// ErrFeedGone is what a Source's Changes returns, wrapped or not, when rows after the
// asked revision are no longer kept: the index then reads a new snapshot.
var ErrFeedGone = errors.New("the change feed no longer reaches back that far")

// Config says what an Index reads and how fresh it must be.
type Config struct {
	Source  Source
	Format  secret.Format
	Peppers *secret.Peppers
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
	Ready       bool
	Undecided   bool
	Revision    uint64
	Staleness   time.Duration
	Credentials int
	Principals  int
	Bytes       int64 // of the credential slabs and tables, without the directory
}

// Index is the resident index. Its methods may be called by any number of goroutines.
type Index struct {
	cfg   Config
	ready chan struct{}
}

// New makes an index that knows nothing yet: until Run has read a snapshot, Verify
// returns an Unavailable problem.
func New(cfg Config) *Index {
	return &Index{cfg: cfg, ready: make(chan struct{})}
}

// Run reads a snapshot, then follows the feed until ctx ends, whose error it returns.
// Failures of the Source are logged and tried again; they never end Run.
func (x *Index) Run(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// Ready reports whether a snapshot has been read.
func (x *Index) Ready() bool { return false }

// Loaded is closed once the first snapshot has been read.
func (x *Index) Loaded() <-chan struct{} { return x.ready }

// Verify decides. The error is nil for every verdict; otherwise it is an Unavailable
// problem (undecided) or an Invalid one (malformed permission query or cost).
func (x *Index) Verify(r *Request) (Result, error) {
	return Result{}, problem.Wrap(errors.New("no snapshot yet"))
}

// Applied returns once everything up to revision is in the index. On failure the index
// answers nothing until it has read the feed again.
func (x *Index) Applied(ctx context.Context, revision uint64) error { return nil }

// MarkUndecided makes the index answer nothing until it has read the feed again: for a
// commit whose outcome is unknown.
func (x *Index) MarkUndecided() {}

// DrainUsage hands over what was counted since it was last drained, one call per
// credential and hour. When put fails, what it was given is kept for the next time.
func (x *Index) DrainUsage(put func(Usage) error) error { return nil }

// Revision is the last revision of the feed that the index holds.
func (x *Index) Revision() uint64 { return 0 }

// Stats returns figures for operators.
func (x *Index) Stats() Stats { return Stats{} }
