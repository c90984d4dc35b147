package job

import (
	"context"
	"errors"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// situation is what one pass knows.
type situation struct {
	in    jobrun.Input
	owner swarmobj.Owner
	seen  swarmobj.JobWorld
	// start is what runs begin from; nil while none is to begin, or something is in the way.
	start *start
	// again is when to look again because Swarm, or whoever is in the way, has to move first; zero for no need.
	again time.Duration
}

// observe looks at everything a decision needs. It makes what runs refer to, when one is to begin, and changes nothing else.
func (c *Controller) observe(ctx context.Context, j *v1alpha1.TenantJob) (*situation, error) {
	s := &situation{owner: swarmobj.Owner{Tenant: j.Namespace, Kind: swarmobj.KindJob, Name: j.Name, UID: string(j.UID)}}

	tenant, err := permit.Tenant(ctx, c.client, j.Namespace)
	if err != nil {
		return s, err
	}
	if s.seen, err = c.swarm.LookRuns(ctx, s.owner); err != nil {
		return s, sight.Lost(err)
	}

	s.in = jobrun.Input{Now: c.now(), Job: j.DeepCopy(), Held: heldBy(j, tenant), Deleting: !j.DeletionTimestamp.IsZero()}
	s.in.World = jobrun.World{Services: c.services(s), Complete: true}

	wanting := len(jobrun.Wanting(j, s.in.World)) > 0
	if wanting {
		if s.in.Alone, err = c.alone(ctx, j); err != nil {
			return s, err
		}
	}
	if s.in.Deleting && len(s.seen.Services) == 0 || wanting && (jobrun.OneAtATime(j) || s.in.Alone != "") {
		if err := c.addLeftovers(ctx, s); err != nil {
			return s, err
		}
	}
	if !wanting || s.in.Deleting || s.in.Held != nil {
		return s, nil
	}

	begin := &start{job: j, owner: s.owner, seen: s.seen, now: s.in.Now, tenant: tenant}
	if err := c.prepare(ctx, begin); errors.Is(err, errNotYet) {
		s.again = lookAgain // The record stays as it is, and nothing is made from it yet.

		return s, nil
	} else if err != nil {
		return s, s.obstructed(err)
	}
	s.start = begin

	return s, nil
}

// services shows those that Swarm has, by the names of their runs. Those that are about to change are watched closely.
func (c *Controller) services(s *situation) map[string]jobrun.Service {
	out := map[string]jobrun.Service{}

	for _, seen := range s.seen.Services {
		run := seen.Service.Spec.Labels[v1alpha1.SwarmLabelRun]
		out[run] = jobrun.Service{
			ID: seen.Service.ID, Created: seen.Service.CreatedAt, Changed: seen.Service.UpdatedAt, Replicas: replicas(seen.Service),
			Tasks: relayed(seen.Tasks), TasksFresh: seen.TasksFresh,
		}

		if seen.Uncertain || !seen.TasksFresh || starting(seen.Tasks) {
			c.swarm.Converging(seen.Service.ID)
			s.again = lookAgain
		}
	}

	return out
}

// relayed are tasks with the engine's words made fit for the tenant's eyes.
func relayed(tasks []swarmobj.Task) []swarmobj.Task {
	out := make([]swarmobj.Task, len(tasks))
	for i, t := range tasks {
		t.Err, t.Message = swarmobj.Relay(t.Err), swarmobj.Relay(t.Message)
		out[i] = t
	}

	return out
}

// starting is true while no task is there yet, or one is on its way.
func starting(tasks []swarmobj.Task) bool {
	for _, t := range tasks {
		if !t.Ended() && t.State != swarm.TaskStateRunning && t.NodeID != "" {
			return true
		}
	}

	return len(tasks) == 0
}

// addLeftovers adds what is still there of services that are gone: the read cache has forgotten it.
func (c *Controller) addLeftovers(ctx context.Context, s *situation) error {
	left, err := c.swarm.Leftovers(ctx, s.owner)
	if err != nil {
		return sight.Lost(err)
	}

	shown := map[string]bool{}
	for _, seen := range s.seen.Services {
		shown[seen.Service.ID] = true
	}

	for id, tasks := range left {
		if shown[id] {
			continue
		}
		s.in.World.Services[runOf(s.in.Job, id)] = jobrun.Service{ID: id, Tasks: relayed(tasks), TasksFresh: true, Removing: true}
		s.again = lookAgain
	}

	return nil
}

// runOf is the run that a service was of; the ID of the service for one that nobody remembers.
func runOf(j *v1alpha1.TenantJob, serviceID string) string {
	for _, list := range [][]v1alpha1.JobRun{j.Status.Active, j.Status.History} {
		for _, r := range list {
			if r.ServiceID == serviceID {
				return r.Name
			}
		}
	}

	return serviceID
}

// heldBy is who keeps the job from running; nil for nobody. The order is the specification: the last one wins, as it does with
// containers.
func heldBy(j *v1alpha1.TenantJob, tenant *v1alpha1.Tenant) *jobrun.Hold {
	hold := func(text, reason string) *jobrun.Hold {
		if reason != "" {
			text += ": " + reason
		}

		return &jobrun.Hold{Reason: v1alpha1.ReasonSuspended, Message: text}
	}

	if tenant != nil {
		for _, key := range []string{v1alpha1.AnnotationSuspend, v1alpha1.AnnotationBillingSuspend} {
			if reason, ok := tenant.Annotations[key]; ok {
				return hold("the tenant is suspended", reason)
			}
		}
	}
	if reason, ok := j.Annotations[v1alpha1.AnnotationSuspend]; ok {
		return hold("the job is suspended", reason)
	}

	return nil
}

// obstructed takes down what is in the way of a run, so that it is told. What is an accident, or means that Swarm cannot be seen,
// ends the pass instead.
func (s *situation) obstructed(err error) error {
	var (
		wait  *outcome.Wait
		stall *outcome.Stall
	)

	switch {
	case errors.As(err, &wait) && wait.Ready != metav1.ConditionUnknown:
		s.in.Obstacle = &jobrun.Obstacle{Reason: wait.Reason, Message: wait.Error()}
		if s.again = wait.After; s.again == 0 {
			s.again = outcome.DefaultWait
		}
	case errors.As(err, &stall):
		s.in.Obstacle = &jobrun.Obstacle{Reason: stall.Reason, Message: stall.Error(), Stalled: true}
	default:
		return err
	}

	return nil
}

// next is when to look again: at the time that was decided, or earlier.
func (s *situation) next(decided time.Time) time.Duration {
	if decided.IsZero() {
		return s.again
	}

	after := max(decided.Sub(s.in.Now), atOnce)
	if s.again == 0 {
		return after
	}

	return min(after, s.again)
}
