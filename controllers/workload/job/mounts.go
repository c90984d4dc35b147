package job

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/docker/api/types/swarm"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/mounting"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/sight"
)

// mount finds the Volumes that the template mounts, and makes sure that nobody else writes to data that one node has.
func (c *Controller) mount(ctx context.Context, s *start) error {
	set, err := mounts.Find(ctx, c.client, c.restores, s.job.Namespace, s.template.Volumes, nil)
	if err != nil {
		return err
	}
	if set.Obstacle != nil {
		return set.Obstacle
	}
	s.mounts = set

	for _, v := range set.Volumes {
		if v.NodeID == "" || !mounting.Writes(s.template.Volumes, v.Name) {
			continue
		}
		if n := jobrun.Parallelism(&s.job.Spec); n > 1 {
			return conflict("spec.parallelism: %d: must be 1, because Volume %q is mounted for writing and its data is on one node", n, v.Name)
		}

		who, err := c.otherWriter(ctx, s, v)
		if err != nil {
			return err
		}
		if who != "" {
			return conflict("Volume %q is written by %s, and its data is on one node: the run waits until it is not", v.Name, who)
		}
	}

	return nil
}

// placeable says why no task of the run could start where its data is.
func (s *start) placeable(p *swarm.Placement) error {
	if why := s.mounts.Strands(p, s.seen.Nodes); why != nil {
		return &outcome.Wait{Reason: why.Reason, Message: why.Message}
	}

	return nil
}

// errNotYet is returned while a run of another job, which is to let this one go first, has not said that it does.
var errNotYet = errors.New("a run of another job is about to give way")

// otherWriter is who keeps a run from writing to the Volume: a container that is declared to, whether or not it runs; whoever has a
// service in Swarm that does, down to the last of its tasks; or a run of another job that may begin at this very moment. Of two
// runs that may, the one that comes later withdraws: that it waits is put on record, and the other one begins when it has read that.
// A run that has not said that it is about to begin waits for all that have.
func (c *Controller) otherWriter(ctx context.Context, s *start, v servicespec.ResolvedVolume) (string, error) {
	var containers v1alpha1.TenantContainerList
	if err := c.live.List(ctx, &containers, client.InNamespace(s.job.Namespace)); err != nil {
		return "", fmt.Errorf("list containers that mount volume %q: %w", v.Name, err)
	}
	for i := range containers.Items {
		if mounting.Writes(containers.Items[i].Spec.Volumes, v.Name) {
			return fmt.Sprintf("container %q", containers.Items[i].Name), nil
		}
	}

	rivals, err := mounts.FindRivals(ctx, c.swarm, c.live, s.owner, v.Name, v.Source, s.now)
	if err != nil {
		return "", sight.Lost(err)
	}
	if rivals.Holder != "" || len(rivals.Claims) == 0 {
		return rivals.Holder, nil
	}

	mine, claims := claimOf(s.job)
	for _, other := range rivals.Claims {
		if !claims || other.Over || other.Before(mine) {
			return other.Text, nil
		}
	}

	return "", errNotYet
}

// claimOf is the first run of which the record that was read says that its service is about to be made; false when there is none.
// Until when it may be is of no matter here: the record is renewed when that is over.
func claimOf(j *v1alpha1.TenantJob) (jobrun.Claim, bool) {
	var first jobrun.Claim

	found := false
	for i := range j.Status.Active {
		r := &j.Status.Active[i]
		c := jobrun.Claim{Run: r.Name, JobUID: string(j.UID), Since: r.StartTime.Time}
		if jobrun.Claimed(r) && (!found || c.Before(first)) {
			first, found = c, true
		}
	}

	return first, found
}

func conflict(format string, args ...any) error {
	return &outcome.Wait{Reason: v1alpha1.ReasonVolumeConflict, Message: fmt.Sprintf(format, args...)}
}
