package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/verify"
)

// TestFeedHasNoGaps lets many writers, in several stores on one database, commit, fail and
// end out of order, while followers read the feed from a revision on. Nobody may ever miss
// a row: whatever a follower saw up to a revision is all there will ever be up to it.
func TestFeedHasNoGaps(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			stores := []*store.Store{s, storetest.MustOpen(t, url), storetest.MustOpen(t, url)}
			f := storetest.MustInsert(t, s, "a")[0]
			const writers, each = 4, 30
			ctx, stop := context.WithCancel(t.Context())
			var followers, all sync.WaitGroup
			seen := make([][]uint64, len(stores))
			for i, s := range stores {
				followers.Go(func() { seen[i] = follow(ctx, t, s) })
				for w := range writers {
					all.Go(func() {
						for n := range each {
							writeSome(t, s, f, (i*writers+w)*each+n)
						}
					})
				}
			}
			all.Wait()
			head := storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.UpdateTenant(f.Tenant) })
			stop()
			followers.Wait()
			for i := range seen {
				seen[i] = append(seen[i], rest(t, stores[i], seen[i])...)
				if n := len(seen[i]); uint64(n) != head || seen[i][0] != 1 || seen[i][n-1] != head {
					t.Errorf("follower %d saw %d rows of %d", i, n, head)
				}
			}
		})
	}
}

// writeSome writes one to three things, or nothing in one of five cases.
func writeSome(t *testing.T, s *store.Store, f storetest.Fixture, n int) {
	t.Helper()
	_, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
		for i := range 1 + n%3 {
			c, m := f.Key(10*n+i, "k")
			if err := tx.InsertCredential(c, m); err != nil {
				return err
			}
		}
		if n%5 == 4 {
			_, _ = tx.Credential(storetest.KeyID(10 * n)) // sends the writes before they are given up
			return errOurs
		}
		return nil
	})
	if err != nil && !errors.Is(err, errOurs) {
		t.Error(err)
	}
}

// follow reads the feed as verification does and returns the revisions in the order seen.
func follow(ctx context.Context, t *testing.T, s *store.Store) (seen []uint64) {
	t.Helper()
	var at uint64
	for ctx.Err() == nil {
		changes, head, err := s.Changes(t.Context(), at, 50)
		if err != nil {
			t.Error(err)
			return seen
		}
		for _, c := range changes {
			if c.Revision != at+1 {
				t.Errorf("revision %d follows %d", c.Revision, at)
			}
			at = c.Revision
			seen = append(seen, at)
		}
		if at >= head {
			if err := s.Wait(ctx, at); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	}
	return seen
}

func rest(t *testing.T, s *store.Store, seen []uint64) (more []uint64) {
	t.Helper()
	var at uint64
	if len(seen) > 0 {
		at = seen[len(seen)-1]
	}
	for {
		changes, head, err := s.Changes(t.Context(), at, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			at = c.Revision
			more = append(more, at)
		}
		if at >= head {
			return more
		}
	}
}

// TestRawWritersStandInLine shows what the feed rests on, without the store's own code in
// the way: of two plain transactions that both want a revision, the second waits until the
// first has ended, so revisions can't be committed out of order.
func TestRawWritersStandInLine(t *testing.T) {
	url := storetest.Postgres(t)
	s := storetest.MustOpen(t, url)
	f := storetest.MustInsert(t, s, "a")[0]
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var head uint64
	if err := tx.QueryRowContext(t.Context(), "SELECT revision FROM feed_head WHERE id = 1 FOR UPDATE").Scan(&head); err != nil {
		t.Fatal(err)
	}
	// The store's writer begins after us and must not overtake us.
	wrote := make(chan uint64)
	go func() {
		c, m := f.Key(1, "second")
		revision, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(c, m) })
		if err != nil {
			t.Error(err)
		}
		wrote <- revision
	}()
	mustExec := func(query string, args ...any) {
		t.Helper()
		if _, err := tx.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	waitUntilBlocked(t, db)
	mustExec("INSERT INTO feed (revision, tenant_id, item_type, item_id) VALUES ($1, 'ten_a', 2, 'ten_a')", head+1)
	mustExec("UPDATE feed_head SET revision = $1, writes = writes + 1 WHERE id = 1", head+1)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if revision := <-wrote; revision != head+2 {
		t.Errorf("the second writer got revision %d, want %d", revision, head+2)
	}
}

