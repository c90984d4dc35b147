package guard

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/mount"
)

const mounts = containerSpec + "Mounts[]"

// isOwnVolume refuses a volume that is not the container's: names of volumes are the same for everybody on a node, and
// whoever knows one could mount it.
func isOwnVolume(c *check, v reflect.Value) string {
	if _, ok := c.facts.Volumes[v.String()]; !ok {
		return fmt.Sprintf("is %.80q, which is no volume that the container may mount", v.String())
	}

	return ""
}

func anyMember(*check, string, string) string { return "" }

// hasOwnVolumes demands that each volume is mounted as it is known: with its driver and the very options that the platform
// has chosen, because the driver local takes any path of the node for an option; not for writing when it may only be read;
// and on the node that has its data, because on any other the engine would make an empty one of that name.
func hasOwnVolumes(c *check) {
	if c.spec.TaskTemplate.ContainerSpec == nil {
		return
	}
	for _, m := range c.spec.TaskTemplate.ContainerSpec.Mounts {
		if m.Type != mount.TypeVolume {
			continue
		}
		v, known := c.facts.Volumes[m.Source]
		o := m.VolumeOptions
		switch {
		case m.Source == "":
			c.refuse(mounts+".Source", "must be set: a volume without a name is gone with its task")
		case !known: // The walk has said so.
		case m.TmpfsOptions != nil:
			c.refuse(mounts+".TmpfsOptions", "must not be set for a volume")
		case o == nil || !madeWith(v, o.DriverConfig):
			c.refuse(mounts+".VolumeOptions.DriverConfig", fmt.Sprintf("is not what volume %.80q is made with", m.Source))
		case !maps.Equal(o.Labels, v.Labels):
			c.refuse(mounts+".VolumeOptions.Labels{}", fmt.Sprintf("are not those of volume %.80q", m.Source))
		case v.ReadOnly && !m.ReadOnly:
			c.refuse(mounts+".ReadOnly", fmt.Sprintf("must be true for volume %.80q", m.Source))
		case v.NodeID != "" && !c.pinnedTo(v.NodeID):
			c.refuse(task+"Placement.Constraints[]", fmt.Sprintf("must hold the tasks to the node of volume %.80q", m.Source))
		}
	}
}

// madeWith is true for the driver of the volume with its options. None is the engine's own without options.
func madeWith(v Volume, d *mount.Driver) bool {
	if d == nil {
		return v.Driver == "" && len(v.Options) == 0
	}

	return v.Driver != "" && d.Name == v.Driver && maps.Equal(d.Options, v.Options)
}

// pinnedTo is true when no other node fulfils the constraints.
func (c *check) pinnedTo(nodeID string) bool {
	p := c.spec.TaskTemplate.Placement

	return p != nil && slices.ContainsFunc(p.Constraints, func(text string) bool {
		return strings.Join(strings.Fields(text), "") == "node.id=="+nodeID
	})
}
