package node

import (
	"testing"
	"time"
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
