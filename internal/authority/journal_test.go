package authority_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
)

func readAll(t *testing.T, path string) (ids []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	err = authority.ReadJournal(f, func(e authority.JournalEntry) error {
		ids = append(ids, e.CredentialID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func entry(id string) authority.JournalEntry {
	return authority.JournalEntry{At: time.Unix(1, 0).UTC(), Action: authority.JournalRevoked, TenantID: "ten_a", CredentialID: id}
}

func mustOpenJournal(t *testing.T, path string) *authority.Journal {
	t.Helper()
	j, err := authority.OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// Every entry whose Append returned is there, whole and once, however many come at once.
func TestJournalConcurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j := mustOpenJournal(t, path)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := range 50 {
				if err := j.Append(entry(fmt.Sprintf("crd_%d_%d", i, n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]int{}
	for _, id := range readAll(t, path) {
		seen[id]++
	}
	if len(seen) != 16*50 {
		t.Errorf("%d different entries, want %d", len(seen), 16*50)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
}

// A crash may cut the last line anywhere; what was acknowledged before it stays, and what
// comes after it is readable.
func TestJournalTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j := mustOpenJournal(t, path)
	for _, id := range []string{"a", "b"} {
		if err := j.Append(entry(id)); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := strings.IndexByte(string(whole), '\n') + 1
	for cut := first; cut <= len(whole); cut++ {
		torn := filepath.Join(t.TempDir(), "torn")
		if err := os.WriteFile(torn, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		want := "a"
		if cut >= len(whole)-1 { // only the end of the line is missing, or nothing
			want = "a b"
		}
		if got := strings.Join(readAll(t, torn), " "); got != want {
			t.Errorf("cut at %d: read %q, want %q", cut, got, want)
		}
		j, err := authority.OpenJournal(torn)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Append(entry("c")); err != nil {
			t.Fatal(err)
		}
		_ = j.Close()
		if got := strings.Join(readAll(t, torn), " "); got != want+" c" {
			t.Errorf("cut at %d: then read %q, want %q", cut, got, want+" c")
		}
	}
}

// However long a torn line is, and what stands before it: no more is cut off.
func TestJournalTornLongLine(t *testing.T) {
	for _, length := range []int{1, 4095, 4096, 4097, 100_000} {
		for _, before := range []string{"", `{"action":"revoked","credential_id":"a"}` + "\n"} {
			path := filepath.Join(t.TempDir(), "journal")
			if err := os.WriteFile(path, []byte(before+strings.Repeat("x", length)), 0o600); err != nil {
				t.Fatal(err)
			}
			j := mustOpenJournal(t, path)
			if err := j.Append(entry("b")); err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSpace(strings.Repeat("a ", min(len(before), 1)) + "b")
			if got := strings.Join(readAll(t, path), " "); got != want {
				t.Errorf("%d torn bytes: read %q, want %q", length, got, want)
			}
		}
	}
}

func TestJournalDamagedInside(t *testing.T) {
	err := authority.ReadJournal(strings.NewReader("{}\nnonsense\n{}\n"), func(authority.JournalEntry) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error = %v", err)
	}
}
