package jobrun

import (
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Input is everything that a decision is made of. It is not changed.
type Input struct {
	// Now is the time; what is recorded of it are whole seconds.
	Now time.Time
	// Job as it was read, with the status that was.
	Job *v1alpha1.TenantJob
	// World is what Swarm shows of the job.
	World World
	// Held is why what runs is to stop and nothing is to begin: a suspension of the job by annotation, of its tenant, or by
	// billing. Nil when nothing holds it. spec.suspend is looked at here, and does not stop what runs.
	Held *Hold
	// Deleting is true when the job or its namespace goes: what runs is stopped, and nothing begins.
	Deleting bool
	// Obstacle is why the service of a run cannot be made at the moment: its image, its references, its network. Nil when it
	// can, and when nobody has tried; Wanting says whether somebody should.
	Obstacle *Obstacle
	// Alone is why no two runs of the job may be at a time, whatever concurrencyPolicy says, in words that follow "because"; empty
	// when only that decides. It matters while a run waits for its service.
	Alone string
}

// World is what Swarm shows of a job.
type World struct {
	// Services of the job by the names of their runs, also those that are removed and have tasks that are not.
	Services map[string]Service
	// Complete is true when what is not among Services is known not to be there: they were listed after everything that was
	// sent on behalf of the job by this process had its answer.
	Complete bool
}

// Service is what Swarm shows of the service of a run.
type Service struct {
	// ID in Swarm.
	ID string
	// Created is when it was made, and Changed when it was last changed, by the swarm's clock.
	Created, Changed time.Time
	// Replicas are how many tasks it is to have, those that are over among them.
	Replicas uint64
	// Tasks of it, as long as Swarm knows them.
	Tasks []swarmobj.Task
	// TasksFresh is true when Tasks were listed after the service was made.
	TasksFresh bool
	// Removing is true when the service is gone, and tasks of it are not.
	Removing bool
}

// Hold is why nothing is to run.
type Hold struct {
	// Reason in one word, such as Suspended.
	Reason string
	// Message for people, free of times.
	Message string
}

// Obstacle is why a service cannot be made.
type Obstacle struct {
	// Reason in one word.
	Reason string
	// Message for people, free of times.
	Message string
	// Stalled is true when only a change by somebody can help.
	Stalled bool
}

// live is whether a task of the service may still run, as far as is known.
func (s Service) live() bool {
	if !s.TasksFresh || len(s.Tasks) == 0 {
		return true
	}

	for _, t := range s.Tasks {
		if !t.Ended() {
			return true
		}
	}

	return false
}

// Wanting are the names of the runs that are on record and have no service, the oldest first: when there are any, it is worth to
// find out whether one can be made.
func Wanting(job *v1alpha1.TenantJob, w World) []string {
	var names []string

	for _, r := range job.Status.Active {
		if _, seen := w.Services[r.Name]; !seen && r.ServiceID == "" {
			names = append(names, r.Name)
		}
	}

	return names
}

// Over is whether a job has run and never will again.
func Over(job *v1alpha1.TenantJob) bool {
	return job.Spec.Schedule == "" && len(job.Status.Active) == 0 && len(job.Status.History) > 0
}
