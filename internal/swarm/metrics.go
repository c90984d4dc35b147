package swarm

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what is asked of the engine and what comes back. All labels are closed sets.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	events   *prometheus.CounterVec
	resyncs  *prometheus.CounterVec
	resync   *prometheus.HistogramVec
}

var (
	ageDesc = prometheus.NewDesc("dogker_swarm_cache_age_seconds",
		"Time since the engine last answered a full list of the kind.", []string{"kind"}, nil)
	objectsDesc = prometheus.NewDesc("dogker_swarm_cache_objects",
		"Objects of the kind that the read cache holds.", []string{"kind"}, nil)
)

func newMetrics() metrics {
	return metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_swarm_requests_total",
			Help: "Calls to the engine, by call and by class of the answer.",
		}, []string{"op", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dogker_swarm_request_duration_seconds",
			Help:    "Time until the engine answered a call.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 3, 11),
		}, []string{"op"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_swarm_events_total",
			Help: "Events that the engine sent, by the type of object they are about.",
		}, []string{"type"}),
		resyncs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_swarm_resyncs_total",
			Help: "Full lists of one kind of object, by result.",
		}, []string{"result"}),
		resync: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dogker_swarm_resync_duration_seconds",
			Help:    "Time from asking for a full list of the kind until each object in it was compared with what was known.",
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 10),
		}, []string{"kind"}),
	}
}

// Describe makes the engine's adapter a Prometheus collector.
func (e *Engine) Describe(ch chan<- *prometheus.Desc) {
	e.metrics.requests.Describe(ch)
	e.metrics.duration.Describe(ch)
	e.metrics.events.Describe(ch)
	e.metrics.resyncs.Describe(ch)
	e.metrics.resync.Describe(ch)
	ch <- ageDesc
	ch <- objectsDesc
}

// Collect reads the present figures.
func (e *Engine) Collect(ch chan<- prometheus.Metric) {
	e.metrics.requests.Collect(ch)
	e.metrics.duration.Collect(ch)
	e.metrics.events.Collect(ch)
	e.metrics.resyncs.Collect(ch)
	e.metrics.resync.Collect(ch)

	e.mu.Lock()
	defer e.mu.Unlock()

	now := time.Now()
	for _, k := range kinds {
		if at := e.cache.listedAt[k]; !at.IsZero() {
			ch <- prometheus.MustNewConstMetric(ageDesc, prometheus.GaugeValue, now.Sub(at).Seconds(), string(k))
		}
		ch <- prometheus.MustNewConstMetric(objectsDesc, prometheus.GaugeValue, float64(e.cache.size(k)), string(k))
	}
}
