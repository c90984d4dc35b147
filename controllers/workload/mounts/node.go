package mounts

import (
	"fmt"
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Stranded is why the only node that has the data cannot run the tasks.
type Stranded struct {
	// Reason is ReasonVolumeConflict, ReasonNodeGone or ReasonNodeDown; of these the last goes by itself.
	Reason, Message string
}

// Passing is true when nobody has to change anything declared: the tasks wait for the node.
func (s *Stranded) Passing() bool { return s.Reason == v1alpha1.ReasonNodeDown }

// Strands tells whether the node that has the data cannot run tasks that are placed like that; nil when it can, when any node
// will do, and while nothing is known of nodes.
func (s Set) Strands(p *swarm.Placement, nodes []swarm.Node) *Stranded {
	if len(nodes) == 0 {
		return nil
	}

	var at *servicespec.ResolvedVolume
	for i := range s.Volumes {
		v := &s.Volumes[i]
		switch {
		case v.NodeID == "":
		case at == nil:
			at = v
		case at.NodeID != v.NodeID:
			return &Stranded{v1alpha1.ReasonVolumeConflict, fmt.Sprintf("Volume %q lives on node %s and Volume %q on node %s, so no task can mount both",
				at.Name, hostname(nodes, at.NodeID), v.Name, hostname(nodes, v.NodeID))}
		}
	}
	if at == nil {
		return nil
	}

	return judge(at, p, nodes)
}

func judge(at *servicespec.ResolvedVolume, p *swarm.Placement, nodes []swarm.Node) *Stranded {
	because := func(reason, why string) *Stranded {
		return &Stranded{reason, fmt.Sprintf("Volume %q lives on node %s, %s", at.Name, hostname(nodes, at.NodeID), why)}
	}

	i := slices.IndexFunc(nodes, func(n swarm.Node) bool { return n.ID == at.NodeID })
	if i < 0 {
		return because(v1alpha1.ReasonNodeGone, "which has left the swarm")
	}

	switch n := nodes[i]; {
	case offManagers(p) && n.Spec.Role == swarm.NodeRoleManager:
		return because(v1alpha1.ReasonVolumeConflict, "which is a manager of the swarm, and containers of tenants run on workers")
	case !swarmobj.Permits(n, withoutSuspension(p)):
		return because(v1alpha1.ReasonVolumeConflict, "which spec.placement.constraints leaves out")
	case !swarmobj.Runs(n, p):
		return because(v1alpha1.ReasonVolumeConflict, "which is of none of spec.placement.platforms")
	case n.Status.State != swarm.NodeStateReady:
		return because(v1alpha1.ReasonNodeDown, "which is down; its tasks wait for it, because no other node has the data")
	case !swarmobj.Available(n):
		return because(v1alpha1.ReasonNodeDown, fmt.Sprintf("which takes no tasks (%s); they wait for it, because no other node has the data", n.Spec.Availability))
	default:
		return nil
	}
}

func offManagers(p *swarm.Placement) bool {
	return p != nil && slices.Contains(p.Constraints, servicespec.OffManagersConstraint)
}

// withoutSuspension leaves out what no node fulfils, on purpose.
func withoutSuspension(p *swarm.Placement) *swarm.Placement {
	if p == nil {
		return nil
	}
	out := *p
	out.Constraints = slices.DeleteFunc(slices.Clone(p.Constraints), func(c string) bool { return c == servicespec.SuspendedConstraint })

	return &out
}

// hostname of a node, for people; its ID when nothing is known of it.
func hostname(nodes []swarm.Node, id string) string {
	for _, n := range nodes {
		if n.ID == id && n.Description.Hostname != "" {
			return n.Description.Hostname
		}
	}

	return id
}
