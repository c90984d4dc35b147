package swarm

import (
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// TenantTasks are the tasks of a tenant that have not ended, as the read cache knows them, in no order. Those on nodes that
// are down are left out: nobody can ask them, and the swarm goes on showing what they last said. So are tasks whose service
// is gone. It fails while nothing is known.
func (e *Engine) TenantTasks(tenant string) ([]swarmobj.Task, error) {
	e.mu.Lock()
	defer e.mu.Unlock()

	if e.state != nil {
		return nil, e.state
	}

	down := map[string]bool{}
	for _, n := range e.cache.nodes {
		down[n.ID] = n.Status.State == swarm.NodeStateDown
	}

	var out []swarmobj.Task

	for uid := range e.cache.within[tenant] {
		for _, s := range e.cache.owned[uid] {
			for _, t := range s.tasks {
				if !t.Ended() && !down[t.NodeID] {
					out = append(out, t.Task)
				}
			}
		}
	}

	return out, nil
}
