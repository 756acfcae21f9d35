package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// writerMetric makes the registry that /metrics shows, and a histogram of how long groups of
// writes kept others from writing. It returns what counts one.
func (n *Node) writerMetric() func(time.Duration) {
	n.registry = prometheus.NewRegistry()
	held := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "claviger_writer_held_seconds", Help: "How long a group of writes kept others from writing.",
		Buckets: []float64{1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 5},
	})
	n.registry.MustRegister(held)
	return func(d time.Duration) { held.Observe(d.Seconds()) }
}
