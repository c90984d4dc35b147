package jobrun

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
	"github.com/dogker/dogker/reconciler/tick"
)

const (
	// claim is how long a service may be made after somebody has put on record that it is about to be: longer than an engine
	// takes, shorter than anybody wants to wait when that somebody is gone.
	claim = 30 * time.Second
	// least is how much of a claim must be left to begin with.
	least = 5 * time.Second
	// fence is how long after a claim a call may still be on its way: an engine gives a call up after 20 seconds. Until then the
	// name of the service stays taken, where nothing has to be stopped.
	fence = 30 * time.Second
	// patience is how long Swarm may show no service that was there, or no task that could still succeed, before that is believed:
	// longer than it waits before it tries again.
	patience = RetryDelaySeconds*time.Second + 30*time.Second
	// orphaned is how old a service without a record is before it is taken away.
	orphaned = 2 * time.Minute
)

// decision is one in the making.
type decision struct {
	Input

	// now in whole seconds.
	now metav1.Time
	// schedule of the job, when it has one.
	schedule  cron.Schedule
	scheduled bool
	plan      Plan
}

// Decide says what is to be recorded, and what is to be done about what is recorded.
func Decide(in Input) Plan {
	d := &decision{Input: in, now: seconds(in.Now)}
	d.plan.Status = *in.Job.Status.DeepCopy()
	d.schedule, d.scheduled, d.plan.Invalid = cron.Of(&in.Job.Spec, field.NewPath("spec"))

	d.attend()
	d.begin()
	d.make()
	d.clear()
	d.forget()

	d.plan.Status.Running = int32(len(d.plan.Status.Active)) //nolint:gosec // at most MaxActiveRuns
	d.next()

	return d.plan
}

// held is true while nothing may begin; why is for people.
func (d *decision) held() (why string, held bool) {
	switch {
	case d.Held != nil:
		return d.Held.Message, true
	case d.Job.Spec.Suspend:
		return "spec.suspend is true", true
	default:
		return "", false
	}
}

// next is when to look again, and the next tick for people.
func (d *decision) next() {
	s := &d.plan.Status
	s.NextScheduleTime = nil

	if _, held := d.held(); held || d.Deleting || !d.scheduled || d.plan.Invalid != nil || s.Clock == nil {
		return
	}

	if at := tick.Next(s.Clock, d.schedule, d.Now); !at.IsZero() {
		s.NextScheduleTime = new(metav1.NewTime(at))
		d.wake(at)
	}
}

// wake asks for a look at a time that is not over.
func (d *decision) wake(at time.Time) {
	if !at.After(d.Now) {
		at = d.Now.Add(time.Second)
	}
	if d.plan.Next.IsZero() || at.Before(d.plan.Next) {
		d.plan.Next = at
	}
}

func (d *decision) step(s Step) { d.plan.Steps = append(d.plan.Steps, s) }

func (d *decision) tell(warning bool, reason, message string) {
	d.plan.News = append(d.plan.News, News{Warning: warning, Reason: reason, Message: message})
}

// recorded is the record that was read of a run that was not over then; nil when there is none.
func (d *decision) recorded(name string) *v1alpha1.JobRun {
	for i := range d.Job.Status.Active {
		if d.Job.Status.Active[i].Name == name {
			return &d.Job.Status.Active[i]
		}
	}

	return nil
}

func seconds(t time.Time) metav1.Time { return metav1.NewTime(t.UTC().Truncate(time.Second)) }

func after(t metav1.Time, d time.Duration) metav1.Time { return metav1.NewTime(t.Add(d)) }
