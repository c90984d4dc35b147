package swarm

import (
	"net/netip"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// ServicesOf are the services of an owner with all their tasks, as the read cache last saw them: also while the engine
// cannot be asked, which State tells. It costs no call, and time by the number of the owner's tasks.
//
// The engine tells nobody about tasks. What happens to one is seen within some hundredths of a second while its service
// converges, or when its container is on the connected engine; elsewhere by the count of running tasks, which is looked at
// every two seconds when that is cheap; and otherwise by the next list of all tasks, after thirty seconds or, in a swarm
// whose list takes long, up to ten minutes.
func (e *Engine) ServicesOf(o swarmobj.Owner) []swarmobj.ServiceTasks {
	e.mu.Lock()
	defer e.mu.Unlock()

	var out []swarmobj.ServiceTasks

	for _, s := range e.cache.owned[o.UID] {
		if s.owner != o {
			continue
		}
		out = append(out, s.withTasks())
	}

	return out
}

// Nodes of the swarm, sorted by ID, as the read cache last saw them. Nobody changes them. A change is seen by the engine's
// own event, and without it by the next list, after thirty seconds.
func (e *Engine) Nodes() []swarm.Node {
	e.mu.Lock()
	defer e.mu.Unlock()

	return e.cache.nodes
}

// SubscribeTasks makes tell be called as Subscribe does, and also with the owners of tasks of which only a detail has
// changed that no controller decides by: an address, a container.
func (e *Engine) SubscribeTasks(tell func(swarmobj.Owner)) {
	e.hints.details.mu.Lock()
	defer e.hints.details.mu.Unlock()

	e.hints.details.targets = append(e.hints.details.targets, tell)
}

// SubscribeNodes makes tell be called whenever a node has changed, has come or has gone. It may be called for nothing, and
// it must not block, nor call the Engine.
func (e *Engine) SubscribeNodes(tell func()) {
	e.mu.Lock()
	defer e.mu.Unlock()

	e.nodeTargets = append(e.nodeTargets, tell)
}

// hintNodes tells that nodes have changed. The engine's lock is held.
func (e *Engine) hintNodes() {
	for _, tell := range e.nodeTargets {
		tell()
	}
}

// detail keeps of a task that was read what people are shown of it.
func (s *service) detail(t *task, read *swarm.Task) {
	t.address, t.updated = s.addressOf(read), read.UpdatedAt

	if t.spec == nil {
		t.spec = s.shared(t.template, read)
	}
}

// shared is the spec of a task, one and the same for all tasks of the service that were made from it.
func (s *service) shared(key templateKey, read *swarm.Task) *swarm.TaskSpec {
	if spec := s.specs[key]; spec != nil {
		return spec
	}
	if s.specs == nil {
		s.specs = map[templateKey]*swarm.TaskSpec{}
	}
	spec := read.Spec
	s.specs[key] = &spec

	return &spec
}

// forgetSpecs drops those from which no task is left that was made.
func (s *service) forgetSpecs() {
	used := make(map[templateKey]*swarm.TaskSpec, len(s.specs))
	for _, t := range s.tasks {
		used[t.template] = t.spec
	}
	s.specs = used
}

// addressOf is the address of a task in the network of its tenant, or in another that is not the routing mesh's.
func (s *service) addressOf(read *swarm.Task) netip.Addr {
	own := swarmobj.NetworkName(s.owner.Tenant)
	var other netip.Addr

	for _, n := range read.NetworksAttachments {
		for _, a := range n.Addresses {
			prefix, err := netip.ParsePrefix(a)
			switch {
			case err != nil:
			case n.Network.Spec.Name == own:
				return prefix.Addr()
			case !n.Network.Spec.Ingress && !other.IsValid():
				other = prefix.Addr()
			}
		}
	}

	return other
}
