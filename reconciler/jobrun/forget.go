package jobrun

import (
	"slices"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// mostKept is how many runs that are over are kept, whatever holds up their services: more than the limits of history can add up to,
// and less than the status has room for. A service that is left behind so is one of no run.
const mostKept = 50

// forget drops records that need not be kept any more, and deletes a job that runs once when its time is over.
func (d *decision) forget() {
	if d.scheduled {
		d.forgetRuns()
	} else if len(d.plan.Status.Active) == 0 && len(d.Job.Status.History) > 0 {
		d.expire(&d.Job.Status.History[0])
	}
}

func (d *decision) forgetRuns() {
	spec := &d.Job.Spec
	left := map[bool]int32{
		true:  orElse(spec.SuccessfulJobsHistoryLimit, defaultKeptSucceeded),
		false: orElse(spec.FailedJobsHistoryLimit, defaultKeptFailed),
	}

	kept := d.plan.Status.History[:0:0]

	for _, r := range d.plan.Status.History {
		succeeded := r.Phase == v1alpha1.RunSucceeded
		wanted := left[succeeded] > 0 && !d.outlived(&r)

		if wanted {
			left[succeeded]--
		}
		if wanted || d.needed(&r) {
			kept = append(kept, r)
		}
	}

	d.plan.Status.History = kept[:min(len(kept), mostKept)]
}

// outlived is true for a run whose ttlSecondsAfterFinished are over.
func (d *decision) outlived(r *v1alpha1.JobRun) bool {
	ttl := d.Job.Spec.TTLSecondsAfterFinished
	if ttl == nil || r.CompletionTime == nil {
		return false
	}

	end := r.CompletionTime.Add(time.Duration(*ttl) * time.Second)
	if d.Now.Before(end) {
		d.wake(end)

		return false
	}

	return true
}

// needed is true for a run that nobody wants to remember, as long as its service is there or may come.
func (d *decision) needed(r *v1alpha1.JobRun) bool {
	if slices.ContainsFunc(d.plan.Ends, func(e End) bool { return e.Run == r.Name }) || !d.World.Complete {
		return true
	}
	if _, seen := d.World.Services[r.Name]; seen {
		return true
	}

	past, at := d.past(r.StartBefore)
	if !past {
		d.wake(at)
	}

	return !past
}

// expire deletes a job that runs once, when its run was over for as long as it asks and nothing of it is left.
func (d *decision) expire(r *v1alpha1.JobRun) {
	if !d.Deleting && d.outlived(r) && !d.needed(r) {
		d.step(Step{Deed: DeleteJob})
	}
}
