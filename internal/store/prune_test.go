package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/verify"
)

// Of the feed the newest rows are kept. Who follows from before them is told, and an index
// reads everything anew: nothing that happened meanwhile escapes it.
func TestPruneFeed(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			ctx := t.Context()
			f := storetest.MustInsert(t, s, "a")[0]
			index, clear, k := mustFollow(t, s, f)
			if got := mustVerify(t, index, clear); got != verify.Valid {
				t.Fatalf("a living key is %s", got)
			}
			k, err := k.Revoke(storetest.Epoch)
			if err != nil {
				t.Fatal(err)
			}
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.UpdateCredential(k) })
			head := storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for range 12_000 { // more than go in one transaction
					if err := tx.UpdateTenant(f.Tenant); err != nil {
						return err
					}
				}
				return nil
			})
			if err := s.PruneFeed(ctx, 100); err != nil {
				t.Fatal(err)
			}
			for _, after := range []uint64{0, head - 5000, head - 101} {
				if _, _, err := s.Changes(ctx, after, 10); !errors.Is(err, verify.ErrFeedGone) {
					t.Errorf("after %d of %d: %v", after, head, err)
				}
			}
			changes, now, err := s.Changes(ctx, head-100, 1000)
			if err != nil || now != head || len(changes) != 100 {
				t.Errorf("of what is kept: %d changes to %d, %v", len(changes), now, err)
			}
			if changes, _, err := s.Changes(ctx, head, 10); err != nil || len(changes) > 0 {
				t.Errorf("at the head: %d changes, %v", len(changes), err)
			}
			if err := index.Applied(ctx, head); err != nil {
				t.Fatal(err)
			}
			if got := mustVerify(t, index, clear); got != verify.Revoked {
				t.Errorf("a key that was revoked meanwhile is %s", got)
			}
			if err := s.PruneFeed(ctx, head+1); err != nil {
				t.Errorf("nothing to prune: %v", err)
			}
			if err := s.PruneFeed(ctx, 0); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Changes(ctx, head-1, 10); !errors.Is(err, verify.ErrFeedGone) {
				t.Errorf("with nothing kept: %v", err)
			}
		})
	}
}

// mustFollow makes a key and an index that holds it and follows no further.
func mustFollow(t *testing.T, s *store.Store, f storetest.Fixture) (index *verify.Index, clear secret.Secret, k credential.Credential) {
	t.Helper()
	peppers, err := secret.NewPeppers(1, map[int][]byte{1: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	clear, parsed, err := secret.Format{}.Generate(secret.UserKey, zeros{})
	if err != nil {
		t.Fatal(err)
	}
	k, m := f.Key(0, "followed")
	digest, _ := peppers.Digest(1, &parsed)
	k.ID, m.CredentialID, m.Digest = credential.ID(parsed.ID), credential.ID(parsed.ID), digest
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(k, m) })
	index = verify.New(verify.Config{Source: s, Peppers: peppers})
	if err := index.Applied(context.WithoutCancel(t.Context()), 1); err != nil {
		t.Fatal(err)
	}
	return index, clear, k
}

func mustVerify(t *testing.T, index *verify.Index, clear secret.Secret) verify.Code {
	t.Helper()
	r, err := index.Verify(&verify.Request{Credential: clear.Reveal()})
	if err != nil {
		t.Fatal(err)
	}
	return r.Code
}

// zeros is a source of nothing but zeros.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// What was used too long ago is removed, in batches, of every tenant; the rest stays, and so do
// quotas without a period.
func TestPruneUsage(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			fixtures := storetest.MustInsert(t, s, "a", "b")
			now := storetest.Epoch.Truncate(time.Hour)
			var rows []store.UsageRow
			for _, f := range fixtures {
				for n := range 5 {
					for h := range 1000 {
						rows = append(rows, store.UsageRow{
							CredentialID: storetest.KeyID(n), TenantID: f.Tenant.ID, Hour: now.Add(-time.Duration(h) * time.Hour), Valid: 1,
							Denied: map[verify.Code]int64{verify.Expired: 2},
						})
					}
				}
			}
			quota := func(period time.Time) store.UsageRow {
				return store.UsageRow{
					CredentialID: storetest.KeyID(1), TenantID: fixtures[0].Tenant.ID, Hour: now,
					Quotas: []verify.QuotaUsed{{Name: "q", PeriodStart: period, Used: 7}},
				}
			}
			rows = append(rows, quota(time.Time{}), quota(now.Add(-11*time.Hour)), quota(now))
			storetest.MustWrite(t, s, fixtures[0].Tenant.ID, func(tx *store.Tx) error {
				c, m := fixtures[0].Key(1, "Key")
				return tx.InsertCredential(c, m)
			})
			if err := s.AddUsage(t.Context(), rows); err != nil {
				t.Fatal(err)
			}
			if err := s.PruneUsage(t.Context(), now.Add(-10*time.Hour)); err != nil {
				t.Fatal(err)
			}
			for _, f := range fixtures {
				storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					hours, err := tx.Usage(storetest.KeyID(4), now.Add(-1100*time.Hour), now.Add(time.Hour))
					if len(hours) != 11 || !hours[0].Hour.Equal(now.Add(-10*time.Hour)) || hours[0].Denied[string(verify.Expired)] != 2 {
						t.Errorf("%d hours are left, from %s on", len(hours), hours[0].Hour)
					}
					return err
				})
			}
			var quotas []verify.QuotaUsed
			if _, err := s.Snapshot(t.Context(), func(it verify.Item) error {
				if it.Credential != nil {
					quotas = it.Credential.QuotaUsed
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			want := []verify.QuotaUsed{{Name: "q", PeriodStart: time.Unix(0, 0).UTC(), Used: 7}, {Name: "q", PeriodStart: now, Used: 7}}
			if d := cmp.Diff(want, quotas); d != "" {
				t.Error(d)
			}
		})
	}
}
