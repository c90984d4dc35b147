package workload

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestLockDown(t *testing.T) {
	engine := func(version string) func(*swarm.Node) {
		return func(n *swarm.Node) { n.Description.Engine.EngineVersion = version }
	}
	old, able, newest := node("a", engine("20.10.24+dfsg1")), node("b", engine("25.0.0")), node("c", engine("28.5.2-rc.1"))

	set := func(s *swarm.Service) *swarm.Service {
		s.Spec.TaskTemplate.ContainerSpec = &swarm.ContainerSpec{Privileges: &swarm.Privileges{NoNewPrivileges: true}}
		return s
	}
	labelled := func(s *swarm.Service) *swarm.Service {
		s.Spec.Labels[v1alpha1.SwarmLabelPrivileges] = v1alpha1.PrivilegesNoNew
		return s
	}

	cases := map[string]struct {
		reason   string
		free     bool // The profile is not restricted.
		nodes    []swarm.Node
		live     *swarm.Service
		restarts bool
		want     bool
	}{
		"First":           {reason: "A container is born with it.", nodes: []swarm.Node{able, newest}, want: true},
		"OldEngine":       {reason: "An engine that drops it would be told again for ever.", nodes: []swarm.Node{able, old}},
		"NothingIsKnown":  {reason: "No node has said that it can.", nodes: nil},
		"NoVersion":       {reason: "A node that does not say is none that can.", nodes: []swarm.Node{able, node("d", engine(""))}},
		"OtherProfile":    {reason: "Ordinary images use sudo.", free: true, nodes: []swarm.Node{able}},
		"Upgraded":        {reason: "New engines restart nothing.", nodes: []swarm.Node{able}, live: service(1, "a")},
		"NextRollout":     {reason: "Tasks that are replaced anyway get it.", nodes: []swarm.Node{able}, live: service(1, "a"), restarts: true, want: true},
		"Stays":           {reason: "An older node that joins changes nothing that runs.", nodes: []swarm.Node{able, old}, live: set(service(1, "a")), want: true},
		"TakenByHand":     {reason: "What somebody takes away is put back.", nodes: []swarm.Node{able}, live: labelled(service(1, "a")), want: true},
		"DroppedByEngine": {reason: "An engine that went back to an old version cannot be told.", nodes: []swarm.Node{old}, live: labelled(service(1, "a"))},
		"Loosened":        {reason: "Another profile restarts nothing either.", free: true, nodes: []swarm.Node{able}, live: set(service(1, "a")), want: true},
		"LoosenedRollout": {reason: "It goes with the next rollout.", free: true, nodes: []swarm.Node{able}, live: set(service(1, "a")), restarts: true},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := swarmobj.World{Service: tc.live, Nodes: tc.nodes}
			if got := lockDown(!tc.free, w, func() bool { return tc.restarts }); got != tc.want {
				t.Errorf("%s\nlockDown: got %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}
