package store_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// What a principal has, and who has a role, is found without reading what others have: a
// tenant may have assigned roles to 100,000 users.
func TestAssignmentsAreIndexed(t *testing.T) {
	url := storetest.SQLite(t)
	s := storetest.MustOpen(t, url)
	f := storetest.MustInsert(t, s, "a")[0]
	changes, _, err := s.Changes(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	s.Watch(func(text string) {
		if strings.Contains(text, `FROM "assignments"`) {
			asked = append(asked, text)
		}
	})
	if again, _, err := s.Changes(t.Context(), 0, 100); err != nil || len(again) != len(changes) {
		t.Fatalf("%d changes, %v", len(again), err)
	}
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		principal, page := f.Principal(), store.Page{Limit: 10}
		for name, ask := range map[string]func() (int, error){
			"of one": func() (int, error) { list, err := tx.Assignments(principal); return len(list), err },
			"of many": func() (int, error) {
				list, err := tx.AssignmentsOfAll(access.PrincipalUser, []string{principal.ID, "usr_none"})
				return len(list), err
			},
			"of one, listed": func() (int, error) {
				list, err := tx.AssignmentsOf(store.AssignmentFilter{Principal: &principal}, page)
				return len(list.Items), err
			},
			"who has a role": func() (int, error) { list, err := tx.RoleHolders(f.Role.ID, page); return len(list.Items), err },
		} {
			if n, err := ask(); err != nil || n != 1 {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
		return nil
	})
	if len(asked) < 5 {
		t.Errorf("only %d queries were seen", len(asked))
	}
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, text := range asked {
		plan := explained(t, db, "EXPLAIN QUERY PLAN "+text)
		if strings.Contains(plan, "assignments_created") || strings.Contains(plan, "SCAN a") {
			t.Errorf("%s\nreads all that the tenant has assigned:\n%s", text, plan)
		}
	}
}

// explained is how a database answers the query, which begins with EXPLAIN.
func explained(t *testing.T, db *sql.DB, query string, args ...any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		var line string
		into := make([]any, len(columns))
		for i := range into {
			into[i] = new(any)
		}
		into[len(into)-1] = &line // both say it in the last
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
