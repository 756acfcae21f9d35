package server_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
)

// discard is a ResponseWriter that costs nothing.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

type reused struct{ bytes.Reader }

func (*reused) Close() error { return nil }

// BenchmarkVerify is what a verification costs on top of net/http.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b, sqlite(b))
	key := w.person(access.RoleAgent, "root")
	_ = key
	admin := w.person(access.RoleSuperAdmin, "root")
	secret := admin.issue(map[string]any{"name": "Key"}).Key.Reveal()
	body := []byte(`{"credential":"` + secret + `","permissions":"call_recordings:read"}`)
	s := w.server
	for name, h := range map[string]http.Handler{
		"claviger": s,
		"bare": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		}),
	} {
		b.Run(name, func(b *testing.B) {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/verify", nil)
			if err != nil {
				b.Fatal(err)
			}
			r.RemoteAddr = "127.0.0.1:1234"
			r.Header.Set("Authorization", "Bearer "+w.verifier)
			r.ContentLength = int64(len(body))
			rd := &reused{}
			r.Body = rd
			d := &discard{h: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				rd.Reset(body)
				h.ServeHTTP(d, r)
			}
		})
	}
}
