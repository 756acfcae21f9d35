package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"

	"github.com/claviger-io/claviger/internal/problem"
)

//go:embed migrations
var migrations embed.FS

// engine is the database underneath. What differs between the two stands in this file and
// where a query says why.
type engine uint8

const (
	engineSQLite engine = iota
	enginePostgres
)

// String names the engine for people.
func (e engine) String() string {
	if e == enginePostgres {
		return "PostgreSQL"
	}
	return "SQLite"
}

const (
	// movePause is how long what was committed stays in SQLite's log alone, at least.
	movePause = 25 * time.Millisecond
	// tidyPause is how long it stays beside PostgreSQL's search indexes.
	tidyPause = time.Second
)

// databases are the pools of one store. SQLite has one writing connection, because it lets
// one writer in at a time anyway and a queue in Go is fairer than its busy time-out.
type databases struct {
	engine engine
	write  *bun.DB
	read   *bun.DB
	pgx    *pgx.ConnConfig // PostgreSQL only: for the listening and the bulk connections
	upkeep *upkeep         // of what both write
	logs   *sql.DB         // SQLite only: the connection that moves its log
	yield  func()          // SQLite only: lets others have the processor
}

func openDatabases(ctx context.Context, c Config) (*databases, error) {
	if path, ok := strings.CutPrefix(c.URL, "sqlite:"); ok {
		return openSQLite(ctx, path, c.LockTimeout)
	}
	if strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://") {
		return openPostgres(ctx, c)
	}
	return nil, errors.New(`the database URL must begin with "sqlite:" or "postgres://"`)
}

func openSQLite(ctx context.Context, path string, lockTimeout time.Duration) (*databases, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.ContainsAny(path, "?\x00") {
		return nil, errors.New("the database URL must name a file: sqlite:PATH")
	}
	dsn := func(extra ...string) string {
		q := url.Values{"_pragma": append([]string{
			"busy_timeout(" + strconv.FormatInt(lockTimeout.Milliseconds(), 10) + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
			"temp_store(MEMORY)",
		}, extra...)}
		q.Set("_txlock", "immediate")
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
	}
	write, err := sql.Open("sqlite", dsn("cache_size(-65536)", "wal_autocheckpoint(32768)", "journal_size_limit(67108864)"))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	// The first connection makes the file a WAL database before readers come.
	if err := write.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), write.Close())
	}
	// Each reader has a cache of its own: a page of a long list is put together from thousands of
	// rows, and to find one in the system's cache takes three times as long. Readers that nobody
	// needs end, and their caches with them.
	read, err := sql.Open("sqlite", dsn("cache_size(-4096)", "query_only(1)"))
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(8)
	read.SetMaxIdleConns(8)
	read.SetConnMaxIdleTime(time.Minute)
	logs, err := sql.Open("sqlite", dsn("cache_size(-512)"))
	if err != nil {
		return nil, errors.Join(err, write.Close(), read.Close())
	}
	logs.SetMaxOpenConns(1)
	dialect := sqlitedialect.New()
	return &databases{
		engine: engineSQLite, write: bun.NewDB(write, dialect), read: bun.NewDB(read, dialect), logs: logs, yield: yield,
		upkeep: startUpkeep(movePause, func(ctx context.Context) int64 { return moveLog(ctx, logs) }),
	}, nil
}

