package workload

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// crashLoopAfter is how many failures of one slot, among those that the engine remembers, make a crash loop.
const crashLoopAfter = 3

// cause is why tasks do not run, as one word and one sentence. The sentence holds no times, counters or IDs, so that a
// problem that stays the same keeps the same bytes.
type cause struct {
	reason, message string
}

// causeOf looks for the reason in the tasks, newest first. The newest task of a slot says what is happening now; the
// older ones say whether it happens again and again.
func causeOf(tasks []swarmobj.Task) (cause, bool) {
	var worst cause

	found := false

	for _, slot := range bySlot(tasks) {
		c, ok := causeOfSlot(slot)
		if ok && (!found || severity(c.reason) > severity(worst.reason)) {
			worst, found = c, true
		}
	}

	return worst, found
}

// bySlot groups tasks by the place they fill: the slot of a replicated service, the node of a global one. Groups are
// ordered by place, and tasks within newest first.
func bySlot(tasks []swarmobj.Task) [][]swarmobj.Task {
	sorted := slices.Clone(tasks)
	place := func(t swarmobj.Task) string { return fmt.Sprintf("%09d/%s", t.Slot, globalNode(t)) }

	slices.SortStableFunc(sorted, func(a, b swarmobj.Task) int {
		if c := strings.Compare(place(a), place(b)); c != 0 {
			return c
		}
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}

		return strings.Compare(a.ID, b.ID)
	})

	var groups [][]swarmobj.Task

	for i := 0; i < len(sorted); {
		j := i + 1
		for j < len(sorted) && place(sorted[j]) == place(sorted[i]) {
			j++
		}

		groups = append(groups, sorted[i:j])
		i = j
	}

	return groups
}

// globalNode tells the tasks of a global service apart, which all have slot 0.
func globalNode(t swarmobj.Task) string {
	if t.Slot == 0 {
		return t.NodeID
	}

	return ""
}

func causeOfSlot(slot []swarmobj.Task) (cause, bool) {
	now := slot[0]
	if now.Running() {
		// What went wrong with an earlier template is over.
		slot = slices.DeleteFunc(slices.Clone(slot), func(t swarmobj.Task) bool { return !t.Current })
		if failures(slot) == 0 {
			return cause{}, false
		}
	}

	// The newest task that says anything: a fresh replacement is silent, its predecessor is not.
	for _, t := range slot {
		if c, ok := causeOfTask(t); ok {
			if c.reason == v1alpha1.ReasonTaskFailed && failures(slot) >= crashLoopAfter {
				c.reason = v1alpha1.ReasonCrashLoop
			}

			return c, true
		}
	}

	if now.Running() {
		return cause{}, false
	}

	return cause{v1alpha1.ReasonStarting, fmt.Sprintf("A task is %s", now.State)}, true
}

// failures counts the tasks of a slot that ended badly by themselves.
func failures(slot []swarmobj.Task) int {
	n := 0
	for _, t := range slot {
		if failed(t) {
			n++
		}
	}

	return n
}

// failed is true for a task that ended badly by itself. One that was stopped for its health may have ended well.
func failed(t swarmobj.Task) bool {
	return t.State == swarm.TaskStateFailed || t.State == swarm.TaskStateRejected || t.Unhealthy && t.Ended()
}

// causeOfTask reads one task. It is false for a task that has nothing to tell.
func causeOfTask(t swarmobj.Task) (cause, bool) {
	text := t.Err
	if text == "" {
		text = t.Message
	}

	switch {
	case t.OOMKilled:
		return cause{v1alpha1.ReasonOOMKilled, "A task was killed for using more memory than its limit"}, true
	case strings.Contains(t.Err, "no suitable node"):
		return cause{v1alpha1.ReasonUnschedulable, swarmobj.Relay(t.Err)}, true
	case strings.Contains(t.Err, "No such image"), strings.Contains(t.Err, "manifest unknown"),
		strings.Contains(t.Err, "pull access denied"), strings.Contains(t.Err, "failed to resolve reference"):
		return cause{v1alpha1.ReasonImageUnavailable, swarmobj.Relay(t.Err)}, true
	case strings.Contains(t.Err, "unhealthy container"), t.Unhealthy:
		return cause{v1alpha1.ReasonUnhealthy, "A task failed its health check: unhealthy container"}, true
	case t.State == swarm.TaskStateFailed, t.State == swarm.TaskStateRejected:
		return cause{v1alpha1.ReasonTaskFailed, swarmobj.Relay(text)}, true
	case t.State == swarm.TaskStateComplete && t.Desired != swarm.TaskStateRunning:
		return cause{v1alpha1.ReasonCompleted, "A task ended with exit code 0"}, true
	case t.Err != "" && !t.Ended():
		return cause{v1alpha1.ReasonStarting, swarmobj.Relay(t.Err)}, true
	default:
		return cause{}, false
	}
}

// severity orders causes of different slots: what will not mend itself comes first.
func severity(reason string) int {
	return slices.Index([]string{
		v1alpha1.ReasonStarting,
		v1alpha1.ReasonCompleted,
		v1alpha1.ReasonTaskFailed,
		v1alpha1.ReasonUnhealthy,
		v1alpha1.ReasonOOMKilled,
		v1alpha1.ReasonCrashLoop,
		v1alpha1.ReasonUnschedulable,
		v1alpha1.ReasonImageUnavailable,
	}, reason)
}

// settled tells whether a running task can be believed: a task that follows failures of its own template counts only after it
// has run for a while, so that a container that crashes every few seconds does not look ready in between. The
// duration says when to look again.
func settled(slot []swarmobj.Task, now time.Time, window time.Duration) (bool, time.Duration) {
	if !slices.ContainsFunc(slot[1:], func(t swarmobj.Task) bool { return t.Current && failed(t) }) {
		return true, 0
	}

	age := now.Sub(slot[0].Since)
	if age >= window {
		return true, 0
	}

	return false, window - age
}
