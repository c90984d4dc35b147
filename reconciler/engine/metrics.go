package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of all engines of a process.
type Metrics struct {
	duration *prometheus.HistogramVec
	passes   *prometheus.CounterVec
	panics   *prometheus.CounterVec
	patches  *prometheus.CounterVec
}

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dogker_reconcile_duration_seconds",
			Help:    "How long reconcile passes took, by controller and by how they ended.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10),
		}, []string{"controller", "outcome"}),
		passes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_reconcile_total",
			Help: "Reconcile passes, by controller and by how they ended.",
		}, []string{"controller", "outcome"}),
		panics: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_reconcile_panics_total",
			Help: "Reconcile passes that ended in a panic. Any is a bug.",
		}, []string{"controller"}),
		patches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_reconcile_status_patches_total",
			Help: "Status patches written. When nothing changes, nothing is written.",
		}, []string{"controller"}),
	}

	if reg != nil {
		reg.MustRegister(m.duration, m.passes, m.panics, m.patches)
	}

	return m
}

func (m *Metrics) pass(controller string, end endKind, took time.Duration) {
	m.duration.WithLabelValues(controller, string(end)).Observe(took.Seconds())
	m.passes.WithLabelValues(controller, string(end)).Inc()
}

func (m *Metrics) panicked(controller string) { m.panics.WithLabelValues(controller).Inc() }

func (m *Metrics) patched(controller string) { m.patches.WithLabelValues(controller).Inc() }
