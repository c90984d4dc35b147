package workload

import (
	"context"
	"fmt"
	"slices"

	"github.com/docker/docker/api/types/swarm"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/mounting"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// mountable says why the template cannot be given its Volumes; nil when it can. Admission has refused what it could; a class
// may have become known since, two may have been declared at once, and a template of the record meets the replicas of today.
func (c *Controller) mountable(ctx context.Context, s *situation, template *v1alpha1.TenantContainerSpec, set mounts.Set) error {
	if set.Obstacle != nil {
		return set.Obstacle
	}
	if len(set.Volumes) == 0 {
		return nil
	}

	whole := template.DeepCopy()
	whole.Replicas, whole.Autoscaling, whole.Rollout = s.tc.Spec.Replicas, s.tc.Spec.Autoscaling, s.tc.Spec.Rollout
	if errs := mounting.Conflicts(whole, set.Access); len(errs) > 0 {
		return volumeConflict("%v", errs.ToAggregate())
	}

	for _, v := range set.Volumes {
		// Who has it keeps it.
		if v.NodeID == "" || !mounting.Writes(template.Volumes, v.Name) || mounts.Writes(s.world.Service, v) {
			continue
		}
		other, err := c.otherWriter(ctx, s, v)
		if err != nil {
			return err
		}
		if other != "" {
			return volumeConflict("Volume %q is written by %s, and its data is on one node: one of the two has to mount it with readOnly", v.Name, other)
		}
	}

	return nil
}

func volumeConflict(format string, args ...any) error {
	return &outcome.Wait{Reason: v1alpha1.ReasonVolumeConflict, Message: fmt.Sprintf(format, args...)}
}

// otherWriter is somebody else who writes to the Volume, or may still do so: another container, because it is declared, because
// the revision that it runs does, or because it is not gone yet; whoever has a service in Swarm that does, down to the last of its
// tasks; or a run of a job that may begin at this moment. A run that waits is not: it waits for containers that are declared. Two
// containers that were declared at the same moment are both told: of two passes the later one sees both, so that never both go on;
// which of them is to write is for their owner to say.
func (c *Controller) otherWriter(ctx context.Context, s *situation, v servicespec.ResolvedVolume) (string, error) {
	var list v1alpha1.TenantContainerList
	if err := c.live.List(ctx, &list, client.InNamespace(s.tc.Namespace)); err != nil {
		return "", fmt.Errorf("list containers that mount volume %q: %w", v.Name, err)
	}

	for i := range list.Items {
		other := &list.Items[i]
		if other.UID == s.tc.UID {
			continue
		}
		if mounting.Writes(other.Spec.Volumes, v.Name) {
			return fmt.Sprintf("container %q", other.Name), nil
		}
		if other.Status.Revision == 0 {
			continue
		}
		past, err := c.revisions(ctx, other)
		if err != nil {
			return "", err
		}
		if runs := past.number(other.Status.Revision); runs != nil && mounting.Writes(runs.Spec.Template.Volumes, v.Name) {
			return fmt.Sprintf("container %q", other.Name), nil
		}
	}

	rivals, err := mounts.FindRivals(ctx, c.swarm, c.live, s.owner, v.Name, v.Source, s.now)
	if err != nil {
		return "", blind(err)
	}
	if rivals.Holder == "" && len(rivals.Claims) > 0 {
		return rivals.Claims[0].Text, nil
	}

	return rivals.Holder, nil
}

// entering is true for a service that is about to be made and is to write to data of one node. It is made without a task, and is given that
// by an update right away. Swarm may do what it was sent long after the answer was given up, when the container is gone and another
// one writes: a create then makes a service that runs nothing until the collector takes it away, and an update of a service that
// was removed, or written since, is refused.
func entering(s *situation) bool {
	return s.world.Service == nil && s.adoptee == nil && slices.ContainsFunc(s.supply.mounts.Volumes, func(v servicespec.ResolvedVolume) bool {
		return v.NodeID != "" && mounting.Writes(s.template.Volumes, v.Name)
	})
}

// stranded is why the only node that has the data cannot run the tasks; nil when it can.
func stranded(s *situation) *mounts.Stranded {
	if s.want == nil {
		return nil
	}

	return s.supply.mounts.Strands(s.want.TaskTemplate.Placement, s.world.Nodes)
}

// awaitingNode: tasks are missing, and the only node that has their data cannot run them.
func awaitingNode(s *situation, c count) (summary, bool) {
	why := stranded(s)
	if why == nil || c.complete() {
		return summary{}, false
	}

	return summary{reason: why.Reason, message: why.Message, working: true, again: lookAgain}, true
}

// onHold holds a container at nothing while the data of a Volume that it mounts is on its way to another node, or does not exist yet.
// Everything else that is said about it stays said.
func onHold(w wish, s scale) scale {
	if w.hold != nil {
		s.replicas, s.held = 0, w.hold
	}

	return s
}

// heldBack: nothing may run, because of a Volume.
func heldBack(s *situation, _ count) (summary, bool) {
	if s.scale.held == nil {
		return summary{}, false
	}

	return summary{reason: s.scale.held.Reason, message: s.scale.held.Error(), working: true, again: lookAgain}, true
}

// runs tells whether what was chosen is what runs already: that may be held at nothing while its Volumes cannot be mounted.
func (t target) runs(live *swarm.Service) bool {
	return live != nil && t.number == liveRevision(live) && !t.fresh
}

// holdSteps stops the tasks of what must not run when it is not known what it is to be otherwise.
func holdSteps(s *situation) []step {
	live := s.world.Service
	if s.scale.held == nil || s.want != nil || live == nil || swarmobj.Stopped(&live.Spec) {
		return nil
	}

	return []step{stopTasks{*live}}
}

// stillThere asks the store for the Volumes of what is about to run. A cache may be behind a move that has just begun.
func (c *Controller) stillThere(ctx context.Context, s *situation) error {
	if s.scale.none() {
		return nil
	}

	return s.supply.mounts.Still(ctx, c.live, c.restores, s.owner.Tenant)
}
