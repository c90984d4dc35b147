package swarmobj

import (
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// Available tells whether Swarm gives the node new tasks.
func Available(n swarm.Node) bool {
	return n.Status.State == swarm.NodeStateReady && n.Spec.Availability == swarm.NodeAvailabilityActive
}

// Permits tells whether the constraints of a placement let tasks onto the node.
func Permits(n swarm.Node, p *swarm.Placement) bool {
	return p == nil || Satisfies(n, p.Constraints)
}

// Runs tells whether the node is of one of the platforms of a placement; every node is, where it names none.
func Runs(n swarm.Node, p *swarm.Placement) bool {
	if p == nil || len(p.Platforms) == 0 {
		return true
	}

	have := n.Description.Platform
	for _, want := range p.Platforms {
		if (want.OS == "" || strings.EqualFold(want.OS, have.OS)) &&
			(want.Architecture == "" || architecture(want.Architecture) == architecture(have.Architecture)) {
			return true
		}
	}

	return false
}

// architectures maps the names by which uname knows an architecture to those that images have.
var architectures = map[string]string{"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i386": "386", "i686": "386"}

func architecture(name string) string {
	if known, ok := architectures[name]; ok {
		return known
	}

	return name
}

// Holds tells whether the node, were it empty, would have room for one task with these resources. What is set aside must
// be there, which is all that Swarm looks at. A CPU limit must not be above the CPUs that there are either: Swarm would
// place the task, the node's engine refuses it, and so on without an end. Memory beyond what there is no engine minds.
func Holds(n swarm.Node, r *swarm.ResourceRequirements) bool {
	if r == nil {
		return true
	}

	have := n.Description.Resources
	if r.Limits != nil && r.Limits.NanoCPUs > have.NanoCPUs {
		return false
	}

	return r.Reservations == nil || r.Reservations.NanoCPUs <= have.NanoCPUs && r.Reservations.MemoryBytes <= have.MemoryBytes
}
