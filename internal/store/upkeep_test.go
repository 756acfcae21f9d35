package store_test

import (
	"bytes"
	"database/sql"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// TestCommittedMovesToTheFile looks into SQLite's file for what was committed, while the store
// is open and nobody writes any more: without anything beside the writer it stays in the log.
func TestCommittedMovesToTheFile(t *testing.T) {
	url := storetest.SQLite(t)
	mustNameKey(t, storetest.MustOpen(t, url), "Found in the file")
	eventually(t, "what was committed is still in the log alone", func() bool {
		file, err := os.ReadFile(strings.TrimPrefix(url, "sqlite:"))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(file, []byte("Found in the file"))
	})
}

// TestSearchIsTidied looks into PostgreSQL's index for search: without anything beside the
// writer, what was written stays in a list beside it until that is 4 MB.
func TestSearchIsTidied(t *testing.T) {
	for _, engine := range storetest.Engines {
		if engine.Name != "postgres" {
			continue
		}
		s, url := engine.Open(t)
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if _, err := db.ExecContext(t.Context(), "CREATE EXTENSION pageinspect"); err != nil {
			t.Fatal(err)
		}
		mustNameKey(t, s, "Found in the index")
		eventually(t, "what was written is still beside the index", func() bool {
			var pages int
			err := db.QueryRowContext(t.Context(), "SELECT n_pending_pages FROM gin_metapage_info(get_raw_page('credentials_search', 0))").Scan(&pages)
			if err != nil {
				t.Fatal(err)
			}
			return pages == 0
		})
	}
}

func mustNameKey(t *testing.T, s *store.Store, name string) {
	t.Helper()
	f := storetest.MustInsert(t, s, "a")[0]
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		c, m := f.Key(1, name)
		return tx.InsertCredential(c, m)
	})
}

// eventually waits up to 20 s for what happens beside the writer.
func eventually(t *testing.T, otherwise string, happened func() bool) {
	t.Helper()
	end := time.NewTimer(20 * time.Second)
	defer end.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !happened() {
		select {
		case <-again.C:
		case <-end.C:
			t.Fatal(otherwise)
		}
	}
}
