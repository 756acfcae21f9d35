package store_test

import (
	"errors"
	"testing"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// A caller's credential is remembered between writes, and yet always as it is: after changes
// of this process, of another, and after those that were given up.
func TestCallersCredential(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			another := storetest.MustOpen(t, url)
			list := storetest.MustInsert(t, s, "a", "b")
			f := list[0]
			k, m := f.Key(0, "caller")
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(k, m) })
			want := func(when string, state credential.State) {
				t.Helper()
				for range 2 {
					storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
						got, err := tx.CallersCredential(k.ID)
						if err != nil || got.State != state {
							t.Errorf("%s: %s, %v; want %s", when, got.State, err, state)
						}
						return tx.UpdateTenant(f.Tenant) // so that there is something to commit
					})
				}
			}
			change := func(s *store.Store, state credential.State, fails error) {
				t.Helper()
				_, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
					next := k
					next.State = state
					if err := tx.UpdateCredential(next); err != nil {
						return err
					}
					got, err := tx.CallersCredential(k.ID)
					if err != nil || got.State != state {
						t.Errorf("in the change itself: %s, %v; want %s", got.State, err, state)
					}
					return fails
				})
				if !errors.Is(err, fails) {
					t.Fatal(err)
				}
			}
			want("new", credential.Active)
			change(s, credential.Suspended, nil)
			want("suspended here", credential.Suspended)
			change(another, credential.Active, nil)
			want("resumed elsewhere", credential.Active)
			change(s, credential.Revoked, errOurs)
			want("a change that was given up", credential.Active)
			change(another, credential.Revoked, nil)
			want("revoked elsewhere", credential.Revoked)
			storetest.MustWrite(t, s, list[1].Tenant.ID, func(tx *store.Tx) error {
				if _, err := tx.CallersCredential(k.ID); !problem.Is(err, problem.NotFound) {
					t.Errorf("for another tenant: %v", err)
				}
				return nil
			})
		})
	}
}
