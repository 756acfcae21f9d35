package verify

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (w *world) mustBeUndecided(t *testing.T, why string) {
	t.Helper()
	for _, text := range []string{w.text, "nonsense"} {
		res, err := w.index.Verify(&Request{Credential: text})
		if !problem.Is(err, problem.Unavailable) || res.Valid || res.Code != "" {
			t.Errorf("%s: %q, %v; want undecided", why, res.Code, err)
		}
	}
}

// B2, B11: past the bound nothing is answered; the bound counts from the start of the
// last reading that proved the head.
func TestStaleness(t *testing.T) {
	w := newWorld(t)
	w.source.fail.Store(true)
	w.clock.advance(30 * time.Second)
	if res := w.verify(t, Request{Credential: w.text}); !res.Valid || res.Staleness != 30*time.Second {
		t.Errorf("%s, staleness %v", res.Code, res.Staleness)
	}
	if err := w.index.catchUp(t.Context(), 0); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	w.clock.advance(time.Microsecond)
	w.mustBeUndecided(t, "past the bound")
	// Setting the clock back makes it no fresher.
	w.clock.advance(-10 * time.Second)
	w.mustBeUndecided(t, "clock set back within the bound")
	w.clock.advance(-time.Hour)
	w.mustBeUndecided(t, "clock set back before the proof")
	w.source.fail.Store(false)
	w.load(t)
	if res := w.verify(t, Request{Credential: w.text}); !res.Valid {
		t.Error(res.Code)
	}
}

// slowSource lets time pass while it is read.
type slowSource struct {
	*memSource
	clock *testClock
}

func (s slowSource) Changes(ctx context.Context, after uint64, limit int) ([]Change, uint64, error) {
	list, head, err := s.memSource.Changes(ctx, after, limit)
	s.clock.advance(20 * time.Second)
	return list, head, err
}

func TestStalenessCountsFromTheStartOfTheReading(t *testing.T) {
	w := newWorld(t)
	w.index = New(Config{Source: slowSource{w.source, w.clock}, Peppers: w.peppers, Now: w.clock.Now})
	w.load(t)
	if res := w.verify(t, Request{Credential: w.text}); res.Staleness != 20*time.Second {
		t.Errorf("staleness %v, want 20s", res.Staleness)
	}
}

func TestUndecidedUntilRead(t *testing.T) {
	w := newWorld(t)
	w.index = w.newIndex()
	w.mustBeUndecided(t, "no snapshot")
	if w.index.Ready() {
		t.Error("ready without a snapshot")
	}
	w.load(t)
	if !w.index.Ready() {
		t.Error("not ready with a snapshot")
	}
	w.index.MarkUndecided()
	w.mustBeUndecided(t, "outcome unknown")
	if !w.index.Stats().Undecided {
		t.Error("stats don't tell")
	}
	w.source.fail.Store(true)
	if err := w.index.catchUp(t.Context(), 0); err == nil {
		t.Error("reading from a source that is away")
	}
	w.mustBeUndecided(t, "feed not read")
	w.source.fail.Store(false)
	w.load(t)
	if res := w.verify(t, Request{Credential: w.text}); !res.Valid {
		t.Error(res.Code)
	}
}

// markingSource has the index marked while the feed is being read.
type markingSource struct {
	*memSource
	mark func()
}

func (s markingSource) Changes(ctx context.Context, after uint64, limit int) ([]Change, uint64, error) {
	list, head, err := s.memSource.Changes(ctx, after, limit)
	s.mark()
	return list, head, err
}

// A reading that began before the mark proves nothing about what the mark is for.
func TestMarkedWhileReading(t *testing.T) {
	w := newWorld(t)
	s := &markingSource{w.source, func() {}}
	w.index = New(Config{Source: s, Peppers: w.peppers, Now: w.clock.Now})
	w.load(t)
	s.mark = func() { w.index.MarkUndecided() }
	w.load(t)
	w.mustBeUndecided(t, "marked while reading")
	s.mark = func() {}
	w.load(t)
	if res := w.verify(t, Request{Credential: w.text}); !res.Valid {
		t.Error(res.Code)
	}
}

