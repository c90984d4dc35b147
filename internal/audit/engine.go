package audit

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// engineChecks are about the configuration of the engine, as far as it tells of it.
var engineChecks = []placeCheck{
	{
		id: "2.1", section: sectionDaemon, title: "The engine does not run as root, if possible", judge: rootless,
		right: "an engine without root", remedy: "see the engine's guide to rootless mode",
	},
	{
		id: "2.2", section: sectionDaemon, title: "Containers on the default bridge do not reach each other", judge: silentBridge,
		right: "no traffic between containers that name no network", remedy: `set "icc": false in daemon.json`,
	},
	{
		id: "2.3", section: sectionDaemon, title: "The engine logs at level info", judge: infoLevel,
		right: "debug off: its log would hold more than anybody reads, and parts of requests", remedy: `take "debug" and "log-level" out of daemon.json`,
	},
	{
		id: "2.5", section: sectionDaemon, title: "No insecure registries are used", judge: secureRegistries,
		right:  "TLS with a certificate that is checked, for every registry that is not on the machine itself",
		remedy: `take it out of "insecure-registries" in daemon.json, and put the registry's CA into /etc/docker/certs.d`,
	},
	{
		id: "2.6", section: sectionDaemon, title: "The storage driver aufs is not used", judge: noAUFS,
		right: "overlay2", remedy: `set "storage-driver": "overlay2" in daemon.json`,
	},
	{
		id: "2.7", section: sectionDaemon, title: "The engine's API is not open without TLS", judge: tlsOnly,
		right:  "a socket of the machine, or TLS with certificates of clients: who reaches the API is root on every node",
		remedy: `take tcp:// out of "hosts" in daemon.json, or set "tlsverify" with its certificates`,
	},
	{
		id: "2.9", section: sectionDaemon, title: "User namespaces are on", judge: userNamespaces,
		right: "root of a container is nobody on the node", remedy: `set "userns-remap": "default" in daemon.json, and let the engine pull its images again`,
	},
	{
		id: "2.11", section: sectionDaemon, title: "The size of base devices is the engine's own", judge: baseDevice,
		right: "10 GB", remedy: "take dm.basesize out of the storage options",
	},
	{
		id: "2.12", section: sectionDaemon, title: "Calls of the engine's API are authorised", judge: authorised,
		right:  "nobody but Dogker and administrators reaches the socket; where others do, an authorisation plugin",
		remedy: `let no others reach it, or set "authorization-plugins" in daemon.json`,
	},
	{
		id: "2.13", section: sectionDaemon, title: "Logs go to a central place", judge: centralLogs,
		right: "a log driver that sends them on, or an agent that reads them off the node", remedy: `set "log-driver" in daemon.json, or run such an agent`,
	},
	{
		id: "2.14", section: sectionDaemon, title: "Containers cannot acquire new privileges", judge: engineForbids,
		right: "no-new-privileges for all containers", remedy: mendNoNewPrivileges,
	},
	{
		id: "2.15", section: sectionDaemon, title: "Containers survive the engine (live restore)", judge: liveRestore,
		right: "live restore", remedy: `set "live-restore": true in daemon.json`,
	},
	{
		id: "2.17", section: sectionDaemon, title: "A seccomp profile holds for all containers", judge: seccompProfile,
		right: "the engine's profile, or one of your own", remedy: `take "seccomp-profile": "unconfined" out of daemon.json, and use a kernel with seccomp`,
	},
	{
		id: "2.18", section: sectionDaemon, title: "Experimental features are off", judge: noExperiments,
		right: "experimental off", remedy: `take "experimental" out of daemon.json`,
	},
}

func engineSection(in Input) []Check {
	o := Object{Kind: KindEngine, Name: in.Engine.Info.Name}

	var checks []Check
	for _, k := range engineChecks {
		checks = append(checks, k.on(o, &in))
	}

	return checks
}

// inSwarm is true for the engine of a node, whatever its role.
func (e Engine) inSwarm() bool { return e.Info.Swarm.NodeID != "" }

func rootless(in *Input) verdict {
	switch {
	case in.Engine.hasOption("rootless"):
		return passes()
	case in.Engine.inSwarm():
		return notApplicable("it is not possible: an engine without root has no overlay networks between nodes")
	default:
		return fault(SeverityLow, "the engine runs as root")
	}
}

func silentBridge(in *Input) verdict {
	talks := in.Engine.BridgeTalks
	if talks == nil {
		return notApplicable("the engine has no default bridge")
	}

	return faultIf(*talks, SeverityLow, "containers that name no network reach each other")
}

func infoLevel(in *Input) verdict {
	return faultIf(in.Engine.Info.Debug, SeverityLow, "debug is on")
}

