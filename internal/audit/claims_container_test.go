package audit

// containerClaims are about services and containers: section 5 of the benchmark, and what belongs to it in others.
var containerClaims = map[string]claim{
	"RootByNumber": {
		"4.1", "Number 0 is root, whatever the group.", spec(foreign, func(c *Container) { c.User = "0:1000" }), SeverityMedium, "runs as 0:1000",
	},
	"RootByName": {
		"4.1", "So is the name.", in(single, func(c *Container) { c.User = "root" }), SeverityMedium, "runs as root",
	},
	"RootBySilence": {
		"4.1", "An image that names no user runs as root; only the container tells.",
		all(spec(foreign, func(c *Container) { c.User = "" }), in(foreign, func(c *Container) { c.User = "" })), SeverityMedium, "(container b1)",
	},
	"RootByMapping": {
		"4.1", "The passwd file of an image may map any name to 0; the kernel knows.",
		all(spec(foreign, func(c *Container) { c.User = "app" }), in(foreign, func(c *Container) { c.User = "app"; c.Process.UID = 0 })),
		SeverityMedium, "app, which its image maps to root",
	},
	"UserOfTheImage": {
		"4.1", "A user that the image names is as good.", spec(foreign, func(c *Container) { c.User = "" }), "", "",
	},

	"NoAppArmorProfile":   {"5.2", "The kernel has AppArmor, and the container has no profile.", in(single, func(c *Container) { c.AppArmorProfile = "" }), SeverityHigh, "no AppArmor profile"},
	"AppArmorUnconfined":  {"5.2", "A profile that confines nothing is none.", in(single, func(c *Container) { c.AppArmorProfile = "unconfined" }), SeverityHigh, "switched off"},
	"AppArmorOffInSpec":   {"5.2", "A service can ask for it since engine 25.", spec(foreign, func(c *Container) { c.SecurityOpt = []string{"apparmor=unconfined"} }), SeverityHigh, "switched off"},
	"NoSELinuxLabel":      {"5.3", "The engine labels, and not this container.", in(single, func(c *Container) { c.SELinuxLabel = "" }), SeverityHigh, "no SELinux label"},
	"SELinuxOffInSpec":    {"5.3", "A service can ask for it.", spec(foreign, func(c *Container) { c.SecurityOpt = []string{"label=disable"} }), SeverityHigh, "switched off"},
	"KeyToTheNode":        {"5.4", "With SYS_ADMIN a container can mount what it likes.", spec(foreign, func(c *Container) { c.CapAdd = []string{"CAP_SYS_ADMIN"} }), SeverityCritical, "SYS_ADMIN"},
	"EveryCapability":     {"5.4", "ALL is all of them, in any case, and wins over ALL.", spec(foreign, func(c *Container) { c.CapAdd = []string{"all"} }), SeverityCritical, "ALL"},
	"MoreThanTheDefault":  {"5.4", "NET_ADMIN is not in the engine's set.", in(single, func(c *Container) { c.CapAdd = []string{"NET_ADMIN"} }), SeverityHigh, "NET_ADMIN"},
	"RawSockets":          {"5.4", "The engine's own set has NET_RAW, and the benchmark has it dropped.", spec(foreign, func(c *Container) { c.CapDrop = nil }), SeverityLow, "NET_RAW is not dropped"},
	"RawSocketsAddedBack": {"5.4", "ALL is dropped first and the rest is added then.", spec(foreign, func(c *Container) { c.CapAdd = []string{"NET_RAW"} }), SeverityLow, "NET_RAW"},
	"OneOfTheDefault":     {"5.4", "What is needed may be added to nothing.", spec(foreign, func(c *Container) { c.CapAdd = []string{"CAP_NET_BIND_SERVICE"} }), "", ""},
	"DefaultWithoutRaw":   {"5.4", "The engine's own set without raw sockets is what the benchmark asks for.", spec(foreign, func(c *Container) { c.CapDrop = []string{"CAP_NET_RAW", "CAP_MKNOD"} }), "", ""},
	"AddedAndDropped":     {"5.4", "What is added wins in the engine.", spec(foreign, func(c *Container) { c.CapAdd, c.CapDrop = []string{"SYS_ADMIN"}, []string{"SYS_ADMIN"} }), SeverityCritical, "SYS_ADMIN"},
	"Privileged":          {"5.5", "It is the node's root.", in(single, func(c *Container) { c.Privileged = true }), SeverityCritical, "privileged"},
	"SeccompOff":          {"5.22", "No call of the system is filtered.", in(single, func(c *Container) { c.SecurityOpt = []string{"seccomp=unconfined"} }), SeverityHigh, "switched off"},
	"SeccompOffInSpec":    {"5.22", "A service can ask for it since engine 25.", spec(foreign, func(c *Container) { c.SecurityOpt = []string{"seccomp=unconfined"} }), SeverityHigh, "switched off"},
	"SeccompOffInKernel":  {"5.22", "The kernel is believed before the configuration.", in(ours, func(c *Container) { c.Process.Seccomp = 0 }), SeverityHigh, "(container a1)"},
	"CustomProfile":       {"5.22", "A profile of one's own is a profile.", in(single, func(c *Container) { c.SecurityOpt = []string{"seccomp=custom"} }), "", ""},
	"NewPrivileges": {
		"5.26", "The kernel says that setuid programs work.", in(ours, func(c *Container) { c.Process.NoNewPrivileges = false }), SeverityMedium, "setuid",
	},
	"NewPrivilegesByEngine": {
		"5.26", "Where the kernel cannot be asked, a new engine tells.",
		all(lacking("no-new-privileges"), in(single, func(c *Container) { c.Process = nil })), SeverityMedium, "neither the container nor the engine",
	},
	"ForbiddenByContainer": {
		"5.26", "The container itself may ask for it.",
		all(lacking("no-new-privileges"), in(single, func(c *Container) { c.Process, c.SecurityOpt = nil, []string{"no-new-privileges"} })), "", "",
	},

	"SSH":             {"5.7", "A way in past everything that watches.", in(single, func(c *Container) { c.Commands = []string{"sh", "sshd"} }), SeverityMedium, "ssh server"},
	"SSHSession":      {"5.7", "OpenSSH names its sessions so.", in(ours, func(c *Container) { c.Commands = []string{"sshd: root"} }), SeverityMedium, "ssh server"},
	"HostNetwork":     {"5.10", "It reaches what listens on the node's loopback.", in(single, func(c *Container) { c.NetworkMode = "host" }), SeverityHigh, "network of the node"},
	"HostNetworkSpec": {"5.10", "A service joins it like any network.", spec(foreign, func(c *Container) { c.Networks = []string{"host"} }), SeverityHigh, "network of the node"},
	"HostPIDs":        {"5.16", "It sees the processes of all tenants.", in(single, func(c *Container) { c.PIDMode = "host" }), SeverityCritical, "processes of the node"},
	"HostIPC":         {"5.17", "It has shared memory with all of them.", in(single, func(c *Container) { c.IPCMode = "host" }), SeverityHigh, "shared memory"},
	"Devices":         {"5.18", "A disk is a way around every file system.", in(single, func(c *Container) { c.Devices = []string{"/dev/sda"} }), SeverityHigh, "/dev/sda"},
	"HostUTS":         {"5.21", "It has the node's name.", in(single, func(c *Container) { c.UTSMode = "host" }), SeverityMedium, "host name"},
	"OtherCgroup":     {"5.25", "It escapes the limits of its own.", in(single, func(c *Container) { c.CgroupParent = "/" }), SeverityLow, "control group /"},
	"Docker0":         {"5.30", "It is with all who name no network.", in(single, func(c *Container) { c.Networks = []string{"bridge"} }), SeverityLow, "default bridge"},
	"Docker0Spec":     {"5.30", "A service can name it.", spec(foreign, func(c *Container) { c.Networks = []string{"bridge"} }), SeverityLow, "default bridge"},
	"HostUsers":       {"5.31", "Its root is the node's, although others' is not.", in(single, func(c *Container) { c.UserNSMode = "host" }), SeverityHigh, "user namespace"},

	"WholeNode":         {"5.6", "Everything is in it.", mounted(Mount{HostPath: "/", Target: "/host"}), SeverityCritical, "whole file system"},
	"WholeNodeUnclean":  {"5.6", "A path has many spellings.", mounted(Mount{HostPath: "/var/../", Target: "/host"}), SeverityCritical, "whole file system"},
	"SystemDirectory":   {"5.6", "Who writes to /etc is root.", mounted(Mount{HostPath: "/etc", Target: "/e"}), SeverityHigh, "/etc of the node is mounted at /e, writable"},
	"InSystemDirectory": {"5.6", "So is who writes to what is in it.", mounted(Mount{HostPath: "/etc/cron.d", Target: "/e"}), SeverityHigh, "/etc/cron.d"},
	"ReadOnlyProc":      {"5.6", "To read is bad enough.", mounted(Mount{HostPath: "/proc", Target: "/p", ReadOnly: true}), SeverityMedium, "read-only"},
	"Template":          {"5.6", "The node expands it after everybody has looked.", mounted(Mount{HostPath: `/tmp/{{".."}}/etc`, Target: "/x"}), SeverityCritical, "a template"},
	"EngineData":        {"5.6", "All containers' files are there.", mounted(Mount{HostPath: "/var/lib/docker/volumes", Target: "/v"}), SeverityHigh, "/var/lib/docker/volumes"},
	"ApplicationData":   {"5.6", "A directory of the application's is nobody's secret.", mounted(Mount{HostPath: "/etcetera", Target: "/etc"}), "", ""},
	"WritableRoot":      {"5.13", "Whether it has to be, its author knows.", spec(foreign, func(c *Container) { c.ReadOnlyRoot = false }), SeverityAdvice, "writable"},
	"SharedMount":       {"5.20", "What it mounts gets to the node.", mounted(Mount{HostPath: "/srv", Target: "/s", Propagation: "rshared"}), SeverityHigh, "below /s"},
	"SlaveMount":        {"5.20", "The other way round is harmless.", mounted(Mount{HostPath: "/srv", Target: "/s", Propagation: "rslave"}), "", ""},
	"Socket":            {"5.32", "Who reaches it is root on every node.", mounted(Mount{HostPath: "/var/run/docker.sock", Target: "/s"}), SeverityCritical, "docker.sock"},
	"SocketElsewhere":   {"5.32", "It is where the engine was told to have it.", mounted(Mount{HostPath: "/opt/engine/docker.sock", Target: "/s", ReadOnly: true}), SeverityCritical, "/opt/engine/docker.sock"},
	"SocketRenamed":     {"5.32", "What is mounted there is one.", mounted(Mount{HostPath: "/opt/engine.api", Target: "/var/run/docker.sock"}), SeverityCritical, "docker.sock"},
	"SocketByDirectory": {"5.32", "The directory has it, too.", mounted(Mount{HostPath: "/run", Target: "/r"}), SeverityCritical, "where sockets of engines are"},
	"Containerd":        {"5.32", "What is below the engine obeys as well.", mounted(Mount{HostPath: "/run/containerd/containerd.sock", Target: "/s"}), SeverityCritical, "containerd.sock"},

	"LowPort":         {"5.8", "Others trust who answers there.", spec(foreign, func(c *Container) { c.Ports[0].Published = 443 }), SeverityMedium, "port 443/tcp"},
	"AllPorts":        {"5.9", "The image decides what is open.", in(single, func(c *Container) { c.PublishAll = true }), SeverityMedium, "every port"},
	"ChosenPort":      {"5.9", "Nobody has asked for this one.", spec(foreign, func(c *Container) { c.Ports[0].Published = 0 }), SeverityLow, "its port 8080/tcp"},
	"EveryInterface":  {"5.14", "Every network of the node reaches it.", spec(foreign, func(c *Container) { c.Ports[0].Address = "" }), SeverityLow, "port 8080/tcp"},
	"EveryInterface6": {"5.14", "In both families.", in(single, func(c *Container) { c.Ports[0].Address = "::" }), SeverityLow, "port 8080/tcp"},

	"NoMemoryLimit":   {"5.11", "It can take what others need.", spec(foreign, func(c *Container) { c.MemoryBytes = 0 }), SeverityMedium, "memory"},
	"NoCPULimit":      {"5.12", "It can take what others need.", spec(foreign, func(c *Container) { c.NanoCPUs = 0 }), SeverityMedium, "CPU"},
	"CPUShares":       {"5.12", "A share is a priority, which the benchmark asks for.", in(single, func(c *Container) { c.NanoCPUs, c.CPUShares = 0, 512 }), "", ""},
	"NoProcessLimit":  {"5.29", "A fork bomb takes the node.", spec(foreign, func(c *Container) { c.PIDs = 0 }), SeverityMedium, "processes"},
	"MinusOne":        {"5.29", "The engine takes -1 for no limit.", in(single, func(c *Container) { c.PIDs = -1 }), SeverityMedium, "processes"},
	"RestartsAtOnce":  {"5.15", "Swarm would start it as fast as it fails.", spec(foreign, func(c *Container) { c.Restart.Delay = 0 }), SeverityLow, "without end, 0s"},
	"RestartsFive":    {"5.15", "Five tries are what the benchmark has.", spec(foreign, func(c *Container) { c.Restart = Restart{"on-failure", 5, 0} }), "", ""},
	"RestartsAlways":  {"5.15", "The engine starts it for ever.", in(single, func(c *Container) { c.Restart.Condition = "unless-stopped" }), SeverityLow, "unless-stopped"},
	"RestartsTooMany": {"5.15", "Ten are more than five.", in(single, func(c *Container) { c.Restart = Restart{Condition: "on-failure", MaxAttempts: 10} }), SeverityLow, "more than 5"},
	"Unlimited":       {"5.19", "No limit is more than anybody needs.", spec(foreign, func(c *Container) { c.Ulimits = []Ulimit{{"nproc", -1, -1}} }), SeverityLow, "nproc -1"},
	"ManyFiles":       {"5.19", "So are two million files.", spec(foreign, func(c *Container) { c.Ulimits = []Ulimit{{"nofile", 1, 2 << 20}} }), SeverityLow, "nofile"},

	"NobodyAsks": {
		"5.27", "Neither container nor image has a health check.",
		all(spec(ours, func(c *Container) { c.Health = HealthUnknown }), in(ours, func(c *Container) { c.Health = HealthNone })), SeverityAdvice, "nobody asks",
	},
	"SwitchedOff": {"5.27", "The image has one, and it is not used.", spec(ours, func(c *Container) { c.Health = HealthDisabled }), SeverityAdvice, "switched off"},
	"CheckedByImage": {
		"5.27", "The image's is one.", spec(ours, func(c *Container) { c.Health = HealthUnknown }), "", "",
	},
	"Latest":     {"5.28", "It is another image tomorrow.", spec(foreign, func(c *Container) { c.Image = "registry.example:5000/shop:latest" }), SeverityLow, "without a version"},
	"NoTag":      {"5.28", "That is latest, too; the port is no tag.", spec(foreign, func(c *Container) { c.Image = "registry.example:5000/shop" }), SeverityLow, "without a version"},
	"Digest":     {"5.28", "Nothing is more exact.", spec(foreign, func(c *Container) { c.Image = "shop@sha256:0f" }), "", ""},
	"LocalImage": {"5.28", "An id is a digest.", spec(foreign, func(c *Container) { c.Image = "sha256:0f" }), "", ""},
	"SecretName": {"7.4", "Everybody who may inspect the service reads it.", spec(foreign, func(c *Container) { c.EnvNames = []string{"PORT", "db_password", "API_TOKEN"} }), SeverityLow, "API_TOKEN, db_password"},
}

// mounted is a mount of somebody else's service.
func mounted(m Mount) func(*Input) {
	return spec(foreign, func(c *Container) { c.Mounts = append(c.Mounts, m) })
}
