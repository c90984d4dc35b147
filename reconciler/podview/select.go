package podview

import (
	"cmp"
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Chosen is a task that is shown.
type Chosen struct {
	swarmobj.TaskDetail

	// Failed is how many tasks of the slot have failed before it, of those that Swarm still remembers.
	Failed int32
	// Before is the last task of the slot that ended before it was made; nil when Swarm remembers none.
	Before *swarmobj.TaskDetail
}

// place is where tasks follow one another: a slot, or a node where there are none.
type place struct {
	slot int
	node string
}

func placeOf(t *swarmobj.TaskDetail) place {
	if t.Slot != 0 {
		return place{slot: t.Slot}
	}

	return place{node: t.NodeID}
}

// Select picks those of a service's tasks that are shown: what has not ended, what is meant to run, and of each slot that
// has nothing of this the task that ended last. They are sorted by slot, node and age.
func Select(tasks []swarmobj.TaskDetail) []Chosen {
	tasks = slices.Clone(tasks)
	slices.SortFunc(tasks, func(a, b swarmobj.TaskDetail) int {
		x, y := placeOf(&a), placeOf(&b)

		return cmp.Or(cmp.Compare(x.slot, y.slot), cmp.Compare(x.node, y.node), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})

	var out []Chosen

	for begin := 0; begin < len(tasks); {
		end := begin + 1
		for end < len(tasks) && placeOf(&tasks[end]) == placeOf(&tasks[begin]) {
			end++
		}
		out = append(out, selectIn(tasks[begin:end])...)
		begin = end
	}

	return out
}

// selectIn picks those of one slot, whose tasks are given from old to new.
func selectIn(tasks []swarmobj.TaskDetail) []Chosen {
	var out []Chosen
	var last Chosen
	var failed int32
	var before *swarmobj.TaskDetail

	for i := range tasks {
		t := &tasks[i]
		last = Chosen{TaskDetail: *t, Failed: failed, Before: before}
		if !t.Ended() || meantToRun(t.Desired) {
			out = append(out, last)
		}
		if !t.Ended() {
			continue
		}
		before = t
		if hasFailed(t) {
			failed++
		}
	}
	if len(out) == 0 {
		out = append(out, last)
	}

	return out
}

// meantToRun is true for a task that Swarm wants to run, now or when its turn has come.
func meantToRun(desired swarm.TaskState) bool {
	switch desired {
	case swarm.TaskStateRunning, swarm.TaskStateReady, swarm.TaskStateAccepted, swarm.TaskStateNew, swarm.TaskStatePending, swarm.TaskStateAssigned,
		swarm.TaskStatePreparing, swarm.TaskStateStarting:
		return true
	default:
		return false
	}
}

func hasFailed(t *swarmobj.TaskDetail) bool {
	return t.State == swarm.TaskStateFailed || t.State == swarm.TaskStateRejected || t.OOMKilled || t.Unhealthy
}
