package health

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// replaceEvery is the least time between two stops of tasks of one container: what gets stuck at once again is not to be
	// stopped without end.
	replaceEvery = 5 * time.Minute
	// defaultGrace is that of containers that say nothing.
	defaultGrace = 30 * time.Second
	// patience is how long a stop may take beyond its grace.
	patience = 30 * time.Second
)

// eventReplaced says that a stuck task was stopped.
const eventReplaced = "StuckTaskReplaced"

// replace stops the container of one stuck task, the first that can be stopped. It does not wait for it.
func (m *Monitor) replace(ctx context.Context, tc *v1alpha1.TenantContainer, stuck []swarmobj.Task) {
	now := m.o.Now()
	if at, before := m.stopped[tc.UID]; before && now.Sub(at) < replaceEvery {
		return
	}
	for _, t := range stuck {
		container := m.containerOf(t.ID, now)
		if container == "" {
			continue
		}
		m.stopped[tc.UID] = now
		tc = tc.DeepCopy()
		m.stops.Go(func() { m.stop(ctx, tc, t, container) })

		return
	}
}

func (m *Monitor) stop(ctx context.Context, tc *v1alpha1.TenantContainer, t swarmobj.Task, container string) {
	grace := defaultGrace
	if s := tc.Spec.TerminationGracePeriodSeconds; s != nil {
		grace = time.Duration(*s) * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, grace+patience)
	defer cancel()

	pod := swarmobj.PodName(ownerOf(tc), t.Slot, t.NodeID, t.ID)
	err := m.o.Tasks.Stop(ctx, t.NodeID, t.ID, container, grace)
	m.metrics.replaced(err)
	if err != nil {
		m.o.Log.WarnContext(ctx, "Could not stop a stuck task", logkey.Object, client.ObjectKeyFromObject(tc).String(), "pod", pod, logkey.Err, err)
		return
	}
	if m.o.Recorder != nil {
		m.o.Recorder.Event(tc, corev1.EventTypeNormal, eventReplaced, fmt.Sprintf("Stopped pod %q, which neither ran nor failed: Swarm starts another task", pod))
	}
}
