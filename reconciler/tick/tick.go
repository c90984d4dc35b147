package tick

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
)

// Cause is why ticks are missed.
type Cause int

// The causes.
const (
	// NotObserved: nobody has looked between them and the next tick.
	NotObserved Cause = iota
	// Suspended: nothing was to begin.
	Suspended
	// ScheduleChanged: the schedule became another one before they were decided.
	ScheduleChanged
)

// Missed are ticks that are not obeyed.
type Missed struct {
	cron.Ticks
	Cause Cause
}

// Decision is what follows for a clock, which has been changed to say so.
type Decision struct {
	// Missed are ticks that nobody obeys any more, the earliest first.
	Missed []Missed
	// Tick is the one that is due; the zero time when none is. Settle must be told what becomes of it.
	Tick time.Time
	// PutBack is true when the clock shows less than it has, and goes on from there.
	PutBack bool

	// since is what was decided before, and next is true when no tick lies between that and Tick.
	since metav1.Time
	next  bool
}

// Decide decides the ticks up to now, which are whole seconds, and puts that into the clock. held is true while nothing is to begin.
func Decide(c *v1alpha1.JobClock, s cron.Schedule, now metav1.Time, held bool) Decision {
	var d Decision

	switch {
	case c.Schedule != s.String():
		d.reschedule(c, s, now, held)
	case held && c.SuspendedSince == nil:
		c.SuspendedSince = new(now)
	case held:
	case c.SuspendedSince != nil:
		d.missDue(c, s, now, Suspended)
		c.SuspendedSince = nil
	case now.Before(&c.DecidedUntil):
		d.putBack(c, s, now)
	default:
		d.due(c, s, now)
	}

	return d
}

// Settle puts into the clock what has become of the tick that was due: whether it was obeyed.
func (d Decision) Settle(c *v1alpha1.JobClock, obeyed bool) {
	c.Ran = cover(c.Ran, d.since, metav1.NewTime(d.Tick), d.next, obeyed)
}

// reschedule takes another schedule on: its ticks count from now.
func (d *Decision) reschedule(c *v1alpha1.JobClock, s cron.Schedule, now metav1.Time, held bool) {
	if old, ok := cron.Recorded(c.Schedule); ok {
		cause := ScheduleChanged
		if c.SuspendedSince != nil {
			cause = Suspended
		}
		d.missDue(c, old, now, cause)
	}
	if c.DecidedUntil.Before(&now) {
		c.DecidedUntil = now
	}

	c.Schedule, c.SuspendedSince = s.String(), nil
	if held {
		c.SuspendedSince = new(now)
	}
}

// missDue misses all ticks that are due.
func (d *Decision) missDue(c *v1alpha1.JobClock, s cron.Schedule, now metav1.Time, cause Cause) {
	t := s.Due(c.DecidedUntil.Time, now.Time)
	if t.Count -= covered(s, c.Ran, c.DecidedUntil.Time, now.Time); t.Count > 0 {
		d.Missed = append(d.Missed, Missed{t, cause})
	}
	if c.DecidedUntil.Before(&now) {
		c.DecidedUntil = now
	}
}

// putBack is about a clock that shows less than it has. Ticks that come again and may have been obeyed are left alone; when there
// are others, which were only missed because the clock had been put forward, it goes on from now.
func (d *Decision) putBack(c *v1alpha1.JobClock, s cron.Schedule, now metav1.Time) {
	if s.Due(now.Time, c.DecidedUntil.Time).Count == covered(s, c.Ran, now.Time, c.DecidedUntil.Time) {
		return
	}

	c.DecidedUntil, d.PutBack = now, true
}

// due decides the ticks up to now: the latest may be obeyed, those before it are missed.
func (d *Decision) due(c *v1alpha1.JobClock, s cron.Schedule, now metav1.Time) {
	since := c.DecidedUntil

	t := s.Due(since.Time, now.Time)
	if t.Count == 0 {
		return
	}

	before := t.Last.Add(-time.Second)
	earlier := s.Due(since.Time, before)

	if earlier.Count -= covered(s, c.Ran, since.Time, before); earlier.Count > 0 {
		d.Missed = append(d.Missed, Missed{earlier, NotObserved})
	}

	c.DecidedUntil = metav1.NewTime(t.Last)

	if covered(s, c.Ran, before, t.Last) == 0 {
		d.Tick, d.since, d.next = t.Last, since, t.Count == 1
	}
}

// Next is the next tick that is not decided; the zero time when there is none.
func Next(c *v1alpha1.JobClock, s cron.Schedule, now time.Time) time.Time {
	if c.DecidedUntil.After(now) {
		now = c.DecidedUntil.Time
	}

	return s.Next(now)
}
