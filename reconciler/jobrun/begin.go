package jobrun

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
)

// begin decides the ticks that are due, or puts the only run of a job without a schedule on record.
func (d *decision) begin() {
	switch {
	case d.Deleting || d.plan.Invalid != nil:
	case d.scheduled:
		d.ticks()
	default:
		d.once()
	}
}

// once begins the run of a job without a schedule, unless it has begun. It waits for the end of a suspension.
func (d *decision) once() {
	s := &d.plan.Status
	if _, held := d.held(); held || s.Clock != nil || len(s.Active)+len(s.History) > 0 {
		return
	}

	s.Clock = &v1alpha1.JobClock{DecidedUntil: d.now}
	d.record(time.Time{})
}

func (d *decision) ticks() {
	s := &d.plan.Status
	if s.Clock == nil {
		// Ticks count from when the job was made. A clock that was put back since does not make it wait.
		since := d.Job.CreationTimestamp
		if since.After(d.Now) || since.IsZero() {
			since = d.now
		}
		since = seconds(since.Time)
		s.Clock = &v1alpha1.JobClock{Schedule: d.schedule.String(), DecidedUntil: since, DecidedSince: since}
	}

	why, held := d.held()

	switch c := s.Clock; {
	case c.Schedule != d.schedule.String():
		d.reschedule(why)
	case held && c.SuspendedSince == nil:
		c.SuspendedSince = new(d.now)
	case held:
	case c.SuspendedSince != nil:
		d.missDue(d.schedule, v1alpha1.MissedSuspended, "no run was to begin")
		c.SuspendedSince = nil
	case d.now.Before(&c.DecidedUntil):
		d.putBack()
	default:
		d.due()
	}

	if c := s.Clock; c.AheadUntil != nil && c.AheadUntil.Before(&d.now) {
		c.AheadSince, c.AheadUntil = nil, nil
	}
}

// reschedule takes another schedule on: its ticks count from now.
func (d *decision) reschedule(why string) {
	c := d.plan.Status.Clock

	if old, ok := cron.Recorded(c.Schedule); ok {
		reason, message := v1alpha1.MissedScheduleChanged, "the schedule was changed before the tick was decided"
		if c.SuspendedSince != nil {
			reason, message = v1alpha1.MissedSuspended, "no run was to begin"
		}
		d.missDue(old, reason, message)
	}
	if c.DecidedUntil.Before(&d.now) {
		c.DecidedUntil = d.now
	}

	c.Schedule, c.SuspendedSince = d.schedule.String(), nil
	if why != "" {
		c.SuspendedSince = new(d.now)
	}
}

// missDue misses all ticks that are due.
func (d *decision) missDue(s cron.Schedule, reason, message string) {
	c := d.plan.Status.Clock
	if t := s.Due(c.DecidedUntil.Time, d.now.Time); t.Count > 0 {
		d.miss(t, reason, message)
	}
	if c.DecidedUntil.Before(&d.now) {
		c.DecidedUntil = d.now
	}
}

// putBack is about a clock that shows less than it has. As long as ticks were decided as they came at the time that it shows, they
// have had their runs, and nothing is to be done until it gets on. Before that they were only missed, because the clock had been
// put forward, and come again; those that may have had runs are remembered.
func (d *decision) putBack() {
	c := d.plan.Status.Clock
	if !d.now.Before(&c.DecidedSince) {
		return
	}

	since, until := c.DecidedSince, c.DecidedUntil
	if c.AheadSince != nil && c.AheadSince.Before(&since) {
		since = *c.AheadSince
	}
	if c.AheadUntil != nil && until.Before(c.AheadUntil) {
		until = *c.AheadUntil
	}

	c.AheadSince, c.AheadUntil = &since, &until
	c.DecidedSince, c.DecidedUntil = d.now, d.now
	d.tell(true, v1alpha1.MissedClockPutBack, "the clock was put back; ticks that may have had their run have no second one")
}

