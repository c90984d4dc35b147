package job

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// leave takes along what a deleted job, of which nothing runs any more, has in common with others of its namespace, if it is the last
// to go: contents, and the network where that is no tenant's. While others stay, contents that nobody refers to are the collector's.
func (c *Controller) leave(ctx context.Context, j *v1alpha1.TenantJob, s *situation) error {
	stays, leaves, err := c.company(ctx, j)
	if err != nil || stays {
		return err
	}

	for name, held := range s.seen.Secrets {
		if err := c.swarm.RemoveSecret(ctx, held.ID); err != nil && !errors.Is(err, swarmobj.ErrInUse) {
			return fmt.Errorf("remove secret %q: %w", name, sight.Lost(err))
		}
	}
	for name, held := range s.seen.Configs {
		if err := c.swarm.RemoveConfig(ctx, held.ID); err != nil && !errors.Is(err, swarmobj.ErrInUse) {
			return fmt.Errorf("remove config %q: %w", name, sight.Lost(err))
		}
	}

	tenant, err := permit.Tenant(ctx, c.client, j.Namespace)
	if err != nil || tenant != nil {
		return err
	}

	err = c.swarm.RemoveNetwork(ctx, j.Namespace)
	if errors.Is(err, swarmobj.ErrInUse) && leaves {
		return nil // Whoever leaves last takes it along.
	}
	if err != nil {
		return &outcome.Wait{
			Reason: v1alpha1.ReasonDeleting, Message: "Waiting until the network is free", After: lookAgain,
			Err: fmt.Errorf("remove network: %w", sight.Lost(err)),
		}
	}

	return nil
}

// company tells whether others of the namespace stay, or are being deleted as well.
func (c *Controller) company(ctx context.Context, j *v1alpha1.TenantJob) (stays, leaves bool, err error) {
	var (
		containers v1alpha1.TenantContainerList
		jobs       v1alpha1.TenantJobList
	)
	if err := c.client.List(ctx, &containers, client.InNamespace(j.Namespace)); err != nil {
		return false, false, fmt.Errorf("list containers of %q: %w", j.Namespace, err)
	}
	if err := c.client.List(ctx, &jobs, client.InNamespace(j.Namespace)); err != nil {
		return false, false, fmt.Errorf("list jobs of %q: %w", j.Namespace, err)
	}

	others := make([]client.Object, 0, len(containers.Items)+len(jobs.Items))
	for i := range containers.Items {
		others = append(others, &containers.Items[i])
	}
	for i := range jobs.Items {
		others = append(others, &jobs.Items[i])
	}

	for _, other := range others {
		switch {
		case other.GetUID() == j.UID:
		case other.GetDeletionTimestamp().IsZero():
			stays = true
		default:
			leaves = true
		}
	}

	return stays, leaves, nil
}
