package audit

import (
	"slices"
	"strings"
)

// isolationChecks are about the walls between a container, its node and its neighbours.
var isolationChecks = []containerCheck{
	{
		id: "5.7", section: sectionContainers, title: "No sshd runs in the container", judge: noSSH,
		right: "no ssh server: what a container needs to be told, its orchestrator tells it",
		field: "use an image without sshd", flag: "use an image without sshd",
	},
	{
		id: "5.10", section: sectionContainers, title: "The host's network namespace is not shared", judge: ownNetwork,
		right: "networks of its own", flag: "--network-rm host --network-add NETWORK",
	},
	{
		id: "5.16", section: sectionContainers, title: "The host's process namespace is not shared", judge: ownPIDs,
		right: "a process namespace of its own", flag: "make it again without --pid",
	},
	{
		id: "5.17", section: sectionContainers, title: "The host's IPC namespace is not shared", judge: ownIPC,
		right: "an IPC namespace of its own", flag: "make it again without --ipc",
	},
	{
		id: "5.18", section: sectionContainers, title: "No host devices are exposed", judge: noDevices,
		right: "no devices of the node", flag: "make it again without --device",
	},
	{
		id: "5.21", section: sectionContainers, title: "The host's UTS namespace is not shared", judge: ownUTS,
		right: "a host name of its own", flag: "make it again without --uts",
	},
	{
		id: "5.25", section: sectionContainers, title: "The control group is the engine's own", judge: ownCgroup,
		right: "the control group that the engine chooses", flag: "make it again without --cgroup-parent",
	},
	{
		id: "5.30", section: sectionContainers, title: "The default bridge docker0 is not used", judge: noDefaultBridge,
		right: "a network of its own", flag: "--network-rm bridge --network-add NETWORK",
	},
	{
		id: "5.31", section: sectionContainers, title: "The host's user namespace is not shared", judge: ownUsers,
		right: "the engine's user namespace", flag: "make it again without --userns",
	},
}

const hostNamespace = "host"

func noSSH(c *Container, _ *Input) verdict {
	switch {
	case !c.Live():
		return unseen(onlyRunning)
	case c.CommandsUnseen != "":
		return unseen("%s", c.CommandsUnseen)
	default:
		ssh := func(command string) bool {
			return command == "sshd" || command == "dropbear" || strings.HasPrefix(command, "sshd:")
		}

		return faultIf(slices.ContainsFunc(c.Commands, ssh), SeverityMedium, "a process of it is an ssh server")
	}
}

func ownNetwork(c *Container, _ *Input) verdict {
	return faultIf(c.NetworkMode == hostNamespace || slices.Contains(c.Networks, hostNamespace), SeverityHigh,
		"it has the network of the node: its interfaces, its ports and what listens on its loopback address")
}

func ownPIDs(c *Container, _ *Input) verdict {
	return faultIf(c.PIDMode == hostNamespace, SeverityCritical, "it sees the processes of the node, and may signal those of its user")
}

func ownIPC(c *Container, _ *Input) verdict {
	return faultIf(c.IPCMode == hostNamespace, SeverityHigh, "it has the shared memory of the node's processes")
}

func ownUTS(c *Container, _ *Input) verdict {
	return faultIf(c.UTSMode == hostNamespace, SeverityMedium, "it has the node's host name, and may change it if it is privileged")
}

func ownUsers(c *Container, _ *Input) verdict {
	return faultIf(c.UserNSMode == hostNamespace, SeverityHigh, "it is left out of the engine's user namespace: its root is the node's root")
}

func noDevices(c *Container, _ *Input) verdict {
	return faultIf(len(c.Devices) > 0, SeverityHigh, "it has devices of the node: %s", strings.Join(c.Devices, ", "))
}

func ownCgroup(c *Container, _ *Input) verdict {
	return faultIf(c.CgroupParent != "", SeverityLow, "it is in the control group %s, with the limits of that", c.CgroupParent)
}

func noDefaultBridge(c *Container, _ *Input) verdict {
	bridge := slices.Contains(c.Networks, "bridge") || c.NetworkMode == "bridge" || c.NetworkMode == "default" && len(c.Networks) == 0

	return faultIf(bridge, SeverityLow, "it is on the default bridge, with every container that names no network")
}
