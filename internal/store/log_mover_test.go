package store_test

import (
	"bytes"
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
	s := storetest.MustOpen(t, url)
	f := storetest.MustInsert(t, s, "a")[0]
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		c, m := f.Key(1, "Found in the file")
		return tx.InsertCredential(c, m)
	})
	end := time.NewTimer(20 * time.Second)
	defer end.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		file, err := os.ReadFile(strings.TrimPrefix(url, "sqlite:"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(file, []byte("Found in the file")) {
			return
		}
		select {
		case <-again.C:
		case <-end.C:
			t.Fatal("what was committed is still in the log alone")
		}
	}
}
