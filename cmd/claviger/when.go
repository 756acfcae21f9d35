package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// parseWhen reads a date (its first moment, UTC), a time, or a duration from now. Nil is
// what empty means.
func parseWhen(s string, now time.Time) (*time.Time, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // no time is an answer
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return &t, nil
		}
	}
	d, err := parseDuration(s)
	if err != nil {
		return nil, &usageError{
			err:  errors.New("a time cannot be read"),
			hint: "Give a date such as 2027-01-31, a time such as 2027-01-31T12:00:00Z, or a duration such as 90d or 12h.",
		}
	}
	t := now.Add(d).UTC()
	return &t, nil
}

// parseDuration reads what time.ParseDuration reads, and days.
func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, errors.New("not a number of days")
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, errors.New("not a duration")
	}
	return d, nil
}
