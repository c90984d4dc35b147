package workload

import (
	"fmt"
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// portHolder tells who has published a port.
type portHolder func(mode swarm.PortConfigPublishMode, port swarm.PortConfig, except string) (swarmobj.Owner, bool)

// hindrance is why the tasks of a service could not start.
type hindrance struct {
	cause
	// refused is true when the engine would refuse the service or its tasks, where otherwise Swarm would wait until it can
	// start them.
	refused bool
}

// preflight says why the tasks of want could not start, before a task that serves is touched for them: Swarm would stop
// the old task first where the order asks for it, and then wait for ever. asked are the resources as the template of want
// has them. It errs on the side of letting go: what only Swarm can know, such as the free memory of a node, is left to
// Swarm and to the progress deadline.
func preflight(want swarm.ServiceSpec, asked *v1alpha1.Resources, serviceID string, nodes []swarm.Node, held portHolder) (hindrance, bool) {
	fit, why := eligible(want.TaskTemplate.Placement, nodes)
	if len(fit) == 0 {
		return hindrance{cause: cause{v1alpha1.ReasonUnschedulable, "no suitable node (" + why + ")"}}, true
	}

	large := which(fit, func(n swarm.Node) bool { return swarmobj.Holds(n, want.TaskTemplate.Resources) })
	if len(large) == 0 {
		return tooLarge(asked, want.TaskTemplate.Resources, fit), true
	}

	if want.EndpointSpec == nil {
		return hindrance{}, false
	}

	for _, p := range want.EndpointSpec.Ports {
		// A port in mode host is taken on some nodes only; with several to choose from Swarm finds a free one.
		if p.PublishMode == swarm.PortConfigPublishModeHost && len(large) > 1 {
			continue
		}
		if _, taken := held(p.PublishMode, p, serviceID); taken {
			return hindrance{refused: true, cause: cause{
				v1alpha1.ReasonPortConflict,
				fmt.Sprintf("Published port %d/%s is taken by another service", p.PublishedPort, p.Protocol),
			}}, true
		}
	}

	return hindrance{}, false
}

// eligible lists the nodes onto which the placement lets tasks, and says in Swarm's own terms what keeps them from all
// nodes when there is none. That tasks keep off the managers is told apart from the other constraints: a tenant has not
// declared it, and must not look for a mistake of its own.
func eligible(p *swarm.Placement, nodes []swarm.Node) ([]swarm.Node, string) {
	filters := []struct {
		why  string
		pass func(swarm.Node) bool
	}{
		{"no node is ready and active", swarmobj.Available},
		{"no worker is ready and active", func(n swarm.Node) bool { return permit.IsWorker(n) || !offManagers(p) }},
		{"scheduling constraints not satisfied", func(n swarm.Node) bool { return swarmobj.Permits(n, p) }},
		{"unsupported platform", func(n swarm.Node) bool { return swarmobj.Runs(n, p) }},
	}

	for _, f := range filters {
		if nodes = which(nodes, f.pass); len(nodes) == 0 {
			return nil, f.why
		}
	}

	return nodes, ""
}

// offManagers is true for a placement that leaves the managers out.
func offManagers(p *swarm.Placement) bool {
	return p != nil && slices.Contains(p.Constraints, servicespec.OffManagersConstraint)
}

func which(nodes []swarm.Node, pass func(swarm.Node) bool) []swarm.Node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n swarm.Node) bool { return !pass(n) })
}
