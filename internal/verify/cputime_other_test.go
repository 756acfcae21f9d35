//go:build !linux

package verify

import "time"

func cpuTime() (time.Duration, bool) { return 0, false }
