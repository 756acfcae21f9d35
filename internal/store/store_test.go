package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

func TestFixture(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			c, m := f.Key(1, "First key")
			head := storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(c, m) })
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				if tx.Head() != head {
					t.Errorf("head %d, want %d", tx.Head(), head)
				}
				tenant, err := tx.Tenant()
				if err != nil {
					return err
				}
				if d := cmp.Diff(f.Tenant, tenant); d != "" {
					t.Error(d)
				}
				got, err := tx.Credential(c.ID)
				if err != nil {
					return err
				}
				if d := cmp.Diff(c, got); d != "" {
					t.Error(d)
				}
				return nil
			})
		})
	}
}
