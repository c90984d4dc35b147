package jobrun

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
	"github.com/dogker/dogker/reconciler/tick"
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
		s.Clock = &v1alpha1.JobClock{Schedule: d.schedule.String(), DecidedUntil: since}
	}

	_, held := d.held()
	decided := tick.Decide(s.Clock, d.schedule, d.now, held)

	for _, m := range decided.Missed {
		reason, message := causeOf(m.Cause)
		d.miss(m.Ticks, reason, message)
	}
	if decided.PutBack {
		d.tell(true, v1alpha1.ReasonClockPutBack, "the clock was put back; ticks that may have had their run have no second one")
	}
	if decided.Tick.IsZero() {
		return
	}

	reason, message := d.refuse(metav1.NewTime(decided.Tick))
	decided.Settle(s.Clock, reason == "")

	if reason != "" {
		d.miss(cron.Ticks{Count: 1, First: decided.Tick, Last: decided.Tick}, reason, message)
	} else {
		d.record(decided.Tick)
	}
}

// causeOf says in words of jobs why ticks were missed.
func causeOf(c tick.Cause) (reason, message string) {
	switch c {
	case tick.Suspended:
		return v1alpha1.MissedSuspended, "no run was to begin"
	case tick.ScheduleChanged:
		return v1alpha1.MissedScheduleChanged, "the schedule was changed before the tick was decided"
	default:
		return v1alpha1.MissedNotObserved, "nothing was there to begin a run: Dogker was down, or the clock was put forward"
	}
}

// refuse says why a tick has no run; an empty reason when it has one. Runs that are in its way may have to end for it.
func (d *decision) refuse(tick metav1.Time) (reason, message string) {
	s, spec := &d.plan.Status, &d.Job.Spec

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
	d.tell(false, v1alpha1.ReasonRunRecorded, fmt.Sprintf("run %s begins", r.Name))
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
	d.tell(true, v1alpha1.ReasonMissedRun, fmt.Sprintf("ticks from %s to %s have no run: %s", first.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339), message))
}
