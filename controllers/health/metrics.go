package health

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// states that are counted: all there are, so that a series does not come and go.
var states = []v1alpha1.HealthState{
	v1alpha1.HealthCrashLooping, v1alpha1.HealthOOMKilled, v1alpha1.HealthStuck, v1alpha1.HealthFlapping, v1alpha1.HealthThrottled,
	v1alpha1.HealthUnderprovisioned, v1alpha1.HealthOverprovisioned,
}

// Results of stopping a stuck task.
const (
	resultStopped = "stopped"
	resultFailed  = "failed"
)

type metrics struct {
	findings *prometheus.GaugeVec
	stops    *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		findings: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dogker_health_findings", Help: "Containers that the health monitor holds this against.",
		}, []string{"state"}),
		stops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_health_stuck_task_stops_total", Help: "Stuck tasks that were stopped so that Swarm starts others, by result.",
		}, []string{"result"}),
	}
	for _, result := range []string{resultStopped, resultFailed} {
		m.stops.WithLabelValues(result)
	}
	m.show(nil)
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.findings, m.stops} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of the health monitor: %w", err)
		}
	}

	return m, nil
}

func (m *metrics) show(counts map[v1alpha1.HealthState]int) {
	for _, s := range states {
		m.findings.WithLabelValues(string(s)).Set(float64(counts[s]))
	}
}

func (m *metrics) replaced(err error) {
	result := resultStopped
	if err != nil {
		result = resultFailed
	}
	m.stops.WithLabelValues(result).Inc()
}
