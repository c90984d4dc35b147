package volume

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/mount"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// localDriver is the engine's own.
const localDriver = "local"

// Owner is the owner of what engines hold of a Volume.
func Owner(v *v1alpha1.Volume) swarmobj.Owner {
	return swarmobj.Owner{Tenant: v.Namespace, Kind: v1alpha1.KindVolume, Name: v.Name, UID: string(v.UID)}
}

// Mount is a Volume as a service mounts it. The engine of the node that a task starts on makes what is not there yet, with
// these labels and options; of what is there it heeds neither. Only a restore changes any of it in the life of a Volume, because a
// change restarts tasks.
func Mount(v *v1alpha1.Volume, class *v1alpha1.VolumeClass, m v1alpha1.VolumeMount) mount.Mount {
	return mount.Mount{
		Type:     mount.TypeVolume,
		Source:   Name(v),
		Target:   string(m.MountPath),
		ReadOnly: m.ReadOnly,
		VolumeOptions: &mount.VolumeOptions{
			Labels:       Owner(v).Labels(),
			DriverConfig: driver(v, class),
		},
	}
}

// driver is nil for the engine's own driver without options, which is what it takes for none.
func driver(v *v1alpha1.Volume, class *v1alpha1.VolumeClass) *mount.Driver {
	options := Options(v, class)
	if class.Spec.Driver == localDriver && len(options) == 0 {
		return nil
	}

	return &mount.Driver{Name: class.Spec.Driver, Options: options}
}

// Options are those of the class for one Volume: with its namespace, name and UID in place of what stands for them, and its size
// where the driver takes that. It is nil when there are none.
func Options(v *v1alpha1.Volume, class *v1alpha1.VolumeClass) map[string]string {
	fill := strings.NewReplacer("${namespace}", v.Namespace, "${name}", v.Name, "${uid}", string(v.UID))

	var out map[string]string
	for _, key := range slices.Sorted(maps.Keys(class.Spec.Options)) {
		if out == nil {
			out = map[string]string{}
		}
		out[key] = fill.Replace(string(class.Spec.Options[key]))
	}
	if class.Spec.SizeOption != "" {
		if out == nil {
			out = map[string]string{}
		}
		out[class.Spec.SizeOption] = strconv.FormatInt(v.Spec.Size.Value(), 10)
	}

	return out
}

// Mounts tells whether a container mounts the Volume of that name.
func Mounts(mounts []v1alpha1.VolumeMount, name string) bool {
	return slices.ContainsFunc(mounts, func(m v1alpha1.VolumeMount) bool { return string(m.Name) == name })
}
