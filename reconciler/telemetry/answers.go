package telemetry

import (
	"cmp"
	"slices"
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Subjects implements Reader. They come by namespace and pod.
func (s *Store) Subjects(owner swarmobj.Owner) []Subject {
	s.mu.RLock()
	defer s.mu.RUnlock()

	var out []Subject
	oldest := s.now().Add(-Kept).UnixMicro()
	for _, t := range s.tasks {
		o := t.subject.Owner
		if o == (swarmobj.Owner{}) || owner != (swarmobj.Owner{}) && o != owner || t.last[colAt] < oldest {
			continue
		}
		out = append(out, t.subject)
	}
	slices.SortFunc(out, func(a, b Subject) int {
		return cmp.Or(cmp.Compare(a.Owner.Tenant, b.Owner.Tenant), cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Task, b.Task))
	})

	return out
}

// Window implements Reader.
func (s *Store) Window(task string, since time.Time) []Sample {
	s.mu.RLock()
	defer s.mu.RUnlock()

	t := s.tasks[task]
	if t == nil {
		return nil
	}
	if oldest := s.now().Add(-Kept); since.Before(oldest) {
		since = oldest
	}

	return t.since(since)
}

// Latest implements Reader.
func (s *Store) Latest(task string) (Sample, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()

	t := s.tasks[task]
	if t == nil || s.now().Sub(t.last.at()) > Stale {
		return Sample{}, false
	}

	return t.sample(&t.last), true
}

// Machine implements Reader.
func (s *Store) Machine(node string) (m Machine, cores float64, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()

	n := s.machines[node]
	if n == nil || s.now().Sub(n.at) > Stale {
		return Machine{}, 0, false
	}
	if !n.atBefore.IsZero() && n.at.After(n.atBefore) && n.last.CPU >= n.before.CPU {
		cores = (n.last.CPU - n.before.CPU).Seconds() / n.at.Sub(n.atBefore).Seconds()
	}

	return n.last, cores, true
}

// MachineAt is when the last report of a node was made, by the reader's clock; the zero time when there is none.
func (s *Store) MachineAt(node string) time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()

	if n := s.machines[node]; n != nil {
		return n.at
	}

	return time.Time{}
}

// Totals implements Reader. They begin with the first sample of a task of the workload.
func (s *Store) Totals(owner swarmobj.Owner) (Totals, time.Time) {
	s.mu.RLock()
	defer s.mu.RUnlock()

	a := s.accounts[owner]
	if a == nil {
		return Totals{}, s.began
	}

	return a.totals, a.since
}
