package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Totals of keys are exact however many there are, and whatever happened to them: made,
// suspended, revoked, deleted, moved, given up with a transaction that failed.
func TestTotalsAreExact(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			list := storetest.MustInsert(t, s, "a", "b")
			f, other := list[0], list[1]
			random := rand.New(rand.NewPCG(1, 2))
			var keys []credential.Credential
			made := 0
			for range 40 {
				fails := random.IntN(4) == 0
				next := slices.Clone(keys)
				_, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) (err error) {
					next = slices.Clone(keys)
					for range random.IntN(60) {
						if next, err = changeSome(tx, f, random, next, &made); err != nil {
							return err
						}
					}
					if fails {
						return errOurs
					}
					return nil
				})
				if fails != (err != nil) {
					t.Fatal(err)
				}
				if !fails {
					keys = next
				}
				wantTotals(t, s, f, keys)
			}
			if n := len(keys); n <= 50 {
				t.Fatalf("only %d keys", n)
			}
			if l := mustList(t, s, other, store.CredentialFilter{}, store.Page{}); l.Total != 0 {
				t.Errorf("the other tenant has %d", l.Total)
			}
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for range store.CountLimit + 500 {
					made++
					c, m := f.Key(made, "many")
					keys = append(keys, c)
					if err := tx.InsertCredential(c, m); err != nil {
						return err
					}
				}
				return nil
			})
			wantTotals(t, s, f, keys)
		})
	}
}

// changeSome makes a key or changes one.
func changeSome(tx *store.Tx, f storetest.Fixture, random *rand.Rand, keys []credential.Credential, made *int) ([]credential.Credential, error) {
	if len(keys) == 0 || random.IntN(2) == 0 {
		*made++
		c, m := f.Key(*made, fmt.Sprintf("key %d", *made))
		if random.IntN(3) == 0 {
			c.Kind, c.Principal = credential.OrganizationKey, access.Principal{Type: access.PrincipalOrganization, ID: string(f.Below.ID)}
			c.OrganizationID = f.Below.ID
		}
		return append(keys, c), tx.InsertCredential(c, m)
	}
	i := random.IntN(len(keys))
	c, err := keys[i], error(nil)
	switch random.IntN(5) {
	case 0:
		c, err = c.Suspend(storetest.Epoch)
	case 1:
		c, err = c.Revoke(storetest.Epoch)
	case 2:
		c, err = c.Delete(storetest.Epoch)
	case 3:
		c.OrganizationID = f.Below.ID
	case 4:
		c.Name += " again"
	}
	if err != nil {
		return keys, nil //nolint:nilerr // it is at its end already
	}
	keys[i] = c
	return keys, tx.UpdateCredential(c)
}

func wantTotals(t *testing.T, s *store.Store, f storetest.Fixture, keys []credential.Credential) {
	t.Helper()
	for _, filter := range []store.CredentialFilter{
		{},
		{IncludeDeleted: true},
		{States: []credential.State{credential.Active}},
		{States: []credential.State{credential.Active, credential.Suspended}},
		{States: []credential.State{credential.Revoked}},
		{States: []credential.State{credential.Revoked}, IncludeDeleted: true},
		{States: []credential.State{credential.Expired}, IncludeDeleted: true},
		{Kinds: []credential.Kind{credential.OrganizationKey}},
		{Kinds: []credential.Kind{credential.UserKey, credential.OrganizationKey}, At: f.Root.ID},
		{At: f.Below.ID, States: []credential.State{credential.Suspended}},
		{Level: access.PrincipalOrganization},
	} {
		want := 0
		for _, k := range keys {
			if matches(filter, k) {
				want++
			}
		}
		for _, page := range []store.Page{{Limit: 1}, {Limit: 1, Sort: "expires_at", Desc: true}, {Limit: 1, Sort: "last_used_at"}, {Limit: 1, Sort: "created_at"}} {
			l := mustList(t, s, f, filter, page)
			if l.Total != int64(want) || len(l.Items) != min(want, 1) {
				t.Fatalf("%+v: the total is %d with %d on the page, want %d", filter, l.Total, len(l.Items), want)
			}
		}
		storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
			if n, err := tx.CountCredentials(filter); err != nil || n != int64(want) {
				t.Fatalf("%+v: counted %d, %v; want %d", filter, n, err, want)
			}
			return nil
		})
	}
}

func matches(f store.CredentialFilter, k credential.Credential) bool {
	below := []tenancy.OrgID{k.OrganizationID}
	return (len(f.Kinds) == 0 || slices.Contains(f.Kinds, k.Kind)) &&
		(len(f.States) == 0 || slices.Contains(f.States, k.State)) &&
		(f.At == "" || f.At == "org_a0" || slices.Contains(below, f.At)) &&
		(f.Level == "" || f.Level == k.Principal.Type) &&
		(f.IncludeDeleted || k.DeletedAt.IsZero() && k.State != credential.Expired)
}
