package podview_test

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/reconciler/podview"
)

func node(id, hostname string, change ...func(*swarm.Node)) swarm.Node {
	n := swarm.Node{ID: id}
	n.Description.Hostname = hostname
	n.Description.Platform = swarm.Platform{OS: "linux", Architecture: "x86_64"}
	n.Description.Resources = swarm.Resources{NanoCPUs: 4e9, MemoryBytes: 8 << 30}
	n.Description.Engine = swarm.EngineDescription{EngineVersion: "29.1.3", Labels: map[string]string{"disk": "ssd"}}
	n.Spec = swarm.NodeSpec{Role: swarm.NodeRoleWorker, Availability: swarm.NodeAvailabilityActive}
	n.Spec.Labels = map[string]string{"zone": "a", "kubernetes.io/hostname": "a-lie"}
	n.Status = swarm.NodeStatus{State: swarm.NodeStateReady, Addr: "192.0.2.1"}
	for _, f := range change {
		f(&n)
	}

	return n
}

func TestNames(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		nodes  []swarm.Node
		want   map[string]string
	}{
		"Hostname": {"People know nodes by their names.", []swarm.Node{node("1", "a")}, map[string]string{"1": "a"}},
		"Twice":    {"A name that two have is nobody's.", []swarm.Node{node("1", "a"), node("2", "a")}, map[string]string{"1": "1", "2": "2"}},
		"ID": {
			"A node that calls itself by the ID of another does not pass for it.",
			[]swarm.Node{node("1", "a"), node("2", "a"), node("3", "1")}, map[string]string{"1": "1", "2": "2", "3": "3"},
		},
		"Upper":  {"Kubernetes knows small letters only.", []swarm.Node{node("1", "Alpha")}, map[string]string{"1": "alpha"}},
		"NoName": {"What is no name in Kubernetes is none.", []swarm.Node{node("1", "a_b"), node("2", "")}, map[string]string{"1": "1", "2": "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, podview.Names(tc.nodes)); diff != "" {
				t.Errorf("%s\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNode(t *testing.T) {
	n := node("1", "a")
	got := podview.Node(&n, "a", &podview.Agent{Version: "1.2"})

	labels := map[string]string{
		"zone": "a", "engine.labels/disk": "ssd", "kubernetes.io/hostname": "a", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
		"node-role.kubernetes.io/worker": "",
	}
	if diff := cmp.Diff(labels, got.Labels); diff != "" {
		t.Errorf("labels:\n%s", diff)
	}
	info := []string{
		got.Status.NodeInfo.ContainerRuntimeVersion, got.Status.NodeInfo.KubeletVersion, got.Status.Capacity.Cpu().String(), got.Status.Allocatable.Memory().String(),
		got.Status.Addresses[0].Address, got.Status.Addresses[1].Address,
	}
	if diff := cmp.Diff([]string{"docker://29.1.3", "v29.1.3+docker", "4", "8Gi", "192.0.2.1", "a"}, info); diff != "" {
		t.Errorf("info:\n%s", diff)
	}
}

func TestNodeConditions(t *testing.T) {
	for name, tc := range map[string]struct {
		reason        string
		change        func(*swarm.Node)
		agent         *podview.Agent
		ready, agents corev1.ConditionStatus
		unschedulable bool
		role          string
	}{
		"Ready":   {"A worker that is heard of.", func(*swarm.Node) {}, nil, "True", "", false, "worker"},
		"Manager": {"Managers are the control plane.", func(n *swarm.Node) { n.Spec.Role = swarm.NodeRoleManager }, nil, "True", "", false, "control-plane"},
		"Down":    {"It is not heard of.", func(n *swarm.Node) { n.Status.State = swarm.NodeStateDown }, nil, "False", "", false, "worker"},
		"Unknown": {"Nobody has heard of it yet.", func(n *swarm.Node) { n.Status.State = swarm.NodeStateUnknown }, nil, "Unknown", "", false, "worker"},
		"Paused":  {"It takes nothing new.", func(n *swarm.Node) { n.Spec.Availability = swarm.NodeAvailabilityPause }, nil, "True", "", true, "worker"},
		"Drained": {"It takes nothing new and gives away what it has.", func(n *swarm.Node) { n.Spec.Availability = swarm.NodeAvailabilityDrain }, nil, "True", "", true, "worker"},
		"Agent":   {"An agent that answers.", func(*swarm.Node) {}, &podview.Agent{Version: "1"}, "True", "True", false, "worker"},
		"NoAgent": {"One that does not says why.", func(*swarm.Node) {}, &podview.Agent{Problem: "refused"}, "True", "False", false, "worker"},
		"OwnNode": {"The server's own node needs none.", func(*swarm.Node) {}, &podview.Agent{Own: true}, "True", "True", false, "worker"},
	} {
		t.Run(name, func(t *testing.T) {
			n := node("1", "a", tc.change)
			got := podview.Node(&n, "a", tc.agent)
			have := map[corev1.NodeConditionType]corev1.ConditionStatus{}
			for _, c := range got.Status.Conditions {
				have[c.Type] = c.Status
			}
			if have[corev1.NodeReady] != tc.ready || have[podview.ConditionAgentReady] != tc.agents {
				t.Errorf("%s\nconditions: %v", tc.reason, have)
			}
			if got.Spec.Unschedulable != tc.unschedulable || len(got.Spec.Taints) > 0 != tc.unschedulable {
				t.Errorf("%s\nunschedulable is %v, taints are %v", tc.reason, got.Spec.Unschedulable, got.Spec.Taints)
			}
			if _, ok := got.Labels["node-role.kubernetes.io/"+tc.role]; !ok {
				t.Errorf("%s\nlabels: %v", tc.reason, got.Labels)
			}
		})
	}
}
