package outbox

import (
	"maps"
	"sync"

	"github.com/claviger-io/claviger/internal/store"
)

// Attempt is what attempts are counted by.
type Attempt struct {
	Kind  store.DeliveryKind
	State store.DeliveryState // what they came to: pending ones are tried again
}

// stats counts the attempts of this process.
type stats struct {
	mu     sync.Mutex
	counts map[Attempt]int64 // mu guards it
}

func (s *stats) add(kind store.DeliveryKind, state store.DeliveryState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = map[Attempt]int64{}
	}
	s.counts[Attempt{kind, state}]++
}

// Attempts are the attempts of this worker since it was made.
func (w *Worker) Attempts() map[Attempt]int64 {
	w.stats.mu.Lock()
	defer w.stats.mu.Unlock()
	return maps.Clone(w.stats.counts)
}
