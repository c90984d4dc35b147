package exposition

import (
	"fmt"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Swarm is the read cache of the swarm. Nothing in it asks an engine, and it is safe for concurrent use.
type Swarm interface {
	// State is an error while the swarm cannot be asked, and what the cache says may no longer hold.
	State() error
	// Nodes of the swarm.
	Nodes() []swarm.Node
	// Owners of services.
	Owners() []swarmobj.Owner
	// ServicesOf are the services of an owner with their tasks, ended ones that are remembered among them.
	ServicesOf(o swarmobj.Owner) []swarmobj.ServiceTasks
}

// NodeNames tells by which names people know nodes, by the engine's IDs.
type NodeNames func([]swarm.Node) map[string]string

// task is a task of a workload with whose it is.
type task struct {
	swarmobj.TaskDetail

	owner swarmobj.Owner
	pod   string
}

// tasksOf are the tasks of an owner, also those that have ended.
func tasksOf(s Swarm, o swarmobj.Owner) []task {
	var out []task

	for _, service := range s.ServicesOf(o) {
		for _, t := range service.Tasks {
			out = append(out, task{TaskDetail: t, owner: o, pod: swarmobj.PodName(o, t.Slot, t.NodeID, t.ID)})
		}
	}

	return out
}

// image that a task was made from.
func (t *task) image() string {
	if t == nil || t.Spec == nil || t.Spec.ContainerSpec == nil {
		return ""
	}

	return t.Spec.ContainerSpec.Image
}

// bounds are what a task may use at most, and what is kept for it: CPUs in billionths, memory in bytes; 0 for none.
type bounds struct{ cpu, memory, memoryKept int64 }

func (t *task) bounds() bounds {
	var b bounds
	if t == nil || t.Spec == nil || t.Spec.Resources == nil {
		return b
	}
	if l := t.Spec.Resources.Limits; l != nil {
		b.cpu, b.memory = l.NanoCPUs, l.MemoryBytes
	}
	if r := t.Spec.Resources.Reservations; r != nil {
		b.memoryKept = r.MemoryBytes
	}

	return b
}

// unknown is the error while the swarm cannot be asked: what is not known is not shown as nothing.
func unknown(err error) error { return fmt.Errorf("read tasks and nodes of the swarm: %w", err) }
