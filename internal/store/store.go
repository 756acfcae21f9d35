// Package store keeps everything that must outlive the process, in SQLite or PostgreSQL,
// and is the only package that speaks SQL.
//
// What it promises:
//
//   - A transaction is opened for one tenant and every statement carries it, so an object
//     of another tenant is Missing. Methods that look further start with AllTenants.
//   - Write transactions are serialized, across processes too, and durable when Write
//     returns. Many callers share one commit; one that fails harms no other.
//   - Every change of something that verification holds adds its row to the change feed
//     by itself. Revisions are given out in commit order and without gaps: whoever has
//     read up to a revision has missed nothing before it.
//   - Text that no database could hold (invalid UTF-8, NUL) is refused before any is asked.
//
// Times are stored as microseconds since the Unix epoch on both engines; zero times as 0,
// except an expiry of "never", which is stored as the largest integer so that it sorts last.
package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/claviger-io/claviger/internal/tenancy"
)

// ErrOutcomeUnknown means that a commit was sent and its outcome never arrived: the change
// may be there or not. Nothing may be acknowledged; read again before going on.
var ErrOutcomeUnknown = errors.New("store: the outcome of the commit is unknown")

// Config says where the data is.
type Config struct {
	// URL is "sqlite:PATH" or "postgres://…". The directory of PATH must exist.
	URL string
	// Now is the clock, for timestamps the store sets itself. Nil means time.Now.
	Now func() time.Time
	// Logger gets what the store survives: retries, lost connections. Nil discards.
	Logger *slog.Logger
	// LockTimeout is how long a write waits for the writers of other processes before it
	// is refused as Unavailable. 0 means 10 s.
	LockTimeout time.Duration
	// MaxGroup is how many writes share one commit at most. 0 means 64.
	MaxGroup int
}

// Page asks for one page of a list.
type Page struct {
	Limit  int    // 0 means 50; at most MaxLimit
	Cursor string // List.Next or List.Previous of an earlier answer with the same filter and sort; empty means the first page
	Sort   string // a list names its sorts; empty means its first
	Desc   bool
}

// MaxLimit is the largest page.
const MaxLimit = 1000

// CountLimit is how far List.Total counts: more matches read CountLimit+1.
const CountLimit = 10_000

// List is one page of a list.
type List[T any] struct {
	Items    []T
	Next     string // cursor of the page after; empty means there is none
	Previous string // cursor of the page before; empty means there is none
	Total    int64  // matches on all pages, counted up to CountLimit; CountLimit+1 means more
}

var _ = sql.ErrNoRows

// Store is one database. It is safe for concurrent use.
type Store struct{}

// Tx is a transaction for one tenant. It is good until the callback it was given to
// returns, and for one goroutine.
type Tx struct{}

var errNotYet = errors.New("store: not there yet")

// Open opens the database, brings its schema up to date and starts the writer.
func Open(ctx context.Context, c Config) (*Store, error) { return nil, errNotYet }

// Close waits for writes under way, refuses later ones and closes the database.
func (s *Store) Close() error { return errNotYet }

// Write runs fn in a durable write transaction for the tenant and returns the feed's head
// revision after the commit. fn's error rolls back what fn did, nothing else. fn may run
// more than once, so it must not touch anything but tx.
func (s *Store) Write(ctx context.Context, tenant tenancy.TenantID, fn func(*Tx) error) (revision uint64, err error) {
	return 0, errNotYet
}

// Read runs fn in one read-only snapshot of the database.
func (s *Store) Read(ctx context.Context, tenant tenancy.TenantID, fn func(*Tx) error) error {
	return errNotYet
}
