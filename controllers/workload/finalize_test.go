package workload

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestHoldsOn(t *testing.T) {
	down := node("1")
	down.Status.State = swarm.NodeStateDown

	for name, tc := range map[string]struct {
		reason         string
		state, desired swarm.TaskState
		node           swarm.Node
		want           bool
	}{
		"Running": {
			reason: "A network that goes now would never get the address back.",
			state:  swarm.TaskStateRunning, desired: swarm.TaskStateRemove, node: node("1"), want: true,
		},
		"RunningOnALostNode": {
			reason: "Nobody can ask it to stop, and it may never come back.",
			state:  swarm.TaskStateRunning, desired: swarm.TaskStateRemove, node: down,
		},
		"AboutToBeForgotten": {
			reason: "The engine crashes when the service goes in that moment.",
			state:  swarm.TaskStateShutdown, desired: swarm.TaskStateRemove, node: node("1"), want: true,
		},
		"KeptAsHistory": {
			reason: "A task of a global service that has ended stays listed for as long as its service.",
			state:  swarm.TaskStateShutdown, desired: swarm.TaskStateShutdown, node: node("1"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := swarmobj.World{Nodes: []swarm.Node{tc.node}}
			task := swarmobj.Task{NodeID: tc.node.ID, State: tc.state, Desired: tc.desired}
			if got := holdsOn(w, task); got != tc.want {
				t.Errorf("%s: got %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}
