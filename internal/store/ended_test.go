package store_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// A revocation writes the indexes of what is revoked and of what expires, no others: each is a
// page somewhere else, and there are many.
func TestEndTouchesFewIndexes(t *testing.T) {
	url := storetest.SQLite(t)
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var written []string
	for _, root := range opened(t, db, store.RecordEnd) {
		var name string
		if err := db.QueryRowContext(t.Context(), "SELECT name FROM sqlite_schema WHERE rootpage = ?", root).Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(written, name) && !strings.HasPrefix(name, "credential_counts") {
			written = append(written, name)
		}
	}
	slices.Sort(written)
	// It is found by credentials_id. Those of what is deleted know the state, but not of this one.
	want := []string{
		"credentials", "credentials_deleted", "credentials_deleted_expires", "credentials_deleted_name", "credentials_deleted_used",
		"credentials_due", "credentials_ended", "credentials_id", "credentials_shown_until",
		"credentials_state_shown", "credentials_state_shown_expires", "credentials_state_shown_name", "credentials_state_shown_used",
	}
	if d := cmp.Diff(want, written); d != "" {
		t.Error(d)
	}
}

// opened are the root pages of what SQLite opens for writing to run a statement.
func opened(t *testing.T, db *sql.DB, statement string) (roots []int64) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN "+statement, "revoked", 1, "id", "ten_a")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var opcode string
		var root, skip any
		if err := rows.Scan(&skip, &opcode, &skip, &root, &skip, &skip, &skip, &skip); err != nil {
			t.Fatal(err)
		}
		if number, ok := root.(int64); ok && opcode == "OpenWrite" {
			roots = append(roots, number)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return roots
}

// NV12: nothing is recorded as expired that lists would go on to show.
func TestExpiredIsHidden(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, f, _ storetest.Fixture) {
		t.Helper()
		shown, m := f.Key(1, "shown")
		storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(shown, m) })
		shown.State = credential.Expired
		other := shown
		other.ID = storetest.KeyID(2)
		for name, write := range map[string]func(*store.Tx) error{
			"insert": func(tx *store.Tx) error { return tx.InsertCredential(other) },
			"update": func(tx *store.Tx) error { return tx.UpdateCredential(shown) },
			"end":    func(tx *store.Tx) error { return tx.EndCredential(shown) },
		} {
			if _, err := s.Write(t.Context(), f.Tenant.ID, write); err == nil || problem.Is(err, problem.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
