package node_test

import (
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// The job that keeps the database small, in a running node: what it removes nobody misses.
func TestPrune(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			var later atomic.Int64
			c := config(t.TempDir())
			c.Database, c.FeedKept = engine.URL(t), 3
			c.KeyringFile = filepath.Join(t.TempDir(), "keyring.json")
			c.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
			n, _ := mustRun(t, c)
			ctx := t.Context()
			_, living := mustVerifierKey(t, n)
			id, dead := mustVerifierKey(t, n)
			parsed, err := credential.ParseID(id)
			if err != nil {
				t.Fatal(err)
			}
			_, err = n.Authority().RevokeVerifierKey(ctx, authority.SystemCaller(), authority.KeyInput{ID: parsed})
			if err != nil {
				t.Fatal(err)
			}
			_, err = n.Store().Write(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
				return tx.PutIdempotency(store.IdempotencyRecord{Scope: "s", Key: "k", RequestHash: []byte("h"), ExpiresAt: c.Now().Add(time.Hour)})
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Prune(ctx); err != nil {
				t.Fatal(err)
			}
			wantCode(t, n, dead, verify.Revoked)

			later.Store(int64(credential.DigestRetention + time.Hour))
			if err := n.Prune(ctx); err != nil {
				t.Fatal(err)
			}
			wantCode(t, n, dead, verify.NotFound)
			wantCode(t, n, living, verify.Valid)
			if _, _, err := n.Store().Changes(ctx, 0, 10); !errors.Is(err, verify.ErrFeedGone) {
				t.Errorf("the feed from its beginning: %v", err)
			}
			err = n.Store().Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
				_, err := tx.Idempotency("s", "k", time.Unix(0, 0))
				return err
			})
			if err == nil {
				t.Error("an idempotency record outlived its day")
			}
		})
	}
}

func wantCode(t *testing.T, n *node.Node, key string, code verify.Code) {
	t.Helper()
	r, err := n.Index().Verify(&verify.Request{Credential: key})
	if err != nil || r.Code != code {
		t.Errorf("the verdict is %v, %v; want %v", r.Code, err, code)
	}
}
