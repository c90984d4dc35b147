package podview

import (
	"maps"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// ConditionAgentReady is whether the agent of a node can be asked, or, of the server's own node, the engine itself.
const ConditionAgentReady corev1.NodeConditionType = "AgentReady"

// Agent is how the agent of a node stands.
type Agent struct {
	// Own is true for the node of the server, which needs none.
	Own bool
	// Version of the agent; empty while it has not answered.
	Version string
	// Problem says why it cannot be used, or only in part; empty when all is well.
	Problem string
	// Since is when it was reached; the zero time for never.
	Since time.Time
}

// Names are the names by which nodes are shown, by ID: the hostname of each, where it is a name in Kubernetes and neither
// another node has it nor is it the ID of one, and the ID otherwise. What a node calls itself is its own word.
func Names(nodes []swarm.Node) map[string]string {
	taken := map[string]int{}
	for i := range nodes {
		taken[hostname(&nodes[i])]++
		taken[nodes[i].ID]++
	}

	out := make(map[string]string, len(nodes))
	for i := range nodes {
		name := hostname(&nodes[i])
		if taken[name] > 1 || len(validation.IsDNS1123Subdomain(name)) > 0 {
			name = nodes[i].ID
		}
		out[nodes[i].ID] = name
	}

	return out
}

func hostname(n *swarm.Node) string { return strings.ToLower(n.Description.Hostname) }

// Placed is what pods tell of their node.
func Placed(n *swarm.Node, name string) Where {
	w := Where{Name: name, Address: addressOf(n)}
	if ready := nodeReady(n); ready.Status != corev1.ConditionTrue {
		w.Lost = ready.Message
	}

	return w
}

// Node shows a node under a name. agent is nil where it is not known whether there is one.
func Node(n *swarm.Node, name string, agent *Agent) *corev1.Node {
	out := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: uidOf("node", n.ID), CreationTimestamp: metav1.NewTime(n.CreatedAt),
			Labels: nodeLabels(n, name), Annotations: map[string]string{"dogker.io/node": n.ID},
		},
		Spec: corev1.NodeSpec{ProviderID: "swarm://" + n.ID},
		Status: corev1.NodeStatus{
			Capacity: capacity(n), Allocatable: capacity(n), Addresses: addresses(n),
			Conditions: []corev1.NodeCondition{nodeReady(n)},
			NodeInfo: corev1.NodeSystemInfo{
				OperatingSystem: n.Description.Platform.OS, Architecture: architecture(n.Description.Platform.Architecture),
			},
		},
	}
	if v := n.Description.Engine.EngineVersion; v != "" {
		out.Status.NodeInfo.ContainerRuntimeVersion = "docker://" + v
		// There is no kubelet; kubectl shows this as the version of the node.
		out.Status.NodeInfo.KubeletVersion = "v" + v + "+docker"
	}
	if a := n.Spec.Availability; a == swarm.NodeAvailabilityPause || a == swarm.NodeAvailabilityDrain {
		out.Spec.Unschedulable = true
		out.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}}
		if a == swarm.NodeAvailabilityDrain {
			out.Spec.Taints = append(out.Spec.Taints, corev1.Taint{Key: "dogker.io/drain", Effect: corev1.TaintEffectNoExecute})
		}
	}
	if agent != nil {
		out.Status.Conditions = append(out.Status.Conditions, agentReady(n, agent))
	}

	return out
}

// nodeLabels are those that the platform gave the node, those of its engine with engine.labels/ before them, and over them
// Kubernetes' own.
func nodeLabels(n *swarm.Node, name string) map[string]string {
	out := map[string]string{}
	copyLabels(out, "engine.labels/", n.Description.Engine.Labels)
	copyLabels(out, "", n.Spec.Labels)

	ours := map[string]string{corev1.LabelHostname: name}
	if os := n.Description.Platform.OS; os != "" {
		ours[corev1.LabelOSStable] = os
	}
	if arch := architecture(n.Description.Platform.Architecture); arch != "" {
		ours[corev1.LabelArchStable] = arch
	}
	role := "node-role.kubernetes.io/worker"
	if n.Spec.Role == swarm.NodeRoleManager {
		role = "node-role.kubernetes.io/control-plane"
	}
	ours[role] = ""
	maps.Copy(out, ours)

	return out
}

// architecture is the name that images and Kubernetes have for what engines name after the kernel.
func architecture(arch string) string {
	switch arch {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "i386", "i686":
		return "386"
	case "armv7l", "armv6l":
		return "arm"
	default:
		return arch
	}
}

func capacity(n *swarm.Node) corev1.ResourceList {
	r := n.Description.Resources

	return corev1.ResourceList{
		corev1.ResourceCPU:    cpu(r.NanoCPUs),
		corev1.ResourceMemory: *resource.NewQuantity(r.MemoryBytes, resource.BinarySI),
	}
}

// addressOf is where other nodes reach this one. A manager may tell none, or any, of its address as a node.
func addressOf(n *swarm.Node) string {
	if a := n.Status.Addr; a != "" && a != "0.0.0.0" && a != "127.0.0.1" {
		return a
	}
	if m := n.ManagerStatus; m != nil {
		if i := strings.LastIndex(m.Addr, ":"); i > 0 {
			return strings.Trim(m.Addr[:i], "[]")
		}
	}

	return n.Status.Addr
}

func addresses(n *swarm.Node) []corev1.NodeAddress {
	var out []corev1.NodeAddress
	if a := addressOf(n); a != "" {
		out = append(out, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: a})
	}
	if h := n.Description.Hostname; h != "" {
		out = append(out, corev1.NodeAddress{Type: corev1.NodeHostName, Address: h})
	}

	return out
}

func nodeReady(n *swarm.Node) corev1.NodeCondition {
	c := corev1.NodeCondition{Type: corev1.NodeReady, LastTransitionTime: metav1.NewTime(n.UpdatedAt), LastHeartbeatTime: metav1.NewTime(n.UpdatedAt)}
	switch n.Status.State {
	case swarm.NodeStateReady:
		c.Status, c.Reason, c.Message = corev1.ConditionTrue, "SwarmReady", "the swarm's managers hear of the node"
	case swarm.NodeStateDown, swarm.NodeStateDisconnected:
		c.Status, c.Reason, c.Message = corev1.ConditionFalse, "SwarmDown", "the swarm's managers do not hear of the node"
	default:
		c.Status, c.Reason, c.Message = corev1.ConditionUnknown, "SwarmUnknown", "the swarm's managers have not heard of the node since they were started"
	}
	if n.Status.Message != "" {
		c.Message += ": " + n.Status.Message
	}

	return c
}

func agentReady(n *swarm.Node, a *Agent) corev1.NodeCondition {
	at := metav1.NewTime(a.Since)
	if a.Since.IsZero() {
		at = metav1.NewTime(n.CreatedAt)
	}
	c := corev1.NodeCondition{Type: ConditionAgentReady, LastTransitionTime: at, LastHeartbeatTime: at}
	switch {
	case a.Problem != "":
		c.Status, c.Reason, c.Message = corev1.ConditionFalse, "AgentUnusable", a.Problem
	case a.Own:
		c.Status, c.Reason, c.Message = corev1.ConditionTrue, "OwnNode", "the server runs beside the engine and needs no agent"
	default:
		c.Status, c.Reason, c.Message = corev1.ConditionTrue, "AgentConnected", "agent "+a.Version+" answers"
	}

	return c
}
