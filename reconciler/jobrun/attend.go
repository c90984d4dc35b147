package jobrun

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// verdict is how a run has ended.
type verdict struct {
	phase           v1alpha1.JobRunPhase
	reason, message string
	// task that the result is taken from; nil when there is none.
	task *swarmobj.Task
}

// attend looks after the runs that were not over.
func (d *decision) attend() {
	runs := d.plan.Status.Active
	d.plan.Status.Active = nil

	for _, r := range runs {
		s, seen := d.World.Services[r.Name]
		if seen {
			note(&r, s)
		}

		if v := d.judge(&r, s, seen); v != nil {
			d.end(r, *v)

			continue
		}

		d.plan.Status.Active = append(d.plan.Status.Active, r)
	}
}

// note takes down what Swarm shows of a run. What was known before stays known: Swarm forgets tasks.
func note(r *v1alpha1.JobRun, s Service) {
	if r.ServiceID == "" {
		r.ServiceID = s.ID
	}
	r.MissingSince = nil

	var succeeded, failed, begun int32

	for _, t := range s.Tasks {
		switch {
		case t.State == swarm.TaskStateComplete:
			succeeded++
		case didFail(t):
			failed++
		case t.State == swarm.TaskStateRunning || t.Ended():
		default:
			continue
		}

		begun++
	}

	r.Succeeded, r.Failed, r.Attempts = max(r.Succeeded, succeeded), max(r.Failed, failed), max(r.Attempts, begun)
	if r.Attempts > 0 {
		r.Phase = v1alpha1.RunRunning
	}

	r.Reason, r.Message = standing(r, s)
}

// standing is what there is to say of a run that Swarm has: what keeps its latest task from running, or why the one before failed.
func standing(r *v1alpha1.JobRun, s Service) (reason, message string) {
	var waiting *swarmobj.Task

	for i, t := range s.Tasks {
		if !t.Ended() && t.Err != "" && (waiting == nil || t.Created.After(waiting.Created)) {
			waiting = &s.Tasks[i]
		}
	}

	switch failed := latest(s.Tasks, didFail); {
	case waiting != nil:
		return v1alpha1.ReasonStarting, brief(waiting.Err)
	case failed != nil:
		return v1alpha1.ReasonTaskFailed, brief(words(*failed))
	case r.Phase == v1alpha1.RunRunning:
		return v1alpha1.ReasonRunning, ""
	default:
		return v1alpha1.ReasonStarting, ""
	}
}

// judge says whether a run is over, and how; nil while it is not.
func (d *decision) judge(r *v1alpha1.JobRun, s Service, seen bool) *verdict {
	spec := &d.Job.Spec

	if r.Succeeded >= Completions(spec) {
		task := latest(s.Tasks, func(t swarmobj.Task) bool { return t.State == swarm.TaskStateComplete })

		return &verdict{v1alpha1.RunSucceeded, v1alpha1.ReasonCompletionsReached, "", task}
	}
	if v := d.stopped(r, s, seen); v != nil {
		return v
	}

	if r.Failed > BackoffLimit(spec) {
		task := latest(s.Tasks, didFail)
		text := fmt.Sprintf("%d tasks have failed, and backoffLimit is %d", r.Failed, BackoffLimit(spec))
		if task != nil {
			text += ": " + words(*task)
		}

		return &verdict{v1alpha1.RunFailed, v1alpha1.ReasonBackoffLimitExceeded, text, task}
	}

	if limit := spec.ActiveDeadlineSeconds; limit != nil && !d.waits(r, seen) {
		deadline := r.StartTime.Add(time.Duration(*limit) * time.Second)
		if !d.Now.Before(deadline) {
			text := fmt.Sprintf("it was not over after activeDeadlineSeconds, %d", *limit)
			if r.Message != "" {
				text += ": " + r.Message
			}

			return &verdict{v1alpha1.RunFailed, v1alpha1.ReasonDeadlineExceeded, text, latest(s.Tasks, anyTask)}
		}

		d.wake(deadline)
	}

	if !seen {
		return d.missing(r)
	}

	return d.exhausted(r, s)
}

// waits is true for a run that is held back before anything of it was there: time does not pass for it.
func (d *decision) waits(r *v1alpha1.JobRun, seen bool) bool {
	_, held := d.held()

	return held && !d.scheduled && !seen && r.ServiceID == ""
}

