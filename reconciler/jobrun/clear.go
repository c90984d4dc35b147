package jobrun

import (
	"maps"
	"slices"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// make has services made for the runs that are on record and have none.
func (d *decision) make() {
	for i := range d.plan.Status.Active {
		r := &d.plan.Status.Active[i]

		_, seen := d.World.Services[r.Name]
		was := d.recorded(r.Name)
		if was == nil || seen || r.ServiceID != "" || !d.World.Complete {
			continue
		}

		if why, held := d.held(); held && !d.scheduled {
			r.Reason, r.Message = v1alpha1.ReasonSuspended, brief(why)

			continue
		}

		d.makeOne(r, was.Reason == v1alpha1.ReasonSuspended)
	}
}

func (d *decision) makeOne(r *v1alpha1.JobRun, wasHeld bool) {
	if d.Obstacle != nil {
		r.Reason, r.Message = d.Obstacle.Reason, brief(d.Obstacle.Message)

		return
	}
	if why := d.inTheWay(r.Name); why != "" {
		r.Reason, r.Message = v1alpha1.ReasonWaitingForOther, brief(why)

		return
	}

	r.Reason, r.Message = v1alpha1.ReasonWaitingForService, ""

	switch left := r.StartBefore.Sub(d.Now); {
	case left >= least && left <= claim+time.Second: // More is a claim by a clock that was put back since.
		d.step(Step{Deed: Create, Run: r.Name, Before: r.StartBefore.Time})
		d.wake(r.StartBefore.Time) // Should it not come to that.
	case left > 0 && left < least:
		d.wake(r.StartBefore.Time)
	default:
		r.StartBefore = after(d.now, claim)
		if wasHeld {
			r.StartTime = d.now // No time has passed for it.
		}
	}
}

// inTheWay says, where no two runs may be at a time, which other one a run waits for: one that is not over and has its service, one
// that was on record before, or one with tasks that may still run. It is empty when there is none.
func (d *decision) inTheWay(name string) string {
	if !OneAtATime(d.Job) && d.Alone == "" {
		return ""
	}

	before := true

	for _, other := range d.plan.Status.Active {
		if other.Name == name {
			before = false
		} else if before || other.ServiceID != "" {
			return "run " + other.Name + " is not over" + d.because()
		}
	}

	for _, other := range slices.Sorted(maps.Keys(d.World.Services)) {
		if other != name && d.World.Services[other].live() {
			return "run " + other + " is being stopped"
		}
	}

	return ""
}

// because is what keeps runs apart that may be at the same time by themselves.
func (d *decision) because() string {
	if d.Alone == "" {
		return ""
	}

	return ", and there is one at a time, because " + d.Alone
}

// OneAtATime is true for a job of which a run waits until the tasks of the one before have ended.
func OneAtATime(job *v1alpha1.TenantJob) bool {
	p := job.Spec.ConcurrencyPolicy

	return p == v1alpha1.ConcurrencyForbid || p == v1alpha1.ConcurrencyReplace
}

// clear takes away the services of runs that are on record as over, and those of no run.
func (d *decision) clear() {
	known := map[string]*v1alpha1.JobRun{}
	for i := range d.Job.Status.History {
		known[d.Job.Status.History[i].Name] = &d.Job.Status.History[i]
	}

	for _, name := range slices.Sorted(maps.Keys(d.World.Services)) {
		s := d.World.Services[name]

		switch over := known[name]; {
		case s.Removing:
		case d.Deleting:
			d.step(Step{Deed: Remove, Run: name, ServiceID: s.ID})
		case over != nil:
			past, at := d.past(over.StartBefore)
			if !past && !s.live() {
				d.wake(at)

				continue
			}
			d.step(Step{Deed: Remove, Run: name, ServiceID: s.ID})
		case d.recorded(name) == nil:
			if at := s.Created.Add(orphaned); d.Now.Before(at) && d.Now.After(s.Created.Add(-orphaned)) {
				d.wake(at)

				continue
			}
			d.step(Step{Deed: Remove, Run: name, ServiceID: s.ID, Orphan: true})
		}
	}

	d.plan.Gone = d.Deleting && d.gone()
}

// gone is true when Swarm has nothing of the job, and nobody may make anything of it any more.
func (d *decision) gone() bool {
	if !d.World.Complete || len(d.World.Services) > 0 {
		return false
	}

	for _, r := range slices.Concat(d.Job.Status.Active, d.Job.Status.History) {
		left := r.StartBefore.Sub(d.Now)
		if r.ServiceID == "" && left > 0 && left <= claim+time.Minute {
			d.wake(r.StartBefore.Time)

			return false
		}
	}

	return true
}
