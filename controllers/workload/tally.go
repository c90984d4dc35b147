package workload

import (
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
	"github.com/dogker/dogker/reconciler/gate"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// scale is how many tasks a container is to have, after all gates.
type scale struct {
	replicas  int32
	suspended bool
	reason    string
	// resting is true outside of the windows of spec.schedule; until says when the next one opens, where one does.
	resting bool
	until   time.Time
	// held is why nothing may run although nobody has said so: a Volume. Nil when nothing is in the way.
	held *outcome.Wait
}

// none is true when there are to be no tasks, whatever is declared.
func (s scale) none() bool { return s.suspended || s.resting || s.held != nil }

// effective passes the declared replicas through the gates in order. The order is the specification: a later gate wins.
// tenant is that of the namespace; nil when it has none. hold is why Volumes cannot be used; nil when they can.
func effective(tc *v1alpha1.TenantContainer, tenant *v1alpha1.Tenant, t timetable, hold *outcome.Wait) scale {
	return gates.Apply(wish{tc, tenant, t, hold}, scale{replicas: 1})
}

// wish is what everybody who has a say has declared about a container.
type wish struct {
	tc        *v1alpha1.TenantContainer
	tenant    *v1alpha1.Tenant
	timetable timetable
	hold      *outcome.Wait
}

var gates = gate.Fold[wish, scale]{
	declaredReplicas,
	autoscaled,
	scheduled,
	suspension,
	tenantSuspension,
	onHold,
}

func declaredReplicas(w wish, s scale) scale {
	if w.tc.Spec.Replicas != nil {
		s.replicas = *w.tc.Spec.Replicas
	}

	return s
}

// autoscaled takes what the autoscaler has decided, within the bounds that are declared. A decision that nobody can read, or
// that is left over from when there was spec.autoscaling, is none.
func autoscaled(w wish, s scale) scale {
	if w.tc.Spec.Autoscaling != nil {
		s.replicas = autoscale.Replicas(w.tc)
	}

	return s
}

func suspension(w wish, s scale) scale {
	if reason, ok := w.tc.Annotations[v1alpha1.AnnotationSuspend]; ok {
		return scale{replicas: 0, suspended: true, reason: reason}
	}

	return s
}

// tenantSuspension holds all containers of a tenant at nothing, without a change to any of them.
func tenantSuspension(w wish, s scale) scale {
	if w.tenant == nil {
		return s
	}

	for _, key := range []string{v1alpha1.AnnotationSuspend, v1alpha1.AnnotationBillingSuspend} {
		if reason, ok := w.tenant.Annotations[key]; ok {
			return scale{replicas: 0, suspended: true, reason: tenantReason(reason)}
		}
	}

	return s
}

func tenantReason(reason string) string {
	if reason == "" {
		return "the tenant is suspended"
	}

	return "the tenant is suspended: " + reason
}

// count is how many tasks are wanted, and how far they are.
type count struct {
	want, exist, ready, updated int32
}

// complete is true when every wanted task runs the present template.
func (c count) complete() bool { return c.updated >= c.want && c.ready >= c.want }

// String is the column Tasks.
func (c count) String() string { return fmt.Sprintf("%d/%d", c.ready, c.want) }

func tally(tc *v1alpha1.TenantContainer, s scale, w swarmobj.World) count {
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

	c.want = wanted(tc, s, w)

	return c
}

// wanted is the number of tasks there should be: what is declared, or for a global container one on each node that is
// there to take tasks and that placement and platforms allow. Swarm counts the tasks that it has made, which it makes one
// node after the other, so that a container would look complete after the first. A node that is too full, or too small, is
// counted: the container is to run there, and does not. Where no node is eligible one task is wanted all the same, because
// something that runs nowhere is not ready.
func wanted(tc *v1alpha1.TenantContainer, s scale, w swarmobj.World) int32 {
	if tc.Spec.Mode != v1alpha1.ModeGlobal || s.none() {
		return s.replicas
	}
	if w.Service == nil {
		return 1
	}

	nodes, _ := eligible(w.Service.Spec.TaskTemplate.Placement, w.Nodes)

	return int32(max(len(nodes), 1)) //nolint:gosec // a number of nodes
}

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
