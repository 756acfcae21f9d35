package verify

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/credential"
)

func (w *world) limit(t *testing.T, l credential.Limits) {
	t.Helper()
	w.key.Limits = l
	w.apply(t, Item{Credential: &w.key})
}

// B4: rates in fixed windows and quotas both count costs; all are charged together.
func TestLimits(t *testing.T) {
	w := newWorld(t)
	w.clock.set(time.Date(2026, 11, 21, 12, 0, 30, 0, time.UTC))
	w.load(t)
	w.limit(t, credential.Limits{
		Rates:  []credential.Rate{{Name: "minute", Limit: 11, Window: time.Minute}},
		Quotas: []credential.Quota{{Name: "day", Limit: 10, Period: credential.PerDay}, {Name: "ever", Limit: 100, Period: credential.Forever}},
	})
	minute := time.Date(2026, 11, 21, 12, 1, 0, 0, time.UTC)
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	left := func(rate, perDay, ever int64, minute time.Time) []LimitState {
		return []LimitState{
			{Name: "minute", Limit: 11, Remaining: rate, ResetAt: minute},
			{Name: "day", Limit: 10, Remaining: perDay, ResetAt: day},
			{Name: "ever", Limit: 100, Remaining: ever},
		}
	}
	steps := []struct {
		name string
		r    Request
		wait time.Duration
		code Code
		want []LimitState
	}{
		{"dry", Request{DryRun: true}, 0, Valid, left(11, 10, 100, minute)},
		{"first", Request{}, 0, Valid, left(10, 9, 99, minute)},
		{"costly", Request{Cost: 8}, 0, Valid, left(2, 1, 91, minute)},
		{"too costly", Request{Cost: 2}, 0, UsageExceeded, left(2, 1, 91, minute)},
		{"largest cost there is", Request{Cost: 1<<63 - 1}, 0, RateLimited, left(2, 1, 91, minute)},
		{"dry and too costly", Request{Cost: 2, DryRun: true}, 0, UsageExceeded, left(2, 1, 91, minute)},
		{"not permitted", Request{Permissions: "never:held"}, 0, InsufficientPermissions, nil},
		{"last of the day", Request{}, 0, Valid, left(1, 0, 90, minute)},
		{"rate comes first", Request{Cost: 2}, 0, RateLimited, left(1, 0, 90, minute)},
		{"next window", Request{}, 30 * time.Second, UsageExceeded, left(11, 0, 90, minute.Add(time.Minute))},
	}
	for _, s := range steps {
		w.clock.advance(s.wait)
		w.load(t)
		s.r.Credential = w.text
		res := w.verify(t, s.r)
		if res.Code != s.code {
			t.Errorf("%s: %s, want %s", s.name, res.Code, s.code)
		}
		if diff := cmp.Diff(s.want, res.Limits); diff != "" {
			t.Errorf("%s: %s", s.name, diff)
		}
	}
	w.clock.set(day)
	w.load(t)
	if res := w.verify(t, Request{Credential: w.text}); !res.Valid || res.Limits[1].Remaining != 9 || res.Limits[2].Remaining != 89 {
		t.Errorf("the next day: %+v", res)
	}
}

// A clock set back opens no window and no period again.
func TestLimitsWhenTheClockGoesBack(t *testing.T) {
	w := newWorld(t)
	w.limit(t, credential.Limits{
		Rates:  []credential.Rate{{Name: "second", Limit: 1, Window: time.Second}},
		Quotas: []credential.Quota{{Name: "day", Limit: 2, Period: credential.PerDay}},
	})
	if res := w.verify(t, Request{Credential: w.text}); !res.Valid {
		t.Fatal(res.Code)
	}
	for _, back := range []time.Duration{time.Millisecond, time.Second, 25 * time.Hour} {
		w.clock.advance(-back)
		w.load(t)
		if res := w.verify(t, Request{Credential: w.text}); res.Code != RateLimited {
			t.Errorf("back by %v: %s", back, res.Code)
		}
	}
}

// What was counted goes on when the credential or its limits change.
func TestLimitsSurviveChanges(t *testing.T) {
	w := newWorld(t)
	l := credential.Limits{
		Rates:  []credential.Rate{{Name: "hour", Limit: 3, Window: time.Hour}},
		Quotas: []credential.Quota{{Name: "day", Limit: 5, Period: credential.PerDay}},
	}
	w.limit(t, l)
	for range 2 {
		w.verify(t, Request{Credential: w.text})
	}
	w.key.Name = "renamed"
	w.limit(t, l)
	raised := credential.Limits{
		Rates:  []credential.Rate{{Name: "hour", Limit: 2, Window: time.Hour}},
		Quotas: []credential.Quota{{Name: "day", Limit: 9, Period: credential.PerDay}},
	}
	w.limit(t, raised)
	res := w.verify(t, Request{Credential: w.text})
	if res.Code != RateLimited || res.Limits[0].Remaining != 0 || res.Limits[1].Remaining != 7 {
		t.Errorf("%s %+v", res.Code, res.Limits)
	}
}

// A restart goes on from the counts that were persisted for the current period.
func TestQuotaAfterRestart(t *testing.T) {
	w := newWorld(t)
	w.key.Limits.Quotas = []credential.Quota{
		{Name: "day", Limit: 10, Period: credential.PerDay}, {Name: "month", Limit: 10, Period: credential.PerMonth},
	}
	w.key.QuotaUsed = []QuotaUsed{
		{Name: "day", PeriodStart: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Used: 10},
		{Name: "month", PeriodStart: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Used: 9},
	}
	w.source.put(Item{Credential: &w.key})
	w.index = w.newIndex()
	w.load(t)
	for _, want := range []Code{Valid, UsageExceeded} {
		if res := w.verify(t, Request{Credential: w.text}); res.Code != want {
			t.Errorf("%s, want %s: %+v", res.Code, want, res.Limits)
		}
	}
}

// B4: exact on one node, whoever asks and whatever changes meanwhile.
func TestLimitsExactUnderConcurrency(t *testing.T) {
	w := newWorld(t)
	const limit, callers, each = 1000, 16, 200
	l := credential.Limits{
		Rates:  []credential.Rate{{Name: "day", Limit: 2 * limit, Window: 24 * time.Hour}},
		Quotas: []credential.Quota{{Name: "ever", Limit: 3 * limit, Period: credential.Forever}},
	}
	w.limit(t, l)
	var valid, limited atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				res, err := w.index.Verify(&Request{Credential: w.text, Cost: 2})
				switch {
				case err != nil:
					t.Error(err)
				case res.Valid:
					valid.Add(1)
				case res.Code == RateLimited:
					limited.Add(1)
				default:
					t.Error(res.Code)
				}
			}
		})
	}
	for n := range 20 {
		w.key.Name = string(rune('a' + n))
		w.limit(t, l)
	}
	wg.Wait()
	if valid.Load() != limit || limited.Load() != callers*each-limit {
		t.Errorf("%d valid and %d limited; want %d and %d", valid.Load(), limited.Load(), limit, callers*each-limit)
	}
	res := w.verify(t, Request{Credential: w.text, DryRun: true})
	if res.Limits[0].Remaining != 0 || res.Limits[1].Remaining != limit {
		t.Errorf("%+v", res.Limits)
	}
	var counted, denied int64
	if err := w.index.DrainUsage(func(u Usage) error {
		counted += u.Valid
		denied += u.Denied[RateLimited]
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if counted != limit || denied != callers*each-limit {
		t.Errorf("%d valid and %d denied were counted", counted, denied)
	}
}
