package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

var errOurs = errors.New("the callback's own error")

// TestGroupMembersAreIsolated lets good and bad requests share commits: each bad one fails
// with its own error and harms no other.
func TestGroupMembersAreIsolated(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			const n = 120
			errs := make([]error, n)
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() {
					_, errs[i] = s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
						c, m := f.Key(i, fmt.Sprintf("key %d", i))
						if i%6 == 1 {
							c.Labels.ExternalID = "same" // all but one are taken
						}
						if err := tx.InsertCredential(c, m); err != nil {
							return err
						}
						return spoil(tx, i)
					})
				})
			}
			all.Wait()
			taken := 0
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				for i, err := range errs {
					_, missing := tx.Credential(storetest.KeyID(i))
					if (err == nil) != (missing == nil) {
						t.Errorf("request %d: answered %v, but reading says %v", i, err, missing)
					}
					if i%6 == 1 && err == nil {
						taken++
					}
					checkSpoilt(t, i, err)
				}
				list, err := tx.Credentials(store.CredentialFilter{Search: "key"}, store.Page{Limit: 1000})
				if err != nil {
					return err
				}
				if want := n/6*2 + 1; len(list.Items) != want {
					t.Errorf("%d keys are listed, want %d", len(list.Items), want)
				}
				return nil
			})
			if taken != 1 {
				t.Errorf("%d credentials have the same external ID", taken)
			}
		})
	}
}

// spoil makes a request bad in the way of its number.
func spoil(tx *store.Tx, i int) error {
	switch i % 6 {
	case 2:
		return errOurs
	case 3:
		panic("a callback's panic")
	case 4:
		// Reading sends what is buffered before, and this update finds nothing.
		if err := tx.EndMaterial(storetest.KeyID(100_000+i), "key", 1, storetest.Epoch); err != nil {
			return err
		}
		_, err := tx.Credential(storetest.KeyID(i))
		return err
	}
	return nil
}

func checkSpoilt(t *testing.T, i int, err error) {
	t.Helper()
	switch i % 6 {
	case 0, 5:
		if err != nil {
			t.Errorf("good request %d: %v", i, err)
		}
	case 1:
		if err != nil && !problem.HasCode(err, "credential_exists") {
			t.Errorf("taken external ID: %v", err)
		}
	case 2:
		if !errors.Is(err, errOurs) {
			t.Errorf("own error came back as %v", err)
		}
	case 3:
		if err == nil || !strings.Contains(err.Error(), "a callback's panic") {
			t.Errorf("panic came back as %v", err)
		}
	case 4:
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("missing row came back as %v", err)
		}
	}
}

// TestKeptFailure: a callback that keeps a failed write to itself must not have the rest of
// it committed.
func TestKeptFailure(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			_, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
				c, m := f.Key(1, "kept")
				if err := tx.InsertCredential(c, m); err != nil {
					return err
				}
				_ = tx.InsertUser(f.User, "user.a") // taken
				_, _ = tx.Credential(c.ID)
				return nil
			})
			if !problem.HasCode(err, "user_exists") && !problem.Is(err, problem.Conflict) {
				t.Errorf("kept failure came back as %v", err)
			}
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				if _, err := tx.Credential(storetest.KeyID(1)); !problem.Is(err, problem.NotFound) {
					t.Errorf("half of a failed request was committed: %v", err)
				}
				return nil
			})
		})
	}
}

func TestCallbackThatEndsItsGoroutine(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
					c, m := f.Key(2, "gone")
					_ = tx.InsertCredential(c, m)
					_, _ = tx.Credential(c.ID) // the write is sent, so the group must be done again
					runtime.Goexit()
					return nil
				})
			}()
			<-done
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				c, m := f.Key(1, "after")
				return tx.InsertCredential(c, m)
			})
		})
	}
}

func TestWriteGivesUpBeforeItsTurn(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			inside, release := make(chan struct{}), make(chan struct{})
			var first sync.WaitGroup
			first.Go(func() {
				if _, err := s.Write(t.Context(), f.Tenant.ID, func(*store.Tx) error {
					close(inside)
					<-release
					return nil
				}); err != nil {
					t.Error(err)
				}
			})
			<-inside
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := s.Write(ctx, f.Tenant.ID, func(*store.Tx) error { t.Error("ran after its caller left"); return nil })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("leaving: %v", err)
			}
			close(release)
			first.Wait()
		})
	}
}

func TestReadIsReadOnly(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			err := s.Read(t.Context(), f.Tenant.ID, func(tx *store.Tx) error { return tx.UpdateTenant(f.Tenant) })
			if err == nil {
				t.Error("a read wrote")
			}
		})
	}
}

