package job

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Metrics of runs. They name no job and no tenant.
type Metrics struct {
	runs     *prometheus.CounterVec
	skipped  prometheus.Counter
	duration *prometheus.HistogramVec
}

// results are the phases in which runs end: all there are, so that a series does not come and go.
var results = []v1alpha1.JobRunPhase{v1alpha1.RunSucceeded, v1alpha1.RunFailed, v1alpha1.RunInterrupted}

// NewMetrics registers the metrics; with nil they are counted for nobody.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_job_runs_total", Help: "Runs of TenantJobs that are over, by result.",
		}, []string{"result"}),
		skipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dogker_job_missed_runs_total", Help: "Ticks of schedules of TenantJobs that had no run.",
		}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dogker_job_run_duration_seconds", Help: "Time from when a run was put on record until its result was, by result.",
			Buckets: []float64{1, 2, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600},
		}, []string{"result"}),
	}
	for _, phase := range results {
		m.runs.WithLabelValues(label(phase))
		m.duration.WithLabelValues(label(phase))
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.runs, m.skipped, m.duration} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of jobs: %w", err)
		}
	}

	return m, nil
}

func label(phase v1alpha1.JobRunPhase) string { return strings.ToLower(string(phase)) }

func (m *Metrics) missed(n int64) {
	if m != nil && n > 0 {
		m.skipped.Add(float64(n))
	}
}

func (m *Metrics) ended(r *v1alpha1.JobRun) {
	if m == nil || r.CompletionTime == nil {
		return
	}

	m.runs.WithLabelValues(label(r.Phase)).Inc()
	m.duration.WithLabelValues(label(r.Phase)).Observe(max(0, r.CompletionTime.Sub(r.StartTime.Time).Seconds()))
}
