package mounts

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// soon is when somebody looks again whose view was old.
const soon = time.Second

// Held is why what runs must not: the data of a Volume that the service mounts, or did when tasks were made that still run, is on its
// way to another node, or does not exist yet. It is nil when nothing is. live is nil when there is no service. What would mount such a Volume and does not yet is no
// matter here: Find has an obstacle for it.
func Held(ctx context.Context, r client.Reader, restores int64, namespace string, live *swarm.Service, tasks []swarmobj.Task) (*outcome.Wait, error) {
	for _, has := range volumesOf(live, tasks, namespace) {
		found, err := find(ctx, r, restores, namespace, has.Name)
		if err != nil {
			return nil, err
		}
		// What had the name before is not what is being moved, and what was under way in a backup is not any more.
		if found.obstacle != nil && found.obstacle.Hold && !found.putBack && string(found.volume.UID) == has.UID {
			return found.wait(), nil
		}
	}

	return nil, nil
}

// volumesOf are the Volumes that a service mounts, and those of the spec before it while tasks of that may run, by the labels that we
// gave those mounts, sorted by name.
func volumesOf(live *swarm.Service, tasks []swarmobj.Task, namespace string) []swarmobj.Owner {
	all := mountsOf(live)
	replaced := func(t swarmobj.Task) bool { return !t.Current && !t.Ended() }
	if live != nil && live.PreviousSpec != nil && slices.ContainsFunc(tasks, replaced) {
		all = slices.Concat(all, mountsOf(&swarm.Service{Spec: *live.PreviousSpec}))
	}

	var out []swarmobj.Owner
	for _, m := range all {
		if m.Type != mount.TypeVolume || m.VolumeOptions == nil {
			continue
		}
		o, ours := swarmobj.OwnerOf(m.VolumeOptions.Labels)
		if ours && o.Tenant == namespace && o.Kind == v1alpha1.KindVolume && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b swarmobj.Owner) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID)) })

	return out
}

// Elsewhere is true when the service does not mount the Volumes as they are now: their data has moved, or was restored.
func (s Set) Elsewhere(live *swarm.Service, namespace string) bool {
	return slices.ContainsFunc(s.Volumes, func(v servicespec.ResolvedVolume) bool {
		has, holds := heldBy(live, namespace, v.Name)

		return holds && (has.Source != v.Source || v.NodeID != "" && has.NodeID != v.NodeID)
	})
}

// Still fails with a Wait when one of the Volumes is not any more what it was when the Set was found: it has begun to move, has moved, or
// was restored. r must not read from a cache: what is started in the wrong place, or in the middle of a move, writes to data that is left
// behind.
func (s Set) Still(ctx context.Context, r client.Reader, restores int64, namespace string) error {
	for _, v := range s.Volumes {
		found, err := find(ctx, r, restores, namespace, v.Name)
		switch {
		case err != nil:
			return err
		case found.putBack: // Nothing begins before it was found again.
		case found.obstacle != nil && found.obstacle.Hold:
			return found.wait()
		case found.obstacle == nil && (found.as.Source != v.Source || found.as.NodeID != v.NodeID):
			return &outcome.Wait{Reason: v1alpha1.ReasonMoving, Message: "Where the data of Volume " + v.Name + " is has just changed", After: soon}
		}
	}

	return nil
}