// waitUntilBlocked returns when somebody waits for a lock in the database.
func waitUntilBlocked(t *testing.T, db *sql.DB) {
	t.Helper()
	for {
		var n int
		err := db.QueryRowContext(t.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
	}
}

// TestWaitHearsOtherStores: on PostgreSQL a commit in one process wakes another.
func TestWaitHearsOtherStores(t *testing.T) {
	url := storetest.Postgres(t)
	s, other := storetest.MustOpen(t, url), storetest.MustOpen(t, url)
	f := storetest.MustInsert(t, s, "a")[0]
	_, head, err := other.Changes(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan error)
	go func() {
		for { // it may wake for nothing
			if err := other.Wait(t.Context(), head); err != nil {
				heard <- err
				return
			}
			if _, now, err := other.Changes(t.Context(), head, 1); err != nil || now > head {
				heard <- err
				return
			}
		}
	}()
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.UpdateTenant(f.Tenant) })
	select {
	case err := <-heard:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing was heard of the other store's commit")
	}
}

// TestSnapshotAndChangesAgree: reading all at once and following from the beginning give
// the same things.
func TestSnapshotAndChangesAgree(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			makeHistory(t, s)
			whole, followed := map[string]string{}, map[string]string{}
			revision, err := s.Snapshot(t.Context(), func(it verify.Item) error {
				name, text := describe(it)
				if _, twice := whole[name]; twice {
					t.Errorf("%s came twice", name)
				}
				whole[name] = text
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			changes, head, err := s.Changes(t.Context(), 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				name, text := describe(c.Item)
				followed[name] = text
				if c.Item.Gone || c.Item.Assignments != nil && len(c.Item.Assignments.List) == 0 {
					delete(followed, name)
				}
			}
			if revision != head {
				t.Errorf("snapshot of revision %d, feed's head %d", revision, head)
			}
			if d := cmp.Diff(whole, followed); d != "" {
				t.Errorf("snapshot (-) and feed (+) differ:\n%s", d)
			}
		})
	}
}

// makeHistory makes things of every type, changes some and ends some.
func makeHistory(t *testing.T, s *store.Store) {
	t.Helper()
	list := storetest.MustInsert(t, s, "a", "b")
	f := list[0]
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for n := range 20 {
			c, m := f.Key(n, fmt.Sprintf("key %d", n))
			c.ExpiresAt = storetest.Epoch.Add(time.Duration(n) * time.Hour)
			if n == 3 {
				c.Labels = tenancy.Labels{ExternalID: "x-3", Metadata: map[string]string{"a": "b"}}
			}
			if err := tx.InsertCredential(c, m); err != nil {
				return err
			}
		}
		return nil
	})
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		c, m := f.Key(5, "renamed")
		c.SecretVersion, m.Version = 2, 2
		m.Sealed = []byte("sealed")
		return errors.Join(tx.UpdateCredential(c), tx.InsertMaterial(m),
			tx.EndMaterial(c.ID, "key", 1, storetest.Epoch.Add(time.Hour)), tx.DestroyMaterial(storetest.KeyID(6)))
	})
	makePrincipals(t, s, f)
	storetest.MustWrite(t, s, list[1].Tenant.ID, func(tx *store.Tx) error {
		return errors.Join(tx.DeleteAssignment(list[1].Assignment.ID), tx.DeleteRole(list[1].Role.ID))
	})
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		third := tenancy.Organization{
			ID: "org_a2", TenantID: f.Tenant.ID, ParentID: f.Root.ID, Path: []tenancy.OrgID{f.Root.ID, "org_a2"},
			Name: "Third", State: tenancy.Active, CreatedAt: storetest.Epoch,
		}
		return errors.Join(tx.InsertOrganization(third), tx.MoveOrganization(f.Below.ID, third.ID))
	})
}

