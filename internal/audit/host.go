package audit

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Files that the benchmark names, and where distributions have them. The engine's socket is the one that was used.
const (
	FileDockerService    = "docker.service"
	FileDockerSocketUnit = "docker.socket"
	FileDockerDir        = "/etc/docker"
	FileEngineSocket     = "the engine's socket"
	FileDaemonJSON       = "/etc/docker/daemon.json"
	FileDefaults         = "/etc/default/docker"
	FileSysconfig        = "/etc/sysconfig/docker"
	FileContainerdSocket = "/run/containerd/containerd.sock"
)

// fileCheck are two checks of the benchmark: whose a file is, and who may do what with it.
type fileCheck struct {
	owner, mode string // ids
	file        string
	group       string
	most        fs.FileMode
}

var fileChecks = []fileCheck{
	{"3.1", "3.2", FileDockerService, "root", 0o644},
	{"3.3", "3.4", FileDockerSocketUnit, "root", 0o644},
	{"3.5", "3.6", FileDockerDir, "root", 0o755},
	{"3.15", "3.16", FileEngineSocket, "docker", 0o660},
	{"3.17", "3.18", FileDaemonJSON, "root", 0o644},
	{"3.19", "3.20", FileDefaults, "root", 0o644},
	{"3.22", "3.21", FileSysconfig, "root", 0o644},
	{"3.23", "3.24", FileContainerdSocket, "root", 0o660},
}

// hostChecks are about the machine.
var hostChecks = []placeCheck{
	{
		id: "1.1.1", section: sectionHost, title: "The engine's data has a file system of its own", judge: ownPartition,
		right: "a file system of its own: containers that fill it do not fill the machine", remedy: "mount one at the engine's data-root (/var/lib/docker)",
	},
	{
		id: "1.1.2", section: sectionHost, title: "Only trusted users control the engine", judge: noDockerGroup,
		right:  "nobody in the group docker, whose members are root on every node; a person gets a User of Dogker's API",
		remedy: "gpasswd --delete USER docker",
	},
}

func hostSection(in Input) []Check {
	all := slices.Clone(hostChecks)
	for _, f := range fileChecks {
		all = append(all, f.rows()...)
	}

	var checks []Check
	for _, k := range all {
		if in.Host == nil {
			checks = append(checks, k.blind(in.HostUnseen))

			continue
		}
		checks = append(checks, k.on(Object{Kind: KindHost, Name: in.Engine.Info.Name}, &in))
	}

	return checks
}

// rows are the two checks of a file.
func (f fileCheck) rows() []placeCheck {
	return []placeCheck{
		{
			id: f.owner, section: sectionFiles, title: fmt.Sprintf("%s belongs to root:%s", f.file, f.group), judge: f.owned,
			right: "root:" + f.group, remedy: fmt.Sprintf("chown root:%s on it", f.group),
		},
		{
			id: f.mode, section: sectionFiles, title: fmt.Sprintf("%s has mode %o or less", f.file, f.most), judge: f.closed,
			right: fmt.Sprintf("mode %o or less", f.most), remedy: fmt.Sprintf("chmod %o on it", f.most),
		},
	}
}

// owned lets a file be root's alone where the benchmark has a group for it: that lets fewer in.
func (f fileCheck) owned(in *Input) verdict {
	file, there := in.Host.Files[f.file]
	if !there {
		return notApplicable("it is not on this machine")
	}

	return faultIf(file.Owner != "root" || file.Group != f.group && file.Group != "root", SeverityMedium,
		"%s belongs to %s:%s", f.file, file.Owner, file.Group)
}

func (f fileCheck) closed(in *Input) verdict {
	file, there := in.Host.Files[f.file]
	if !there {
		return notApplicable("it is not on this machine")
	}

	return faultIf(file.Mode.Perm()&^f.most != 0, SeverityMedium, "%s has mode %o", f.file, file.Mode.Perm())
}

func ownPartition(in *Input) verdict {
	if in.Host.OwnPartition == nil {
		return unseen("the engine's data directory %s cannot be looked at", in.Engine.Info.DockerRootDir)
	}

	return faultIf(!*in.Host.OwnPartition, SeverityLow, "%s is on the file system of what is above it", in.Engine.Info.DockerRootDir)
}

func noDockerGroup(in *Input) verdict {
	return faultIf(len(in.Host.DockerGroup) > 0, SeverityMedium, "in the group docker are: %s", strings.Join(in.Host.DockerGroup, ", "))
}
