package verify

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
)

func (w *world) drain(t *testing.T) []Usage {
	t.Helper()
	var list []Usage
	if err := w.index.DrainUsage(func(u Usage) error { list = append(list, u); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

// B5: counts per credential and hour, last use by VALID alone, quotas as they stand.
func TestUsage(t *testing.T) {
	w := newWorld(t)
	hour := w.clock.Now()
	w.limit(t, credential.Limits{Quotas: []credential.Quota{{Name: "day", Limit: 100, Period: credential.PerDay}}})
	ask := func(r Request) {
		r.Credential = w.text
		w.verify(t, r)
	}
	ask(Request{Cost: 3})
	w.clock.advance(10 * time.Second)
	ask(Request{})
	ask(Request{DryRun: true})
	ask(Request{DryRun: true, Permissions: "never:held"})
	ask(Request{Permissions: "never:held"})
	ask(Request{OnlyTenant: "ten_b"})
	w.clock.set(hour.Add(time.Hour + time.Second))
	w.load(t)
	ask(Request{})
	ask(Request{Permissions: "never:held"})
	quota := func(used int64) []QuotaUsed {
		return []QuotaUsed{{Name: "day", PeriodStart: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), Used: used}}
	}
	row := Usage{CredentialID: w.key.ID, TenantID: "ten_a", Hour: hour}
	valid1, denied1, valid2, denied2 := row, row, row, row
	valid1.Valid, valid1.LastUsedAt, valid1.Quotas = 2, hour.Add(10*time.Second), quota(5)
	denied1.Denied = map[Code]int64{InsufficientPermissions: 1}
	valid2.Hour, valid2.Valid, valid2.LastUsedAt, valid2.Quotas = hour.Add(time.Hour), 1, hour.Add(time.Hour+time.Second), quota(5)
	denied2.Hour, denied2.Denied = hour.Add(time.Hour), map[Code]int64{InsufficientPermissions: 1}
	order := cmpopts.SortSlices(func(a, b Usage) bool { return a.Hour.Before(b.Hour) || a.Hour.Equal(b.Hour) && a.Valid > b.Valid })
	if diff := cmp.Diff([]Usage{valid1, denied1, valid2, denied2}, w.drain(t), order); diff != "" {
		t.Error(diff)
	}
	if left := w.drain(t); len(left) > 0 {
		t.Errorf("drained twice: %+v", left)
	}
}

// What a failing drain was given comes again, with what it wasn't.
func TestDrainFails(t *testing.T) {
	w := newWorld(t)
	const keys = 50
	for range keys {
		c, text := w.issue(t, secret.UserKey, w.clock.Now())
		c.TenantID, c.OrganizationID = "ten_a", "org_north"
		w.apply(t, Item{Credential: &c})
		w.verify(t, Request{Credential: text})
	}
	counted := make(map[credential.ID]int64)
	full := errors.New("the disk is full")
	for failed := false; ; {
		n := 0
		err := w.index.DrainUsage(func(u Usage) error {
			if n++; n == 7 && !failed {
				return full
			}
			counted[u.CredentialID] += u.Valid
			return nil
		})
		if err == nil {
			break
		}
		if failed || !errors.Is(err, full) {
			t.Fatal(err)
		}
		failed = true
	}
	if len(counted) != keys {
		t.Errorf("%d credentials, want %d", len(counted), keys)
	}
	for id, n := range counted {
		if n != 1 {
			t.Errorf("%v counted %d times", id, n)
		}
	}
}

// Nothing is lost or counted twice while keys are used, drained, removed and issued.
func TestUsageUnderConcurrency(t *testing.T) {
	w := newWorld(t)
	const callers, each = 8, 500
	var mu sync.Mutex
	var drained int64
	take := func(u Usage) error {
		mu.Lock()
		defer mu.Unlock()
		drained += u.Valid
		return nil
	}
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				if res, err := w.index.Verify(&Request{Credential: w.text}); err != nil || !res.Valid {
					t.Error(res.Code, err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			if err := w.index.DrainUsage(take); err != nil {
				t.Error(err)
			}
		}
	})
	removed := int64(0)
	for range 50 {
		c, text := w.issue(t, secret.UserKey, w.clock.Now())
		c.TenantID, c.OrganizationID = "ten_a", "org_north"
		w.apply(t, Item{Credential: &c})
		w.verify(t, Request{Credential: text})
		removed++
		w.apply(t, Item{Credential: &c, Gone: true})
	}
	wg.Wait()
	if err := w.index.DrainUsage(take); err != nil {
		t.Fatal(err)
	}
	if want := callers*each + removed; drained != want {
		t.Errorf("%d counted, want %d", drained, want)
	}
	if n := w.index.Stats().Credentials; n != 1 {
		t.Errorf("%d credentials left, want 1", n)
	}
}
