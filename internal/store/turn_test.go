package store_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// A transaction gives way when it has run for a while, not at each statement, and is not away
// for long however long others take: whoever waits for the writer waits for that, too.
func TestTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		yields := 0
		pass := store.PassTurn(func() {
			yields++
			time.Sleep(4 * time.Millisecond)
		})
		for _, step := range []struct {
			ran  time.Duration
			want int
		}{{0, 0}, {0, 0}, {200 * time.Microsecond, 0}, {100 * time.Microsecond, 1}, {200 * time.Microsecond, 1}, {time.Millisecond, 2}, {time.Second, 3}, {time.Second, 3}} {
			time.Sleep(step.ran)
			pass()
			if yields != step.want {
				t.Fatalf("after %s more it gave way %d times, want %d", step.ran, yields, step.want)
			}
		}
	})
}

// What works in this process for long gives way: a large write, and a read of many statements.
func TestLongTransactionsGiveWay(t *testing.T) {
	s := storetest.MustOpen(t, storetest.SQLite(t))
	var yields atomic.Int64
	s.OnYield(func() { yields.Add(1) })
	f := storetest.MustInsert(t, s, "a")[0]
	yields.Store(0)
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for i := range 500 {
			if err := tx.InsertCredential(f.Key(i, "Key")); err != nil {
				return err
			}
		}
		return nil
	})
	if yields.Load() == 0 {
		t.Error("500 keys were written in one turn")
	}
	yields.Store(0)
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for range 50 {
			if _, err := tx.Credentials(store.CredentialFilter{}, store.Page{}); err != nil {
				return err
			}
		}
		return nil
	})
	if yields.Load() == 0 {
		t.Error("fifty pages were read in one turn")
	}
}
