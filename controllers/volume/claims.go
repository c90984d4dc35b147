package volume

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// claimed tells whether a run of a job that mounts the Volume may begin at this very moment, or whether that is not known: its record
// says so, and its service may be on its way. Runs that are recorded once a move holds the Volume read that before they begin, and
// withdraw. So it has to be asked once, before anything is copied.
func (c *Controller) claimed(ctx context.Context, v *v1alpha1.Volume) bool {
	var jobs v1alpha1.TenantJobList
	if err := c.live.List(ctx, &jobs, client.InNamespace(v.Namespace)); err != nil {
		return true // It is asked again.
	}
	for i := range jobs.Items {
		j := &jobs.Items[i]
		if volume.Mounts(j.Spec.Template.Volumes, v.Name) && len(jobrun.Claims(j, c.now())) > 0 {
			return true
		}
	}

	return false
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
