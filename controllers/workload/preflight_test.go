package workload

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func node(id string, change ...func(*swarm.Node)) swarm.Node {
	n := swarm.Node{ID: id}
	n.Status.State, n.Status.Addr = swarm.NodeStateReady, "10.0.0.1"
	n.Spec.Availability = swarm.NodeAvailabilityActive
	n.Spec.Role = swarm.NodeRoleManager
	n.Description.Hostname = "host-" + id
	n.Description.Platform = swarm.Platform{OS: "linux", Architecture: "x86_64"}
	n.Description.Resources = swarm.Resources{NanoCPUs: 2e9, MemoryBytes: 1 << 30}

	for _, c := range change {
		c(&n)
	}

	return n
}

func placed(constraints ...string) swarm.ServiceSpec {
	return swarm.ServiceSpec{TaskTemplate: swarm.TaskSpec{Placement: &swarm.Placement{Constraints: constraints}}}
}

func TestPreflight(t *testing.T) {
	zoneA := func(n *swarm.Node) { n.Spec.Labels = map[string]string{"zone": "a"} }
	host := func(mode swarm.PortConfigPublishMode) swarm.ServiceSpec {
		return swarm.ServiceSpec{EndpointSpec: &swarm.EndpointSpec{Ports: []swarm.PortConfig{
			{Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: mode},
		}}}
	}
	arm := swarm.ServiceSpec{TaskTemplate: swarm.TaskSpec{Placement: &swarm.Placement{
		Platforms: []swarm.Platform{{OS: "linux", Architecture: "arm64"}},
	}}}
	amd := swarm.ServiceSpec{TaskTemplate: swarm.TaskSpec{Placement: &swarm.Placement{
		Platforms: []swarm.Platform{{OS: "linux", Architecture: "amd64"}},
	}}}

	cases := map[string]struct {
		reason string
		want   swarm.ServiceSpec
		nodes  []swarm.Node
		taken  bool
		cause  string
		text   string
	}{
		"Free":           {"Nothing is asked for.", swarm.ServiceSpec{}, []swarm.Node{node("1")}, false, "", ""},
		"LabelMatches":   {"A label that a node has.", placed("node.labels.zone == a"), []swarm.Node{node("1"), node("2", zoneA)}, false, "", ""},
		"LabelNot":       {"A label that must not be there.", placed("node.labels.zone!=a"), []swarm.Node{node("1")}, false, "", ""},
		"CaseIsNoMatter": {"SwarmKit compares without regard to case.", placed("node.role==MANAGER"), []swarm.Node{node("1")}, false, "", ""},
		"Address":        {"A node is known by its address, too.", placed("node.ip == 10.0.0.0/8"), []swarm.Node{node("1")}, false, "", ""},
		"NoLabel": {
			"No node has it.", placed("node.labels.zone==b"), []swarm.Node{node("1", zoneA)}, false,
			v1alpha1.ReasonUnschedulable, "no suitable node (scheduling constraints not satisfied)",
		},
		"Contradiction": {
			"Every constraint must hold.", placed("node.hostname==host-1", "node.hostname==host-2"),
			[]swarm.Node{node("1"), node("2")}, false, v1alpha1.ReasonUnschedulable, "no suitable node (scheduling constraints not satisfied)",
		},
		"Drained": {
			"A drained node runs nothing.", swarm.ServiceSpec{}, []swarm.Node{node("1", drained)}, false,
			v1alpha1.ReasonUnschedulable, "no suitable node (no node is ready and active)",
		},
		"OffManagers": {
			"The workers are away; of managers nobody has to know.", placed("node.role!=manager"), []swarm.Node{node("1"), node("2", worker, down)}, false,
			v1alpha1.ReasonUnschedulable, "no suitable node (no worker is ready and active)",
		},
		"OffManagersAndLabel": {
			"A worker is there, and lacks what the tenant asks for.", placed("node.role!=manager", "node.labels.zone==a"),
			[]swarm.Node{node("1", zoneA), node("2", worker)}, false, v1alpha1.ReasonUnschedulable, "no suitable node (scheduling constraints not satisfied)",
		},
		"OtherPlatform": {
			"The image does not run there.", arm, []swarm.Node{node("1")}, false,
			v1alpha1.ReasonUnschedulable, "no suitable node (unsupported platform)",
		},
		"SamePlatformByAnotherName": {"amd64 is x86_64.", amd, []swarm.Node{node("1")}, false, "", ""},
		"HostPortTaken": {
			"The only node's port is held by somebody whose name is nobody's business.", host(swarm.PortConfigPublishModeHost),
			[]swarm.Node{node("1")}, true, v1alpha1.ReasonPortConflict, "Published port 8080/tcp is taken by another service",
		},
		"HostPortTakenSomewhere": {
			"With several nodes Swarm finds a free one.", host(swarm.PortConfigPublishModeHost), []swarm.Node{node("1"), node("2")}, true, "", "",
		},
		"IngressPortTaken": {
			"A port of the mesh is taken on all nodes at once.", host(swarm.PortConfigPublishModeIngress),
			[]swarm.Node{node("1"), node("2")}, true, v1alpha1.ReasonPortConflict, "Published port 8080/tcp is taken by another service",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			held := func(swarm.PortConfigPublishMode, swarm.PortConfig, string) (swarmobj.Owner, bool) {
				return swarmobj.Owner{Tenant: "other", Name: "secret"}, tc.taken
			}

			got, _ := preflight(tc.want, nil, "", tc.nodes, held)
			if got.reason != tc.cause || got.message != tc.text {
				t.Errorf("%s\ngot %q %q, want %q %q", tc.reason, got.reason, got.message, tc.cause, tc.text)
			}
		})
	}
}