// due decides the ticks up to now: the latest may have its run, those before it are missed.
func (d *decision) due() {
	c := d.plan.Status.Clock

	t := d.schedule.Due(c.DecidedUntil.Time, d.now.Time)
	if t.Count == 0 {
		return
	}

	tick := metav1.NewTime(t.Last)
	if t.Count > 1 {
		earlier := d.schedule.Due(c.DecidedUntil.Time, t.Last.Add(-time.Second))
		d.miss(earlier, v1alpha1.MissedNotObserved, "nothing was there to begin a run: Dogker was down, or the clock was put forward")
		c.DecidedSince = tick
	}

	c.DecidedUntil = tick

	if reason, message := d.refuse(tick); reason != "" {
		d.miss(cron.Ticks{Count: 1, First: t.Last, Last: t.Last}, reason, message)

		return
	}

	d.record(t.Last)
}

// refuse says why a tick has no run; an empty reason when it has one. Runs that are in its way may have to end for it.
func (d *decision) refuse(tick metav1.Time) (reason, message string) {
	s, spec := &d.plan.Status, &d.Job.Spec

	if c := s.Clock; c.AheadSince != nil && !tick.Before(c.AheadSince) && !c.AheadUntil.Before(&tick) {
		return v1alpha1.MissedClockPutBack, "the clock was put back, and the tick may have had its run before"
	}
	if limit := spec.StartingDeadlineSeconds; limit != nil && d.Now.Sub(tick.Time) > time.Duration(*limit)*time.Second {
		return v1alpha1.MissedStartingDeadline, fmt.Sprintf("it was later than startingDeadlineSeconds, %d", *limit)
	}

	switch {
	case len(s.Active) == 0:
		return "", ""
	case spec.ConcurrencyPolicy == v1alpha1.ConcurrencyForbid:
		return v1alpha1.MissedConcurrency, fmt.Sprintf("run %s was not over, and concurrencyPolicy is Forbid", s.Active[0].Name)
	case spec.ConcurrencyPolicy == v1alpha1.ConcurrencyReplace:
		d.replace()
	case len(s.Active) >= v1alpha1.MaxActiveRuns:
		return v1alpha1.MissedTooManyActive, fmt.Sprintf("%d runs were not over, and there are no more at a time", len(s.Active))
	}

	return "", ""
}

// replace ends what is in the way of the next run.
func (d *decision) replace() {
	runs := d.plan.Status.Active
	d.plan.Status.Active = nil

	for _, r := range runs {
		d.end(r, verdict{
			v1alpha1.RunInterrupted, v1alpha1.ReasonReplaced, "the next run has begun, and concurrencyPolicy is Replace",
			latest(d.World.Services[r.Name].Tasks, anyTask),
		})
	}
}

// record puts a run on record. Its service follows when that is written.
func (d *decision) record(tick time.Time) {
	s := &d.plan.Status
	r := v1alpha1.JobRun{
		Name: Name(d.Job, tick), StartTime: d.now, StartBefore: after(d.now, claim), Generation: d.Job.Generation,
		Phase: v1alpha1.RunPending, Reason: v1alpha1.ReasonWaitingForService,
	}

	if !tick.IsZero() {
		r.ScheduledTime = new(metav1.NewTime(tick))
		s.LastScheduleTime = r.ScheduledTime
	}

	s.Active = append(s.Active, r)
	d.tell(false, "RunRecorded", fmt.Sprintf("run %s begins", r.Name))
}

// miss counts ticks that have no run.
func (d *decision) miss(t cron.Ticks, reason, message string) {
	s := &d.plan.Status
	s.MissedRuns += t.Count

	first, last := metav1.NewTime(t.First), metav1.NewTime(t.Last)

	// They belong to those before when they have the same reason, come after them, and no run was in between.
	if len(s.Missed) > 0 {
		m := &s.Missed[0]
		if m.Reason == reason && m.LastTime.Before(&first) && (s.LastScheduleTime == nil || s.LastScheduleTime.Before(&m.LastTime)) {
			m.Count += t.Count
			m.LastTime, m.Message = last, brief(message)

			return
		}
	}

	s.Missed = slices.Insert(s.Missed, 0, v1alpha1.MissedRuns{FirstTime: first, LastTime: last, Count: t.Count, Reason: reason, Message: brief(message)})
	s.Missed = s.Missed[:min(len(s.Missed), v1alpha1.MaxMissedEntries)]
	d.tell(true, "MissedRun", fmt.Sprintf("ticks from %s to %s have no run: %s", first.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339), message))
}
