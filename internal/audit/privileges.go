package audit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/versions"
)

// privilegeChecks are about what the processes of a container may do.
var privilegeChecks = []containerCheck{
	{
		id: "4.1", section: sectionImages, title: "The container has a user of its own", judge: ownUser,
		right: "a user other than root", field: "set spec.security.runAsUser and runAsGroup", flag: "--user UID:GID",
	},
	{
		id: "5.2", section: sectionContainers, title: "An AppArmor profile is enabled, where the kernel has AppArmor", judge: appArmor,
		right: "the engine's profile docker-default, or one of your own",
		flag:  "take apparmor=unconfined out of its security options",
	},
	{
		id: "5.3", section: sectionContainers, title: "SELinux labels the processes, where the kernel has SELinux", judge: seLinux,
		right: "a label of the engine's choice, or one of your own",
		flag:  "take label=disable out of its security options",
	},
	{
		id: "5.4", section: sectionContainers, title: "Kernel capabilities are restricted", judge: fewCapabilities,
		right: "no capability beyond the engine's default set, and NET_RAW dropped; best is ALL dropped and what is needed added",
		field: "set spec.security.capabilities: {drop: [ALL]}",
		flag:  "--cap-drop ALL --cap-add WHAT-IT-NEEDS",
	},
	{
		id: "5.5", section: sectionContainers, title: "No privileged containers are used", judge: unprivileged,
		right: "privileged off", flag: "make it again without --privileged",
	},
	{
		id: "5.22", section: sectionContainers, title: "The seccomp profile is not disabled", judge: filtered,
		right: "the engine's seccomp profile, or one of your own", flag: "take seccomp=unconfined out of its security options",
	},
	{
		id: "5.26", section: sectionContainers, title: "The container cannot acquire additional privileges", judge: noNewPrivileges,
		right: "no-new-privileges, for the container or for all of the engine",
		field: mendNoNewPrivileges, flag: mendNoNewPrivileges,
	},
}

const mendNoNewPrivileges = `set "no-new-privileges": true in daemon.json of every node, and restart its containers`

func ownUser(c *Container, _ *Input) verdict {
	user, _, _ := strings.Cut(c.User, ":")
	number, err := strconv.Atoi(user)

	switch {
	case !c.Live() && c.User == "":
		return unseen(onlyRunning)
	case c.User == "":
		return fault(SeverityMedium, "neither the container nor its image names a user, so it is root")
	case user == "root", err == nil && number == 0:
		return fault(SeverityMedium, "it runs as %s, which is root", c.User)
	case err != nil && c.Process != nil && c.Process.UID == 0:
		return fault(SeverityMedium, "it runs as %s, which its image maps to root", c.User)
	default:
		return passes()
	}
}

func appArmor(c *Container, in *Input) verdict {
	switch {
	case !in.Engine.hasOption("apparmor"):
		return notApplicable("the engine's kernel has no AppArmor")
	case slices.Contains(c.SecurityOpt, "apparmor=unconfined"), c.AppArmorProfile == "unconfined":
		return fault(SeverityHigh, "AppArmor is switched off for it")
	case !c.Live():
		return unseen(onlyRunning)
	default:
		return faultIf(c.AppArmorProfile == "", SeverityHigh, "it has no AppArmor profile")
	}
}

func seLinux(c *Container, in *Input) verdict {
	switch {
	case !in.Engine.hasOption("selinux"):
		return notApplicable("the engine labels nothing with SELinux")
	case slices.Contains(c.SecurityOpt, "label=disable"):
		return fault(SeverityHigh, "SELinux is switched off for it")
	case !c.Live():
		return unseen(onlyRunning)
	default:
		return faultIf(c.SELinuxLabel == "", SeverityHigh, "its processes have no SELinux label")
	}
}

const (
	allCapabilities = "ALL"
	netRaw          = "NET_RAW"
)

// defaultCapabilities are what the engine gives a container that says nothing.
var defaultCapabilities = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", netRaw, "SETFCAP",
	"SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// keysToTheNode are those with which a root of the container soon is root of the node.
var keysToTheNode = []string{
	allCapabilities, "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_PTRACE",
	"SYS_RAWIO",
}

// fewCapabilities reads the two lists as the engine does: what is added wins over what is dropped, and ALL over ALL.
func fewCapabilities(c *Container, _ *Input) verdict {
	add, drop := capabilityNames(c.CapAdd), capabilityNames(c.CapDrop)

	var beyond []string
	severity := SeverityHigh
	for _, name := range add {
		if slices.Contains(defaultCapabilities, name) {
			continue
		}
		beyond = append(beyond, name)
		if slices.Contains(keysToTheNode, name) {
			severity = SeverityCritical
		}
	}

	switch {
	case len(beyond) > 0:
		return fault(severity, "capabilities are added: %s", strings.Join(beyond, ", "))
	case slices.Contains(add, netRaw), !slices.Contains(drop, allCapabilities) && !slices.Contains(drop, netRaw):
		return fault(SeverityLow, "NET_RAW is not dropped: it can forge packets on its networks")
	default:
		return passes()
	}
}

// capabilityNames without the prefix, which the engine takes or leaves.
func capabilityNames(in []string) []string {
	var out []string
	for _, name := range in {
		out = append(out, strings.TrimPrefix(strings.ToUpper(name), "CAP_"))
	}
	slices.Sort(out)

	return slices.Compact(out)
}

func unprivileged(c *Container, _ *Input) verdict {
	return faultIf(c.Privileged, SeverityCritical, "it is privileged: all capabilities, all devices, no filter of system calls")
}

func filtered(c *Container, _ *Input) verdict {
	switch {
	case slices.Contains(c.SecurityOpt, "seccomp=unconfined"):
		return fault(SeverityHigh, "seccomp is switched off for it")
	case c.Process != nil && c.Process.Seccomp == 0 && !c.Privileged:
		return fault(SeverityHigh, "the kernel filters none of its system calls")
	default:
		return passes()
	}
}

// tellsNoNewPrivileges is the first API version of engines that tell of this setting of theirs.
const tellsNoNewPrivileges = "1.44"

// noNewPrivileges believes the kernel before the engine: older engines do not tell of a setting for all containers.
func noNewPrivileges(c *Container, in *Input) verdict {
	switch {
	case slices.Contains(c.SecurityOpt, "no-new-privileges"), c.Process != nil && c.Process.NoNewPrivileges:
		return passes()
	case !c.Live():
		return unseen(onlyRunning)
	case c.Process != nil, slices.Contains(c.SecurityOpt, "no-new-privileges=false"):
		return fault(SeverityMedium, "a setuid program in it gains the rights of its owner")
	case in.Engine.hasOption("no-new-privileges"):
		return passes()
	case in.Engine.tells():
		return fault(SeverityMedium, "neither the container nor the engine forbids new privileges")
	default:
		return unseen("the engine does not tell of its setting before version 25, and %s", c.ProcessUnseen)
	}
}

// tells is true for an engine that says so when it forbids new privileges to all containers.
func (e Engine) tells() bool {
	return e.APIVersion != "" && versions.GreaterThanOrEqualTo(e.APIVersion, tellsNoNewPrivileges)
}
