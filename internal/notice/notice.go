// Package notice says who is told what about credentials that expire, and when (NV11).
//
// A threshold of N days is crossed N times 24 hours before the end. Once a day, at the
// tenant's hour, a digest lists all that cross a threshold before the next digest, so that
// people hear of each from N to N+1 days before. What could not be said in time is said at
// once, the tightest threshold alone. Each threshold counts once for an expiry; thresholds
// that lay in the past when the expiry was set do not count at all.
//
// This package decides and words; package authority makes the digests, each with its audit
// events, and package outbox delivers them. What a message lists is read when it is
// delivered, so nobody is told of what is no longer true.
package notice

import (
	"time"
	_ "time/tzdata" // machines without time zones of their own know them, too

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const (
	// Every is how often it is looked for what is due. Digests are due at whole hours of zones
	// that differ from UTC by whole quarters.
	Every = 15 * time.Minute
	// late is how long before a threshold people are told where the expiry was set after the
	// last digest: making a credential does not send a message at once.
	late = time.Hour
)

// Zone finds a time zone by its IANA name; empty means UTC.
func Zone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, problem.InvalidField("/policy/notices/time_zone", "Name a time zone, such as Europe/Lisbon.")
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, problem.InvalidField("/policy/notices/time_zone", "There is no such time zone. Use a name such as Europe/Lisbon.")
	}
	return loc, nil
}

// zone is Zone for what was checked before; a zone that is no more counts as UTC.
func zone(n tenancy.Notices) *time.Location {
	loc, err := Zone(n.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// Validate checks a tenant's choice.
func Validate(n tenancy.Notices) error {
	if len(n.Days) > tenancy.MaxNotices {
		return problem.InvalidField("/policy/notices/days", "Choose at most 10 thresholds.")
	}
	for _, days := range n.Days {
		if days < 1 || days > tenancy.MaxNoticeDays {
			return problem.InvalidField("/policy/notices/days", "Choose whole days, from 1 to 365.")
		}
	}
	if hour := n.AtHour(); hour < 0 || hour > 23 {
		return problem.InvalidField("/policy/notices/hour", "Choose an hour from 0 to 23.")
	}
	_, err := Zone(n.TimeZone)
	return err
}

// Digests are when the last digest was due, at now or before, and when the next one is.
// Days with a change of the clocks have one, too.
func Digests(n tenancy.Notices, now time.Time) (last, next time.Time) {
	loc := zone(n)
	local := now.In(loc)
	for offset := -2; ; offset++ {
		at := time.Date(local.Year(), local.Month(), local.Day()+offset, n.AtHour(), 0, 0, 0, loc).UTC()
		if at.After(now) {
			return last, at
		}
		last = at
	}
}

// Due says what is due at a time.
func Due(n tenancy.Notices, now time.Time) store.DueFilter {
	last, next := Digests(n, now)
	soon := now.Add(late + time.Microsecond)
	if next.Before(soon) {
		soon = next
	}
	return store.DueFilter{Days: n.Thresholds(), Now: now, Since: last, Horizon: next, LateHorizon: soon}
}

// Coming says what will be due by the next digest, what is due already included.
func Coming(n tenancy.Notices, now time.Time) (due store.DueFilter, at time.Time) {
	_, at = Digests(n, now)
	_, after := Digests(n, at)
	return store.DueFilter{Days: n.Thresholds(), Now: now, Since: after, Horizon: after, LateHorizon: after}, at
}

// At is when people are told of what Coming finds: now, where it is due already.
func At(n tenancy.Notices, d store.DueNotice, now time.Time) time.Time {
	last, next := Digests(n, now)
	crossed := d.ExpiresAt.Add(-time.Duration(d.Days) * 24 * time.Hour)
	switch {
	case !crossed.Before(next):
		return next
	case !d.SetAt.Before(last) && crossed.After(now.Add(late)):
		return crossed.Add(-late)
	}
	return now
}
