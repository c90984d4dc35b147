package workload

import (
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// restlessAfter is how long after a service was scaled to nothing Swarm may still mean tasks of it to run.
const restlessAfter = 15 * time.Second

// restless is true for a service that was scaled to nothing and that Swarm goes on starting tasks of. It compares tasks
// with replicas when the service is written, and restarts a task that fails without looking again: one that failed in
// that very moment is restarted for as long as it goes on failing. Seen with Engine 20.10 on a busy machine, for minutes.
// Writing the service once more, as it is, makes Swarm look again.
func restless(w swarmobj.World, now time.Time) bool {
	live := w.Service
	if live == nil || w.Uncertain || !w.TasksFresh || !swarmobj.Stopped(&live.Spec) || now.Sub(live.UpdatedAt) < restlessAfter {
		return false
	}

	return slices.ContainsFunc(w.Tasks, func(t swarmobj.Task) bool {
		return !t.Ended() && (t.Desired == swarm.TaskStateReady || t.Desired == swarm.TaskStateRunning)
	})
}
