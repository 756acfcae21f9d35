package credential

import (
	"time"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// MaxGrace is the longest time that an old secret may work beside its successor.
const MaxGrace = 30 * 24 * time.Hour

// DigestRetention is how long the digest of an ended credential stays: long enough to
// answer "revoked" rather than "never heard of it".
const DigestRetention = 90 * 24 * time.Hour

// lastMoment is the end of what RFC 3339 and PostgreSQL can both write.
var lastMoment = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)

// Expiry decides when a new credential ends; the zero time means never. asked nil means
// that nobody asked: the policy's default for the kind, else one year for organization
// keys (NV10) and never for the others. A pointer to the zero time asks for never.
//
// The tenant's longest life and the end of the caller's own credential (zero: none) bound
// it: a default is shortened silently, a wish beyond a bound is refused, so that nobody
// gets less than they asked for without noticing. Times are cut to microseconds.
func Expiry(kind Kind, asked *time.Time, policy tenancy.Policy, callerEnds, now time.Time) (time.Time, error) {
	bound, err := latestEnd(kind, policy, callerEnds, now)
	if err != nil {
		return time.Time{}, err
	}
	if asked == nil {
		return earlier(defaultEnd(kind, policy, now), bound.at), nil
	}
	end := asked.UTC().Truncate(time.Microsecond)
	if asked.IsZero() {
		end = time.Time{}
	} else if !end.After(now) {
		return time.Time{}, problem.InvalidField("/expires_at", "Choose a time in the future.")
	} else if !end.Before(lastMoment) {
		return time.Time{}, problem.InvalidField("/expires_at", "Choose a time before the year 10000, or none.")
	}
	if earlier(end, bound.at) != end {
		return time.Time{}, bound.refusal()
	}
	return end, nil
}

// bound is the latest end that is allowed; the zero bound allows never.
type bound struct {
	at     time.Time
	policy bool // the tenant's policy sets it, not the caller's own end
}

func (b bound) refusal() error {
	date := b.at.Format(time.RFC3339)
	if b.policy {
		return problem.InvalidField("/expires_at", "The tenant's policy allows a life until "+date+". Choose that or an earlier time.")
	}
	return problem.New(problem.Denied, "outlives_caller",
		"Your own credential ends at "+date+" and cannot make one that lives longer. Choose that or an earlier time.")
}

func latestEnd(kind Kind, policy tenancy.Policy, callerEnds, now time.Time) (bound, error) {
	var b bound
	if longest, ok := policy.MaxLifetime[string(kind)]; ok {
		if longest <= 0 {
			return bound{}, problem.New(problem.Denied, "lifetime_policy", "The tenant's policy allows no credentials of this kind. Ask an administrator to change it.")
		}
		b = bound{at: now.Add(longest).UTC().Truncate(time.Microsecond), policy: true}
	}
	if callerEnds.IsZero() {
		return b, nil
	}
	if !callerEnds.After(now) {
		return bound{}, problem.New(problem.Denied, "outlives_caller", "Your own credential has ended. Use another one.")
	}
	if b.at.IsZero() || callerEnds.Before(b.at) {
		b = bound{at: callerEnds.UTC().Truncate(time.Microsecond)}
	}
	return b, nil
}

func defaultEnd(kind Kind, policy tenancy.Policy, now time.Time) time.Time {
	if d, ok := policy.DefaultLifetime[string(kind)]; ok && d > 0 {
		return now.Add(d).UTC().Truncate(time.Microsecond)
	}
	if kind == OrganizationKey {
		return now.UTC().AddDate(1, 0, 0).Truncate(time.Microsecond)
	}
	return time.Time{}
}

// earlier returns the earlier of two ends, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// ValidateGrace checks a grace period: whole seconds from 0 (the old secret stops at
// once) to MaxGrace.
func ValidateGrace(d time.Duration) error {
	if d < 0 || d > MaxGrace || d%time.Second != 0 {
		return problem.InvalidField("/grace_period_seconds", "Choose whole seconds, from none to 30 days.")
	}
	return nil
}
