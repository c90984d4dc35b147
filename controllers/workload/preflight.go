package workload

import (
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// portHolder tells who has published a port.
type portHolder func(mode swarm.PortConfigPublishMode, port swarm.PortConfig, except string) (swarmobj.Owner, bool)

// preflight says why the tasks of want could not start, before a task that serves is touched for them: Swarm would stop
// the old task first where the order asks for it, and then wait for ever. It errs on the side of letting go: what only
// Swarm can know, such as the free memory of a node, is left to Swarm and to the progress deadline.
func preflight(want swarm.ServiceSpec, serviceID string, nodes []swarm.Node, held portHolder) (cause, bool) {
	fit := eligible(want, nodes)
	if len(fit) == 0 {
		return cause{v1alpha1.ReasonUnschedulable, "no suitable node (" + whyNone(want, nodes) + ")"}, true
	}

	if want.EndpointSpec == nil {
		return cause{}, false
	}

	for _, p := range want.EndpointSpec.Ports {
		// A port in mode host is taken on some nodes only; with several to choose from Swarm finds a free one.
		if p.PublishMode == swarm.PortConfigPublishModeHost && len(fit) > 1 {
			continue
		}
		if _, taken := held(p.PublishMode, p, serviceID); taken {
			return cause{
				v1alpha1.ReasonPortConflict,
				fmt.Sprintf("Published port %d/%s is taken by another service", p.PublishedPort, p.Protocol),
			}, true
		}
	}

	return cause{}, false
}

// eligible lists the nodes that could ever run a task of the service.
func eligible(want swarm.ServiceSpec, nodes []swarm.Node) []swarm.Node {
	var fit []swarm.Node

	for _, n := range nodes {
		if available(n) && matchesAll(want, n) && largeEnough(want, n) && runsPlatform(want, n) {
			fit = append(fit, n)
		}
	}

	return fit
}

// whyNone says in Swarm's own terms which filter left no node.
func whyNone(want swarm.ServiceSpec, nodes []swarm.Node) string {
	filters := []struct {
		why  string
		pass func(swarm.ServiceSpec, swarm.Node) bool
	}{
		{"no node is ready and active", func(_ swarm.ServiceSpec, n swarm.Node) bool { return available(n) }},
		{"scheduling constraints not satisfied", matchesAll},
		{"unsupported platform", runsPlatform},
		{"insufficient resources", largeEnough},
	}

	left := nodes
	for _, f := range filters {
		var pass []swarm.Node

		for _, n := range left {
			if f.pass(want, n) {
				pass = append(pass, n)
			}
		}
		if len(pass) == 0 {
			return f.why
		}

		left = pass
	}

	return "no node passes"
}

func available(n swarm.Node) bool {
	return n.Status.State == swarm.NodeStateReady && n.Spec.Availability == swarm.NodeAvailabilityActive
}

func matchesAll(want swarm.ServiceSpec, n swarm.Node) bool {
	if want.TaskTemplate.Placement == nil {
		return true
	}

	for _, c := range want.TaskTemplate.Placement.Constraints {
		if !matches(c, n) {
			return false
		}
	}

	return true
}

// matches evaluates one constraint as SwarmKit does: keys and values compare without regard to case, except that an ID
// is compared as it is. An expression it does not know counts as satisfied, because only Swarm can tell.
func matches(constraint string, n swarm.Node) bool {
	key, value, equal := strings.Cut(constraint, "==")
	if !equal {
		var ok bool
		if key, value, ok = strings.Cut(constraint, "!="); !ok {
			return true
		}
	}

	key, value = strings.TrimSpace(key), strings.TrimSpace(value)

	have, known := nodeValue(key, n)
	if !known {
		return true
	}

	return strings.EqualFold(have, value) == equal
}

func nodeValue(key string, n swarm.Node) (string, bool) {
	if label, ok := cutPrefixFold(key, "node.labels."); ok {
		return n.Spec.Labels[label], true
	}
	if label, ok := cutPrefixFold(key, "engine.labels."); ok {
		return n.Description.Engine.Labels[label], true
	}

	switch strings.ToLower(key) {
	case "node.id":
		return n.ID, true
	case "node.hostname":
		return n.Description.Hostname, true
	case "node.role":
		return string(n.Spec.Role), true
	case "node.platform.os":
		return n.Description.Platform.OS, true
	case "node.platform.arch":
		return n.Description.Platform.Architecture, true
	default:
		return "", false
	}
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}

	return s[len(prefix):], true
}

func largeEnough(want swarm.ServiceSpec, n swarm.Node) bool {
	res := want.TaskTemplate.Resources
	if res == nil || res.Reservations == nil {
		return true
	}

	have := n.Description.Resources

	return res.Reservations.NanoCPUs <= have.NanoCPUs && res.Reservations.MemoryBytes <= have.MemoryBytes
}

// archNames maps the names that uname and Go use for one architecture to one of them.
var archNames = map[string]string{"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i386": "386", "i686": "386"}

func runsPlatform(want swarm.ServiceSpec, n swarm.Node) bool {
	if want.TaskTemplate.Placement == nil || len(want.TaskTemplate.Placement.Platforms) == 0 {
		return true
	}

	arch := func(a string) string {
		if known, ok := archNames[a]; ok {
			return known
		}

		return a
	}

	for _, p := range want.TaskTemplate.Placement.Platforms {
		if (p.OS == "" || strings.EqualFold(p.OS, n.Description.Platform.OS)) &&
			(p.Architecture == "" || arch(p.Architecture) == arch(n.Description.Platform.Architecture)) {
			return true
		}
	}

	return false
}
