package servicespec

import (
	"cmp"
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// SuspendedConstraint holds for no node.
const SuspendedConstraint = swarmobj.SuspendedConstraint

// OffManagersConstraint holds for every node that is no manager of the swarm.
const OffManagersConstraint = "node.role!=manager"

// placement says which nodes may run the tasks. It is never nil, so that adding the first constraint and adding the
// second look the same to Swarm.
func (b *builder) placement() *swarm.Placement {
	var out swarm.Placement
	if p := b.t.Placement; p != nil {
		out.Constraints = slices.Clone(p.Constraints)
		for _, label := range p.Spread {
			out.Preferences = append(out.Preferences, swarm.PlacementPreference{
				Spread: &swarm.SpreadOver{SpreadDescriptor: label},
			})
		}
		out.MaxReplicas = uint64(orDefault(p.MaxReplicasPerNode, 0))
		for _, platform := range p.Platforms {
			out.Platforms = append(out.Platforms, swarm.Platform{OS: platform.OS, Architecture: platform.Architecture})
		}
	}
	if b.in.Suspended && b.global() {
		out.Constraints = append(out.Constraints, SuspendedConstraint)
	}

	if b.in.OffManagers {
		out.Constraints = append(out.Constraints, OffManagersConstraint)
	}
	out.Constraints = append(out.Constraints, b.pins()...)

	slices.Sort(out.Constraints)
	out.Constraints = slices.Compact(out.Constraints)
	slices.SortFunc(out.Platforms, comparePlatforms)
	out.Platforms = slices.Compact(out.Platforms)

	return &out
}

func comparePlatforms(x, y swarm.Platform) int {
	return cmp.Or(cmp.Compare(x.OS, y.OS), cmp.Compare(x.Architecture, y.Architecture))
}
