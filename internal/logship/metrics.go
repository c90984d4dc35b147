package logship

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// What becomes of a batch.
const (
	outcomeAccepted = "accepted"
	// outcomeLimited is one that the store wants later, outcomeRefused one that it will never take.
	outcomeLimited = "limited"
	outcomeRefused = "refused"
	// outcomeFailed is one that was not answered, or not as a store does that can be used.
	outcomeFailed = "failed"
)

type metrics struct {
	lines, bytes, dropped prometheus.Counter
	batches               *prometheus.CounterVec
	buffered              prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer, s *Shipper) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		lines:   counter("dogker_logship_lines_total", "Lines of logs that the store has accepted."),
		bytes:   counter("dogker_logship_bytes_total", "Bytes of the lines that the store has accepted."),
		dropped: counter("dogker_logship_dropped_lines_total", "Lines that the store has refused for good, and that are lost."),
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_logship_batches_total",
			Help: "Batches of lines that were sent to the store, by what became of them.",
		}, []string{"outcome"}),
		buffered: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_logship_buffered_bytes",
			Help: "Memory that lines take which the store does not have yet.",
		}),
	}
	// What has not happened is shown as well, so that the first time is an increase.
	for _, outcome := range []string{outcomeAccepted, outcomeLimited, outcomeRefused, outcomeFailed} {
		m.batches.WithLabelValues(outcome)
	}
	if reg == nil {
		return m, nil
	}
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dogker_logship_lag_seconds",
		Help: "Age of the oldest line that was read and that the store does not have yet, 0 when there is none.",
	}, s.lag)
	tasks := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dogker_logship_tasks",
		Help: "Tasks whose logs are being followed.",
	}, s.following)
	for _, c := range []prometheus.Collector{m.lines, m.bytes, m.dropped, m.batches, m.buffered, lag, tasks} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of log shipping: %w", err)
		}
	}

	return m, nil
}

func (m *metrics) batch(outcome string) { m.batches.WithLabelValues(outcome).Inc() }