func secureRegistries(in *Input) verdict {
	config := in.Engine.Info.RegistryConfig
	if config == nil {
		return unseen("the engine does not tell of its registries")
	}

	var open []string
	for name, index := range config.IndexConfigs {
		if index != nil && !index.Secure && !onLoopback(name) {
			open = append(open, name)
		}
	}
	for _, n := range config.InsecureRegistryCIDRs {
		if n != nil && !n.IP.IsLoopback() {
			open = append(open, (*net.IPNet)(n).String())
		}
	}
	slices.Sort(open)

	return faultIf(len(open) > 0, SeverityHigh, "registries are used without TLS, or with any certificate: %s", strings.Join(open, ", "))
}

// onLoopback is true for a registry that nobody but the machine itself can answer for.
func onLoopback(registry string) bool {
	host := registry
	if h, _, err := net.SplitHostPort(registry); err == nil {
		host = h
	}
	address, err := netip.ParseAddr(host)

	return host == "localhost" || err == nil && address.IsLoopback()
}

func noAUFS(in *Input) verdict {
	return faultIf(in.Engine.Info.Driver == "aufs", SeverityMedium, "the storage driver is aufs, which nobody maintains")
}

// tlsOnly reads the engine's own warning. It names the address.
func tlsOnly(in *Input) verdict {
	for _, w := range in.Engine.Info.Warnings {
		if strings.Contains(w, "without encryption") || strings.Contains(w, "without TLS client verification") {
			line, _, _ := strings.Cut(strings.TrimPrefix(w, "WARNING: "), "\n")

			return fault(SeverityCritical, "the engine says: %s", line)
		}
	}

	return faultIf(in.Engine.Plain, SeverityCritical, "DOCKER_HOST is reached over the network without TLS")
}

func userNamespaces(in *Input) verdict {
	return faultIf(!in.Engine.hasOption("userns") && !in.Engine.hasOption("rootless"), SeverityMedium, "root of a container is root of the node, but for its capabilities")
}

func baseDevice(in *Input) verdict {
	if in.Engine.Info.Driver != "devicemapper" {
		return notApplicable("the storage driver is %s, which has none", in.Engine.Info.Driver)
	}
	for _, s := range in.Engine.Info.DriverStatus {
		if s[0] == "Base Device Size" {
			return faultIf(s[1] != "10.74GB", SeverityLow, "it is %s", s[1])
		}
	}

	return unseen("the storage driver does not tell")
}

func authorised(in *Input) verdict {
	return faultIf(len(in.Engine.Info.Plugins.Authorization) == 0, SeverityLow, "who reaches the engine's socket may do everything")
}

// localDrivers keep logs on the node, where they are gone with it.
var localDrivers = []string{"json-file", "local", "none", ""}

func centralLogs(in *Input) verdict {
	driver := in.Engine.Info.LoggingDriver

	return faultIf(slices.Contains(localDrivers, driver), SeverityLow, "the log driver is %q, which keeps them on the node", driver)
}

// engineForbids believes the kernel where the engine does not tell: what a container has that did not ask for it, the
// engine gives to all.
func engineForbids(in *Input) verdict {
	if in.Engine.hasOption("no-new-privileges") {
		return passes()
	}
	if in.Engine.tells() {
		return fault(SeverityMedium, "the engine lets containers acquire new privileges")
	}

	for _, w := range in.Workloads {
		for _, c := range w.Live {
			if c.Process != nil && !slices.Contains(c.SecurityOpt, "no-new-privileges") {
				return faultIf(!c.Process.NoNewPrivileges, SeverityMedium, "the engine lets containers acquire new privileges")
			}
		}
	}

	return unseen("the engine does not tell before version 25, and there is no container here whose process could be looked at")
}

func liveRestore(in *Input) verdict {
	switch {
	case in.Engine.Info.LiveRestoreEnabled:
		return passes()
	case in.Engine.inSwarm():
		return notApplicable("an engine in a swarm does not start with live restore: Swarm starts its tasks elsewhere")
	default:
		return fault(SeverityLow, "containers end with the engine")
	}
}

func seccompProfile(in *Input) verdict {
	i := slices.IndexFunc(in.Engine.Info.SecurityOptions, func(o string) bool { return strings.HasPrefix(o, "name=seccomp") })
	if i < 0 {
		return fault(SeverityHigh, "the engine filters no system calls")
	}

	return faultIf(strings.HasSuffix(in.Engine.Info.SecurityOptions[i], "profile=unconfined"), SeverityHigh, "the engine's profile is unconfined")
}

func noExperiments(in *Input) verdict {
	return faultIf(in.Engine.Info.ExperimentalBuild, SeverityLow, "experimental features are on")
}
