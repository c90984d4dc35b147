package workload

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestRestless(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	wanted := swarmobj.Task{State: swarm.TaskStateStarting, Desired: swarm.TaskStateRunning}

	for name, tc := range map[string]struct {
		reason string
		change func(*swarmobj.World)
		want   bool
	}{
		"StartsTasks": {
			reason: "Nothing but a write makes Swarm look again.",
			change: func(*swarmobj.World) {}, want: true,
		},
		"WaitsToStartOne": {
			reason: "A task that waits for its restart delay is meant to be ready.",
			change: func(w *swarmobj.World) {
				w.Tasks[0].State, w.Tasks[0].Desired = swarm.TaskStateReady, swarm.TaskStateReady
			}, want: true,
		},
		"JustScaled": {
			reason: "Swarm may need a moment.",
			change: func(w *swarmobj.World) { w.Service.UpdatedAt = now.Add(-restlessAfter / 2) },
		},
		"Stopping": {
			reason: "A task that takes its time to stop is meant to.",
			change: func(w *swarmobj.World) { w.Tasks[0].Desired = swarm.TaskStateRemove },
		},
		"Ended": {
			reason: "What has ended is no task to stop.",
			change: func(w *swarmobj.World) { w.Tasks[0].State = swarm.TaskStateFailed },
		},
		"MeantToRun": {
			reason: "A service with replicas has tasks.",
			change: func(w *swarmobj.World) { *w.Service.Spec.Mode.Replicated.Replicas = 1 },
		},
		"NotSeenSinceTheWrite": {
			reason: "What is known of the service may be from before.",
			change: func(w *swarmobj.World) { w.Uncertain = true },
		},
		"OldTasks": {
			reason: "What is known of the tasks may be from before.",
			change: func(w *swarmobj.World) { w.TasksFresh = false },
		},
		"NoService": {
			reason: "There is nothing to write.",
			change: func(w *swarmobj.World) { w.Service = nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			none := uint64(0)
			service := &swarm.Service{Spec: swarm.ServiceSpec{Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &none}}}}
			service.UpdatedAt = now.Add(-time.Minute)
			w := swarmobj.World{Service: service, Tasks: []swarmobj.Task{wanted}, TasksFresh: true}
			tc.change(&w)
			if got := restless(w, now); got != tc.want {
				t.Errorf("%s: got %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}
