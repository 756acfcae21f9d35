// Package storetest opens real stores for tests, on both engines.
//
// SQLite always runs. PostgreSQL runs when CLAVIGER_TEST_POSTGRES is the URL of a superuser
// of a server that may be littered, as e2e/postgres/with-postgres provides. With CI=true a
// missing one fails the test instead of skipping it.
package storetest

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/claviger-io/claviger/internal/store"
)

// Environment names the variable with the PostgreSQL URL.
const Environment = "CLAVIGER_TEST_POSTGRES"

// Engine is one of the databases that Claviger runs on.
type Engine struct {
	Name string
	URL  func(tb testing.TB) string // of an empty database that goes with the test
}

// Engines are all of them.
var Engines = []Engine{{"sqlite", SQLite}, {"postgres", Postgres}}

// Open opens an empty store; url opens the same database again.
func (e Engine) Open(tb testing.TB) (s *store.Store, url string) {
	tb.Helper()
	url = e.URL(tb)
	return MustOpen(tb, url), url
}

// SQLite is the URL of a database of this test's own, with the schema in place.
func SQLite(tb testing.TB) string {
	tb.Helper()
	url := EmptySQLite(tb)
	if err := os.WriteFile(strings.TrimPrefix(url, "sqlite:"), migrated(tb), 0o600); err != nil {
		tb.Fatalf("copying the migrated database: %v", err)
	}
	return url
}

// EmptySQLite is the URL of a database that doesn't exist yet and goes with the test.
func EmptySQLite(tb testing.TB) string {
	tb.Helper()
	return "sqlite:" + filepath.Join(tb.TempDir(), "claviger.db")
}

// Postgres is the URL of a database of this test's own, with the schema in place. It skips
// the test when there is no server, or fails it in CI.
func Postgres(tb testing.TB) string {
	tb.Helper()
	server := mustServer(tb)
	return mustCreate(tb, server, " TEMPLATE "+mustTemplate(tb, server))
}

// EmptyPostgres is Postgres without a schema.
func EmptyPostgres(tb testing.TB) string {
	tb.Helper()
	return mustCreate(tb, mustServer(tb), "")
}

func mustServer(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv(Environment)
	if server == "" {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("%s is not set: run the tests with e2e/postgres/with-postgres", Environment)
		}
		tb.Skipf("%s is not set", Environment)
	}
	return server
}

func mustCreate(tb testing.TB, server, options string) string {
	tb.Helper()
	name := "claviger_test_" + strings.ToLower(rand.Text()[:16])
	mustExec(tb, server, "CREATE DATABASE "+name+options)
	tb.Cleanup(func() { mustExec(tb, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return database(tb, server, name)
}

// MustOpen opens a store that closes with the test.
func MustOpen(tb testing.TB, url string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), store.Config{URL: url})
	if err != nil {
		tb.Fatalf("opening a store: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("closing the store: %v", err)
		}
	})
	return s
}

var (
	templateMu sync.Mutex
	template   string // guarded by templateMu: a migrated PostgreSQL database that others are copied from
	file       []byte // guarded by templateMu: the same of SQLite
)

// migrated is the file of a SQLite database with the schema and nothing else. To migrate
// takes many times as long as to copy it.
func migrated(tb testing.TB) []byte {
	tb.Helper()
	templateMu.Lock()
	defer templateMu.Unlock()
	if file != nil {
		return file
	}
	url := EmptySQLite(tb)
	s, err := store.Open(tb.Context(), store.Config{URL: url})
	if err != nil {
		tb.Fatalf("migrating the template database: %v", err)
	}
	if err := s.Close(); err != nil {
		tb.Fatalf("closing the template database: %v", err)
	}
	if file, err = os.ReadFile(strings.TrimPrefix(url, "sqlite:")); err != nil {
		tb.Fatalf("reading the template database: %v", err)
	}
	return file
}

func mustTemplate(tb testing.TB, server string) string {
	tb.Helper()
	templateMu.Lock()
	defer templateMu.Unlock()
	if template != "" {
		return template
	}
	name := fmt.Sprintf("claviger_template_%d_%s", os.Getpid(), strings.ToLower(rand.Text()[:8]))
	mustExec(tb, server, "CREATE DATABASE "+name)
	s, err := store.Open(tb.Context(), store.Config{URL: database(tb, server, name)})
	if err != nil {
		tb.Fatalf("migrating the template database: %v", err)
	}
	if err := s.Close(); err != nil {
		tb.Fatalf("closing the template database: %v", err)
	}
	template = name
	return name
}

func database(tb testing.TB, server, name string) string {
	tb.Helper()
	u, err := url.Parse(server)
	if err != nil {
		tb.Fatalf("%s is not a URL", Environment)
	}
	u.Path = "/" + name
	return u.String()
}

func mustExec(tb testing.TB, server, sql string) {
	tb.Helper()
	// A test's own context has ended when it cleans up.
	ctx := tb.Context()
	if ctx.Err() != nil {
		ctx = background()
	}
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		tb.Fatalf("connecting to the test server: %v", err)
	}
	defer func() { _ = conn.Close(background()) }() // nothing is left to be done on it
	if _, err := conn.Exec(ctx, sql); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}
