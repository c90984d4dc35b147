package promquery

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of a question: a closed list.
const (
	outcomeAnswered = "answered"
	outcomeFailed   = "failed"
	outcomeRefused  = "refused"
)

// Metrics count what is asked of Prometheus.
type Metrics struct {
	questions *prometheus.CounterVec
	duration  prometheus.Histogram
}

// NewMetrics makes them and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		questions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_prometheus_questions_total",
			Help: "Questions of tenants for Prometheus, by what became of them. Those that were answered from memory are not among them.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "dogker_prometheus_question_duration_seconds",
			Help:    "How long Prometheus took to answer.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 9),
		}),
	}
	for _, outcome := range []string{outcomeAnswered, outcomeFailed, outcomeRefused} {
		m.questions.WithLabelValues(outcome)
	}
	reg.MustRegister(m.questions, m.duration)

	return m
}

func (m *Metrics) asked(outcome string) {
	if m != nil {
		m.questions.WithLabelValues(outcome).Inc()
	}
}

func (m *Metrics) took(d time.Duration) {
	if m != nil {
		m.duration.Observe(d.Seconds())
	}
}
