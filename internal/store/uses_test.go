package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// What lives is counted, what was ever used is known, and nothing of another tenant.
func TestUses(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		of := func(n int, account string, state credential.State, used time.Time) {
			c, m := a.Key(n, "k")
			c.Kind, c.Principal = credential.ServiceAccountKey, access.Principal{Type: access.PrincipalServiceAccount, ID: account}
			c.State, c.LastUsedAt = state, used
			storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(c, m) })
		}
		of(1, "sva_1", credential.Active, noon)
		of(2, "sva_1", credential.Suspended, noon.Add(-time.Hour))
		of(3, "sva_1", credential.Revoked, time.Time{})
		of(4, "sva_2", credential.Revoked, noon)
		of(5, "sva_3", credential.Active, time.Time{})
		for f, want := range map[*storetest.Fixture]map[string]store.Use{
			&a: {"sva_1": {Living: 2, LastUsedAt: noon}, "sva_2": {LastUsedAt: noon}, "sva_3": {Living: 1}}, &b: {},
		} {
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.Uses(access.PrincipalServiceAccount, []string{"sva_1", "sva_2", "sva_3", "sva_4", "sva_\xff"})
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Errorf("%v\n%s", err, d)
				}
				return nil
			})
		}
	})
}
