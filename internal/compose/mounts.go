package compose

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	maxTmpfs      = 5
	leastTmpfs    = 4 << 10
	mostTmpfs     = 64 << 30
	defaultTmpfs  = 64 << 20
	allTmpfsModes = 0o1777
)

// mounts converts volumes and file systems in memory.
func (s *service) mounts() {
	for i, v := range s.Volumes {
		at := index(s.path("volumes"), i)
		value := v.Target
		if v.Source != "" {
			value = s.local(v.Source) + ":" + v.Target
		}
		s.volume(at, value, v)
	}
	for i, text := range s.Tmpfs {
		s.tmpfsOf(index(s.path("tmpfs"), i), text)
	}
}

func (s *service) volume(at, value string, v types.ServiceVolumeConfig) {
	switch v.Type {
	case types.VolumeTypeTmpfs:
		t := types.ServiceVolumeTmpfs{}
		if v.Tmpfs != nil {
			t = *v.Tmpfs
		}
		s.tmpfs(at, v.Target, int64(t.Size), int64(t.Mode))
	case types.VolumeTypeVolume:
		s.named(at, value, v)
	case types.VolumeTypeBind:
		s.bind(at, value, v.Source)
	default:
		s.refused(at, value, fmt.Sprintf("mounts of type %q reach out of the container (rule M1)", v.Type), "build what is needed into the image")
	}
}

// sockets are how programs ask the engine for what nobody but Dogker may have.
var sockets = []string{"docker.sock", "containerd.sock", "podman.sock"}

func (s *service) bind(at, value, source string) {
	switch {
	case slices.Contains(sockets, filepath.Base(source)):
		s.refused(at, value, "whoever reaches the engine's socket is root on every node (rule M1)", "use the API of Dogker, with a token of the tenant")
	case s.inside(source):
		s.refused(at, value, "nothing of a node is mounted (rule M1)", "declare a file under configs, which becomes a ConfigMap; build a folder into the image; what is written needs a volume")
	default:
		s.refused(at, value, "nothing of a node is mounted (rule M1)", "build what is read into the image or a config; what is written needs a volume")
	}
}

// inside is true for paths in the folder of the project.
func (s *service) inside(source string) bool { return !fence{s.project.WorkingDir}.outside(source) }

// local is a path as people know it: from the folder of the project.
func (s *service) local(source string) string {
	if !filepath.IsAbs(source) || !s.inside(source) {
		return source
	}
	relative, err := filepath.Rel(s.project.WorkingDir, source)
	if err != nil {
		return source
	}
	if relative == "." {
		return relative
	}

	return "./" + relative
}

// tmpfsOf takes the short form apart: a path, and options of mount(8).
func (s *service) tmpfsOf(at, text string) {
	target, options, _ := strings.Cut(text, ":")
	var size, mode int64
	for option := range strings.SplitSeq(options, ",") {
		name, value, _ := strings.Cut(option, "=")
		var err error
		switch name {
		case "size":
			size, err = units.RAMInBytes(value)
		case "mode":
			mode, err = strconv.ParseInt(value, 8, 32)
		case "", "rw", "noexec", "nosuid", "nodev":
		default:
			s.lost(at, option, "file systems in memory have a size and a mode, and no other options", "")
		}
		if err != nil {
			s.lost(at, option, "it cannot be read", "")
		}
	}
	s.tmpfs(at, target, size, mode)
}

func (s *service) tmpfs(at, target string, size, mode int64) {
	if why := aPath(target); why != "" {
		s.refused(at, target, why, "name a directory of the application's own")
		return
	}
	if keptDirs[target] || strings.HasPrefix(target, secretsDir) {
		s.refused(at, target, "nothing is mounted over directories of the system (rule M4)", "name one of the application's own below it, such as "+target+"/app")
		return
	}
	if len(s.spec.Tmpfs) == maxTmpfs {
		s.lost(at, target, fmt.Sprintf("a container has at most %d file systems in memory", maxTmpfs), "")
		return
	}
	if size <= 0 {
		s.changed(at, target, "a file system in memory has a size, and none is declared, so it is 64Mi", "declare size")
		size = defaultTmpfs
	}
	got := min(max(size, leastTmpfs), mostTmpfs)
	if got != size {
		s.changed(at, target, fmt.Sprintf("sizes are from 4Ki to 64Gi, so it is %d bytes", got), "")
	}
	t := v1alpha1.Tmpfs{MountPath: v1alpha1.AbsolutePath(target), Size: *resource.NewQuantity(got, resource.BinarySI)}
	if mode > 0 && mode != allTmpfsModes {
		bits := int32(mode & 0o1777)
		if int64(bits) != mode {
			s.changed(at, fmt.Sprintf("0%o", mode), fmt.Sprintf("it has bits beyond 01777, so it is 0%o", bits), "")
		}
		if bits > 0 {
			t.Mode = &bits
		}
	}
	s.spec.Tmpfs = append(s.spec.Tmpfs, t)
}

// keptDirs are those that rule M4 keeps for the system.
var keptDirs = map[string]bool{
	"/etc": true, "/run": true, "/run/secrets": true, "/var/run": true, "/bin": true, "/sbin": true, "/usr": true, "/usr/bin": true,
	"/usr/sbin": true, "/lib": true, "/lib64": true, "/usr/lib": true, "/boot": true,
}
