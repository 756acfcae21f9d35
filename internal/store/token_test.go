package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// Revoked tokens reach whoever follows the feed, and whoever starts from a snapshot, until
// they would have ended.
func TestRevokedTokens(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a", "b")
			now := time.Now().UTC().Truncate(time.Microsecond)
			id := credential.ID([]byte("abcdefghijkl"))
			live := store.RevokedToken{ID: "tok_live", TenantID: f[0].Tenant.ID, Credential: id, ExpiresAt: now.Add(time.Hour)}
			over := store.RevokedToken{ID: "tok_over", TenantID: f[0].Tenant.ID, Credential: id, ExpiresAt: now.Add(-time.Hour)}
			var head, rights uint64
			storetest.MustWrite(t, s, f[0].Tenant.ID, func(tx *store.Tx) error {
				head, rights = tx.Head(), tx.RightsRevision()
				return errors.Join(tx.InsertRevokedToken(live), tx.InsertRevokedToken(over), tx.InsertRevokedToken(live))
			})
			storetest.MustRead(t, s, f[0].Tenant.ID, func(tx *store.Tx) error {
				ids, err := tx.RevokedTokens(id, now, 10)
				if !slices.Equal(ids, []string{"tok_live"}) || tx.RightsRevision() != rights {
					t.Errorf("%v, rights at %d", ids, tx.RightsRevision())
				}
				return err
			})
			storetest.MustRead(t, s, f[1].Tenant.ID, func(tx *store.Tx) error {
				ids, err := tx.RevokedTokens(id, now, 10)
				if len(ids) != 0 {
					t.Errorf("another tenant sees %v", ids)
				}
				return err
			})
			changes, _, err := s.Changes(t.Context(), head, 100)
			if err != nil || len(changes) < 2 {
				t.Fatalf("%d changes, %v", len(changes), err)
			}
			if d := cmp.Diff(&verify.RevokedToken{ID: "tok_live", ExpiresAt: live.ExpiresAt}, changes[0].Item.RevokedToken); d != "" {
				t.Error(d)
			}
			var snapshot []string
			if _, err := s.Snapshot(t.Context(), func(i verify.Item) error {
				if i.RevokedToken != nil {
					snapshot = append(snapshot, i.RevokedToken.ID)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(snapshot, []string{"tok_live"}) {
				t.Errorf("a snapshot has %v", snapshot)
			}
			storetest.MustWrite(t, s, f[0].Tenant.ID, func(tx *store.Tx) error { return tx.AllTenantsPruneRevokedTokens(now) })
			changes, _, err = s.Changes(t.Context(), head, 100)
			if err != nil || changes[0].Item.Gone || !changes[1].Item.Gone {
				t.Errorf("after pruning: %+v, %v", changes, err)
			}
		})
	}
}

// NV2: a domain is one organization's of its tenant.
func TestDomains(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a", "b")
			root, below, foreign := f[0].Root, f[0].Below, f[1].Root
			root.Domains, foreign.Domains = []string{"corp", "example.com"}, []string{"corp"}
			storetest.MustWrite(t, s, f[0].Tenant.ID, func(tx *store.Tx) error { return tx.UpdateOrganization(root) })
			storetest.MustWrite(t, s, f[1].Tenant.ID, func(tx *store.Tx) error { return tx.UpdateOrganization(foreign) })
			whose := func(tenant tenancy.TenantID, domain string, want tenancy.OrgID) {
				t.Helper()
				storetest.MustRead(t, s, tenant, func(tx *store.Tx) error {
					got, err := tx.OrganizationOfDomain(domain)
					if got != want || (want == "") != problem.Is(err, problem.NotFound) {
						t.Errorf("%s is %q's, %v", domain, got, err)
					}
					return nil
				})
			}
			whose(f[0].Tenant.ID, "corp", root.ID)
			whose(f[0].Tenant.ID, "example.com", root.ID)
			whose(f[0].Tenant.ID, "none", "")
			whose(f[1].Tenant.ID, "corp", foreign.ID)
			storetest.MustRead(t, s, f[0].Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.Organization(root.ID)
				if d := cmp.Diff(root, got); d != "" {
					t.Error(d)
				}
				return err
			})
			below.Domains = []string{"corp"}
			_, err := s.Write(t.Context(), f[0].Tenant.ID, func(tx *store.Tx) error { return tx.UpdateOrganization(below) })
			if !problem.HasCode(err, "domain_taken") {
				t.Errorf("taken: %v", err)
			}
			root.Domains = []string{"example.com"}
			storetest.MustWrite(t, s, f[0].Tenant.ID, func(tx *store.Tx) error { return tx.UpdateOrganization(root) })
			storetest.MustWrite(t, s, f[0].Tenant.ID, func(tx *store.Tx) error { return tx.UpdateOrganization(below) })
			whose(f[0].Tenant.ID, "corp", below.ID)
			below.State = tenancy.Deleted
			storetest.MustWrite(t, s, f[0].Tenant.ID, func(tx *store.Tx) error { return tx.UpdateOrganization(below) })
			whose(f[0].Tenant.ID, "corp", "")
		})
	}
}
