package volume

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/slogctx"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// letGo obeys the reclaim policy for data that a Volume had before restores, once nothing mounts it any more, and says when to look again;
// zero when there is none.
func (c *Controller) letGo(ctx context.Context, v *v1alpha1.Volume) (time.Duration, error) {
	nodes := c.swarm.Nodes()
	if len(v.Status.Superseded) == 0 {
		return 0, nil
	}
	if c.swarm.State() != nil || len(nodes) == 0 {
		return again, nil
	}
	var all v1alpha1.VolumeList
	if err := c.live.List(ctx, &all); err != nil {
		return 0, fmt.Errorf("list volumes: %w", err)
	}

	after := time.Duration(0)
	for _, s := range slices.Clone(v.Status.Superseded) {
		i := slices.IndexFunc(nodes, func(n swarm.Node) bool { return n.ID == s.Node })
		switch {
		case i < 0, s.VolumeName == volume.Name(v), volume.HasAnother(v, s.VolumeName, all.Items):
			// Its node took it along; or it is not this Volume's to let go.
		case len(c.swarm.Mounting("", s.VolumeName)) > 0:
			after = soonest(after, 5*soon)
			continue
		default:
			at := v1alpha1.VolumeNode{ID: s.Node, Hostname: nodes[i].Description.Hostname}
			switch err := c.reclaimOld(ctx, v, s.VolumeName, at); {
			case errors.Is(err, swarmobj.ErrInUse), errors.Is(err, swarmobj.ErrUnavailable), errors.Is(err, swarmobj.ErrRefused):
				after = soonest(after, later)
				continue
			case err != nil:
				// It takes nothing away from what the Volume has.
				slogctx.From(ctx).WarnContext(ctx, "Cannot let go of data that a Volume had before a restore", logkey.Node, at.Hostname, logkey.Err, err)
				after = soonest(after, later)
				continue
			}
		}
		v.Status.Superseded = slices.DeleteFunc(slices.Clone(v.Status.Superseded), func(o v1alpha1.SupersededData) bool { return o == s })
	}
	if len(v.Status.Superseded) == 0 {
		v.Status.Superseded = nil
	}

	return after, nil
}

// reclaimOld removes data from a node, or keeps it on record for people.
func (c *Controller) reclaimOld(ctx context.Context, v *v1alpha1.Volume, name string, at v1alpha1.VolumeNode) error {
	if v.Spec.ReclaimPolicy == v1alpha1.ReclaimDelete {
		if err := c.storage.Remove(ctx, at.ID, name); err != nil {
			return err
		}
		c.recorder.Event(v, corev1.EventTypeNormal, eventRemoved, fmt.Sprintf("Removed the data that it had before the restore from %s", host(at)))

		return nil
	}

	there, err := c.storage.Exists(ctx, at.ID, name)
	if err != nil || !there {
		return err
	}
	if err := c.record(ctx, volume.Release(v, name, []v1alpha1.VolumeNode{at})); err != nil {
		return err
	}
	c.recorder.Event(v, corev1.EventTypeNormal, eventReleased, fmt.Sprintf(
		"The data that it had before the restore stays on %s, as ReleasedVolume %s", host(at), volume.ReleasedName(name)))

	return nil
}
