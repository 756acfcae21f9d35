package node

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// /metrics tells how long groups of writes kept others waiting, and how much of it was commits.
func TestWriterHeldIsShown(t *testing.T) {
	n, err := Open(t.Context(), Config{Database: "sqlite:" + filepath.Join(t.TempDir(), "claviger.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	w := httptest.NewRecorder()
	n.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, name := range []string{"claviger_writer_held_seconds", "claviger_writer_commit_seconds"} {
		_, after, found := strings.Cut(w.Body.String(), name+"_count ")
		if !found || strings.HasPrefix(after, "0\n") { // the system tenant was made
			t.Errorf("%s: /metrics answers %d: %.2000s", name, w.Code, w.Body)
		}
	}
}
