package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// service is one of those that Swarm shows, by its ID.
func (s *situation) service(id string) (swarmobj.JobService, bool) {
	for _, seen := range s.seen.Services {
		if seen.Service.ID == id {
			return seen, true
		}
	}

	return swarmobj.JobService{}, false
}

// stop ends the tasks of a service that is to go. It is true until they have ended: Swarm lets a service go while its containers are
// still stopping, and then nobody sees those that refuse to, nor gets their addresses back.
func (c *Controller) stop(ctx context.Context, s *situation, seen swarmobj.JobService, step jobrun.Step) (stopping bool, err error) {
	if replicas(seen.Service) > 0 {
		announce(ctx, step)

		return true, c.scale(ctx, seen.Service, 0)
	}

	waits := seen.Uncertain || !seen.TasksFresh || slices.ContainsFunc(seen.Tasks, func(t swarmobj.Task) bool { return holdsOn(s.seen.Nodes, t) })
	if waits {
		c.swarm.Converging(seen.Service.ID)
	}

	return waits, nil
}

// fence is how long after it must have ended a call to the engine may still be on its way.
const fence = 30 * time.Second

// keepsName is true of a run that was stopped so soon that a call to make its service may still be on its way: until that is over, the
// service that has no tasks any more keeps the name taken. A job that goes does not wait for it, nor does the run that takes this one's
// place.
func keepsName(s *situation, step jobrun.Step) bool {
	if s.in.Deleting {
		return false
	}

	return slices.ContainsFunc(s.in.Job.Status.History, func(r v1alpha1.JobRun) bool {
		left := r.StartBefore.Add(fence).Sub(s.in.Now)

		return r.Name == step.Run && r.Reason != v1alpha1.ReasonReplaced && left > 0 && left <= 2*time.Minute
	})
}

// holdsOn is true for a task that stands in the way of removing its service. One that runs still has its addresses; but nobody waits
// for a node that is down. One that has ended and is about to be forgotten takes its manager down: engines up to 20.10 crash when a
// service is removed in the very moment in which they forget one of its tasks.
func holdsOn(nodes []swarm.Node, t swarmobj.Task) bool {
	if t.Ended() {
		return t.Desired == swarm.TaskStateRemove
	}

	i := slices.IndexFunc(nodes, func(n swarm.Node) bool { return n.ID == t.NodeID })

	return i < 0 || nodes[i].Status.State != swarm.NodeStateDown
}

// grow gives runs of several completions further tasks as earlier ones succeed.
func (c *Controller) grow(ctx context.Context, s *situation) error {
	for i := range s.in.Job.Status.Active {
		r := &s.in.Job.Status.Active[i]

		seen, ok := s.service(r.ServiceID)
		if !ok || s.in.Deleting || s.in.Held != nil || seen.Uncertain {
			continue
		}
		if want := jobrun.Tasks(&s.in.Job.Spec, r.Succeeded); replicas(seen.Service) < want && replicas(seen.Service) > 0 {
			if err := c.scale(ctx, seen.Service, want); err != nil {
				return err
			}
			s.again = lookAgain
		}
	}

	return nil
}

func replicas(s *swarm.Service) uint64 {
	if r := s.Spec.Mode.Replicated; r != nil && r.Replicas != nil {
		return *r.Replicas
	}

	return 0
}

// scale changes the number of tasks and nothing else, so that none is started again. Somebody who was faster is looked at in the
// next pass.
func (c *Controller) scale(ctx context.Context, live *swarm.Service, n uint64) error {
	spec := live.Spec
	spec.Mode = swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &n}}

	err := c.swarm.UpdateService(ctx, *live, spec, "")
	if err != nil && !errors.Is(err, swarmobj.ErrStale) && !errors.Is(err, swarmobj.ErrNotFound) {
		return fmt.Errorf("scale service of run %q to %d: %w", live.Spec.Labels[v1alpha1.SwarmLabelRun], n, sight.Lost(err))
	}

	return nil
}
