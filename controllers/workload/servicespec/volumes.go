package servicespec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/mount"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// ResolvedVolume is a Volume that a template names, as the engines of the swarm know it.
type ResolvedVolume struct {
	// Name of the Volume, by which templates mount it.
	Name string
	// Source is what engines call it.
	Source string
	// Driver, Options and Labels are what an engine makes it with where it has none of that name yet. No driver is the
	// engine's own, without options.
	Driver          string
	Options, Labels map[string]string
	// NodeID is the only node that has the data; empty when every node reaches it.
	NodeID string
}

// PinnedConstraint holds for one node only.
func PinnedConstraint(nodeID string) string { return swarmobj.PinnedConstraint(nodeID) }

// volume finds what a mount refers to. What is missing is refused: a service without one of its mounts would run, and write
// where nobody finds it again.
func (b *builder) volume(m *v1alpha1.VolumeMount) (ResolvedVolume, bool) {
	for _, v := range b.in.Volumes {
		if v.Name == string(m.Name) {
			return v, true
		}
	}
	b.refuse(fmt.Sprintf("spec.volumes[%s].name", m.MountPath), fmt.Sprintf("names Volume %q, and nothing is known of where it lies", m.Name))

	return ResolvedVolume{}, false
}

// volumeMounts are the volumes of the template. Each has the source of its own Volume, and says with what the engine is to
// make it: one that is given no driver makes a volume of its own, empty, also where a share was wanted.
func (b *builder) volumeMounts(taken map[string]bool) []mount.Mount {
	var mounts []mount.Mount
	for i := range b.t.Volumes {
		m := &b.t.Volumes[i]
		path := string(m.MountPath)
		field := fmt.Sprintf("spec.volumes[%s]", path)
		if taken[path] {
			b.refuse(field+".mountPath", "must not be the path of a file, of a tmpfs or of another volume")
		}
		taken[path] = true

		v, ok := b.volume(m)
		if !ok {
			continue
		}
		b.clean(field+".name", append(sortedPairs(v.Options, v.Labels), v.Source, v.Driver)...)

		options := &mount.VolumeOptions{Labels: maps.Clone(v.Labels)}
		if v.Driver != "" {
			options.DriverConfig = &mount.Driver{Name: v.Driver, Options: maps.Clone(v.Options)}
		}
		mounts = append(mounts, mount.Mount{Type: mount.TypeVolume, Source: v.Source, Target: path, ReadOnly: m.ReadOnly, VolumeOptions: options})
	}

	return mounts
}

// sortedPairs are the keys and values of maps, in an order of their own.
func sortedPairs(all ...map[string]string) []string {
	var out []string
	for _, m := range all {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			out = append(out, key, m[key])
		}
	}

	return out
}

// pins are the constraints that hold tasks to the nodes that have their data. Data on two nodes leave no node; whoever
// renders sees to it that this is told before.
func (b *builder) pins() []string {
	var out []string
	for i := range b.t.Volumes {
		for _, v := range b.in.Volumes {
			if v.Name == string(b.t.Volumes[i].Name) && v.NodeID != "" {
				out = append(out, PinnedConstraint(v.NodeID))
			}
		}
	}

	return out
}

// writes says whether a task writes to a volume, and whether to one that only one node has. Its successor must not start
// before it has stopped: two writers of one directory lose data, and most databases refuse.
func (b *builder) writes() (anywhere, pinned bool) {
	for i := range b.t.Volumes {
		m := &b.t.Volumes[i]
		if m.ReadOnly {
			continue
		}
		anywhere = true
		for _, v := range b.in.Volumes {
			pinned = pinned || v.Name == string(m.Name) && v.NodeID != ""
		}
	}

	return anywhere, pinned
}

func byTarget(x, y mount.Mount) int { return cmp.Compare(x.Target, y.Target) }
