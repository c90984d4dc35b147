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

// MountsVolume tells whether tasks of that spec mount the volume that engines call so.
func MountsVolume(spec *swarm.TaskSpec, source string) bool {
	return spec != nil && spec.ContainerSpec != nil && slices.ContainsFunc(spec.ContainerSpec.Mounts, func(m mount.Mount) bool {
		return m.Type == mount.TypeVolume && m.Source == source
	})
}
