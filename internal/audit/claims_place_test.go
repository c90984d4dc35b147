package audit

import (
	"time"

	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
)

// placeClaims are about host, engine and swarm.
var placeClaims = map[string]claim{
	"FullDiskIsTheMachines": {"1.1.1", "Containers that fill it fill the machine.", host(func(h *Host) { h.OwnPartition = new(false) }), SeverityLow, "/var/lib/docker"},
	"MembersOfTheGroup":     {"1.1.2", "They are root on every node.", host(func(h *Host) { h.DockerGroup = []string{"jane", "joe"} }), SeverityMedium, "jane, joe"},

	"ServiceUnitOfSomebody": {"3.1", "Who owns the unit starts what they like.", file(FileDockerService, File{0o644, "jane", "root"}), SeverityMedium, "jane:root"},
	"ServiceUnitForAll":     {"3.2", "So does who may write it.", file(FileDockerService, File{0o666, "root", "root"}), SeverityMedium, "mode 666"},
	"SocketUnitOfSomebody":  {"3.3", "The unit says whose the socket is.", file(FileDockerSocketUnit, File{0o644, "root", "staff"}), SeverityMedium, "root:staff"},
	"SocketUnitForAll":      {"3.4", "So does who may write it.", file(FileDockerSocketUnit, File{0o664, "root", "root"}), SeverityMedium, "mode 664"},
	"DirectoryOfSomebody":   {"3.5", "Certificates of registries are in it.", file(FileDockerDir, File{0o755, "jane", "jane"}), SeverityMedium, "jane:jane"},
	"DirectoryForAll":       {"3.6", "Anybody could add one.", file(FileDockerDir, File{0o777, "root", "root"}), SeverityMedium, "mode 777"},
	"SocketOfSomebody":      {"3.15", "Who owns it has the engine.", file(FileEngineSocket, File{0o660, "jane", "docker"}), SeverityMedium, "jane:docker"},
	"SocketOfRootAlone":     {"3.15", "Fewer than the benchmark lets in.", file(FileEngineSocket, File{0o660, "root", "root"}), "", ""},
	"SocketForAll":          {"3.16", "Everybody has the engine.", file(FileEngineSocket, File{0o666, "root", "docker"}), SeverityMedium, "mode 666"},
	"SettingsOfSomebody":    {"3.17", "Who owns them sets them.", file(FileDaemonJSON, File{0o644, "jane", "root"}), SeverityMedium, "jane:root"},
	"SettingsForAll":        {"3.18", "So does who may write them.", file(FileDaemonJSON, File{0o646, "root", "root"}), SeverityMedium, "mode 646"},
	"DefaultsOfSomebody":    {"3.19", "They are the engine's flags.", file(FileDefaults, File{0o644, "jane", "root"}), SeverityMedium, "jane:root"},
	"DefaultsForAll":        {"3.20", "They are the engine's flags.", file(FileDefaults, File{0o622, "root", "root"}), SeverityMedium, "mode 622"},
	"SysconfigForAll":       {"3.21", "They are the engine's flags.", file(FileSysconfig, File{0o646, "root", "root"}), SeverityMedium, "mode 646"},
	"SysconfigOfSomebody":   {"3.22", "They are the engine's flags.", file(FileSysconfig, File{0o644, "root", "jane"}), SeverityMedium, "root:jane"},
	"ContainerdOfSomebody":  {"3.23", "It starts what it is told.", file(FileContainerdSocket, File{0o660, "root", "jane"}), SeverityMedium, "root:jane"},
	"ContainerdForAll":      {"3.24", "It starts what it is told.", file(FileContainerdSocket, File{0o666, "root", "root"}), SeverityMedium, "mode 666"},

	"RootWithoutSwarm": {"2.1", "Without a swarm it could do without root.", info(func(i *system.Info) { i.Swarm = swarm.Info{} }), SeverityLow, "root"},
	"Rootless":         {"2.1", "It has none.", info(func(i *system.Info) { i.SecurityOptions = append(i.SecurityOptions, "name=rootless") }), "", ""},
	"BridgeTalks":      {"2.2", "Strangers on the default bridge reach each other.", func(in *Input) { in.Engine.BridgeTalks = new(true) }, SeverityLow, "reach each other"},
	"Debug":            {"2.3", "The log holds parts of requests.", info(func(i *system.Info) { i.Debug = true }), SeverityLow, "debug"},
	"InsecureRegistry": {"2.5", "Whoever is in between chooses what runs.", info(func(i *system.Info) { i.RegistryConfig.IndexConfigs["registry.example:80"] = &registry.IndexInfo{} }), SeverityHigh, "registry.example:80"},
	"InsecureRange": {"2.5", "So does whoever is in the range.", info(func(i *system.Info) {
		i.RegistryConfig.InsecureRegistryCIDRs = append(i.RegistryConfig.InsecureRegistryCIDRs, cidr("10.0.0.0/8"))
	}), SeverityHigh, "10.0.0.0/8"},
	"AUFS": {"2.6", "Nobody maintains it.", info(func(i *system.Info) { i.Driver = "aufs" }), SeverityMedium, "aufs"},
	"OpenAPI": {"2.7", "The engine itself warns of it.", info(func(i *system.Info) {
		i.Warnings = []string{"WARNING: API is accessible on http://0.0.0.0:2375 without encryption.\n more"}
	}), SeverityCritical, "0.0.0.0:2375"},
	"OpenToAnyClient": {"2.7", "TLS alone keeps nobody out.", info(func(i *system.Info) {
		i.Warnings = []string{"[DEPRECATION NOTICE]: API is accessible on https://0.0.0.0:2376 without TLS client verification."}
	}), SeverityCritical, "2376"},
	"ReachedInTheClear": {"2.7", "We got in without a key.", func(in *Input) { in.Engine.Plain = true }, SeverityCritical, "DOCKER_HOST"},
	"OtherWarning":      {"2.7", "The engine warns of much.", info(func(i *system.Info) { i.Warnings = []string{"WARNING: No swap limit support"} }), "", ""},
	"OneUserNamespace":  {"2.9", "Root of a container is the node's.", lacking("userns"), SeverityMedium, "root of the node"},
	"LargeBase": {"2.11", "It cannot be made smaller again.", info(func(i *system.Info) {
		i.Driver, i.DriverStatus = "devicemapper", [][2]string{{"Base Device Size", "53.69GB"}}
	}), SeverityLow, "53.69GB"},
	"DefaultBase": {"2.11", "It is the engine's own.", info(func(i *system.Info) {
		i.Driver, i.DriverStatus = "devicemapper", [][2]string{{"Base Device Size", "10.74GB"}}
	}), "", ""},
	"NoAuthorisation": {"2.12", "The socket is all or nothing.", info(func(i *system.Info) { i.Plugins.Authorization = nil }), SeverityLow, "everything"},
	"LogsOnTheNode":   {"2.13", "They are gone with it.", info(func(i *system.Info) { i.LoggingDriver = "json-file" }), SeverityLow, "json-file"},
	"EngineLets":      {"2.14", "A new engine tells.", lacking("no-new-privileges"), SeverityMedium, "acquire"},
	"OldEngineLets": {
		"2.14", "An old one does not, and the kernel does.",
		all(lacking("no-new-privileges"), func(in *Input) { in.Engine.APIVersion = "1.41" }, in(ours, func(c *Container) { c.Process.NoNewPrivileges = false })),
		SeverityMedium, "acquire",
	},
	"OldEngineForbids": {
		"2.14", "A container that has not asked for it has it from the engine.",
		all(lacking("no-new-privileges"), func(in *Input) { in.Engine.APIVersion = "1.41" }), "", "",
	},
	"EndsWithTheEngine": {"2.15", "Without a swarm nobody starts it elsewhere.", info(func(i *system.Info) { i.Swarm = swarm.Info{} }), SeverityLow, "end with the engine"},
	"LiveRestore":       {"2.15", "It survives.", info(func(i *system.Info) { i.LiveRestoreEnabled = true }), "", ""},
	"NoSeccomp":         {"2.17", "Nothing is filtered.", lacking("seccomp,profile=builtin"), SeverityHigh, "no system calls"},
	"SeccompUnconfined": {"2.17", "A profile that allows all is none.", info(func(i *system.Info) { i.SecurityOptions = []string{"name=seccomp,profile=unconfined"} }), SeverityHigh, "unconfined"},
	"Experimental":      {"2.18", "Nobody promises anything.", info(func(i *system.Info) { i.ExperimentalBuild = true }), SeverityLow, "experimental"},

	"SwarmForNothing": {
		"5.1", "Ports are open for nobody.", func(in *Input) { in.Workloads, in.Declared, in.DeclaredUnseen = nil, nil, "no API" }, SeverityLow, "nothing runs on it",
	},
	"TwoManagers": {"7.1", "If one is gone, so is the swarm.", cluster(func(s *Swarm) { s.Nodes[1].Spec.Role = swarm.NodeRoleManager }), SeverityLow, "2 managers"},
	"NineManagers": {
		"7.1", "They agree slowly.", cluster(func(s *Swarm) {
			for range 8 {
				s.Nodes = append(s.Nodes, node("n4", swarm.NodeRoleManager, swarm.NodeAvailabilityDrain))
			}
		}), SeverityLow, "9 managers",
	},
	"ListensEverywhere":  {"7.2", "Every network of the node reaches it.", host(func(h *Host) { h.ListenAddresses = []string{"::"} }), SeverityLow, "every address"},
	"PlainNetwork":       {"7.3", "Who is on the wire reads it.", func(in *Input) { in.Networks[1].Encrypted = false }, SeverityMedium, "in the clear"},
	"PlainNetworkOfOurs": {"7.3", "That Dogker makes it so makes it no better.", func(in *Input) { in.Networks[0].Encrypted = false }, SeverityMedium, "in the clear"},
	"Unlocked":           {"7.5", "A stolen disk tells everything.", cluster(func(s *Swarm) { s.Cluster.Spec.EncryptionConfig.AutoLockManagers = false }), SeverityMedium, "disks"},
	"LongCertificates":   {"7.7", "A node that was thrown out comes back.", cluster(func(s *Swarm) { s.Cluster.Spec.CAConfig.NodeCertExpiry = 8760 * time.Hour }), SeverityLow, "365 days"},
	"OldCA":              {"7.8", "It was made when others were here.", func(in *Input) { in.Now = today.AddDate(3, 0, 0) }, SeverityLow, "2026-05-01"},
	"ManagerTakesTasks":  {"H4", "What runs there is next to the keys.", cluster(func(s *Swarm) { s.Nodes[0].Spec.Availability = swarm.NodeAvailabilityActive }), SeverityMedium, "takes tasks"},
}
