package outbox

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What becomes of a try to deliver a notice.
const (
	outcomeDelivered   = "delivered"
	outcomeUnreachable = "unreachable"
	outcomeRefused     = "refused"
	// outcomeGivenUp is a notice that is not tried any more, and outcomeNobody one that nobody is told of.
	outcomeGivenUp = "given_up"
	outcomeNobody  = "nobody"
	// outcomeDropped is one that was pushed out by newer ones.
	outcomeDropped = "dropped"
)

type metrics struct {
	deliveries *prometheus.CounterVec
	duration   prometheus.Histogram
	waiting    prometheus.Gauge
	oldest     prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_notice_deliveries_total",
			Help: "Tries to deliver a notice to somebody, by what became of them; nobody is a notice that nobody wants, dropped one that newer ones have pushed out.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "dogker_notice_delivery_duration_seconds",
			Help:    "How long mail servers and endpoints took for a notice.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_notice_waiting",
			Help: "Notices that have not been delivered to everybody they are for.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_notice_oldest_seconds",
			Help: "Age of the oldest notice that has not been delivered to everybody it is for, 0 when there is none.",
		}),
	}
	// What has not happened is shown as well, so that the first time is an increase.
	for _, outcome := range []string{outcomeDelivered, outcomeUnreachable, outcomeRefused, outcomeGivenUp, outcomeNobody, outcomeDropped} {
		m.deliveries.WithLabelValues(outcome)
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.deliveries, m.duration, m.waiting, m.oldest} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of notices: %w", err)
		}
	}

	return m, nil
}

func (m *metrics) count(outcome string) { m.deliveries.WithLabelValues(outcome).Inc() }

func (m *metrics) took(d time.Duration) { m.duration.Observe(d.Seconds()) }

// waits shows how many wait, and since when the oldest of them does.
func (m *metrics) waits(n int, oldest, now time.Time) {
	m.waiting.Set(float64(n))
	m.oldest.Set(0)
	if n > 0 {
		m.oldest.Set(max(0, now.Sub(oldest).Seconds()))
	}
}
