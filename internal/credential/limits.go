package credential

import (
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/problem"
)

// Limits bounds how often a credential may be used. The zero Limits bounds nothing.
type Limits struct {
	Rates  []Rate
	Quotas []Quota
}

// Rate allows Limit calls in each fixed window of Window, windows starting at multiples
// of Window since the Unix epoch.
type Rate struct {
	Name   string
	Limit  int64
	Window time.Duration // whole seconds, 1 s to 24 h
}

// QuotaPeriod is how long a quota's count goes on before it starts again (UTC).
type QuotaPeriod string

// The periods.
const (
	PerDay   QuotaPeriod = "day"
	PerMonth QuotaPeriod = "month"
	Forever  QuotaPeriod = "forever"
)

// Quota allows a sum of costs of Limit in each period.
type Quota struct {
	Name   string
	Limit  int64
	Period QuotaPeriod
}

// What limits may be.
const (
	MaxRates     = 10
	MaxQuotas    = 10
	MaxLimit     = 1_000_000_000_000_000 // JavaScript clients read it exactly
	MaxLimitName = 63                    // bytes
	MinWindow    = time.Second
	MaxWindow    = 24 * time.Hour
)

// WindowStart returns the start of the window that t is in.
func (r Rate) WindowStart(t time.Time) time.Time {
	window := int64(r.Window / time.Second)
	if window < 1 {
		window = 1
	}
	now := t.Unix()
	past := now % window
	if past < 0 { // before 1970, where % rounds up
		past += window
	}
	return time.Unix(now-past, 0).UTC()
}

// Valid reports whether q is one of the periods.
func (q QuotaPeriod) Valid() bool { return q == PerDay || q == PerMonth || q == Forever }

// Start returns the start of the period that t is in; the Unix epoch for Forever.
func (q QuotaPeriod) Start(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	switch q {
	case PerDay:
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	case PerMonth:
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	case Forever:
	}
	return time.Unix(0, 0).UTC()
}

// End returns when the period that begins at start ends, exclusive; the zero time for
// Forever, which has no end.
func (q QuotaPeriod) End(start time.Time) time.Time {
	switch q {
	case PerDay:
		return start.UTC().AddDate(0, 0, 1)
	case PerMonth:
		return start.UTC().AddDate(0, 1, 0)
	case Forever:
	}
	return time.Time{}
}

// ValidateLimits returns an Invalid problem that points at everything wrong with l, or nil.
func ValidateLimits(l Limits) error {
	if len(l.Rates) > MaxRates {
		return problem.InvalidField("/limits/rates", fmt.Sprintf("Give at most %d rates.", MaxRates))
	}
	if len(l.Quotas) > MaxQuotas {
		return problem.InvalidField("/limits/quotas", fmt.Sprintf("Give at most %d quotas.", MaxQuotas))
	}
	var fields []problem.Field
	wrong := func(pointer, message string) {
		fields = append(fields, problem.Field{Pointer: pointer, Message: message})
	}
	seen := make(map[string]bool)
	common := func(pointer, name string, limit int64) {
		if !validLimitName(name) {
			wrong(pointer+"/name", fmt.Sprintf("Use 1 to %d of a to z, 0 to 9, _ and -.", MaxLimitName))
		} else if seen[name] {
			wrong(pointer+"/name", "Give each rate and quota a name of its own.")
		}
		seen[name] = true
		if limit < 1 || limit > MaxLimit {
			wrong(pointer+"/limit", fmt.Sprintf("Give a whole number from 1 to %d.", int64(MaxLimit)))
		}
	}
	for i, r := range l.Rates {
		pointer := fmt.Sprintf("/limits/rates/%d", i)
		common(pointer, r.Name, r.Limit)
		if r.Window < MinWindow || r.Window > MaxWindow || r.Window%time.Second != 0 {
			wrong(pointer+"/window_seconds", "Give whole seconds, from 1 second to 24 hours.")
		}
	}
	for i, q := range l.Quotas {
		pointer := fmt.Sprintf("/limits/quotas/%d", i)
		common(pointer, q.Name, q.Limit)
		if !q.Period.Valid() {
			wrong(pointer+"/period", "Choose day, month or forever.")
		}
	}
	return problem.InvalidFields(fields)
}

func validLimitName(s string) bool {
	if s == "" || len(s) > MaxLimitName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