func openPostgres(ctx context.Context, c Config) (*databases, error) {
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, errors.New("the database URL cannot be read; it should look like postgres://USER:PASSWORD@HOST/NAME")
	}
	// bun formats arguments itself; preparing each such text would cost a round trip more.
	// The hot statements are prepared by the writer.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	timeout := c.LockTimeout
	config.RuntimeParams["lock_timeout"] = strconv.FormatInt(timeout.Milliseconds(), 10)
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "300000"
	config.RuntimeParams["client_encoding"] = "UTF8"
	// A value that bun quotes is safe only while a backslash means itself.
	config.RuntimeParams["standard_conforming_strings"] = "on"
	config.RuntimeParams["application_name"] = "claviger"
	// Databases are on disks without heads, and what is asked for is mostly in memory: with the cost
	// that PostgreSQL assumes, it reads a million rows in order rather than fifty by an index. What
	// takes milliseconds isn't worth compiling, which it estimates by costs, too.
	config.RuntimeParams["random_page_cost"] = "1.1"
	config.RuntimeParams["jit"] = "off"
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(8)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), db.Close())
	}
	b := bun.NewDB(db, pgdialect.New())
	return &databases{
		engine: enginePostgres, write: b, read: b, pgx: config,
		upkeep: startUpkeep(tidyPause, func(ctx context.Context) int64 { return tidySearch(ctx, db) }),
	}, nil
}

func (d *databases) close() error {
	d.upkeep.close()
	if d.engine == enginePostgres {
		return d.write.Close()
	}
	// The writer goes last: the last connection to close checkpoints the log into the file.
	return errors.Join(d.read.Close(), d.logs.Close(), d.write.Close())
}

// committed is told of every commit.
func (d *databases) committed() {
	d.upkeep.note()
}

// migrate brings the schema up to date. Processes that start together wait for each other.
func (d *databases) migrate(ctx context.Context, log *slog.Logger) error {
	provider, err := d.migrations()
	if err != nil {
		return err
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	for _, m := range done {
		log.InfoContext(ctx, "database migrated", slog.Int64("version", m.Source.Version))
	}
	return nil
}

// migrations are those of the engine.
func (d *databases) migrations() (*goose.Provider, error) {
	dir, dialect := "migrations/sqlite", goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if d.engine == enginePostgres {
		dir, dialect = "migrations/postgres", goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations, dir)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(dialect, d.write.DB, files, options...)
	if err != nil {
		return nil, fmt.Errorf("reading migrations: %w", err)
	}
	return provider, nil
}

// newestSchema is the version of the last migration that this program has.
func (d *databases) newestSchema() (newest int64, err error) {
	provider, err := d.migrations()
	if err != nil {
		return 0, err
	}
	for _, s := range provider.ListSources() {
		newest = max(newest, s.Version)
	}
	return newest, nil
}

// SQLite result codes that are told apart.
const (
	sqliteBusy       = 5
	sqliteFull       = 13
	sqliteForeignKey = 787
	sqlitePrimaryKey = 1555
	sqliteUnique     = 2067
)

// isTaken reports a violated unique index.
func isTaken(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqliteUnique || lite.Code() == sqlitePrimaryKey
	}
	return hasSQLState(err, "23505")
}

// isReferenced reports a violated foreign key.
func isReferenced(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqliteForeignKey
	}
	return hasSQLState(err, "23503")
}

// isRetryable reports that the transaction was not done and doing it again may succeed.
func isRetryable(err error) bool {
	return hasSQLState(err, "40001") || hasSQLState(err, "40P01")
}

// isLocked reports that a lock could not be had in time.
func isLocked(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqliteBusy
	}
	return hasSQLState(err, "55P03")
}

// isFull reports that the disk has no room; the transaction was not done.
func isFull(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqliteFull
	}
	return hasSQLState(err, "53100")
}

func hasSQLState(err error, state string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == state
}

// explain turns what a database says into what a caller may be told.
func explain(err error) error {
	var p *problem.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return err
	case isTaken(err):
		return &problem.Problem{Kind: problem.Conflict, Code: "already_exists", Message: "Another object has this name or ID already. Choose another.", Err: err}
	case isReferenced(err):
		return &problem.Problem{Kind: problem.Conflict, Code: "in_use", Message: "The object is in use, or one that it names does not exist.", Err: err}
	case isLocked(err), isRetryable(err), isFull(err):
		return problem.Wrap(err)
	}
	return err
}