// stopped is true of a run that is not to go on, for a reason that is not its own.
func (d *decision) stopped(r *v1alpha1.JobRun, s Service, seen bool) *verdict {
	task := latest(s.Tasks, anyTask)

	switch {
	case d.Deleting:
		return &verdict{v1alpha1.RunInterrupted, v1alpha1.ReasonDeleting, "the job is being deleted", task}
	case d.Held == nil || d.waits(r, seen):
		return nil
	default:
		return &verdict{v1alpha1.RunInterrupted, cmp.Or(d.Held.Reason, v1alpha1.ReasonInterrupted), d.Held.Message, task}
	}
}

// missing is about a run whose service is not there. One that was never seen is made; one that was is lost, when it stays away.
func (d *decision) missing(r *v1alpha1.JobRun) *verdict {
	if r.ServiceID == "" || !d.World.Complete {
		return nil
	}
	if r.MissingSince == nil || r.MissingSince.After(d.Now) {
		r.MissingSince = new(d.now)
	}
	if d.Now.Sub(r.MissingSince.Time) >= patience {
		return &verdict{v1alpha1.RunFailed, v1alpha1.ReasonServiceLost, "somebody has removed its service in Swarm; it is not run again", nil}
	}

	d.wake(r.MissingSince.Add(patience))

	return nil
}

// exhausted is about a run of whose tasks none is left while Swarm starts no other. It does start others when it is asked for more
// tasks, which it is as earlier ones succeed: nobody may have been there to ask. A service that somebody has told to have none
// gets none.
func (d *decision) exhausted(r *v1alpha1.JobRun, s Service) *verdict {
	if s.live() || s.Replicas > 0 && s.Replicas < Tasks(&d.Job.Spec, r.Succeeded) {
		return nil
	}

	last := latest(s.Tasks, anyTask)
	since := last.Since
	if s.Changed.After(since) {
		since = s.Changed // What was asked for then comes a moment later.
	}
	if at := since.Add(patience); d.Now.Before(at) && !since.After(d.Now.Add(patience)) {
		d.wake(at)

		return nil
	}

	return &verdict{v1alpha1.RunFailed, v1alpha1.ReasonTasksEnded, "its tasks have ended, and Swarm starts no other: " + words(*last), last}
}

// end puts a run among those that are over.
func (d *decision) end(r v1alpha1.JobRun, v verdict) {
	s := &d.plan.Status
	e := End{Run: r.Name}

	r.Phase, r.Reason, r.Message, r.CompletionTime, r.MissingSince = v.phase, v.reason, brief(v.message), new(d.now), nil
	if v.task != nil {
		e.TaskID, e.NodeID = v.task.ID, v.task.NodeID
		if v.task.State == swarm.TaskStateComplete || didFail(*v.task) {
			r.ExitCode = new(int32(v.task.ExitCode)) //nolint:gosec // exit codes are small
		}
	}

	if v.phase == v1alpha1.RunSucceeded {
		s.Succeeded++
		s.LastSuccessfulTime = new(d.now)
		d.tell(false, v1alpha1.ReasonComplete, fmt.Sprintf("run %s has succeeded", r.Name))
	} else {
		s.Failed++
		d.tell(true, r.Reason, fmt.Sprintf("run %s: %s", r.Name, r.Message))
	}

	s.History = slices.Insert(s.History, 0, r)
	d.plan.Ends = append(d.plan.Ends, e)
}

func anyTask(swarmobj.Task) bool { return true }

func didFail(t swarmobj.Task) bool {
	return t.State == swarm.TaskStateFailed || t.State == swarm.TaskStateRejected
}

// latest of the tasks that are of a kind is the one that came last into the state that it is in; nil when there is none.
func latest(tasks []swarmobj.Task, of func(swarmobj.Task) bool) *swarmobj.Task {
	var found *swarmobj.Task

	for i, t := range tasks {
		if of(t) && (found == nil || t.Since.After(found.Since)) {
			found = &tasks[i]
		}
	}

	return found
}

// words about how a task has ended, the engine's where it has some.
func words(t swarmobj.Task) string {
	text := cmp.Or(t.Err, t.Message, fmt.Sprintf("exit code %d", t.ExitCode))
	if t.OOMKilled {
		text = "it used more memory than its limit: " + text
	}

	return text
}

// past is whether the time at which a service could still be made is over, and when it will be. A claim that is further ahead than
// claims are made is one of another clock, and holds nothing up.
func (d *decision) past(startBefore metav1.Time) (bool, time.Time) {
	end := startBefore.Add(fence)

	return !d.Now.Before(end) || end.Sub(d.Now) > claim+fence+time.Minute, end
}
