package snapshotplan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
	"github.com/dogker/dogker/reconciler/snapshotrun"
	"github.com/dogker/dogker/reconciler/tick"
)

// Input is everything that a decision is made of. It is not changed.
type Input struct {
	// Now is the time; what is recorded of it are whole seconds.
	Now time.Time
	// Volume as it was read, with the status that was.
	Volume *v1alpha1.Volume
	// Snapshots of the namespace, of whichever Volumes.
	Snapshots []v1alpha1.VolumeSnapshot
	// Restoring are the names of those that Volumes of the namespace name in spec.restoreFrom.
	Restoring map[string]bool
}

// Plan is what was decided.
type Plan struct {
	// Status is what is to be on record; nil for nothing. Where it differs from what was read it is written before anything is done,
	// with the resourceVersion that was read; a conflict ends the pass.
	Status *v1alpha1.VolumeSnapshotsStatus
	// Create is the snapshot to be made, when Status is on record; nil for none.
	Create *v1alpha1.VolumeSnapshot
	// Delete are the names of those to be removed, the oldest first.
	Delete []string
	// Missed are ticks that Status counts and what was read does not.
	Missed []v1alpha1.MissedRuns
	// Next is when to look again though nothing happens; the zero time when there is no need.
	Next time.Time
	// Invalid is why the schedule means nothing; nil when it does.
	Invalid *field.Error
}

// decision is one in the making.
type decision struct {
	Input

	now  metav1.Time
	plan Plan
}

// Decide says what is to be recorded, and what is to be done about what is recorded.
func Decide(in Input) Plan {
	v := in.Volume
	d := &decision{Input: in, now: metav1.NewTime(in.Now.UTC().Truncate(time.Second))}

	var (
		schedule cron.Schedule
		is       bool
	)
	if spec := v.Spec.Snapshots; spec != nil {
		schedule, is, d.plan.Invalid = cron.Read(spec.Schedule, spec.TimeZone, field.NewPath("spec", "snapshots"))
	}
	if !is {
		return d.plan
	}

	d.plan.Status = v.Status.Snapshots.DeepCopy()
	if d.plan.Status == nil {
		d.plan.Status = &v1alpha1.VolumeSnapshotsStatus{}
	}
	s := d.plan.Status
	s.LastSuccessfulTime, s.NextScheduleTime = latest(v, in.Snapshots), nil
	if d.plan.Invalid != nil {
		return d.plan
	}

	if s.Clock == nil {
		if v.Status.ProvisionedAt == nil {
			return d.plan // There is nothing to make a snapshot of, and no tick yet.
		}
		s.Clock = &v1alpha1.JobClock{Schedule: schedule.String(), DecidedUntil: d.now}
	}

	d.settle()
	d.ticks(schedule)
	d.make()
	for _, x := range Expired(v, in.Snapshots, in.Restoring, in.Now) {
		d.plan.Delete = append(d.plan.Delete, x.Name)
	}

	if at := tick.Next(s.Clock, schedule, in.Now); !at.IsZero() && !v.Spec.Snapshots.Suspend {
		s.NextScheduleTime = new(metav1.NewTime(at))
		d.plan.Next = at
	}

	return d.plan
}

// settle looks what has become of the snapshot that was to be made. Somebody else may have its name: then it gets another one.
func (d *decision) settle() {
	s := d.plan.Status
	if s.Pending == nil {
		return
	}

	at := s.Pending.ScheduledTime.Time
	switch {
	case d.find(func(x *v1alpha1.VolumeSnapshot) bool { return IsOf(d.Volume, x, at) }):
		s.Pending = nil
	case d.Volume.Spec.Snapshots.Suspend:
		d.miss(one(at), v1alpha1.MissedSuspended, "spec.snapshots.suspend is true")
		s.Pending = nil
	case d.taken(string(s.Pending.Name)):
		names := Names(d.Volume, at)
		i := slices.IndexFunc(names, func(name string) bool { return !d.taken(name) })
		if i < 0 {
			d.miss(one(at), v1alpha1.MissedRefused, fmt.Sprintf("other snapshots have the names %s and %s", names[0], names[1]))
			s.Pending = nil

			return
		}
		s.Pending = &v1alpha1.PendingSnapshot{Name: v1alpha1.ObjectName(names[i]), ScheduledTime: s.Pending.ScheduledTime}
	}
}

