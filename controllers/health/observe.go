package health

import (
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/health"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// observe gathers what a verdict is made from. What a task may use is what Swarm was told: the plan's defaults are in there.
func (m *Monitor) observe(tc *v1alpha1.TenantContainer, w *swarmobj.World) health.Observation {
	now := m.o.Now()
	o := health.Observation{Now: now, Tasks: w.Tasks, Windows: map[string][]telemetry.Sample{}, Idle: idle(w.Service)}
	if o.Idle {
		return o
	}

	if r := w.Service.Spec.TaskTemplate.Resources; r != nil && r.Reservations != nil {
		o.CPURequest = float64(r.Reservations.NanoCPUs) / 1e9
		o.MemoryRequest = uint64(max(r.Reservations.MemoryBytes, 0))
	}

	since := now.Add(-recent)
	if now.Sub(m.looked[tc.UID]) >= thorough {
		since = now.Add(-telemetry.Kept)
		m.looked[tc.UID] = now
	}
	for _, t := range w.Tasks {
		if t.Ended() {
			continue
		}
		if samples := m.o.Samples.Window(t.ID, since); len(samples) > 0 {
			o.Windows[t.ID] = samples
		}
	}

	return o
}

// idle is true for a service that is to have no tasks.
func idle(s *swarm.Service) bool {
	if s == nil {
		return true
	}
	r := s.Spec.Mode.Replicated

	return r != nil && r.Replicas != nil && *r.Replicas == 0
}

// containerOf is the container of a task, by its last sample; empty when it was not sampled lately.
func (m *Monitor) containerOf(task string, now time.Time) string {
	samples := m.o.Samples.Window(task, now.Add(-telemetry.Stale))
	if len(samples) == 0 {
		return ""
	}

	return samples[len(samples)-1].Container
}
