package autoscaler

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
)

// What became of a decision: a closed list.
const (
	outcomeKept   = "kept"
	outcomeUp     = "up"
	outcomeDown   = "down"
	outcomeBlind  = "blind"
	outcomeHeld   = "held"
	outcomeFailed = "failed"
)

type metrics struct {
	decisions  *prometheus.CounterVec
	duration   prometheus.Histogram
	containers prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_autoscaler_decisions_total",
			Help: "Decisions about containers that scale: up, down, kept, blind (nothing could be measured), held (the container is not to run), failed.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "dogker_autoscaler_round_duration_seconds",
			Help:    "How long it took to decide about all containers that scale.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
		containers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_autoscaler_containers",
			Help: "Containers that scale.",
		}),
	}
	for _, outcome := range []string{outcomeKept, outcomeUp, outcomeDown, outcomeBlind, outcomeHeld, outcomeFailed} {
		m.decisions.WithLabelValues(outcome)
	}
	if reg != nil {
		reg.MustRegister(m.decisions, m.duration, m.containers)
	}

	return m
}

func (m metrics) decided(outcome string) { m.decisions.WithLabelValues(outcome).Inc() }

func (m metrics) round(containers int, took time.Duration) {
	m.containers.Set(float64(containers))
	m.duration.Observe(took.Seconds())
}

func outcomeOf(d autoscale.Decision, before, after int32) string {
	switch {
	case after > before:
		return outcomeUp
	case after < before:
		return outcomeDown
	case d.Active.Reason == v1alpha1.ReasonFailedGetMetric:
		return outcomeBlind
	default:
		return outcomeKept
	}
}
