package workload

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// TestGlobal: a container in mode Global is ready when it runs on every node that can be expected to run it.
func TestGlobal(t *testing.T) {
	running := func(ids ...string) []swarmobj.Task {
		var out []swarmobj.Task
		for _, id := range ids {
			out = append(out, task(swarm.TaskStateRunning, 0, on(id), slot(0)))
		}

		return out
	}
	full := task(swarm.TaskStatePending, 0, on("b"), slot(0), saying("no suitable node (insufficient resources on 1 node)"))
	paused := func(n *swarm.Node) { n.Spec.Availability = swarm.NodeAvailabilityPause }
	arm := func(n *swarm.Node) { n.Description.Platform.Architecture = "aarch64" }

	cases := map[string]struct {
		reason string
		nodes  []swarm.Node
		place  *swarm.Placement
		tasks  []swarmobj.Task
		counts string
		ready  bool
		why    string
	}{
		"Everywhere": {
			reason: "One on each.", nodes: []swarm.Node{node("a"), node("b")}, tasks: running("a", "b"),
			counts: "2/2", ready: true, why: v1alpha1.ReasonRunning,
		},
		"FirstOfThree": {
			reason: "Swarm makes the tasks one node after the other, and counts only those that it has made.",
			nodes:  []swarm.Node{node("a"), node("b"), node("c")}, tasks: running("a"), counts: "1/3", why: v1alpha1.ReasonProgressing,
		},
		"NodeDown": {
			reason: "A node that is away is not waited for.", nodes: []swarm.Node{node("a"), node("b", down)}, tasks: running("a", "b"),
			counts: "1/1", ready: true, why: v1alpha1.ReasonRunning,
		},
		"NodeDrained": {
			reason: "Nor is one that takes no tasks.", nodes: []swarm.Node{node("a"), node("b", drained)}, tasks: running("a"),
			counts: "1/1", ready: true, why: v1alpha1.ReasonRunning,
		},
		"NodePaused": {
			reason: "A node that takes no new tasks keeps those that it has.", nodes: []swarm.Node{node("a"), node("b", paused)},
			tasks: running("a", "b"), counts: "2/1", ready: true, why: v1alpha1.ReasonRunning,
		},
		"OffManagers": {
			reason: "Placement leaves nodes out.", nodes: []swarm.Node{node("a"), node("b", worker)},
			place: &swarm.Placement{Constraints: []string{"node.role!=manager"}}, tasks: running("b"),
			counts: "1/1", ready: true, why: v1alpha1.ReasonRunning,
		},
		"OtherPlatform": {
			reason: "So do platforms.", nodes: []swarm.Node{node("a"), node("b", arm)},
			place: &swarm.Placement{Platforms: []swarm.Platform{{OS: "linux", Architecture: "amd64"}}}, tasks: running("a"),
			counts: "1/1", ready: true, why: v1alpha1.ReasonRunning,
		},
		"NodeFull": {
			reason: "A node that has no room should run it, and does not.", nodes: []swarm.Node{node("a"), node("b")},
			tasks: append(running("a"), full), counts: "1/2", why: v1alpha1.ReasonUnschedulable,
		},
		"NoNode": {
			reason: "Swarm makes no tasks and says nothing; what runs nowhere is not ready.", nodes: []swarm.Node{node("a")},
			place: &swarm.Placement{Constraints: []string{"node.labels.gpu==yes"}}, counts: "0/1", why: v1alpha1.ReasonUnschedulable,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scene(t, func(s *situation) {
				s.tc.Spec.Mode, s.tc.Spec.Replicas = v1alpha1.ModeGlobal, nil
				s.world.Nodes, s.world.Tasks = tc.nodes, tc.tasks
				s.world.Service.Spec.TaskTemplate.Placement = tc.place
				s.world.Service.ServiceStatus = &swarm.ServiceStatus{DesiredTasks: uint64(len(tc.tasks))}
			})
			if _, err := report(s, nil); err != nil {
				t.Fatal(err)
			}

			if s.tc.Status.Tasks != tc.counts {
				t.Errorf("%s\ntasks are %s, want %s", tc.reason, s.tc.Status.Tasks, tc.counts)
			}
			ready := conditions.Get(s.tc, conditions.Ready)
			if (ready.Status == metav1.ConditionTrue) != tc.ready || ready.Reason != tc.why {
				t.Errorf("%s\nReady is %s %s: %s; want %v %s", tc.reason, ready.Status, ready.Reason, ready.Message, tc.ready, tc.why)
			}
		})
	}
}
