package mounting

import (
	"fmt"
	"path"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Access tells who can reach the data of a Volume, by its name; false while that is not known.
type Access func(volume string) (v1alpha1.VolumeAccess, bool)

// Conflicts lists what in a spec cannot be with the Volumes that it mounts.
func Conflicts(spec *v1alpha1.TenantContainerSpec, access Access) field.ErrorList {
	errs := overlaps(spec)

	name := OneWriter(spec.Volumes, access)
	if name == "" {
		return errs
	}

	root := field.NewPath("spec")
	why := fmt.Sprintf("because Volume %q is mounted for writing and its data is on one node: mount it with readOnly, or use a Volume whose class has access Many", name)
	refuse := func(at *field.Path, value any, allowed string) {
		errs = append(errs, field.Invalid(at, value, allowed+", "+why))
	}
	if spec.Mode == v1alpha1.ModeGlobal {
		refuse(root.Child("mode"), spec.Mode, "must be Replicated")
	}
	if n := spec.Replicas; n != nil && *n > 1 {
		refuse(root.Child("replicas"), *n, "must be at most 1")
	}
	if a := spec.Autoscaling; a != nil && a.MaxReplicas > 1 {
		refuse(root.Child("autoscaling", "maxReplicas"), a.MaxReplicas, "must be at most 1")
	}
	if r := spec.Rollout; r != nil && r.Order == v1alpha1.OrderStartFirst {
		refuse(root.Child("rollout", "order"), r.Order, "must be StopFirst")
	}

	return errs
}

// OneWriter is the first of the Volumes that are mounted for writing and have their data on one node, so that one task at most
// may run; empty when there is none.
func OneWriter(mounts []v1alpha1.VolumeMount, access Access) string {
	for _, m := range mounts {
		if a, known := access(string(m.Name)); known && a == v1alpha1.AccessSingle && !m.ReadOnly {
			return string(m.Name)
		}
	}

	return ""
}

// Writes tells whether one of the mounts is of the Volume, for writing.
func Writes(mounts []v1alpha1.VolumeMount, volume string) bool {
	for _, m := range mounts {
		if string(m.Name) == volume && !m.ReadOnly {
			return true
		}
	}

	return false
}

// overlaps refuses a volume in the place of something else. That two volumes are not in one place the schema knows. One thing
// may lie below another, as a file in a volume: the shorter path is mounted first.
func overlaps(spec *v1alpha1.TenantContainerSpec) field.ErrorList {
	taken := map[string]string{}
	for i, f := range spec.Files {
		taken[clean(f.Path)] = fmt.Sprintf("files[%d]", i)
	}
	for i, t := range spec.Tmpfs {
		taken[clean(t.MountPath)] = fmt.Sprintf("tmpfs[%d]", i)
	}

	var errs field.ErrorList
	for i, m := range spec.Volumes {
		at := field.NewPath("spec", "volumes").Index(i).Child("mountPath")
		target := clean(m.MountPath)
		if by, ok := taken[target]; ok {
			errs = append(errs, field.Invalid(at, m.MountPath, fmt.Sprintf("must be a path of its own: %s is there", by)))
		}
		taken[target] = fmt.Sprintf("volumes[%d]", i)
	}

	return errs
}

// clean is a path as the kernel sees it. The schema lets no other pass; what was stored another way is held to the same.
func clean(p v1alpha1.AbsolutePath) string { return path.Clean(string(p)) }
