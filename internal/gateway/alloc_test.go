//go:build !race

package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAllocations(t *testing.T) {
	d := newDesk(t)
	r := httptest.NewRequest(http.MethodGet, "/gateway/auth?permissions=calls:read", nil)
	r.Header.Set("Authorization", "Bearer "+d.keys["good"])
	w := &nullWriter{header: make(http.Header, 8)}
	n := testing.AllocsPerRun(200, func() { d.handler.ServeHTTP(w, r) })
	// The values' array, the credential's ID, the escaped external ID.
	if n > 3 {
		t.Errorf("%v allocations, want 3", n)
	}
}

type nullWriter struct{ header http.Header }

func (w *nullWriter) Header() http.Header         { return w.header }
func (w *nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *nullWriter) WriteHeader(int)             {}
