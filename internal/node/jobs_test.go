package node

import (
	"slices"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/verify"
)

// What a flush takes decides when the next is.
func TestUsagePause(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0:                      5 * time.Second,
		100 * time.Millisecond: 5 * time.Second,
		time.Second:            20 * time.Second,
		10 * time.Second:       time.Minute,
	} {
		if got := usagePause(took); got != want {
			t.Errorf("after a flush of %v: %v, want %v", took, got, want)
		}
	}
}

// Usage is written with long rests where there is time for them, and with short ones at least.
func TestUsageRest(t *testing.T) {
	const took = 10 * time.Millisecond
	for name, c := range map[string]struct {
		chunks int
		left   time.Duration
		want   time.Duration
	}{
		"much time":   {10, time.Minute, 90 * time.Millisecond},
		"just enough": {1000, time.Minute, 50 * time.Millisecond},
		"little time": {100_000, time.Minute, 20 * time.Millisecond},
		"too late":    {10, -time.Second, 20 * time.Millisecond},
	} {
		if got := usageRest(took, c.chunks, c.left); got != c.want {
			t.Errorf("%s: rests %s, want %s", name, got, c.want)
		}
	}
}

// Quotas are written before what is only shown, and nothing else changes its place.
func TestQuotasFirst(t *testing.T) {
	var list []verify.Usage
	for i, quotas := range []int{0, 2, 0, 1, 0} {
		list = append(list, verify.Usage{Valid: int64(i), Quotas: make([]verify.QuotaUsed, quotas)})
	}
	quotasFirst(list)
	var got []int64
	for _, u := range list {
		got = append(got, u.Valid)
	}
	if want := []int64{1, 3, 0, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("written in the order %v, want %v", got, want)
	}
}
