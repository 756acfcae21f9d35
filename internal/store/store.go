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
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/claviger-io/claviger/internal/problem"
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
	// Held is told after each group of writes how long others waited for it. It must return
	// at once. Nil means nobody asks.
	Held func(Hold)
}

// Hold is how long one group of writes kept others from writing.
type Hold struct {
	// Whole is from the beginning of its transaction to its end.
	Whole time.Duration
	// Commit is how much of it the database took to commit, which is mostly the sync to its
	// disk; on PostgreSQL with the group's last statements, which go together with it. 0 means
	// that nothing was to be committed.
	Commit time.Duration
}

// Store is one database. It is safe for concurrent use.
type Store struct {
	db          *databases
	now         func() time.Time
	log         *slog.Logger
	lockTimeout time.Duration
	maxGroup    int
	held        func(Hold)

	requests chan *request
	closing  chan struct{} // closed by Close
	stopped  chan struct{} // closed when the writer has ended
	closed   sync.Once
	feed     *feed
	rights   rightsCache
}

// fill sets what was left out.
func (c *Config) fill() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.LockTimeout == 0 {
		c.LockTimeout = 10 * time.Second
	}
	if c.MaxGroup == 0 {
		c.MaxGroup = 64
	}
	if c.Held == nil {
		c.Held = func(Hold) {}
	}
}

// Open opens the database, brings its schema up to date and starts the writer. A newer
// schema than this program knows is refused. Close it.
func Open(ctx context.Context, c Config) (*Store, error) {
	c.fill()
	db, err := openDatabases(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx, c.Logger); err != nil {
		return nil, errors.Join(err, db.close())
	}
	s := &Store{
		db: db, now: c.Now, log: c.Logger, lockTimeout: c.LockTimeout, maxGroup: c.MaxGroup, held: c.Held,
		requests: make(chan *request), closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	s.feed = newFeed(db, c.Logger)
	go (&writer{store: s}).loop()
	return s, nil
}

// Close waits for writes under way, refuses later ones and closes the database.
func (s *Store) Close() error {
	var err error
	s.closed.Do(func() {
		close(s.closing)
		<-s.stopped
		s.feed.close()
		err = s.db.close()
	})
	return err
}

// writeContext bounds a group of writes on PostgreSQL, where a server may stop answering.
// SQLite asks nobody, and a context that can end costs it a goroutine per statement.
func (s *Store) writeContext() (context.Context, context.CancelFunc) {
	if s.db.engine == engineSQLite {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), s.lockTimeout+30*time.Second)
}

// Read runs fn in one read-only snapshot of the database. It returns fn's error as it is,
// or an Unavailable problem when the database can't be read.
func (s *Store) Read(ctx context.Context, tenant tenancy.TenantID, fn func(*Tx) error) (err error) {
	options := &sql.TxOptions{ReadOnly: true}
	if s.db.engine == enginePostgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	db, err := s.db.read.BeginTx(ctx, options)
	if err != nil {
		return problem.Wrap(fmt.Errorf("beginning a read: %w", err))
	}
	defer func() { _ = db.Rollback() }() // it only read
	w := &work{store: s, ctx: ctx, db: db}
	if s.db.engine == engineSQLite {
		w.turn = &turn{yield: s.db.yield}
	}
	// The first read takes the snapshot, so that the head belongs to what is read after it.
	row := db.QueryRowContext(ctx, "SELECT revision, rights_revision, writes FROM feed_head WHERE id = 1")
	if err := row.Scan(&w.head.revision, &w.head.rights, &w.head.writes); err != nil {
		return problem.Wrap(fmt.Errorf("reading the feed's head: %w", err))
	}
	w.committed = w.head
	return fn(&Tx{work: w, tenant: tenant})
}