func (d *decision) taken(name string) bool {
	return d.find(func(x *v1alpha1.VolumeSnapshot) bool { return x.Namespace == d.Volume.Namespace && x.Name == name })
}

func (d *decision) find(is func(*v1alpha1.VolumeSnapshot) bool) bool {
	return slices.ContainsFunc(d.Snapshots, func(x v1alpha1.VolumeSnapshot) bool { return is(&x) })
}

// ticks decides those that are due.
func (d *decision) ticks(schedule cron.Schedule) {
	s := d.plan.Status
	decided := tick.Decide(s.Clock, schedule, d.now, d.Volume.Spec.Snapshots.Suspend)

	for _, m := range decided.Missed {
		switch m.Cause {
		case tick.Suspended:
			d.miss(m.Ticks, v1alpha1.MissedSuspended, "spec.snapshots.suspend was true")
		case tick.ScheduleChanged:
			d.miss(m.Ticks, v1alpha1.MissedScheduleChanged, "the schedule was changed before the tick was decided")
		default:
			d.miss(m.Ticks, v1alpha1.MissedNotObserved, "nothing could begin a snapshot: the data could not be used, Dogker was down, or the clock was put forward")
		}
	}
	if decided.Tick.IsZero() {
		return
	}

	if p := s.Pending; p != nil {
		d.miss(one(p.ScheduledTime.Time), v1alpha1.MissedRefused, cmp.Or(p.Message, "it could not be made before the next tick"))
		s.Pending = nil
	}

	unfinished := d.unfinished()
	decided.Settle(s.Clock, unfinished == "")
	if unfinished != "" {
		d.miss(one(decided.Tick), v1alpha1.MissedInProgress, fmt.Sprintf("snapshot %s was still being made", unfinished))

		return
	}

	s.LastScheduleTime = new(metav1.NewTime(decided.Tick))
	s.Pending = &v1alpha1.PendingSnapshot{Name: v1alpha1.ObjectName(Names(d.Volume, decided.Tick)[0]), ScheduledTime: metav1.NewTime(decided.Tick)}
}

// unfinished is the name of a snapshot by schedule that is still being made; empty when there is none.
func (d *decision) unfinished() string {
	for i := range d.Snapshots {
		x := &d.Snapshots[i]
		if _, ours := Scheduled(d.Volume, x); ours && !snapshotrun.Made(&x.Status) && !snapshotrun.Failed(&x.Status) && x.DeletionTimestamp.IsZero() {
			return x.Name
		}
	}

	return ""
}

// make has what is pending made, when that was on record already.
func (d *decision) make() {
	was := d.Volume.Status.Snapshots
	if p := d.plan.Status.Pending; p != nil && was != nil && SamePending(was.Pending, p) {
		d.plan.Create = New(d.Volume, p)
	}
}

// SamePending tells whether two records are about the same snapshot.
func SamePending(x, y *v1alpha1.PendingSnapshot) bool {
	return x != nil && y != nil && x.Name == y.Name && x.ScheduledTime.Equal(&y.ScheduledTime)
}

func one(at time.Time) cron.Ticks { return cron.Ticks{Count: 1, First: at, Last: at} }

// miss counts ticks that have no snapshot.
func (d *decision) miss(t cron.Ticks, reason, message string) {
	s := d.plan.Status
	s.Missed += t.Count

	m := v1alpha1.MissedRuns{FirstTime: metav1.NewTime(t.First), LastTime: metav1.NewTime(t.Last), Count: t.Count, Reason: reason, Message: message}
	d.plan.Missed = append(d.plan.Missed, m)

	// They belong to those before when they have the same reason, come after them, and no snapshot was begun in between.
	if l := s.LastMissed; l != nil && l.Reason == reason && l.LastTime.Before(&m.FirstTime) &&
		(s.LastScheduleTime == nil || s.LastScheduleTime.Before(&l.LastTime)) {
		m.FirstTime, m.Count = l.FirstTime, m.Count+l.Count
	}
	s.LastMissed = &m
}
