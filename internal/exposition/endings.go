package exposition

import (
	"sync"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// cause of the end of a task.
type cause string

// The causes of ends that nobody asked for.
const (
	causeCompleted cause = "Completed"
	causeFailed    cause = "Failed"
	causeOOMKilled cause = "OOMKilled"
	causeUnhealthy cause = "Unhealthy"
	causeRejected  cause = "Rejected"
)

var causes = []cause{causeCompleted, causeFailed, causeOOMKilled, causeUnhealthy, causeRejected}

const (
	// settled is after how long the cause of an end is believed: that a task was killed for its memory or its health is
	// learned from its container, a moment after its end.
	settled = 10 * time.Second
	// remembered is for how long counts are kept of an owner of which Swarm shows no task any more.
	remembered = time.Hour
)

// endings counts how tasks end. Swarm remembers only the last few of each slot, so they are looked at again and again.
type endings struct {
	mu sync.Mutex
	// began is when counting began. What ended before was counted by nobody, or by the server before this one.
	began time.Time
	// counted are tasks whose end was counted and that Swarm still shows, and counts what that came to, by owners' UIDs.
	counted map[string]bool
	counts  map[string]map[cause]uint64
	seen    map[string]time.Time
}

func newEndings(now time.Time) *endings {
	return &endings{began: now, counted: map[string]bool{}, counts: map[string]map[cause]uint64{}, seen: map[string]time.Time{}}
}

// look counts what has ended since the last look. tasks are all that Swarm shows.
func (e *endings) look(tasks []task, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()

	counted := make(map[string]bool, len(e.counted))
	for i := range tasks {
		t := &tasks[i]
		uid := t.owner.UID
		e.seen[uid] = now
		if e.counted[t.ID] {
			counted[t.ID] = true
			continue
		}

		why, ended := causeOf(t)
		if !ended || t.Since.Before(e.began) {
			continue
		}
		if why != causeOOMKilled && why != causeUnhealthy && now.Sub(t.Since) < settled {
			continue
		}
		counted[t.ID] = true
		if e.counts[uid] == nil {
			e.counts[uid] = map[cause]uint64{}
		}
		e.counts[uid][why]++
	}
	e.counted = counted

	for uid, at := range e.seen {
		if now.Sub(at) > remembered {
			delete(e.seen, uid)
			delete(e.counts, uid)
		}
	}
}

// causeOf says why a task has ended; false when it has not, or because somebody wanted it to.
func causeOf(t *task) (cause, bool) {
	switch t.State {
	case swarm.TaskStateComplete, swarm.TaskStateFailed, swarm.TaskStateRejected:
	default:
		return "", false
	}

	switch {
	case t.OOMKilled:
		return causeOOMKilled, true
	case t.Unhealthy:
		return causeUnhealthy, true
	case t.State == swarm.TaskStateRejected:
		return causeRejected, true
	case t.State == swarm.TaskStateComplete:
		return causeCompleted, true
	default:
		return causeFailed, true
	}
}

// of are the counts of an owner.
func (e *endings) of(uid string) map[cause]uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()

	out := make(map[cause]uint64, len(causes))
	for c, n := range e.counts[uid] {
		out[c] = n
	}

	return out
}
