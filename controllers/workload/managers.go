package workload

import (
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// keepOff decides whether the tasks of a confined container keep off the managers of the swarm (rule P1). restarts tells
// whether the service is about to be changed in a way that replaces tasks anyway. What it has decided it decides again,
// until the membership of the swarm changes: the state of a node plays no part, so that one that reboots rewrites nothing.
//
//	            first service, next rollout, or no task on a manager
//	anywhere ──────────────────── and there are workers ────────────► off managers
//	    ▲                                                                  │
//	    └──────────── no node is a worker any more, and nothing runs ──────┘
func keepOff(w swarmobj.World, restarts func() bool) bool {
	switch {
	case keptOff(w.Service):
		return len(w.Nodes) == 0 || slices.ContainsFunc(w.Nodes, permit.IsWorker) || !w.TasksFresh || runsAny(w.Tasks)
	case w.Service == nil:
		return permit.OffManagers(w.Nodes)
	default:
		return slices.ContainsFunc(w.Nodes, permit.TakesTenants) && (free(w) || restarts())
	}
}

// keptOff is true for a service that has been told to keep off the managers: its label says so, or its constraints do.
// Either is put back from the other.
func keptOff(live *swarm.Service) bool {
	if live == nil {
		return false
	}
	if live.Spec.Labels[v1alpha1.SwarmLabelPlacement] == v1alpha1.PlacementWorkers {
		return true
	}

	return offManagers(live.Spec.TaskTemplate.Placement)
}

// free is true for a service that can be told to keep off the managers without a single task being replaced: all that it
// is to have are there, and on workers. A list that lacks some of them, as a manager that is behind may answer, proves
// nothing of those.
func free(w swarmobj.World) bool {
	replicated := w.Service.Spec.Mode.Replicated
	if !w.TasksFresh || updating(w.Service) || replicated == nil || replicated.Replicas == nil {
		return false
	}

	alive := slices.DeleteFunc(slices.Clone(w.Tasks), swarmobj.Task.Ended)
	onManager := func(t swarmobj.Task) bool {
		return !slices.ContainsFunc(w.Nodes, func(n swarm.Node) bool { return n.ID == t.NodeID && permit.IsWorker(n) })
	}

	return uint64(len(alive)) >= *replicated.Replicas && !slices.ContainsFunc(alive, onManager)
}

func runsAny(tasks []swarmobj.Task) bool { return slices.ContainsFunc(tasks, swarmobj.Task.Running) }
