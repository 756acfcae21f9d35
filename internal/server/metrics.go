package server

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger-io/claviger/internal/verify"
)

// metrics are resolved once: on the way of a verification there is no look-up by label.
type metrics struct {
	valid      prometheus.Counter
	codes      map[verify.Code]prometheus.Counter
	statuses   map[int]prometheus.Counter
	verifyTime prometheus.Histogram
	requests   *prometheus.CounterVec
	took       *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer, index *verify.Index) *metrics {
	verdicts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_verifications_total", Help: "Verdicts of POST /v1/verify and its batch, by code.",
	}, []string{"code"})
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_verifications_refused_total", Help: "Verification requests without a verdict, by status.",
	}, []string{"status"})
	m := &metrics{
		codes:    map[verify.Code]prometheus.Counter{},
		statuses: map[int]prometheus.Counter{},
		verifyTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "claviger_verification_seconds", Help: "Time to answer POST /v1/verify.",
			Buckets: []float64{5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 2e-2},
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_http_requests_total", Help: "Requests to the management API, by route and status.",
		}, []string{"route", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "claviger_http_request_seconds", Help: "Time to answer the management API, by route.",
			Buckets: []float64{1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 5},
		}, []string{"route"}),
	}
	for _, code := range []verify.Code{
		verify.NotFound, verify.TenantSuspended, verify.Revoked, verify.Suspended, verify.NotYetValid, verify.Expired,
		verify.WrongKind, verify.Forbidden, verify.InsufficientPermissions, verify.RateLimited, verify.UsageExceeded, verify.Valid,
	} {
		m.codes[code] = verdicts.WithLabelValues(string(code))
	}
	m.valid = m.codes[verify.Valid]
	for _, status := range statuses {
		m.statuses[status] = refused.WithLabelValues(strconv.Itoa(status))
	}
	m.statuses[http.StatusRequestEntityTooLarge] = refused.WithLabelValues("413")
	reg.MustRegister(verdicts, refused, m.verifyTime, m.requests, m.took)
	registerIndex(reg, index)
	return m
}

func registerIndex(reg prometheus.Registerer, index *verify.Index) {
	gauge := func(name, help string, value func(verify.Stats) float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			return value(index.Stats())
		}))
	}
	gauge("claviger_index_ready", "1 once the index has been loaded.", func(s verify.Stats) float64 {
		if s.Ready && !s.Undecided {
			return 1
		}
		return 0
	})
	gauge("claviger_index_revision", "The last change that the index holds.", func(s verify.Stats) float64 { return float64(s.Revision) })
	gauge("claviger_index_staleness_seconds", "How long ago the index last proved to be fresh.", func(s verify.Stats) float64 { return s.Staleness.Seconds() })
	gauge("claviger_index_credentials", "Credentials in the index.", func(s verify.Stats) float64 { return float64(s.Credentials) })
	gauge("claviger_index_bytes", "Memory of the index, without its directory.", func(s verify.Stats) float64 { return float64(s.Bytes) })
}

func (m *metrics) verdict(code verify.Code) {
	if code == verify.Valid {
		m.valid.Inc()
		return
	}
	if c, ok := m.codes[code]; ok {
		c.Inc()
	}
}

func (m *metrics) refused(status int) {
	if c, ok := m.statuses[status]; ok {
		c.Inc()
	}
}
