package collector

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	orphans, held prometheus.Gauge
	removed       *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		orphans: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_collector_orphans",
			Help: "Objects in Swarm that carry our labels and have no owner.",
		}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_collector_held",
			Help: "1 while so many services have no owner that none is removed before an operator has looked.",
		}),
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_collector_removed_total",
			Help: "Objects removed from Swarm because they had no owner.",
		}, []string{"sort"}),
	}
	if reg != nil {
		reg.MustRegister(m.orphans, m.held, m.removed)
	}

	return m
}
