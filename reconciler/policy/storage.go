package policy

import (
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	// maxLogMiB and maxLogFiles bound what the logs of one task take on its node.
	maxLogMiB   = 100
	maxLogFiles = 10
)

// kept are directories that nothing is mounted over: what is in them decides who is who in the container and whom it
// trusts, or is put there by the engine.
var kept = []string{"/etc", "/run", "/run/secrets", "/var/run", "/bin", "/sbin", "/usr", "/usr/bin", "/usr/sbin", "/lib", "/lib64", "/usr/lib", "/boot"}

// identityFiles are those that the engine and the C library take the word of.
var identityFiles = []string{
	"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/hosts", "/etc/hostname",
	"/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/mtab",
}

// secretsDir is where Docker puts secrets and programs look for theirs. The engine puts nothing there but what the spec
// names, each file by itself, so a Secret can be in nobody's way.
const secretsDir = "/run/secrets/"

// engineDirs are where the engine, or an engine's socket in an image made for one, would be looked for.
var engineDirs = []string{"/run/secrets", "/var/run/secrets", "/run/docker.sock", "/var/run/docker.sock", "/run/containerd", "/var/run/containerd", "/var/lib/docker", "/etc/docker", "/etc/sudoers.d", "/etc/pam.d"}

func mountTargets(c *check) {
	judge := func(at *field.Path, target v1alpha1.AbsolutePath) {
		if path := string(target); slices.Contains(kept, path) || below(engineDirs, path) {
			c.refuse(at.Child("mountPath"), path, "a directory of the application's own, not %s", path)
		}
	}
	for i, t := range c.spec.Tmpfs {
		judge(root.Child("tmpfs").Index(i), t.MountPath)
	}
	for i, v := range c.spec.Volumes {
		at := root.Child("volumes").Index(i)
		judge(at, v.MountPath)
		// The C library and the engine take the word of these wherever a mount has put them.
		if target := string(v.MountPath); slices.Contains(identityFiles, target) {
			c.refuse(at.Child("mountPath"), target, "a directory of the application's own, not %s", target)
		}
	}
}

func quarterOfMemory(c *check) { inMemory(c, 4, "a quarter of") }
func allOfMemory(c *check)     { inMemory(c, 1, "") }

// inMemory holds the sum of all file systems in memory against a part of the memory limit, in which they are counted.
func inMemory(c *check, part int64, words string) {
	var limit *resource.Quantity
	if r := c.spec.Resources; r != nil && r.Limits != nil {
		limit = r.Limits.Memory
	}
	if limit == nil {
		return // Rule R1 says that it is missing.
	}

	var sum int64
	for i, t := range c.spec.Tmpfs {
		sum += t.Size.Value()
		if sum > limit.Value()/part {
			c.refuse(root.Child("tmpfs").Index(i).Child("size"), t.Size.String(),
				"all sizes together at most %s", strings.TrimSpace(words+" resources.limits.memory ("+limit.String()+")"))

			return
		}
	}
}

func fileTargets(c *check) {
	for i, f := range c.spec.Files {
		at, target := root.Child("files").Index(i), string(f.Path)

		switch aSecret := f.SecretKeyRef != nil; {
		case strings.HasPrefix(target, secretsDir) && aSecret:
		case strings.HasPrefix(target, secretsDir):
			c.refuse(at.Child("path"), target, "a file of the application's own, or with secretKeyRef one of a Secret")
		case slices.Contains(identityFiles, path.Clean(target)) || slices.Contains(kept, target) || below(engineDirs, target):
			c.refuse(at.Child("path"), target, "a file of the application's own")
		}
		if f.Mode != nil && *f.Mode&0o022 != 0 {
			c.refuse(at.Child("mode"), *f.Mode, "permission bits that let neither group nor others write")
		}
	}
}

func boundedLogs(c *check) {
	l := c.spec.Logging
	if l == nil {
		return // The operator's own setting, on the engine.
	}

	at := root.Child("logging")
	if l.Driver == "none" {
		c.refuse(at.Child("driver"), l.Driver, "json-file or local")

		return
	}

	most := resource.MustParse("100Mi")
	switch {
	case l.MaxSize == nil:
		c.demand(at.Child("maxSize"), "a size of at most "+most.String())
	case l.MaxSize.Cmp(most) > 0:
		c.refuse(at.Child("maxSize"), l.MaxSize.String(), "at most %d MiB", maxLogMiB)
	}
	switch {
	case l.MaxFiles == nil:
		c.demand(at.Child("maxFiles"), "a number from 1 to 10")
	case *l.MaxFiles > maxLogFiles:
		c.refuse(at.Child("maxFiles"), *l.MaxFiles, "at most %d", maxLogFiles)
	}
}

// below is true for one of the paths, and for all that is in them.
func below(paths []string, target string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return target == p || strings.HasPrefix(target, p+"/") })
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
