package swarmobj

import (
	"slices"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// Writer is a service that mounts a volume for writing, or of which a task that has not ended does.
type Writer struct {
	// Owner of the service, the zero value when the service was removed and only tasks of it are left.
	Owner Owner
	// Run that it is of, when the owner has a service for each.
	Run string
	// Live is true while a task of it that may write has not ended, and before it has any.
	Live bool
}

// WritesVolume tells whether tasks of that spec have the volume that engines call so for writing.
func WritesVolume(spec *swarm.TaskSpec, source string) bool {
	return spec != nil && spec.ContainerSpec != nil && slices.ContainsFunc(spec.ContainerSpec.Mounts, func(m mount.Mount) bool {
		return m.Type == mount.TypeVolume && m.Source == source && !m.ReadOnly
	})
}
