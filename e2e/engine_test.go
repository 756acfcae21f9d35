package e2e

import (
	"crypto/rand"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// engine is a database of a test's own.
type engine struct {
	name     string
	database string // what --database gets; empty for SQLite in the data folder
}

// engines are what a test that concerns the database runs on.
var engines = []string{"SQLite", "PostgreSQL"}

// mustEngine makes the database that an engine's name stands for.
func mustEngine(t *testing.T, name string) engine {
	t.Helper()
	if name == "PostgreSQL" {
		return mustPostgres(t)
	}
	return engine{name: name}
}

// mustPostgres makes a database in the PostgreSQL that CLAVIGER_TEST_POSTGRES names, for
// one test.
func mustPostgres(t *testing.T) engine {
	t.Helper()
	admin := os.Getenv("CLAVIGER_TEST_POSTGRES")
	mustHave(t, admin != "", "CLAVIGER_TEST_POSTGRES")
	name := "e2e_" + strings.ToLower(rand.Text())
	mustQuery(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { mustQuery(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("CLAVIGER_TEST_POSTGRES is no URL")
	}
	u.Path = "/" + name
	return engine{name: "PostgreSQL", database: u.String()}
}

// mustQuery runs one statement with psql and returns what it printed. Tests of the binary
// have no driver of their own: SQL is in store alone.
func mustQuery(t *testing.T, database, statement string) string {
	t.Helper()
	out, err := exec.Command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement).CombinedOutput()
	if err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}
