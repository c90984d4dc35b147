package telemetry

import (
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// identify finds out whose task it is, unless that is known, of a series that is held or is not yet. It is false for a task
// that is not ours.
func (s *Store) identify(t *series, held bool) bool {
	if !t.isUnknown() {
		return true
	}
	subject, known := s.resolve(t.service, t.task)
	if known && subject.Owner == (swarmobj.Owner{}) {
		if held {
			s.forget(t)
		}
		return false
	}
	if !known {
		return true
	}
	if held {
		s.settle(t)
	}
	if t.subject = subject; t.node != subject.Node {
		// Somebody else has told of it first, who cannot know.
		*t = series{task: t.task, service: t.service, node: subject.Node, subject: subject}
	}

	return true
}

// hold keeps a series from now on. It is false when its node has told of too many that nobody knows.
func (s *Store) hold(t *series) bool {
	if t.isUnknown() {
		if s.unknown[t.node] >= maxUnknown {
			return false
		}
		s.unknown[t.node]++
	}
	s.tasks[t.task] = t

	return true
}

// forget is the end of a series that was held.
func (s *Store) forget(t *series) {
	delete(s.tasks, t.task)
	if t.isUnknown() {
		s.settle(t)
	}
}

// settle takes note that a series that is held is, from now on, none of those that nobody knows.
func (s *Store) settle(t *series) {
	if s.unknown[t.node]--; s.unknown[t.node] == 0 {
		delete(s.unknown, t.node)
	}
}

// isOdd tells whether a sample that was left out for a reason is one that no agent of ours sends. Tasks that ended long ago are
// not known any more to a server that was started anew, and while a task is not known nobody can say where it is.
func (s *Store) isOdd(reason string, sample *Sample, skew time.Duration, now time.Time) bool {
	switch reason {
	case DropMalformed, DropClose:
		return true
	case DropUnknown:
		return now.Sub(sample.At.Add(-skew)) <= Stale
	case DropElsewhere:
		t := s.tasks[sample.Task]
		return t == nil || !t.isUnknown()
	default:
		return false
	}
}
