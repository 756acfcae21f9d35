package authority_test

import (
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// BenchmarkIssueAPIKey issues keys durably by 16 clients at once.
func BenchmarkIssueAPIKey(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, url(b))
			b.ResetTimer()
			b.SetParallelism(8) // times GOMAXPROCS
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := w.a.IssueAPIKey(b.Context(), w.holder, authority.IssueAPIKeyInput{Name: "bench"}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkExpireDue ends keys that expire together.
func BenchmarkExpireDue(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, url(b))
			soon := w.clock.Now().Add(time.Hour)
			for range b.N {
				if _, err := w.a.IssueAPIKey(b.Context(), w.holder, authority.IssueAPIKeyInput{Name: "bench", ExpiresAt: &soon}); err != nil {
					b.Fatal(err)
				}
			}
			w.clock.Add(time.Hour)
			b.ResetTimer()
			if n, err := w.a.ExpireDue(b.Context()); n != b.N || err != nil {
				b.Fatalf("%d ended, %v", n, err)
			}
		})
	}
}
