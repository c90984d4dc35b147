package mounts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/mounting"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// Set are the Volumes that a template mounts, each once.
type Set struct {
	// Volumes as engines know them, sorted by name.
	Volumes []servicespec.ResolvedVolume
	// Obstacle is why one of them cannot be given to a task that does not have it yet; nil when all can. What the running
	// service has of it is in Volumes all the same.
	Obstacle *outcome.Wait
	// Missing is true when one is not even known from the running service: nothing can be rendered.
	Missing bool
	// Lost is true when the data of one is gone. No task may start then: the engine would make an empty volume for it.
	Lost bool
}

// Find reads the Volumes of the mounts as they are now. live is the service that runs, nil when there is none, and restores how often the
// store was put back to an earlier time. The error means that they could not be read.
//
// A record that was put back may be older than a move or a restore of a snapshot: where it says that data is, an engine would make an
// empty volume. Until the controller of Volumes has found out, what has a Volume keeps it as it has it, and nothing else is given it.
func Find(ctx context.Context, r client.Reader, restores int64, namespace string, list []v1alpha1.VolumeMount, live *swarm.Service) (Set, error) {
	var s Set
	for _, name := range Names(list) {
		found, err := find(ctx, r, restores, namespace, name)
		if err != nil {
			return Set{}, err
		}
		held, holds := heldBy(live, namespace, name)
		obstacle := found.obstacle
		if holds && found.putBack && isOf(found.volume, held) && (obstacle == nil || obstacle.Reason != v1alpha1.ReasonLost) {
			s.Volumes = append(s.Volumes, held)

			continue
		}
		switch {
		case obstacle == nil:
			s.Volumes = append(s.Volumes, found.as)

			continue
		case obstacle.Reason == v1alpha1.ReasonDeleting && !obstacle.Hold && holds:
			// It does not go before the service has let go of it.
			s.Volumes = append(s.Volumes, found.kept(held))

			continue
		}

		s.Lost = s.Lost || obstacle.Reason == v1alpha1.ReasonLost
		if s.Obstacle == nil {
			s.Obstacle = found.wait()
		}
		if holds {
			s.Volumes = append(s.Volumes, found.kept(held))
		} else {
			s.Missing = true
		}
	}

	return s, nil
}

// finding is what was found of a Volume.
type finding struct {
	// volume itself; nil when there is none.
	volume *v1alpha1.Volume
	// as is how engines know it, when nothing is in the way of mounting it.
	as servicespec.ResolvedVolume
	// obstacle is why it cannot be mounted; nil when it can.
	obstacle *volume.Obstacle
	// putBack is true while the record is one that the store was put back to, and was not held against what there is.
	putBack bool
}

// find reads a Volume, and says how it can be mounted.
func find(ctx context.Context, r client.Reader, restores int64, namespace, name string) (finding, error) {
	var v v1alpha1.Volume
	if err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &v); apierrors.IsNotFound(err) {
		return finding{obstacle: &volume.Obstacle{Reason: v1alpha1.ReasonVolumeNotFound, Message: fmt.Sprintf("Volume %q does not exist", name)}}, nil
	} else if err != nil {
		return finding{}, fmt.Errorf("read volume %q: %w", name, err)
	}

	class := &v1alpha1.VolumeClass{}
	if err := r.Get(ctx, client.ObjectKey{Name: string(v.Spec.ClassName)}, class); apierrors.IsNotFound(err) {
		class = nil
	} else if err != nil {
		return finding{}, fmt.Errorf("read class of volume %q: %w", name, err)
	}

	f := finding{volume: &v, putBack: volume.PutBack(&v, restores)}
	use, obstacle := volume.Usable(&v, class)
	if obstacle == nil && f.putBack && use.Single && v.Status.ProvisionedAt != nil {
		obstacle = &volume.Obstacle{
			Reason:  v1alpha1.ReasonNodeUnreachable,
			Message: fmt.Sprintf("The record of Volume %q is from a backup, and not all nodes have told yet what they have", name),
		}
	}
	if f.obstacle = obstacle; obstacle == nil {
		f.as = resolved(name, volume.Mount(&v, class, v1alpha1.VolumeMount{}), use.Node)
	}

	return f, nil
}

// wait is what containers are told of the obstacle.
func (f finding) wait() *outcome.Wait {
	return &outcome.Wait{Reason: f.obstacle.Reason, Message: f.obstacle.Message}
}

