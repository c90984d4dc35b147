package servicespec

import (
	"slices"

	"github.com/docker/docker/api/types/swarm"
)

// Stop is a service as it is, without tasks.
func Stop(spec swarm.ServiceSpec) swarm.ServiceSpec {
	if spec.Mode.Global == nil {
		none := uint64(0)
		spec.Mode = swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &none}}

		return spec
	}

	p := swarm.Placement{}
	if spec.TaskTemplate.Placement != nil {
		p = *spec.TaskTemplate.Placement
	}
	p.Constraints = append(slices.Clone(p.Constraints), SuspendedConstraint)
	spec.TaskTemplate.Placement = &p

	return spec
}
