package authority_test

import (
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// The judge of TestNoticeCalendar knows the rules from their wording and shares nothing with
// the program: it looks at each threshold of each expiry by itself.

// span is when a threshold of an expiry may be announced: from the digest before it is
// crossed, or an hour before that where the expiry was set later; until a tighter one may.
type span struct{ from, until time.Time }

var calendarDays = []int{30, 14, 7, 3, 1}

// digestBefore is the last digest at a time or before: eight o'clock in Berlin.
func (c *calendar) digestBefore(t time.Time) time.Time {
	at := t.Truncate(time.Hour)
	for at.In(c.zone).Hour() != tenancy.DefaultNoticeHour {
		at = at.Add(-time.Hour)
	}
	return at
}

// spans are those of one expiry; thresholds that lay in the past have none.
func (c *calendar) spans(e calendarExpiry) map[int]span {
	out := map[int]span{}
	until := e.at
	for i := len(calendarDays) - 1; i >= 0; i-- { // the tightest first
		n := calendarDays[i]
		crossed := e.at.Add(-time.Duration(n) * days)
		if !crossed.After(e.set) {
			break
		}
		s := span{from: c.digestBefore(crossed), until: until}
		if !s.from.After(e.set) {
			s.from = crossed.Add(-time.Hour)
		}
		out[n], until = s, s.from
	}
	return out
}

// judge compares the diary with what was said.
func (c *calendar) judge() {
	c.Helper()
	type one struct {
		to      string
		id      credential.ID
		expires time.Time
		days    int
	}
	said, killed, at := map[one]int{}, map[one]int{}, map[one]int{}
	expiries := map[credential.ID]map[time.Time][]calendarExpiry{}
	for _, k := range c.keys {
		expiries[k.id] = map[time.Time][]calendarExpiry{}
		for _, e := range k.expiries {
			expiries[k.id][e.at] = append(expiries[k.id][e.at], e)
		}
	}
	for _, s := range c.said {
		what := one{s.to, s.id, s.expires, s.days}
		if said[what]++; said[what] == 1 {
			at[what] = s.tick
		}
		if s.killed {
			killed[what]++
		}
		if said[what] > 1+killed[what] {
			c.Errorf("%s was told of %s %d days before %s %d times", s.to, s.id, s.days, s.expires, said[what])
		}
		allowed := false
		for _, e := range expiries[s.id][s.expires] {
			window, ok := c.spans(e)[s.days]
			allowed = allowed || ok && !s.marked.Before(window.from) && s.marked.Before(window.until)
		}
		if !allowed {
			c.Errorf("%s was announced %d days before %s at %s: not the time", s.id, s.days, s.expires, s.marked)
		}
	}
	owed := 0
	for _, k := range c.keys {
		for _, e := range k.expiries {
			if e.at.IsZero() {
				continue
			}
			for n, s := range c.spans(e) {
				people, latest := c.owedTo(e, s)
				for _, p := range people {
					owed++
					if what := (one{string(p), k.id, e.at, n}); said[what] == 0 || at[what] > latest {
						c.Errorf("%s was told of %s %d days before %s (set at %s) %d times by %s, not once", p, k.id, n, e.at, e.set, said[what], c.ticks[latest].at)
					}
				}
			}
		}
	}
	c.Logf("%d looks, %d keys, %d administrators; owed %d, said %d", len(c.ticks), len(c.keys), len(c.people), owed, len(c.said))
	if owed < c.size.keys/2 {
		c.Errorf("only %d notices were owed: this shows nothing", owed)
	}
}

// owedTo are those who must have been told: somebody was up and at work within the span, and
// they were administrators from its beginning on until then; and by which tick.
func (c *calendar) owedTo(e calendarExpiry, s span) (list []tenancy.UserID, latest int) {
	first := -1
	to := e.to
	if to == 0 {
		to = len(c.ticks)
	}
	for i := e.from; i < to; i++ {
		t := c.ticks[i]
		if !t.at.Before(s.until) {
			return nil, 0 // a tighter one has its turn, also if the clock is set back
		}
		if t.at.Before(s.from) {
			continue
		}
		if first < 0 {
			first = i
		}
		if !t.clean {
			continue
		}
		for _, p := range c.people {
			for _, term := range p.terms {
				if term[0] <= first && (term[1] == 0 || term[1] > i) {
					list = append(list, p.id)
				}
			}
		}
		return list, i
	}
	return nil, 0
}
