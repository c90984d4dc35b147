package notice

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/internal/ledger"
)

// What becomes of a try to deliver a notice.
const (
	outcomeDelivered   = "delivered"
	outcomeRecorded    = "recorded"
	outcomeRefused     = "refused"
	outcomeUnreachable = "unreachable"
	outcomeGivenUp     = "given_up"
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
			Help: "Tries to deliver a notice, by what became of them; recorded is an Event alone, because there is no endpoint.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "dogker_notice_delivery_duration_seconds",
			Help:    "How long the endpoint of notices took.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_notice_waiting",
			Help: "Notices that have not been delivered.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_notice_oldest_seconds",
			Help: "Age of the oldest notice that has not been delivered, 0 when there is none.",
		}),
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

func (m *metrics) took(d time.Duration) { m.duration.Observe(d.Seconds()) }

// waits shows what waits, oldest first.
func (m *metrics) waits(waiting []ledger.Pending, now time.Time) {
	m.waiting.Set(float64(len(waiting)))
	m.oldest.Set(0)
	if len(waiting) > 0 {
		m.oldest.Set(max(0, now.Sub(time.Unix(waiting[0].Time, 0)).Seconds()))
	}
}
