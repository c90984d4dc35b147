package audit

import (
	"path"
	"slices"
	"strings"
)

// mountChecks are about what of the node's file system gets into a container.
var mountChecks = []containerCheck{
	{
		id: "5.6", section: sectionContainers, title: "No sensitive host directories are mounted", judge: noSystemMounts,
		right: "none of " + strings.Join(systemDirs, ", ") + ", nor anything in them", flag: "--mount-rm TARGET",
	},
	{
		id: "5.13", section: sectionContainers, title: "The root file system is read-only", judge: readOnlyRoot,
		right: "a read-only root, and a tmpfs or a volume where it writes",
		field: "set spec.security.readOnlyRootFilesystem: true, and spec.tmpfs where it writes",
		flag:  "--read-only --mount-add type=tmpfs,target=WHERE-IT-WRITES",
	},
	{
		id: "5.20", section: sectionContainers, title: "No mount is shared back to the host", judge: noSharedMounts,
		right: "propagation private or slave", flag: "--mount-rm TARGET",
	},
	{
		id: "5.32", section: sectionContainers, title: "The engine's socket is not mounted", judge: noSocket,
		right: "no socket of an engine, and no directory that holds one", flag: "--mount-rm TARGET",
	},
}

// systemDirs are those of the benchmark, and where engines keep what they hold.
var systemDirs = []string{
	"/", "/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/run", "/sys", "/usr", "/var/lib/containerd", "/var/lib/docker", "/var/run",
}

// sockets by which an engine, or what is below it, is told what to do.
var sockets = []string{"docker.sock", "dockerd.sock", "containerd.sock", "crio.sock", "podman.sock", "buildkitd.sock"}

// socketDirs are where they are, and what is above that.
var socketDirs = []string{"/", "/run", "/run/containerd", "/run/docker", "/run/podman", "/var", "/var/run", "/var/run/docker"}

// noSystemMounts takes the worst of the mounts. A source that holds a template is expanded on the node, after everybody
// has looked at it.
func noSystemMounts(c *Container, _ *Input) verdict {
	worst := passes()
	for _, m := range c.Mounts {
		var v verdict
		switch p := path.Clean(m.HostPath); {
		case m.HostPath == "":
			continue
		case strings.Contains(m.HostPath, "{{"):
			v = fault(SeverityCritical, "%s is mounted at %s: a template, by which the node may reach anything", m.HostPath, m.Target)
		case p == "/":
			v = fault(SeverityCritical, "the whole file system of the node is mounted at %s%s", m.Target, readOnly(m))
		case !sensitive(p):
			continue
		case m.ReadOnly:
			v = fault(SeverityMedium, "%s of the node is mounted at %s%s", m.HostPath, m.Target, readOnly(m))
		default:
			v = fault(SeverityHigh, "%s of the node is mounted at %s%s", m.HostPath, m.Target, readOnly(m))
		}
		worst = worse(worst, v)
	}

	return worst
}

func sensitive(p string) bool {
	return slices.ContainsFunc(systemDirs, func(dir string) bool {
		return p == dir || dir != "/" && strings.HasPrefix(p, dir+"/")
	})
}

func readOnly(m Mount) string {
	if m.ReadOnly {
		return ", read-only"
	}

	return ", writable"
}

// worse of two verdicts about the same container: faults are told together, with the greater severity.
func worse(x, y verdict) verdict {
	if x.outcome != OutcomeFinding {
		return y
	}

	severity := x.severity
	if y.severity.rank() < severity.rank() {
		severity = y.severity
	}

	return fault(severity, "%s; %s", x.found, y.found)
}

// readOnlyRoot is advice: whether an application writes to its root, only those who wrote it know.
func readOnlyRoot(c *Container, _ *Input) verdict {
	return faultIf(!c.ReadOnlyRoot, SeverityAdvice, "its root file system is writable")
}

func noSharedMounts(c *Container, _ *Input) verdict {
	worst := passes()
	for _, m := range c.Mounts {
		if m.Propagation == "shared" || m.Propagation == "rshared" {
			worst = worse(worst, fault(SeverityHigh, "what is mounted below %s becomes a mount of the node", m.Target))
		}
	}

	return worst
}

func noSocket(c *Container, _ *Input) verdict {
	worst := passes()
	for _, m := range c.Mounts {
		if m.HostPath == "" {
			continue
		}

		p := path.Clean(m.HostPath)
		switch {
		case slices.Contains(sockets, path.Base(p)), slices.Contains(sockets, path.Base(m.Target)):
			worst = worse(worst, fault(SeverityCritical, "%s is mounted at %s: who reaches it is root on the node", m.HostPath, m.Target))
		case slices.Contains(socketDirs, p):
			worst = worse(worst, fault(SeverityCritical, "%s, where sockets of engines are, is mounted at %s", m.HostPath, m.Target))
		}
	}

	return worst
}
