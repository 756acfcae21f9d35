package node

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	gcHeadroom  = 32 << 20 // bytes that may be allocated between two collections
	gcLeast     = 15       // percent; less would collect all the time
	gcMost      = 800
	gcLookAgain = time.Minute
)

// TuneMemory keeps the room between two garbage collections at about 32 MB until ctx ends.
// With the default the resident index of a million keys would need twice its size, and a
// small server would collect many times a second. It changes the whole process, and does
// nothing where GOGC is set.
func TuneMemory(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.FreeOSMemory() // what loading took, and nothing needs any more
	tick := time.NewTicker(gcLookAgain)
	defer tick.Stop()
	current := 0
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		// HeapAlloc holds garbage too; a bit more headroom than needed is what that costs.
		if want := gcPercent(m.HeapAlloc); want < current*4/5 || want > current*5/4 {
			debug.SetGCPercent(want)
			current = want
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func gcPercent(live uint64) int {
	return int(min(max(gcHeadroom*100/max(live, 1), gcLeast), gcMost))
}
