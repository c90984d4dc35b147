package volumework

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/reconciler/volumejob"
)

// kinds are all that there are.
var kinds = []volumejob.Kind{
	volumejob.Copy, volumejob.Verify, volumejob.Remove, volumejob.Save, volumejob.Thaw, volumejob.Check, volumejob.Restore, volumejob.Erase,
}

// faults are all that there are.
var faults = []volumejob.Fault{
	volumejob.FaultOther, volumejob.FaultStore, volumejob.FaultArchive, volumejob.FaultHook, volumejob.FaultNode, volumejob.FaultChanging,
	volumejob.FaultKey, volumejob.FaultFull,
}

// metrics count jobs.
type metrics struct {
	duration *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	failures *prometheus.CounterVec
}

// newMetrics registers them, those that count what a worker has as well.
func newMetrics(reg prometheus.Registerer, w *Worker) *metrics {
	m := &metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dogker_volume_job_duration_seconds",
			Help:    "How long work with the data of volumes took, from its beginning, by kind and by what it came to.",
			Buckets: []float64{0.1, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600},
		}, []string{"kind", "outcome"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_volume_job_bytes_total",
			Help: "Bytes that work with the data of volumes has moved, reading back included, by kind.",
		}, []string{"kind"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_volume_job_failures_total",
			Help: "Work with the data of volumes that has failed, by kind and by the class of what was wrong.",
		}, []string{"kind", "fault"}),
	}
	// What has never failed is told as well: otherwise nobody sees a first failure as one more.
	for _, k := range kinds {
		for _, f := range faults {
			m.failures.WithLabelValues(string(k), faultLabel(f))
		}
	}
	if reg != nil {
		reg.MustRegister(m.duration, m.bytes, m.failures, queue{w})
	}

	return m
}

// did counts a job that has ended.
func (m *metrics) did(kind volumejob.Kind, result *volumejob.Job, took time.Duration, moved int64) {
	label := string(kind)
	m.bytes.WithLabelValues(label).Add(float64(moved))
	switch result.Err {
	case "":
		m.duration.WithLabelValues(label, "done").Observe(took.Seconds())
	case cancelled:
		m.duration.WithLabelValues(label, "cancelled").Observe(took.Seconds())
	default:
		m.duration.WithLabelValues(label, "failed").Observe(took.Seconds())
		m.failures.WithLabelValues(label, faultLabel(result.Fault)).Inc()
	}
}

func faultLabel(f volumejob.Fault) string {
	if f == volumejob.FaultOther {
		return "Other"
	}

	return string(f)
}

// queue shows what runs and waits.
type queue struct{ w *Worker }

var queued = prometheus.NewDesc("dogker_volume_jobs", "Work with the data of volumes that runs, waits for its turn, or for a hook that lasts, by kind.", []string{"kind", "state"}, nil)

// Describe implements prometheus.Collector.
func (q queue) Describe(ch chan<- *prometheus.Desc) { ch <- queued }

// Collect implements prometheus.Collector.
func (q queue) Collect(ch chan<- prometheus.Metric) {
	running, waiting, hooks := map[volumejob.Kind]int{}, map[volumejob.Kind]int{}, map[volumejob.Kind]int{}
	q.w.mu.Lock()
	for _, j := range q.w.jobs {
		switch {
		case j.shown.Ended:
		case j.cancel == nil:
			waiting[j.order.Kind]++
		case j.away:
			hooks[j.order.Kind]++
		default:
			running[j.order.Kind]++
		}
	}
	q.w.mu.Unlock()

	for _, k := range kinds {
		ch <- prometheus.MustNewConstMetric(queued, prometheus.GaugeValue, float64(running[k]), string(k), "running")
		ch <- prometheus.MustNewConstMetric(queued, prometheus.GaugeValue, float64(waiting[k]), string(k), "waiting")
		ch <- prometheus.MustNewConstMetric(queued, prometheus.GaugeValue, float64(hooks[k]), string(k), "hook")
	}
}
