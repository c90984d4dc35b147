package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// volumePatience bounds a question about volumes, and measurePatience how long an engine may take to measure all that it
	// has.
	volumePatience  = 20 * time.Second
	measurePatience = 10 * time.Minute
)

// Volumes lists the volumes of a node that Dogker has made, in one call.
func (f *Fleet) Volumes(ctx context.Context, node string) ([]*volume.Volume, error) {
	d, err := f.reach(Place{Node: node})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, volumePatience)
	defer cancel()

	// Docker's client reads its version for a filter before it has agreed on one, beside others who write it: so there is none,
	// but at the door of an agent, which adds it.
	list, err := d.docker.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list volumes of node %q: %w", node, classed(err))
	}

	// An engine has volumes of others, which are nobody's business.
	return slices.DeleteFunc(list.Volumes, func(v *volume.Volume) bool { return v == nil || v.Labels[v1alpha1.SwarmLabelManaged] != "true" }), nil
}

// VolumeSizes says how many bytes each volume of a node takes that Dogker has made, by name. The engine reads through all of
// their files for it. What it cannot measure is missing.
func (f *Fleet) VolumeSizes(ctx context.Context, node string) (map[string]int64, error) {
	d, err := f.reach(Place{Node: node})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, measurePatience)
	defer cancel()

	usage, err := d.docker.DiskUsage(ctx, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.VolumeObject}})
	if err != nil {
		return nil, fmt.Errorf("measure volumes of node %q: %w", node, classed(err))
	}

	sizes := map[string]int64{}
	for _, v := range usage.Volumes {
		if v != nil && v.Labels[v1alpha1.SwarmLabelManaged] == "true" && v.UsageData != nil && v.UsageData.Size >= 0 {
			sizes[v.Name] = v.UsageData.Size
		}
	}

	return sizes, nil
}

// HasVolume asks a node for one volume. It is false for one that Dogker has not made.
func (f *Fleet) HasVolume(ctx context.Context, node, name string) (bool, error) {
	d, err := f.reach(Place{Node: node})
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, volumePatience)
	defer cancel()

	return d.has(ctx, node, name)
}

// has looks up a volume of ours.
func (d *door) has(ctx context.Context, node, name string) (bool, error) {
	v, err := d.docker.VolumeInspect(ctx, name)
	switch err = classed(err); {
	case errors.Is(err, swarmobj.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look up volume %q on node %q: %w", name, node, err)
	default:
		return v.Name == name && v.Labels[v1alpha1.SwarmLabelManaged] == "true", nil
	}
}

// RemoveVolume removes a volume that Dogker has made from a node, with what is in it, and with what is left of tasks that have ended
// and mounted it: Swarm keeps a few of those for each service, and they would keep the volume. It succeeds when there is none, and
// is ErrInUse while another container refers to it.
func (f *Fleet) RemoveVolume(ctx context.Context, node, name string) error {
	d, err := f.reach(Place{Node: node})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, volumePatience)
	defer cancel()

	switch there, err := d.has(ctx, node, name); {
	case err != nil:
		return err
	case !there:
		return nil
	}
	err = d.docker.VolumeRemove(ctx, name, false)
	if cerrdefs.IsConflict(err) && d.removeEnded(ctx, name) {
		err = d.docker.VolumeRemove(ctx, name, false)
	}

	switch {
	case cerrdefs.IsConflict(err):
		return fmt.Errorf("remove volume %q of node %q: %w: %s", name, node, swarmobj.ErrInUse, cleaned(err))
	case err == nil || cerrdefs.IsNotFound(err):
		return nil
	default:
		return fmt.Errorf("remove volume %q of node %q: %w", name, node, classed(err))
	}
}

// removeEnded removes containers of tasks that have ended and refer to a volume, when none of another kind does. It is true when some
// are gone. What it fails with, the volume is kept for all the same.
func (d *door) removeEnded(ctx context.Context, volume string) bool {
	all, err := d.docker.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return false
	}
	all = slices.DeleteFunc(all, func(c container.Summary) bool {
		return !slices.ContainsFunc(c.Mounts, func(m container.MountPoint) bool { return m.Type == mount.TypeVolume && m.Name == volume })
	})
	ended := func(c container.Summary) bool {
		return c.Labels[agent.TaskLabel] != "" && (c.State == container.StateExited || c.State == container.StateDead)
	}
	if slices.ContainsFunc(all, func(c container.Summary) bool { return !ended(c) }) {
		return false
	}

	gone := false
	for _, c := range all {
		// Without force, an engine refuses to remove one that runs.
		err := d.docker.ContainerRemove(ctx, c.ID, container.RemoveOptions{})
		gone = gone || err == nil || cerrdefs.IsNotFound(err)
	}

	return gone
}
