package autoscale

import (
	"slices"
	"time"
)

const (
	// longestWindow and longestPeriod are the most that the schema allows.
	longestWindow = time.Hour
	longestPeriod = 30 * time.Minute
)

// Memory is what is remembered of one container between two decisions. It need not outlive the process: who begins anew
// begins carefully.
type Memory struct {
	proposals []stamped
	changes   []stamped
	// changedAt is when the number was changed last; the zero time for never.
	changedAt time.Time
}

// stamped is a number of tasks at a time: one that was proposed, or by how many there were more.
type stamped struct {
	at time.Time
	n  int32
}

// Last is the last change that is on record: from how many tasks, and when. The zero time is for none.
type Last struct {
	At   time.Time
	From int32
}

// Begin is the memory of a container that has not been decided about since this process began. It takes things to have been
// proposed as they are, so that nothing is taken away before a whole window has passed, and goes by the change on record.
func Begin(current int32, last Last, now time.Time) *Memory {
	m := &Memory{proposals: []stamped{{now, current}}}
	if !last.At.IsZero() && !last.At.After(now) {
		m.changedAt = last.At
		if now.Sub(last.At) < longestPeriod {
			m.changes = []stamped{{last.At, current - last.From}}
		}
	}

	return m
}

// Changed tells that the number has been changed.
func (m *Memory) Changed(from, to int32, now time.Time) {
	m.changes = append(after(m.changes, now.Add(-longestPeriod)), stamped{now, to - from})
	m.changedAt = now
}

// propose remembers a proposal.
func (m *Memory) propose(n int32, now time.Time) {
	m.proposals = append(after(m.proposals, now.Add(-longestWindow)), stamped{now, n})
}

// changed is by how many tasks there are more than at a time.
func (m *Memory) changed(since time.Time) int32 {
	var n int32
	for _, c := range m.changes {
		if c.at.After(since) {
			n += c.n
		}
	}

	return n
}

// stabilize is the number nearest to the current one among those that lie between what was proposed last and what was proposed
// within the windows.
func (m *Memory) stabilize(current, proposed int32, up, down rules, now time.Time) int32 {
	atLeast, atMost := proposed, proposed
	for _, p := range m.proposals {
		if p.at.After(now.Add(-up.window)) {
			atLeast = min(atLeast, p.n)
		}
		if p.at.After(now.Add(-down.window)) {
			atMost = max(atMost, p.n)
		}
	}

	return min(max(current, atLeast), atMost)
}

func after(list []stamped, t time.Time) []stamped {
	i := slices.IndexFunc(list, func(s stamped) bool { return s.at.After(t) })
	if i < 0 {
		return nil
	}

	return slices.Clone(list[i:])
}
