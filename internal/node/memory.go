package node

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	gcHeadroom  = 40 << 20 // bytes that may be allocated between two collections
	gcLeast     = 15       // percent; less would collect all the time
	gcMost      = 800
	gcLookAgain = time.Minute
)

// TuneMemory keeps the room between two garbage collections at about 40 MB until ctx ends,
// after it has given back what loading took. With the default the resident index of a
// million keys would need twice its size, and a small server would collect many times a
// second. It changes the whole process, and leaves GOGC alone where it is set. Once the
// memory is given back it calls settled, whose error it returns.
func TuneMemory(ctx context.Context, settled func() error) error {
	debug.FreeOSMemory()
	tuned := os.Getenv("GOGC") != ""
	current := 0
	if !tuned {
		current = tuneGC(current)
	}
	if err := settled(); err != nil {
		return err
	}
	tick := time.NewTicker(gcLookAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if !tuned {
			current = tuneGC(current)
		}
	}
}

// tuneGC returns what is set from now on. HeapAlloc holds garbage too; a bit more headroom
// than needed is what that costs.
func tuneGC(current int) int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	want := gcPercent(m.HeapAlloc)
	if want >= current*4/5 && want <= current*5/4 {
		return current
	}
	debug.SetGCPercent(want)
	return want
}

func gcPercent(live uint64) int {
	return int(min(max(gcHeadroom*100/max(live, 1), gcLeast), gcMost))
}