// An Applied that fails is acknowledged by nobody, and nothing is VALID until the feed
// has been read.
func TestAppliedFails(t *testing.T) {
	w := newWorld(t)
	w.key.State = credential.Revoked
	revision := w.source.put(Item{Credential: &w.key})
	w.source.fail.Store(true)
	if err := w.index.Applied(t.Context(), revision); !problem.Is(err, problem.Unavailable) {
		t.Errorf("%v", err)
	}
	w.mustBeUndecided(t, "not applied")
	w.source.fail.Store(false)
	if err := w.index.Applied(t.Context(), revision+1); err == nil {
		t.Error("a revision that isn't there was applied")
	}
	w.mustBeUndecided(t, "feed ends too early")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.index.Applied(cancelled, revision); err != nil {
		t.Errorf("the caller hung up: %v", err)
	}
	if res := w.verify(t, Request{Credential: w.text}); res.Code != Revoked || res.Revision != revision {
		t.Errorf("%s at %d", res.Code, res.Revision)
	}
}

// However the feed is cut into batches, everything arrives.
func TestLongFeed(t *testing.T) {
	for _, perRevision := range []int{1, 7, batch, 3*batch + 1} {
		w := newWorld(t)
		w.source.perRev = perRevision
		w.index = w.newIndex()
		w.load(t)
		const rows = 2*batch + 3
		items := make([]Item, 0, rows)
		var texts []string
		for n := range rows {
			if n < batch-3 || n > batch+4 { // around the border, where a batch ends
				items = append(items, Item{User: &w.ann})
				continue
			}
			c, text := w.issue(t, secret.UserKey, w.clock.Now())
			c.TenantID, c.OrganizationID = "ten_a", "org_north"
			texts = append(texts, text)
			items = append(items, Item{Credential: &c})
		}
		w.apply(t, items...)
		for _, text := range texts {
			if res := w.verify(t, Request{Credential: text}); !res.Valid {
				t.Errorf("%d rows a revision: %s", perRevision, res.Code)
			}
		}
	}
}

// Where the feed no longer connects, a snapshot replaces what the index had, and what was
// counted goes on.
func TestSnapshotReplaces(t *testing.T) {
	for _, tt := range []struct {
		name string
		cut  func(w *world, other *memSource)
	}{
		{"feed gone", func(w *world, other *memSource) {
			for range 40 { // a longer feed than the index has read
				other.put(planItem("pln_filler", true))
			}
			w.source.replace(other)
			w.source.gone.Store(true)
		}},
		{"older database", func(w *world, other *memSource) { w.source.replace(other) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			lost, lostText := w.issue(t, secret.UserKey, w.clock.Now())
			lost.TenantID, lost.OrganizationID = "ten_a", "org_north"
			w.apply(t, Item{Credential: &lost}, Item{Role: &access.Role{ID: "rol_lost", TenantID: "ten_a", Permissions: []access.Grant{"lost:read"}}},
				assignItem("ten_a", "usr_ann", "rol_lost", "org_root"), Item{User: &tenancy.User{ID: "usr_lost", TenantID: "ten_a", State: tenancy.Active}})
			w.verify(t, Request{Credential: w.text})
			other := newMemSource()
			other.put(planItem("pln_full", true, "*:*"), Item{Tenant: &w.tenant}, Item{Organization: &w.root},
				Item{Organization: &w.north}, Item{Credential: &w.key}, Item{User: &w.ann})
			tt.cut(w, other)
			w.load(t)
			res := w.verify(t, Request{Credential: w.text})
			// The organization between root and north isn't there any more.
			if res.Code != Revoked || string(res.Permissions.JSON) != "[]" {
				t.Errorf("%s %s", res.Code, res.Permissions.JSON)
			}
			if res := w.verify(t, Request{Credential: lostText}); res.Code != NotFound {
				t.Errorf("a key that isn't there: %s", res.Code)
			}
			counted := int64(0)
			for _, u := range w.drain(t) {
				counted += u.Valid
			}
			if counted != 1 {
				t.Errorf("%d uses counted, want 1", counted)
			}
		})
	}
}