// TestLockNotHad: another process that sits on the writers' lock makes writes Unavailable,
// not endless, and reads go on.
func TestLockNotHad(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			hasty, err := store.Open(t.Context(), store.Config{URL: url, LockTimeout: 100 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := hasty.Close(); err != nil {
					t.Error(err)
				}
			}()
			inside, release := make(chan struct{}), make(chan struct{})
			var sitting sync.WaitGroup
			sitting.Go(func() {
				if _, err := s.Write(t.Context(), f.Tenant.ID, func(*store.Tx) error {
					close(inside)
					<-release
					return nil
				}); err != nil {
					t.Error(err)
				}
			})
			<-inside
			_, err = hasty.Write(t.Context(), f.Tenant.ID, func(*store.Tx) error { return nil })
			if !problem.Is(err, problem.Unavailable) {
				t.Errorf("writing beside a held lock: %v", err)
			}
			if err := hasty.Read(t.Context(), f.Tenant.ID, func(tx *store.Tx) error { _, err := tx.Tenant(); return err }); err != nil {
				t.Errorf("reading beside a held lock: %v", err)
			}
			close(release)
			sitting.Wait()
			storetest.MustWrite(t, hasty, f.Tenant.ID, func(tx *store.Tx) error { return tx.UpdateTenant(f.Tenant) })
		})
	}
}

func TestClosed(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			url := engine.URL(t)
			s, err := store.Open(t.Context(), store.Config{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Write(t.Context(), "ten_a", func(*store.Tx) error { return nil }); !problem.Is(err, problem.Unavailable) {
				t.Errorf("writing to a closed store: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("closing twice: %v", err)
			}
		})
	}
}

// TestHold writes once and fails once: each group is told of, and what a commit took of it.
func TestHold(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			url := engine.URL(t)
			f := storetest.MustInsert(t, storetest.MustOpen(t, url), "a")[0]
			holds := make(chan store.Hold, 100)
			s, err := store.Open(t.Context(), store.Config{URL: url, Held: func(h store.Hold) { holds <- h }})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.UpdateTenant(f.Tenant) })
			if h := <-holds; h.Commit <= 0 || h.Whole <= h.Commit {
				t.Errorf("a group that wrote held the writer %s, %s of it to commit", h.Whole, h.Commit)
			}
			refused := errors.New("refused")
			if _, err := s.Write(t.Context(), f.Tenant.ID, func(*store.Tx) error { return refused }); !errors.Is(err, refused) {
				t.Fatal(err)
			}
			if h := <-holds; h.Commit != 0 || h.Whole <= 0 {
				t.Errorf("a group that wrote nothing held the writer %s, %s of it to commit", h.Whole, h.Commit)
			}
		})
	}
}

func TestConfigMistakes(t *testing.T) {
	for _, url := range []string{"", "mysql://x", "sqlite:", "sqlite::memory:", "sqlite:a?mode=ro", "postgres://user:hunter2@[broken"} {
		s, err := store.Open(t.Context(), store.Config{URL: url})
		if err == nil {
			t.Errorf("%q was opened", url)
			_ = s.Close()
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestKilledConnections ends the server's side of writing connections while 8 writers work.
// Every acknowledged write is there; every one that was refused cleanly is not; only those
// whose outcome is unknown may be either.
func TestKilledConnections(t *testing.T) {
	url := storetest.Postgres(t)
	s := storetest.MustOpen(t, url)
	f := storetest.MustInsert(t, s, "a")[0]
	killer, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = killer.Close() }()
	const writers, each = 8, 60
	outcome := make([]error, writers*each)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				n := w*each + i
				_, outcome[n] = s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error { return issue(tx, f, n) })
			}
		})
	}
	stop := make(chan struct{})
	var killing sync.WaitGroup
	killing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			_, err := killer.ExecContext(t.Context(),
				"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND (query LIKE 'COMMIT%' OR random() < 0.02)")
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	all.Wait()
	close(stop)
	killing.Wait()
	checkOutcomes(t, s, f, outcome)
}

func checkOutcomes(t *testing.T, s *store.Store, f storetest.Fixture, outcome []error) {
	t.Helper()
	done, unknown, refused := 0, 0, 0
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		for n, err := range outcome {
			_, missing := tx.Credential(storetest.KeyID(n))
			switch {
			case err == nil:
				done++
				if missing != nil {
					t.Errorf("write %d was acknowledged and is lost", n)
				}
			case errors.Is(err, store.ErrOutcomeUnknown):
				unknown++
			default:
				refused++
				if missing == nil {
					t.Errorf("write %d was refused (%v) and is there", n, err)
				}
			}
		}
		events, err := tx.AuditEventsAfter(0, 10_000)
		if err != nil {
			return err
		}
		for i, e := range events {
			if e.Sequence != int64(i+1) {
				t.Errorf("event %d has sequence %d", i+1, e.Sequence)
			}
		}
		return nil
	})
	t.Logf("%d acknowledged, %d unknown, %d refused", done, unknown, refused)
	if done == 0 {
		t.Error("nothing was written at all")
	}
}
