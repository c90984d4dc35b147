package job

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/swarm"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/mounting"
	"github.com/dogker/dogker/reconciler/outcome"
)

// mount finds the Volumes that the template mounts, and makes sure that nobody else writes to data that one node has.
func (c *Controller) mount(ctx context.Context, s *start) error {
	set, err := mounts.Find(ctx, c.client, s.job.Namespace, s.template.Volumes, nil)
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

		who, err := c.otherWriter(ctx, s.job, v.Name)
		if err != nil {
			return err
		}
		if who != "" {
			return conflict("Volume %q is written by %s, and its data is on one node: one of the two has to mount it with readOnly", v.Name, who)
		}
	}

	return nil
}

// alone is why no two runs of a job may be at a time, whatever its concurrencyPolicy; empty when there is no reason.
func (c *Controller) alone(ctx context.Context, j *v1alpha1.TenantJob) (string, error) {
	set, err := mounts.Find(ctx, c.client, j.Namespace, j.Spec.Template.Volumes, nil)
	if err != nil {
		return "", err
	}
	if name := mounting.OneWriter(j.Spec.Template.Volumes, set.Access); name != "" {
		return fmt.Sprintf("Volume %q, which they write to, has its data on one node", name), nil
	}

	return "", nil
}

// placeable says why no task of the run could start where its data is.
func (s *start) placeable(p *swarm.Placement) error {
	if why := s.mounts.Strands(p, s.seen.Nodes); why != nil {
		return &outcome.Wait{Reason: why.Reason, Message: why.Message}
	}

	return nil
}

// otherWriter is a container that writes to the Volume, or a job that has a run which does.
func (c *Controller) otherWriter(ctx context.Context, j *v1alpha1.TenantJob, name string) (string, error) {
	var containers v1alpha1.TenantContainerList
	if err := c.client.List(ctx, &containers, client.InNamespace(j.Namespace)); err != nil {
		return "", fmt.Errorf("list containers that mount volume %q: %w", name, err)
	}
	for i := range containers.Items {
		if mounting.Writes(containers.Items[i].Spec.Volumes, name) {
			return fmt.Sprintf("container %q", containers.Items[i].Name), nil
		}
	}

	var jobs v1alpha1.TenantJobList
	if err := c.client.List(ctx, &jobs, client.InNamespace(j.Namespace)); err != nil {
		return "", fmt.Errorf("list jobs that mount volume %q: %w", name, err)
	}
	for i := range jobs.Items {
		other := &jobs.Items[i]
		if other.UID != j.UID && len(other.Status.Active) > 0 && mounting.Writes(other.Spec.Template.Volumes, name) {
			return fmt.Sprintf("a run of job %q", other.Name), nil
		}
	}

	return "", nil
}

func conflict(format string, args ...any) error {
	return &outcome.Wait{Reason: v1alpha1.ReasonVolumeConflict, Message: fmt.Sprintf(format, args...)}
}
