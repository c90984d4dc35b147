package volume

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// runOf says which run of a job mounts data of that name or is about to, or that it is not known whether one does; empty when none does.
func (c *Controller) runOf(ctx context.Context, v *v1alpha1.Volume, name string) string {
	if c.swarm.State() != nil || len(c.swarm.Nodes()) == 0 {
		return "Swarm cannot be asked what mounts it"
	}
	var runs []string
	for _, s := range c.swarm.Mounting("", name) {
		if s.Owner.Kind == kindJob && (replicas(s.Service) != 0 || len(live(s, name)) > 0) {
			runs = append(runs, fmt.Sprintf("run %s of TenantJob %s mounts it", s.Service.Spec.Labels[v1alpha1.SwarmLabelRun], s.Owner.Name))
		}
	}
	if len(runs) > 0 {
		return slices.Min(runs) // The order of services is none.
	}

	return c.claimed(ctx, v)
}

// claimed says which run of a job that mounts the Volume may begin at this very moment, or that this is not known; empty when none may.
// Its record says so, and its service may be on its way. Runs that are recorded once a move holds the Volume read that before they begin,
// and withdraw. So it has to be asked once, before anything is copied.
func (c *Controller) claimed(ctx context.Context, v *v1alpha1.Volume) string {
	var jobs v1alpha1.TenantJobList
	if err := c.live.List(ctx, &jobs, client.InNamespace(v.Namespace)); err != nil {
		return "it is not known which runs of jobs are about to begin" // It is asked again.
	}
	for i := range jobs.Items {
		j := &jobs.Items[i]
		if !volume.Mounts(j.Spec.Template.Volumes, v.Name) {
			continue
		}
		if claims := jobrun.Claims(j, c.now()); len(claims) > 0 {
			return fmt.Sprintf("run %s of TenantJob %s is about to mount it", claims[0].Run, j.Name)
		}
	}

	return ""
}

// lingers tells whether a task may still write whose service was removed, or whether that is not known: its engine stops it later than it
// takes the service away, and a container has as long as its grace to write what it has in memory. So it has to be asked once, before
// anything is copied: what is removed after that had no tasks.
func (c *Controller) lingers(ctx context.Context, tenant, name string) bool {
	writers, err := c.swarm.Writers(ctx, tenant, name)
	if err != nil {
		return true // It is asked again.
	}

	return slices.ContainsFunc(writers, func(w swarmobj.Writer) bool { return w.Live && w.Owner == swarmobj.Owner{} })
}
