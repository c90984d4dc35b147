package compose

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	// maxVolumes is how many a container mounts.
	maxVolumes = 16
	// volumeSize is that of a Volume of which Compose says nothing: little, because it is charged for, and can grow.
	volumeSize = "1Gi"
	// localDriver is the engine's own.
	localDriver = "local"
)

// kept is a volume of the project that becomes a Volume.
type kept struct {
	name string
	// writers are the services that write to it.
	writers []string
}

// surveyVolumes finds the volumes that can be kept, and gives each a name of its own.
func (c *converter) surveyVolumes() {
	c.volumes = map[string]*kept{}
	var keys []string
	for _, key := range sorted(c.project.Volumes) {
		if keepable(c.project.Volumes[key]) {
			keys = append(keys, key)
		}
	}
	for key, name := range unique(keys) {
		c.volumes[key] = &kept{name: name}
	}
}

// keepable is true for a volume that any engine can make out of nothing.
func keepable(v types.VolumeConfig) bool {
	return !bool(v.External) && len(v.DriverOpts) == 0 && (v.Driver == "" || v.Driver == localDriver)
}

// named mounts a volume of the project.
func (s *service) named(at, value string, v types.ServiceVolumeConfig) {
	s.stateful = true
	target := v.Target
	volume := s.volumes[v.Source]
	switch {
	case v.Source == "":
		s.lost(at, value, "a volume without a name is gone with each task, and so is what is written there without one", "give it a name if the data is to stay")
		return
	case volume == nil:
		s.lost(at, value, fmt.Sprintf("volume %q does not become a Volume, so what is written there is gone with each task", v.Source),
			"look at volumes."+v.Source+"; make a Volume, and mount it in spec.volumes")
		return
	case s.unmountable(at, target):
		return
	case len(s.spec.Volumes) == maxVolumes:
		s.lost(at, value, fmt.Sprintf("a container mounts at most %d volumes", maxVolumes), "")
		return
	}
	if o := v.Volume; o != nil {
		if o.Subpath != "" {
			s.lost(at, value, "a Volume is mounted as a whole, and not a folder of it", "use a volume of its own for that folder")
			return
		}
		if o.NoCopy {
			s.changed(at, value, "what the image has there is copied into the volume when it is empty", "")
		}
	}

	s.spec.Volumes = append(s.spec.Volumes, v1alpha1.VolumeMount{
		Name: v1alpha1.DNSLabel(volume.name), MountPath: v1alpha1.AbsolutePath(target), ReadOnly: v.ReadOnly,
	})
	if !v.ReadOnly {
		s.writes(at, value, v.Source)
	}
}

// unmountable refuses places in which nothing is mounted, or something is already.
func (s *service) unmountable(at, target string) bool {
	taken := slices.ContainsFunc(s.spec.Volumes, func(m v1alpha1.VolumeMount) bool { return string(m.MountPath) == target }) ||
		slices.ContainsFunc(s.spec.Tmpfs, func(m v1alpha1.Tmpfs) bool { return string(m.MountPath) == target }) ||
		slices.ContainsFunc(s.spec.Files, func(f v1alpha1.File) bool { return string(f.Path) == target })
	switch why := aPath(target); {
	case why != "":
		s.refused(at, target, why, "name a directory of the application's own")
	case keptDirs[target] || strings.HasPrefix(target, secretsDir):
		s.refused(at, target, "nothing is mounted over directories of the system (rule M4)", "name one of the application's own below it, such as "+path.Join(target, "app"))
	case taken:
		s.lost(at, target, "something else is there already", "")
	default:
		return false
	}

	return true
}

// writes notes who writes to a volume. Those of the default class live on one node, and have one writer.
func (s *service) writes(at, value, key string) {
	v := s.volumes[key]
	if slices.Contains(v.writers, s.key) {
		return
	}
	if len(v.writers) > 0 {
		s.refused(at, value, fmt.Sprintf("service %q writes to it, too, and a volume that lives on one node, as those of the default class do, has one writer", v.writers[0]),
			"mount it read_only in one of them, or give the Volume a class with access Many in spec.className")
	}
	v.writers = append(v.writers, s.key)
}

// oneWriter refuses several tasks that write to one volume.
func (s *service) oneWriter() {
	writes := slices.ContainsFunc(s.spec.Volumes, func(m v1alpha1.VolumeMount) bool { return !m.ReadOnly })
	if !writes {
		return
	}
	const instead = "declare one task, or give the Volume a class with access Many in spec.className"
	if n := s.spec.Replicas; n != nil && *n > 1 {
		s.refused(s.path("deploy.replicas"), fmt.Sprint(*n), "its tasks would write to one volume, which lives on one node if it is of the default class", instead)
	}
	if s.spec.Mode == v1alpha1.ModeGlobal {
		s.refused(s.path("deploy.mode"), string(s.spec.Mode), "its tasks would write to one volume, which lives on one node if it is of the default class", instead)
	}
}

// volumeObjects makes the Volumes.
func (c *converter) volumeObjects() {
	for _, key := range sorted(c.project.Volumes) {
		if driver := c.project.Volumes[key].Driver; driver != "" && driver != localDriver {
			c.refused("volumes."+key+".driver", driver, "drivers run on the nodes, with their rights (rule M2)",
				"leave it out; the class of a Volume, in spec.className, says which driver makes it")
		}
	}

	var made []string
	for _, key := range sorted(c.volumes) {
		v := &v1alpha1.Volume{ObjectMeta: c.meta(c.volumes[key].name)}
		v.APIVersion, v.Kind = v1alpha1.GroupVersion.String(), "Volume"
		v.Spec.Size = resource.MustParse(volumeSize)

		config := c.project.Volumes[key]
		like := object{FileObjectConfig: types.FileObjectConfig{Labels: config.Labels, Extensions: config.Extensions}}
		v.Labels, v.Annotations = c.labelsOf("volumes."+key, like, v.Labels)
		c.result.Volumes = append(c.result.Volumes, v)
		made = append(made, v.Name)
	}
	if len(made) > 0 {
		c.note("volumes", strings.Join(made, ", "), "a Volume has a size, by which it is charged, and Compose declares none, so each has "+volumeSize+"; it is empty at first",
			"set spec.size; copy what is to be in it before the first start")
	}
}
