package fleet

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics say how agents stand. Nodes are few, and their IDs are no secret: they are the only label that is no closed set.
type metrics struct {
	reports *prometheus.CounterVec
	delay   prometheus.Histogram
}

var (
	upDesc = prometheus.NewDesc("dogker_agent_up",
		"Whether the agent of the node, or the engine of the server's own node, can be used without restriction.", []string{"node"}, nil)
	infoDesc = prometheus.NewDesc("dogker_agent_info",
		"Version of the agent of the node; own is true for the server's own node, which has none.", []string{"node", "version", "own"}, nil)
	skewDesc = prometheus.NewDesc("dogker_agent_clock_skew_seconds",
		"How far the clock of the node is ahead of the server's.", []string{"node"}, nil)
	ageDesc = prometheus.NewDesc("dogker_agent_report_age_seconds",
		"Time since the node last told what its containers use; absent when it never has.", []string{"node"}, nil)
	tasksDesc = prometheus.NewDesc("dogker_telemetry_tasks",
		"Tasks of which samples are kept in memory.", nil, nil)
	samplesDesc = prometheus.NewDesc("dogker_telemetry_samples",
		"Samples that are kept in memory.", nil, nil)
	bytesDesc = prometheus.NewDesc("dogker_telemetry_bytes",
		"Memory that kept samples take, estimated.", nil, nil)
	droppedDesc = prometheus.NewDesc("dogker_telemetry_dropped_samples_total",
		"Samples that were not taken in, by reason.", []string{"reason"}, nil)
)

func newMetrics() metrics {
	return metrics{
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_agent_reports_total",
			Help: "Reports of what containers use that came in, by result: foreign ones are of another node than the one that sent them, of odd ones a part was left out that no agent tells, and unreadable answers are no reports.",
		}, []string{"result"}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "dogker_agent_event_delay_seconds",
			Help:    "Time from an event of a container on another node until the controllers were given a hint.",
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 10),
		}),
	}
}

// Describe makes the fleet a Prometheus collector.
func (f *Fleet) Describe(ch chan<- *prometheus.Desc) {
	f.metrics.reports.Describe(ch)
	f.metrics.delay.Describe(ch)
	for _, d := range []*prometheus.Desc{upDesc, infoDesc, skewDesc, ageDesc, tasksDesc, samplesDesc, bytesDesc, droppedDesc} {
		ch <- d
	}
}

// Collect reads the present figures.
func (f *Fleet) Collect(ch chan<- prometheus.Metric) {
	f.metrics.reports.Collect(ch)
	f.metrics.delay.Collect(ch)

	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range f.States() {
		up := 0.0
		if s.Problem == "" {
			up = 1
		}
		gauge(upDesc, up, s.Node)
		if s.Version != "" {
			own := "false"
			if s.Own {
				own = "true"
			}
			gauge(infoDesc, 1, s.Node, s.Version, own)
		}
		gauge(skewDesc, s.Skew.Seconds(), s.Node)
		if at := f.o.Store.MachineAt(s.Node); !at.IsZero() {
			gauge(ageDesc, time.Since(at).Seconds(), s.Node)
		}
	}

	st := f.o.Store.Stats()
	gauge(tasksDesc, float64(st.Tasks))
	gauge(samplesDesc, float64(st.Samples))
	gauge(bytesDesc, float64(st.Bytes))
	for reason, n := range st.Dropped {
		ch <- prometheus.MustNewConstMetric(droppedDesc, prometheus.CounterValue, float64(n), reason)
	}
}
