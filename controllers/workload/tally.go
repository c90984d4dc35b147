package workload

import (
	"fmt"
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/gate"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// scale is how many tasks a container is to have, after all gates.
type scale struct {
	replicas  int32
	suspended bool
	reason    string
}

// effective passes the declared replicas through the gates in order. The order is the specification: a later gate wins.
func effective(tc *v1alpha1.TenantContainer) scale {
	return gates.Apply(tc, scale{replicas: 1})
}

var gates = gate.Fold[*v1alpha1.TenantContainer, scale]{
	declaredReplicas,
	suspension,
}

func declaredReplicas(tc *v1alpha1.TenantContainer, s scale) scale {
	if tc.Spec.Replicas != nil {
		s.replicas = *tc.Spec.Replicas
	}

	return s
}

func suspension(tc *v1alpha1.TenantContainer, s scale) scale {
	if reason, ok := tc.Annotations[v1alpha1.AnnotationSuspend]; ok {
		return scale{replicas: 0, suspended: true, reason: reason}
	}

	return s
}

// count is how many tasks are wanted, and how far they are.
type count struct {
	want, exist, ready, updated int32
}

// complete is true when every wanted task runs the present template.
func (c count) complete() bool { return c.updated >= c.want && c.ready >= c.want }

// String is the column Tasks.
func (c count) String() string { return fmt.Sprintf("%d/%d", c.ready, c.want) }

func tally(tc *v1alpha1.TenantContainer, w swarmobj.World) count {
	var c count

	for _, t := range w.Tasks {
		if t.Desired == swarm.TaskStateRunning && !t.Ended() {
			c.exist++
		}
		if !t.Running() || !nodeUp(w.Nodes, t.NodeID) {
			continue
		}

		c.ready++
		if t.Current {
			c.updated++
		}
	}

	c.want = wanted(tc, w)

	return c
}

// wanted is the number of tasks there should be: what is declared, or for a global container what Swarm itself counts,
// one for each node that placement allows.
func wanted(tc *v1alpha1.TenantContainer, w swarmobj.World) int32 {
	s := effective(tc)
	if tc.Spec.Mode != v1alpha1.ModeGlobal || s.suspended {
		return s.replicas
	}
	if w.Service != nil && w.Service.ServiceStatus != nil {
		return int32(min(w.Service.ServiceStatus.DesiredTasks, uint64(maxTasks))) //nolint:gosec // bounded by min
	}

	return 1
}

// maxTasks bounds a count that comes from outside.
const maxTasks = 1 << 30

// nodeUp is false when the swarm has given the node up: what its tasks last said is not true any more. A node that the
// cache does not know yet gets the benefit of the doubt.
func nodeUp(nodes []swarm.Node, id string) bool {
	i := slices.IndexFunc(nodes, func(n swarm.Node) bool { return n.ID == id })

	return i < 0 || nodes[i].Status.State != swarm.NodeStateDown
}

// nodeNames are the host names of the nodes that run ready tasks, sorted, at most limit.
func nodeNames(w swarmobj.World, limit int) []string {
	var names []string

	for _, t := range w.Tasks {
		if !t.Running() {
			continue
		}
		if i := slices.IndexFunc(w.Nodes, func(n swarm.Node) bool { return n.ID == t.NodeID }); i >= 0 {
			names = append(names, w.Nodes[i].Description.Hostname)
		}
	}

	slices.Sort(names)
	names = slices.Compact(names)

	return names[:min(len(names), limit)]
}
