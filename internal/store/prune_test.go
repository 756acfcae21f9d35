package store_test

import (
	"context"
	"errors"
	"testing"

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
