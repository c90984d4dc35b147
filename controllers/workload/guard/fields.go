package guard

import (
	"reflect"
	"time"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// rule says what is wrong with a value, or nothing.
type rule func(c *check, v reflect.Value) string

// keyRule says what is wrong with a member of a map, or nothing.
type keyRule func(c *check, key, value string) string

const (
	task          = "TaskTemplate."
	containerSpec = task + "ContainerSpec."
)

// rules are the fields that may be set, and to what. What is missing is forbidden; among others, and on purpose: TTY,
// OpenStdin, Groups, Privileges but for having fewer, DNSConfig, Isolation, OomScoreAdj, StartInterval, every kind of mount but
// tmpfs and volumes of the owner's, their subpaths, configs as runtime targets, generic resources, the deprecated Networks,
// plugins, attachments, jobs.
var rules = map[string]rule{
	"Name": isServiceName,

	"Mode.Replicated.Replicas": between(0, 10_000),
	"Mode.Global":              anything,

	task + "Runtime":     oneOf(string(swarm.RuntimeContainer)),
	task + "ForceUpdate": anything,

	containerSpec + "Image":      isImage,
	containerSpec + "Command[]":  anything,
	containerSpec + "Args[]":     anything, // Bounded as a whole in isSmall.,
	containerSpec + "Env[]":      isVariable,
	containerSpec + "Dir":        isCleanPath,
	containerSpec + "User":       matches(`^[0-9]{1,10}(:[0-9]{1,10})?$`),
	containerSpec + "Hostname":   isDNSLabel,
	containerSpec + "Hosts[]":    isHostsLine,
	containerSpec + "Init":       anything,
	containerSpec + "ReadOnly":   anything,
	containerSpec + "StopSignal": oneOf("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"),

	containerSpec + "StopGracePeriod": lasts(0, time.Minute),

	containerSpec + "Privileges.NoNewPrivileges": anything,

	containerSpec + "CapabilityAdd[]":  oneOf(addable...),
	containerSpec + "CapabilityDrop[]": oneOf(append([]string{"ALL", "CAP_NET_RAW"}, addable...)...),

	containerSpec + "Healthcheck.Test[]":      atMost(16 << 10),
	containerSpec + "Healthcheck.Interval":    lasts(time.Second, time.Hour),
	containerSpec + "Healthcheck.Timeout":     lasts(time.Second, time.Minute),
	containerSpec + "Healthcheck.StartPeriod": lasts(0, time.Hour),
	containerSpec + "Healthcheck.Retries":     between(1, 100),

	containerSpec + "Mounts[].Type":                            oneOf(string(mount.TypeTmpfs), string(mount.TypeVolume)),
	containerSpec + "Mounts[].Source":                          isOwnVolume,
	containerSpec + "Mounts[].Target":                          isCleanPath,
	containerSpec + "Mounts[].ReadOnly":                        anything,
	containerSpec + "Mounts[].TmpfsOptions.SizeBytes":          between(4<<10, 64<<30),
	containerSpec + "Mounts[].TmpfsOptions.Mode":               between(1, 0o1777),
	containerSpec + "Mounts[].VolumeOptions.DriverConfig.Name": matches(`^[a-zA-Z0-9][a-zA-Z0-9_.:/-]{0,127}$`), // And against the facts in hasOwnVolumes.

	containerSpec + "Ulimits[].Name": oneOf("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nofile", "nproc",
		"rss", "sigpending", "stack"),
	containerSpec + "Ulimits[].Soft": between(0, 1<<40),
	containerSpec + "Ulimits[].Hard": between(0, 1<<40),

	containerSpec + "Secrets[].SecretID":   anything, // Held against the name in ownContent.
	containerSpec + "Secrets[].SecretName": anything,
	containerSpec + "Secrets[].File.Name":  isCleanPath,
	containerSpec + "Secrets[].File.UID":   matches(`^[0-9]{1,10}$`),
	containerSpec + "Secrets[].File.GID":   matches(`^[0-9]{1,10}$`),
	containerSpec + "Secrets[].File.Mode":  between(0, 0o777),
	containerSpec + "Configs[].ConfigID":   anything,
	containerSpec + "Configs[].ConfigName": anything,
	containerSpec + "Configs[].File.Name":  isCleanPath,
	containerSpec + "Configs[].File.UID":   matches(`^[0-9]{1,10}$`),
	containerSpec + "Configs[].File.GID":   matches(`^[0-9]{1,10}$`),
	containerSpec + "Configs[].File.Mode":  between(0, 0o777),

	task + "Resources.Limits.NanoCPUs":          between(1e7, 1000e9),
	task + "Resources.Limits.MemoryBytes":       between(4<<20, 64<<40),
	task + "Resources.Limits.Pids":              between(1, 4<<20),
	task + "Resources.Reservations.NanoCPUs":    between(1e6, 1000e9),
	task + "Resources.Reservations.MemoryBytes": between(4<<20, 64<<40),

	task + "RestartPolicy.Condition":   oneOf("none", "on-failure", "any"),
	task + "RestartPolicy.Delay":       lasts(time.Second, time.Hour),
	task + "RestartPolicy.MaxAttempts": between(0, 1000),
	task + "RestartPolicy.Window":      lasts(0, 24*time.Hour),

	task + "Placement.Constraints[]":                         matches(`^(node|engine)\.[A-Za-z0-9._-]{1,250}\s*(==|!=)\s*[A-Za-z0-9:._/-]+$`),
	task + "Placement.Preferences[].Spread.SpreadDescriptor": matches(`^(node|engine)\.labels\.[A-Za-z0-9._/-]{1,240}$`),
	task + "Placement.MaxReplicas":                           between(1, 10_000),
	task + "Placement.Platforms[].OS":                        matches(`^[a-z0-9]{1,32}$`),
	task + "Placement.Platforms[].Architecture":              matches(`^[a-z0-9_]{1,32}$`),

	task + "Networks[].Target":    isOwnNetwork,
	task + "Networks[].Aliases[]": isDNSLabel,

	task + "LogDriver.Name": oneOf("json-file", "local", "none"),

	"UpdateConfig.Parallelism":     between(0, 10_000),
	"UpdateConfig.Delay":           lasts(0, 10*time.Minute),
	"UpdateConfig.FailureAction":   oneOf("rollback", "pause", "continue"),
	"UpdateConfig.Monitor":         lasts(time.Second, time.Hour),
	"UpdateConfig.MaxFailureRatio": isRatio,
	"UpdateConfig.Order":           oneOf("start-first", "stop-first"),

	"RollbackConfig.Parallelism":     between(0, 10_000),
	"RollbackConfig.Delay":           lasts(0, 10*time.Minute),
	"RollbackConfig.FailureAction":   oneOf("pause", "continue"),
	"RollbackConfig.Monitor":         lasts(time.Second, time.Hour),
	"RollbackConfig.MaxFailureRatio": isRatio,
	"RollbackConfig.Order":           oneOf("start-first", "stop-first"),

	"EndpointSpec.Mode":                  oneOf("vip", "dnsrr"),
	"EndpointSpec.Ports[].Protocol":      oneOf("tcp", "udp", "sctp"),
	"EndpointSpec.Ports[].TargetPort":    between(1, 65_535),
	"EndpointSpec.Ports[].PublishedPort": between(1, 65_535),
	"EndpointSpec.Ports[].PublishMode":   oneOf("host", "ingress"),
}

// keyRules are the same for maps.
var keyRules = map[string]keyRule{
	"Labels{}":                   isServiceLabel,
	containerSpec + "Labels{}":   isContainerLabel,
	containerSpec + "Sysctls{}":  isSysctl,
	task + "LogDriver.Options{}": isLogOption,

	// As the whole mounts are, in hasOwnVolumes.
	containerSpec + "Mounts[].VolumeOptions.Labels{}":               anyMember,
	containerSpec + "Mounts[].VolumeOptions.DriverConfig.Options{}": anyMember,
}

// addable are the capabilities of Kubernetes' baseline profile, in the engine's spelling.
var addable = []string{
	"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
	"CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
}