// makePrincipals makes an app with its two secrets, a service account with its role and
// keys, and a catalogue, and changes some.
func makePrincipals(t *testing.T, s *store.Store, f storetest.Fixture) {
	t.Helper()
	robot := access.Principal{Type: access.PrincipalServiceAccount, ID: string(f.ServiceAccount().ID)}
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		c, m := f.Key(30, "app")
		c.Kind, c.Principal = credential.App, access.Principal{Type: access.PrincipalApp, ID: string(f.App().ID)}
		second := m
		m.Sealed, second.Field, second.Sealed = []byte("sealed"), credential.FieldSecret, []byte("sealed too")
		key, pair := f.Key(31, "key")
		key.Kind, key.Principal, key.PublicID = credential.ServiceAccountKey, robot, "9b2d7a80-0000-4000-8000-000000000001"
		pair.Digest, pair.PepperVersion, pair.PublicKey = [32]byte{}, 0, []byte("public key")
		_, err := tx.AllTenantsSetCatalog(catalog.Demo())
		return errors.Join(err, tx.InsertApp(f.App()), tx.InsertServiceAccount(f.ServiceAccount()),
			tx.InsertAssignment(access.Assignment{ID: "asg_robot", TenantID: f.Tenant.ID, Principal: robot, RoleID: f.Role.ID, OrganizationID: f.Root.ID}),
			tx.InsertCredential(c, m, second), tx.InsertCredential(key, pair))
	})
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		a, changed := f.App(), catalog.Demo()
		a.APIs, a.State = []string{"calling"}, tenancy.Suspended
		changed.Groups = changed.Groups[1:]
		_, err := tx.AllTenantsSetCatalog(changed)
		return errors.Join(err, tx.UpdateApp(a))
	})
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		ends := time.Now().UTC().Truncate(time.Microsecond).Add(time.Hour)
		return errors.Join(
			tx.InsertRevokedToken(store.RevokedToken{ID: "tok_history", TenantID: f.Tenant.ID, Credential: storetest.KeyID(7), ExpiresAt: ends}),
			tx.AllTenantsInsertSigningKey(token.SigningKey{
				ID: "key_history", Algorithm: token.ES256, Public: []byte("public"), Sealed: []byte("sealed"), CreatedAt: storetest.Epoch, SignsFrom: storetest.Epoch,
			}))
	})
}

// describe names an item and tells what verification may know of it.
func describe(it verify.Item) (name, text string) {
	switch {
	case it.Plan != nil:
		return "plan " + string(it.Plan.ID), fmt.Sprint(*it.Plan)
	case it.Tenant != nil:
		return "tenant " + string(it.Tenant.ID), fmt.Sprint(*it.Tenant)
	case it.Organization != nil:
		return "organization " + string(it.Organization.ID), fmt.Sprint(*it.Organization)
	case it.Role != nil:
		return "role " + string(it.Role.ID), fmt.Sprint(*it.Role)
	case it.Assignments != nil:
		return "assignments " + it.Assignments.Principal.ID, fmt.Sprint(*it.Assignments)
	case it.User != nil:
		return "user " + string(it.User.ID), fmt.Sprint(*it.User)
	case it.App != nil:
		return "app " + string(it.App.ID), fmt.Sprint(*it.App)
	case it.ServiceAccount != nil:
		return "service account " + string(it.ServiceAccount.ID), fmt.Sprint(*it.ServiceAccount)
	case it.Catalog != nil:
		return "catalogue", fmt.Sprint(*it.Catalog)
	case it.RevokedToken != nil:
		return "revoked token " + it.RevokedToken.ID, fmt.Sprint(*it.RevokedToken)
	case it.SigningKeys != nil:
		return "signing keys", fmt.Sprint(*it.SigningKeys)
	}
	c := it.Credential.Credential
	material := slices.Clone(it.Credential.Material)
	return "credential " + c.ID.String(), strings.Join([]string{
		string(c.TenantID), string(c.OrganizationID), string(c.Kind), string(c.State), c.Principal.ID, c.PublicID, c.ExpiresAt.String(),
		fmt.Sprint(c.Labels, c.SecretVersion, c.Limits, c.Networks, c.Scopes), fmt.Sprint(material),
	}, " ")
}
