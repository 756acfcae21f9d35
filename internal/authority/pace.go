package authority

import (
	"context"
	"time"
)

const (
	// holdLimit is how long a transaction of work on many credentials may take: other writers
	// wait no longer than that.
	holdLimit = 15 * time.Millisecond
	// leastChunk and mostChunk bound how many are changed in one transaction.
	leastChunk, mostChunk = 25, 200
)

// pacer finds how many credentials can be changed in one transaction.
type pacer struct{ size int }

func newPacer() *pacer { return &pacer{size: leastChunk} }

// took tells it how long a transaction with so many held the writer.
func (p *pacer) took(n int, d time.Duration) {
	switch {
	case d > holdLimit:
		p.size = max(leastChunk, p.size/2)
	case n == p.size && d < holdLimit/3:
		p.size = min(mostChunk, p.size*2)
	}
}

// pause leaves the machine to others for a while, at most a second.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(min(d, time.Second))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
