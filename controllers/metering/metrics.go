package metering

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/reconciler/usage"
)

// outcome of a tick.
type outcome string

const (
	outcomeTaken       outcome = "taken"
	outcomeUnreachable outcome = "unreachable"
	outcomeSkewed      outcome = "skewed"
	outcomeBehind      outcome = "behind"
	outcomeUnstored    outcome = "unstored"
)

func outcomes() []outcome {
	return []outcome{outcomeTaken, outcomeUnreachable, outcomeSkewed, outcomeBehind, outcomeUnstored}
}

type metrics struct {
	samples, gaps, missed  *prometheus.CounterVec
	windows                prometheus.Counter
	lag, open, stuck, skew prometheus.Gauge
	tick                   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	counters := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}

	m := metrics{
		samples: counters("dogker_metering_samples_total", "Looks at the swarm, by what came of them.", "outcome"),
		gaps:    counters("dogker_metering_gaps_total", "Times of a tenant that are not charged although something ran.", "cause"),
		missed:  counters("dogker_metering_gap_seconds_total", "Seconds of tasks and volumes in such times.", "cause"),
		windows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dogker_metering_windows_closed_total",
			Help: "Minutes of a tenant with use in them that were closed and charged.",
		}),
		lag:   gauge("dogker_metering_lag_seconds", "How long ago the oldest minute began that has use in it and is not closed."),
		open:  gauge("dogker_metering_open_intervals", "Tasks and volumes that are being charged."),
		stuck: gauge("dogker_metering_stuck_tenants", "Tenants whose usage cannot be read or written at the moment."),
		skew:  gauge("dogker_metering_clock_skewed", "1 while the clock is not believed and nothing is metered."),
		tick: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "dogker_metering_tick_duration_seconds",
			Help:    "How long it takes to look at the swarm, to work out what was used and to store it.",
			Buckets: []float64{.01, .03, .1, .3, 1, 3, 10, 30},
		}),
	}
	for _, o := range outcomes() {
		m.samples.WithLabelValues(string(o))
	}
	for _, c := range usage.Causes() {
		m.gaps.WithLabelValues(string(c))
		m.missed.WithLabelValues(string(c))
	}
	if reg != nil {
		reg.MustRegister(m.samples, m.gaps, m.missed, m.windows, m.lag, m.open, m.stuck, m.skew, m.tick)
	}

	return m
}

// charged counts what was handed to the ledger.
func (m metrics) charged(c *usage.Charge) {
	m.windows.Add(float64(len(c.Windows)))
	for _, g := range c.Gaps {
		m.gaps.WithLabelValues(string(g.Cause)).Inc()
		m.missed.WithLabelValues(string(g.Cause)).Add(float64(g.Seconds))
	}
}
