package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/store"
)

// outboxMetrics reads what lies in the outbox when it is asked for. Every node shows the same
// of the database, and its own attempts.
type outboxMetrics struct {
	store  *store.Store
	worker *outbox.Worker
	now    func() time.Time
	log    *slog.Logger

	deliveries, oldest, attempts *prometheus.Desc
}

func newOutboxMetrics(s *Server, worker *outbox.Worker) *outboxMetrics {
	return &outboxMetrics{
		store: s.store, worker: worker, now: s.now, log: s.log,
		deliveries: prometheus.NewDesc("claviger_outbox_deliveries", "Mail and calls of webhooks that wait (pending) or were given up (dead).", []string{"kind", "state"}, nil),
		oldest:     prometheus.NewDesc("claviger_outbox_oldest_pending_seconds", "Age of the oldest delivery that waits.", []string{"kind"}, nil),
		attempts:   prometheus.NewDesc("claviger_outbox_attempts_total", "Attempts of this node: delivered, retried or dead.", []string{"kind", "outcome"}, nil),
	}
}

// Describe is for the registry.
func (m *outboxMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- m.deliveries
	to <- m.oldest
	to <- m.attempts
}

var (
	deliveryKinds = []store.DeliveryKind{store.DeliveryMail, store.DeliveryWebhook}
	outcomes      = map[store.DeliveryState]string{store.DeliveryDelivered: "delivered", store.DeliveryPending: "retried", store.DeliveryDead: "dead"}
)

// Collect is for the registry. While the database is away its numbers are left out.
func (m *outboxMetrics) Collect(to chan<- prometheus.Metric) {
	attempts := m.worker.Attempts()
	for _, kind := range deliveryKinds {
		for state, outcome := range outcomes {
			n := attempts[outbox.Attempt{Kind: kind, State: state}]
			to <- prometheus.MustNewConstMetric(m.attempts, prometheus.CounterValue, float64(n), string(kind), outcome)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var counts []store.DeliveryCount
	err := m.store.Read(ctx, "", func(tx *store.Tx) (err error) {
		counts, err = tx.AllTenantsDeliveryCounts()
		return err
	})
	if err != nil {
		m.log.WarnContext(ctx, "the outbox could not be counted", slog.Any("error", err))
		return
	}
	for _, kind := range deliveryKinds {
		var age float64
		for _, state := range []store.DeliveryState{store.DeliveryPending, store.DeliveryDead} {
			var n int64
			for _, c := range counts {
				if c.Kind != kind || c.State != state {
					continue
				}
				n = c.Count
				if state == store.DeliveryPending {
					age = max(0, m.now().Sub(c.Oldest).Seconds())
				}
			}
			to <- prometheus.MustNewConstMetric(m.deliveries, prometheus.GaugeValue, float64(n), string(kind), string(state))
		}
		to <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, age, string(kind))
	}
}
