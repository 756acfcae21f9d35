package store_test

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/verify"
)

// each runs a benchmark on both engines. Run it with DURABLE=1 for figures that mean
// something on PostgreSQL.
func each(b *testing.B, bench func(b *testing.B, s *store.Store, url string)) {
	b.Run("sqlite", func(b *testing.B) {
		url := storetest.SQLite(b)
		bench(b, storetest.MustOpen(b, url), url)
	})
	b.Run("postgres", func(b *testing.B) {
		url := storetest.Postgres(b)
		bench(b, storetest.MustOpen(b, url), url)
	})
}

// issue is what a change does here: a credential, its material, an audit event.
func issue(tx *store.Tx, f storetest.Fixture, n int) error {
	if _, err := tx.Tenant(); err != nil {
		return err
	}
	c, m := f.Key(n, "Key "+strconv.Itoa(n))
	if err := tx.InsertCredential(c, m); err != nil {
		return err
	}
	end, err := tx.AuditHead()
	if err != nil {
		return err
	}
	e := audit.Event{
		TenantID: f.Tenant.ID, At: storetest.Epoch, Action: "api_key.issue", Actor: f.Principal(), ActorName: f.User.DisplayName,
		ActorTenant: f.Tenant.ID, Via: "session", SessionID: "ses_0123456789abcdef", Source: "192.0.2.7", UserAgent: "bench/1.0",
		RequestID: "req_0123456789abcdef", TargetType: "credential", TargetID: "crd_" + string(c.ID[:]), TargetName: c.Name,
		OrganizationID: f.Root.ID, After: []byte(`{"name":"Key"}`),
	}
	e, _ = audit.Chain(end, e)
	return tx.AppendAudit(e)
}

func BenchmarkIssueGroup(b *testing.B) {
	each(b, func(b *testing.B, s *store.Store, _ string) {
		f := storetest.MustInsert(b, s, "a")[0]
		var n atomic.Int64
		b.SetParallelism(8) // 16 clients on 2 processors
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				i := int(n.Add(1))
				if _, err := s.Write(b.Context(), f.Tenant.ID, func(tx *store.Tx) error { return issue(tx, f, i) }); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// BenchmarkSnapshot reads CLAVIGER_BENCH_KEYS keys (20,000 when not set).
func BenchmarkSnapshot(b *testing.B) {
	keys := benchKeys()
	each(b, func(b *testing.B, s *store.Store, _ string) {
		seed(b, s, keys)
		b.ResetTimer()
		for b.Loop() {
			n, began := 0, time.Now()
			_, err := s.Snapshot(b.Context(), func(it verify.Item) error {
				if it.Credential != nil {
					n++
				}
				return nil
			})
			if err != nil || n != keys {
				b.Fatalf("%d keys of %d: %v", n, keys, err)
			}
			b.ReportMetric(float64(time.Since(began).Microseconds())/float64(n), "µs/key")
		}
	})
}

func seed(b *testing.B, s *store.Store, keys int) storetest.Fixture {
	b.Helper()
	f := storetest.MustInsert(b, s, "a")[0]
	for n := 0; n < keys; {
		storetest.MustWrite(b, s, f.Tenant.ID, func(tx *store.Tx) error {
			for range min(2000, keys-n) {
				c, m := f.Key(n, fmt.Sprintf("Key %s %d", words[n%len(words)], n))
				n++
				if err := tx.InsertCredential(c, m); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return f
}

var words = []string{"billing", "reporting", "warehouse", "staging", "dialler", "archive", "wallboard", "payroll"}

// BenchmarkList reads pages of CLAVIGER_BENCH_KEYS keys of one tenant.
func BenchmarkList(b *testing.B) {
	keys := benchKeys()
	each(b, func(b *testing.B, s *store.Store, _ string) {
		f := seed(b, s, keys)
		last := strconv.Itoa(keys - 1)
		for name, c := range map[string]struct {
			filter store.CredentialFilter
			page   store.Page
		}{
			"first page":      {},
			"by last use":     {page: store.Page{Sort: "last_used_at", Desc: true}},
			"search common":   {filter: store.CredentialFilter{Search: "key"}},
			"search eighth":   {filter: store.CredentialFilter{Search: "arehous"}},
			"search rare":     {filter: store.CredentialFilter{Search: last}},
			"search two":      {filter: store.CredentialFilter{Search: last[:2]}},
			"search nothing":  {filter: store.CredentialFilter{Search: "nothing like it"}},
			"search creator":  {filter: store.CredentialFilter{Search: "user a"}},
			"at an empty one": {filter: store.CredentialFilter{At: f.Below.ID}},
			"revoked":         {filter: store.CredentialFilter{States: []credential.State{credential.Revoked}}},
		} {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					err := s.Read(b.Context(), f.Tenant.ID, func(tx *store.Tx) error {
						_, err := tx.Credentials(c.filter, c.page)
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

func benchKeys() int {
	if v, err := strconv.Atoi(os.Getenv("CLAVIGER_BENCH_KEYS")); err == nil {
		return v
	}
	return 20_000
}
