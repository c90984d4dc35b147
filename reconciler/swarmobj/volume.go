package swarmobj

import (
	"slices"
	"strings"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// pinnedPrefix begins the constraint that holds tasks to one node.
const pinnedPrefix = "node.id=="

// PinnedConstraint is a constraint that holds for one node only.
func PinnedConstraint(nodeID string) string { return pinnedPrefix + nodeID }

// PinnedTo is the node of such a constraint; false for another one.
func PinnedTo(constraint string) (nodeID string, ok bool) {
	return strings.CutPrefix(constraint, pinnedPrefix)
}

// SuspendedConstraint holds for no node. It is what takes the tasks of a global service away, which cannot be scaled to
// zero; nobody may put that label on a node.
const SuspendedConstraint = "node.labels.io.dogker.suspended==true"

// Stopped tells whether a service is to have no tasks.
func Stopped(spec *swarm.ServiceSpec) bool {
	switch mode := spec.Mode; {
	case mode.Replicated != nil:
		return mode.Replicated.Replicas != nil && *mode.Replicated.Replicas == 0
	case mode.Global != nil:
		return spec.TaskTemplate.Placement != nil && slices.Contains(spec.TaskTemplate.Placement.Constraints, SuspendedConstraint)
	default:
		return false
	}
}

// MountsVolume tells whether tasks of that spec mount the volume that engines call so.
func MountsVolume(spec *swarm.TaskSpec, source string) bool {
	return spec != nil && spec.ContainerSpec != nil && slices.ContainsFunc(spec.ContainerSpec.Mounts, func(m mount.Mount) bool {
		return m.Type == mount.TypeVolume && m.Source == source
	})
}
