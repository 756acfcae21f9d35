package node

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger-io/claviger/internal/store"
)

// writerMetric makes the registry that /metrics shows, and histograms of how long groups of
// writes kept others from writing and how much of that was their commits. It returns what
// counts one.
func (n *Node) writerMetric() func(store.Hold) {
	n.registry = prometheus.NewRegistry()
	seconds := func(name, help string) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: []float64{1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 5},
		})
		n.registry.MustRegister(h)
		return h
	}
	held := seconds("claviger_writer_held_seconds", "How long a group of writes kept others from writing.")
	commit := seconds("claviger_writer_commit_seconds", "How much of it the database took to commit, mostly the sync to its disk.")
	return func(h store.Hold) {
		held.Observe(h.Whole.Seconds())
		if h.Commit > 0 {
			commit.Observe(h.Commit.Seconds())
		}
	}
}