// A snapshot that breaks off leaves nothing decided, and the next one is whole.
func TestSnapshotBreaksOff(t *testing.T) {
	w := newWorld(t)
	w.index = w.newIndex()
	w.source.failAfter.Store(4)
	if err := w.index.catchUp(t.Context(), 0); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	w.mustBeUndecided(t, "half a snapshot")
	w.source.failAfter.Store(0)
	w.load(t)
	if res := w.verify(t, Request{Credential: w.text}); !res.Valid {
		t.Error(res.Code)
	}
}

// Items may come before what they refer to.
func TestAnyOrder(t *testing.T) {
	w := newWorld(t)
	var items []Item
	for _, i := range w.source.items {
		items = append(items, i)
	}
	for round := range 20 {
		x := w.newIndex()
		for range 3 { // and more than once
			for _, n := range permutation(w, len(items)) {
				if err := x.put(items[n]); err != nil {
					t.Fatal(err)
				}
			}
		}
		x.loaded = true
		if err := x.catchUp(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		res, err := x.Verify(&Request{Credential: w.text, Permissions: "calls:read AND recordings:read"})
		if err != nil || !res.Valid {
			t.Fatalf("round %d: %s, %v", round, res.Code, err)
		}
	}
}

func permutation(w *world, n int) []int {
	p := make([]int, n)
	for i := range p {
		j := int(w.rand.Uint64() % uint64(i+1))
		p[i], p[j] = p[j], i
	}
	return p
}

// Run loads, follows, goes on after failures, and ends with its context.
func TestRun(t *testing.T) {
	w := newWorld(t)
	w.index = New(Config{Source: w.source, Peppers: w.peppers, Now: w.clock.Now, Poll: time.Millisecond})
	w.source.fail.Store(true)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.index.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	w.source.fail.Store(false)
	<-w.index.Loaded()
	until(t, func() bool { return w.verifies(Valid) })
	w.key.State = credential.Suspended
	w.source.put(Item{Credential: &w.key}) // nobody calls Applied: another node did it
	until(t, func() bool { return w.verifies(Suspended) })
	w.source.fail.Store(true)
	w.index.MarkUndecided()
	w.mustBeUndecided(t, "marked")
	w.source.fail.Store(false)
	until(t, func() bool { return w.verifies(Suspended) })
	stop()
	wg.Wait()
}

func (w *world) verifies(code Code) bool {
	res, err := w.index.Verify(&Request{Credential: w.text})
	return err == nil && res.Code == code
}

// until asks again and again; it gives other goroutines the processor meanwhile.
func until(t *testing.T, done func() bool) {
	t.Helper()
	end := time.NewTimer(20 * time.Second)
	defer end.Stop()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-again.C:
		case <-end.C:
			t.Fatal("it didn't come to that")
		}
	}
}

// A proof that is made while a call reads the clock doesn't make the node look stale.
func TestProofMadeMeanwhile(t *testing.T) {
	w := newWorld(t)
	var meanwhile func()
	w.index = New(Config{Source: w.source, Peppers: w.peppers, Now: func() time.Time {
		now := w.clock.Now()
		if do := meanwhile; do != nil {
			meanwhile = nil
			do()
		}
		return now
	}})
	w.load(t)
	meanwhile = func() {
		w.clock.advance(time.Second)
		w.load(t)
	}
	if res := w.verify(t, Request{Credential: w.text}); !res.Valid {
		t.Error(res.Code)
	}
}
