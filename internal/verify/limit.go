package verify

import (
	"strings"
	"sync"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
)

// limiter counts against the limits of one credential. All of them are charged together
// or none is, so a call that is denied consumes nothing.
type limiter struct {
	mu     sync.Mutex // guards the counts
	rates  []rateCount
	quotas []quotaCount
}

// Windows and periods only move forward: a clock that goes back reopens none.
type rateCount struct {
	credential.Rate
	start int64 // Unix seconds
	used  int64
}

type quotaCount struct {
	credential.Quota
	start, end time.Time // end is zero for a quota that never starts again
	used       int64
}

// newLimiter returns nil for limits that bound nothing. Counts go on from those of the
// limiter before, where name and window or period are the same, and from what was
// persisted before this process started.
func newLimiter(l credential.Limits, before *limiter, persisted []QuotaUsed) *limiter {
	if len(l.Rates) == 0 && len(l.Quotas) == 0 {
		return nil
	}
	n := &limiter{}
	for _, r := range l.Rates {
		r.Name = strings.Clone(r.Name)
		n.rates = append(n.rates, rateCount{Rate: r})
	}
	for _, q := range l.Quotas {
		q.Name = strings.Clone(q.Name)
		n.quotas = append(n.quotas, quotaCount{Quota: q})
	}
	if before != nil {
		n.inherit(before)
	}
	for i := range n.quotas {
		n.quotas[i].restore(persisted)
	}
	return n
}

func (l *limiter) inherit(before *limiter) {
	before.mu.Lock()
	defer before.mu.Unlock()
	for i := range l.rates {
		for _, old := range before.rates {
			if r := &l.rates[i]; old.Name == r.Name && old.Window == r.Window {
				r.start, r.used = old.start, old.used
			}
		}
	}
	for i := range l.quotas {
		for _, old := range before.quotas {
			if q := &l.quotas[i]; old.Name == q.Name && old.Period == q.Period {
				q.start, q.end, q.used = old.start, old.end, old.used
			}
		}
	}
}

func (q *quotaCount) restore(persisted []QuotaUsed) {
	for _, p := range persisted {
		if p.Name != q.Name {
			continue
		}
		switch {
		case p.PeriodStart.After(q.start) || q.start.IsZero():
			q.start, q.end, q.used = p.PeriodStart, q.Period.End(p.PeriodStart), p.Used
		case p.PeriodStart.Equal(q.start):
			q.used = max(q.used, p.Used)
		}
	}
}

// charge counts one call of the given cost, or, when dry or when a limit is reached,
// nothing. It returns Valid, RateLimited or UsageExceeded, and what is left.
func (l *limiter) charge(now time.Time, cost int64, dry bool) (Code, []LimitState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance(now)
	code := l.check(cost)
	if code == Valid && !dry {
		for i := range l.rates {
			l.rates[i].used += cost
		}
		for i := range l.quotas {
			l.quotas[i].used += cost
		}
	}
	return code, l.states()
}

// check compares without adding up, so that a large cost can't overflow into a yes.
func (l *limiter) check(cost int64) Code {
	for i := range l.rates {
		if r := &l.rates[i]; cost > r.Limit-r.used {
			return RateLimited
		}
	}
	for i := range l.quotas {
		if q := &l.quotas[i]; cost > q.Limit-q.used {
			return UsageExceeded
		}
	}
	return Valid
}

func (l *limiter) advance(now time.Time) {
	for i := range l.rates {
		r := &l.rates[i]
		if start := r.WindowStart(now).Unix(); start > r.start {
			r.start, r.used = start, 0
		}
	}
	for i := range l.quotas {
		q := &l.quotas[i]
		if !q.start.IsZero() && (q.end.IsZero() || now.Before(q.end)) {
			continue
		}
		start := q.Period.Start(now)
		q.start, q.end, q.used = start, q.Period.End(start), 0
	}
}

func (l *limiter) states() []LimitState {
	list := make([]LimitState, 0, len(l.rates)+len(l.quotas))
	for i := range l.rates {
		r := &l.rates[i]
		list = append(list, LimitState{
			Name: r.Name, Limit: r.Limit, Remaining: max(0, r.Limit-r.used),
			ResetAt: time.Unix(r.start, 0).UTC().Add(r.Window),
		})
	}
	for i := range l.quotas {
		q := &l.quotas[i]
		list = append(list, LimitState{Name: q.Name, Limit: q.Limit, Remaining: max(0, q.Limit-q.used), ResetAt: q.end})
	}
	return list
}

// quotasUsed is what usage batches persist: the counts of the current periods.
func (l *limiter) quotasUsed() []QuotaUsed {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []QuotaUsed
	for i := range l.quotas {
		if q := &l.quotas[i]; !q.start.IsZero() {
			list = append(list, QuotaUsed{Name: q.Name, PeriodStart: q.start, Used: q.used})
		}
	}
	return list
}