// kept is a Volume as a service has it that keeps it. Where the service has run is past when the data has moved since: what is left there
// is not the data any more, and the record says where that is.
func (f finding) kept(held servicespec.ResolvedVolume) servicespec.ResolvedVolume {
	if f.volume != nil && !f.putBack && f.volume.Status.Node != nil && held.NodeID != "" && isOf(f.volume, held) {
		held.NodeID = f.volume.Status.Node.ID
	}

	return held
}

// isOf tells whether a service has been given this very Volume, and not one that had its name before.
func isOf(v *v1alpha1.Volume, held servicespec.ResolvedVolume) bool {
	o, ours := swarmobj.OwnerOf(held.Labels)

	return ours && o.UID == string(v.UID)
}

func resolved(name string, m mount.Mount, nodeID string) servicespec.ResolvedVolume {
	out := servicespec.ResolvedVolume{Name: name, Source: m.Source, NodeID: nodeID}
	if o := m.VolumeOptions; o != nil {
		out.Labels = maps.Clone(o.Labels)
		if d := o.DriverConfig; d != nil {
			out.Driver, out.Options = d.Name, maps.Clone(d.Options)
		}
	}

	return out
}

// heldBy is a Volume as the running service mounts it, by the labels that we gave that mount.
func heldBy(live *swarm.Service, namespace, name string) (servicespec.ResolvedVolume, bool) {
	for _, m := range mountsOf(live) {
		if m.Type != mount.TypeVolume || m.VolumeOptions == nil {
			continue
		}
		o, ours := swarmobj.OwnerOf(m.VolumeOptions.Labels)
		if ours && o.Tenant == namespace && o.Kind == v1alpha1.KindVolume && o.Name == name {
			return resolved(name, m, pinOf(live.Spec.TaskTemplate.Placement)), true
		}
	}

	return servicespec.ResolvedVolume{}, false
}

func mountsOf(live *swarm.Service) []mount.Mount {
	if live == nil || live.Spec.TaskTemplate.ContainerSpec == nil {
		return nil
	}

	return live.Spec.TaskTemplate.ContainerSpec.Mounts
}

// pinOf is the node that a placement holds tasks to; empty when it holds them to none.
func pinOf(p *swarm.Placement) string {
	if p == nil {
		return ""
	}
	for _, text := range p.Constraints {
		if id, pinned := strings.CutPrefix(text, servicespec.PinnedConstraint("")); pinned {
			return id
		}
	}

	return ""
}

// Writes is true for a service that has the Volume for writing: the volume of the engine, or the one that a restore has put it in the
// place of.
func Writes(live *swarm.Service, v servicespec.ResolvedVolume) bool {
	whose, _ := swarmobj.OwnerOf(v.Labels)

	return slices.ContainsFunc(mountsOf(live), func(m mount.Mount) bool {
		if m.Type != mount.TypeVolume || m.ReadOnly {
			return false
		}
		if m.Source == v.Source {
			return true
		}
		if m.VolumeOptions == nil {
			return false
		}
		o, ours := swarmobj.OwnerOf(m.VolumeOptions.Labels)

		return ours && o == whose
	})
}

// Names are the Volumes of mounts, sorted, each once.
func Names(list []v1alpha1.VolumeMount) []string {
	var names []string
	for _, m := range list {
		names = append(names, string(m.Name))
	}
	slices.Sort(names)

	return slices.Compact(names)
}

// Access tells who can reach the data of a Volume; false when that is not known.
func (s Set) Access(name string) (v1alpha1.VolumeAccess, bool) {
	for _, v := range s.Volumes {
		switch {
		case v.Name != name:
		case v.NodeID != "":
			return v1alpha1.AccessSingle, true
		default:
			return v1alpha1.AccessMany, true
		}
	}

	return "", false
}

// Guarded are the Volumes as the guard knows them, by what engines call them.
func (s Set) Guarded(list []v1alpha1.VolumeMount) map[string]guard.Volume {
	out := map[string]guard.Volume{}
	for _, v := range s.Volumes {
		out[v.Source] = guard.Volume{
			Driver: v.Driver, Options: v.Options, Labels: v.Labels, NodeID: v.NodeID, ReadOnly: !mounting.Writes(list, v.Name),
		}
	}

	return out
}
