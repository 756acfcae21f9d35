package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// TestBatches reads many things at once: what each read alone would give, of one's own
// tenant and nothing else.
func TestBatches(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			list := storetest.MustInsert(t, s, "a", "b")
			a, b := list[0], list[1]
			for n, f := range map[int]storetest.Fixture{1: a, 2: a, 3: b} {
				storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					k, m := f.Key(n, "key")
					m.Sealed, m.PublicKey = []byte{1, byte(n)}, []byte{2, byte(n)}
					return tx.InsertCredential(k, m)
				})
			}
			ids := []credential.ID{storetest.KeyID(3), storetest.KeyID(2), storetest.KeyID(1), storetest.KeyID(9)}
			storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				found, err := tx.CredentialsByID(ids)
				if err != nil || len(found) != 2 {
					t.Fatalf("%d credentials, %v", len(found), err)
				}
				material, err := tx.MaterialOf(ids)
				if err != nil || len(material) != 2 {
					t.Fatalf("material of %d, %v", len(material), err)
				}
				for _, k := range found {
					alone, err := tx.Credential(k.ID)
					if diff := cmp.Diff(alone, k); diff != "" || err != nil {
						t.Errorf("a credential: %v\n%s", err, diff)
					}
					each, err := tx.Material(k.ID)
					if diff := cmp.Diff(each, material[k.ID]); diff != "" || err != nil {
						t.Errorf("its material: %v\n%s", err, diff)
					}
				}
				names, err := tx.Usernames([]tenancy.UserID{a.User.ID, b.User.ID})
				if diff := cmp.Diff(map[tenancy.UserID]string{a.User.ID: a.User.Username}, names); diff != "" || err != nil {
					t.Errorf("names: %v\n%s", err, diff)
				}
				for der, want := range map[string]bool{"\x02\x01": true, "\x02\x03": false, "\x02\x09": false} {
					if taken, err := tx.PublicKeyTaken([]byte(der)); taken != want || err != nil {
						t.Errorf("public key %x taken: %v, %v", der, taken, err)
					}
				}
				return nil
			})
		})
	}
}

// A batch has an end, and an empty one asks the database nothing.
func TestBatchLimits(t *testing.T) {
	s, _ := storetest.Engines[0].Open(t)
	f := storetest.MustInsert(t, s, "a")[0]
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for n, want := range map[int]bool{0: true, store.MaxLimit: true, store.MaxLimit + 1: false} {
			_, err := tx.CredentialsByID(make([]credential.ID, n))
			_, err2 := tx.MaterialOf(make([]credential.ID, n))
			_, err3 := tx.Usernames(make([]tenancy.UserID, n))
			if (err == nil) != want || (err2 == nil) != want || (err3 == nil) != want {
				t.Errorf("%d: %v, %v, %v", n, err, err2, err3)
			}
		}
		return nil
	})
}

// A keyset that was destroyed is gone, of one tenant only.
func TestDestroyTenantKeyset(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			list := storetest.MustInsert(t, s, "a", "b")
			for _, f := range list {
				storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.PutTenantKeyset([]byte("wrapped"), storetest.Epoch) })
			}
			storetest.MustWrite(t, s, list[0].Tenant.ID, func(tx *store.Tx) error { return tx.DestroyTenantKeyset() })
			for i, f := range list {
				storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					if _, err := tx.TenantKeyset(); problem.Is(err, problem.NotFound) != (i == 0) {
						t.Errorf("tenant %d: %v", i, err)
					}
					return nil
				})
			}
		})
	}
}
