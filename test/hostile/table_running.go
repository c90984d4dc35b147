package hostile

import (
	"fmt"
	"strings"
)

var running = []Spec{
	{"CPUBeyondPlan", Restricted, "R1", "spec.resources.limits.cpu", `{resources: {limits: {cpu: "3"}}}`},
	{"MemoryBeyondPlan", Baseline, "R1", "spec.resources.limits.memory", `{resources: {limits: {memory: 4Gi}}}`},
	{"PidsBeyondPlan", Restricted, "R1", "spec.resources.limits.pids", `{resources: {limits: {pids: 4194304}}}`},
	{"RequestBeyondPlan", Baseline, "R1", "spec.resources.requests.memory", `{resources: {requests: {memory: 3Gi}, limits: {memory: 3Gi}}}`},
	{"RequestCPUBeyondPlan", Restricted, "R1", "spec.resources.requests.cpu", `{resources: {requests: {cpu: "1000"}}}`},
	{"CPUByAHair", Baseline, "R1", "spec.resources.limits.cpu", `{resources: {limits: {cpu: 2001m}}}`},
	{"ReplicasBeyondPlan", Restricted, "Q1", "spec.replicas", `{replicas: 11}`},
	{"ReplicasBeyondProfile", Baseline, "Q1", "spec.replicas", `{replicas: 101}`},
	{"ReplicasMost", Restricted, "Q1", "spec.replicas", `{replicas: 10000}`},
	{"RestartStorm", Restricted, "R2", "spec.restartPolicy.delaySeconds", `{restartPolicy: {delaySeconds: 1}}`},
	{"RestartStormBaseline", Baseline, "R2", "spec.restartPolicy.delaySeconds", `{restartPolicy: {delaySeconds: 4}}`},
	{"CheckStorm", Restricted, "R3", "spec.healthCheck.periodSeconds", `{healthCheck: {tcpSocket: {port: 80}, periodSeconds: 1}}`},
	{"CheckHangs", Baseline, "R3", "spec.healthCheck.timeoutSeconds", `{healthCheck: {tcpSocket: {port: 80}, timeoutSeconds: 60}}`},
	{"CheckNeverFails", Restricted, "R3", "spec.healthCheck.failureThreshold", `{healthCheck: {tcpSocket: {port: 80}, failureThreshold: 100}}`},
	{"AllAtOnce", Restricted, "R4", "spec.rollout.parallelism", `{rollout: {parallelism: 0}}`},
	{"SurgeBeyondQuarter", Baseline, "R4", "spec.rollout.parallelism", `{replicas: 8, rollout: {parallelism: 8}}`},
	{"SurgeOfOne", Restricted, "R4", "spec.rollout.parallelism", `{replicas: 1, rollout: {parallelism: 10000}}`},
	{"SurgeSaidSo", Baseline, "R4", "spec.rollout.parallelism", `{replicas: 4, rollout: {parallelism: 2, order: StartFirst}}`},
	{"LongGoodbye", Restricted, "R5", "spec.terminationGracePeriodSeconds", `{terminationGracePeriodSeconds: 60}`},
	{"EnvSum", Restricted, "Q2", "spec.env", `{env: [{name: A, value: ` + strings.Repeat("a", 30000) + `}, {name: B, value: ` + strings.Repeat("b", 30000) + `}, {name: C, value: ` + strings.Repeat("c", 30000) + `}]}`},
	{"ArgsSum", Baseline, "Q2", "spec.args", `{args: [` + strings.Repeat("a", 30000) + `, ` + strings.Repeat("b", 30000) + `, ` + strings.Repeat("c", 30000) + `]}`},
}

// schema is what is refused everywhere; the list of section 7 of the design of security, as far as it can be written
// into a TenantContainer.
var schema = []Spec{
	{"BindRoot", Restricted, Schema, "spec.mounts", `{mounts: [{type: bind, source: /, target: /host}]}`},
	{"BindSocket", Baseline, Schema, "spec.volumes[0].hostPath", `{volumes: [{hostPath: {path: /var/run/docker.sock}}]}`},
	{"Privileged", Restricted, Schema, "spec.privileged", `{privileged: true}`},
	{"PrivilegedSecurity", Baseline, Schema, "spec.security.privileged", `{security: {privileged: true}}`},
	{"HostNetwork", Restricted, Schema, "spec.hostNetwork", `{hostNetwork: true}`},
	{"Networks", Baseline, Schema, "spec.networks", `{networks: [host]}`},
	{"HostPID", Restricted, Schema, "spec.hostPID", `{hostPID: true}`},
	{"Seccomp", Baseline, Schema, "spec.security.seccompProfile", `{security: {seccompProfile: {type: Unconfined}}}`},
	{"AppArmor", Restricted, Schema, "spec.security.appArmorProfile", `{security: {appArmorProfile: {type: Unconfined}}}`},
	{"Devices", Baseline, Schema, "spec.devices", `{devices: [/dev/kvm]}`},
	{"Runtime", Restricted, Schema, "spec.runtime", `{runtime: plugin}`},
	{"Groups", Baseline, Schema, "spec.security.supplementalGroups", `{security: {supplementalGroups: [0, 998]}}`},
	{"SysAdmin", Baseline, Schema, "spec.security.capabilities.add[0]", `{security: {capabilities: {add: [SYS_ADMIN]}}}`},
	{"NetRaw", Baseline, Schema, "spec.security.capabilities.add[0]", `{security: {capabilities: {add: [NET_RAW]}}}`},
	{"AllCapabilities", Restricted, Schema, "spec.security.capabilities.add[0]", `{security: {capabilities: {add: [ALL]}}}`},
	{"CapabilityLowerCase", Baseline, Schema, "spec.security.capabilities.add[0]", `{security: {capabilities: {add: [sys_admin]}}}`},
	{"UserName", Restricted, Schema, "spec.security.runAsUser", `{security: {runAsUser: app}}`},
	{"UserNegative", Baseline, Schema, "spec.security.runAsUser", `{security: {runAsUser: -1}}`},
	{"UserWraps", Restricted, Schema, "spec.security.runAsUser", `{security: {runAsUser: 4294967296}}`},
	{"GroupAlone", Restricted, Schema, "spec.security", `{security: {runAsGroup: 1000}}`},
	{"CorePattern", Baseline, Schema, "spec.sysctls", `{sysctls: {kernel.core_pattern: "|/bin/sh"}}`},
	{"IPForward", Baseline, Schema, "spec.sysctls", `{sysctls: {net.ipv4.ip_forward: "1"}}`},
	{"TmpfsProc", Baseline, Schema, "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /proc, size: 1Mi}]}`},
	{"TmpfsDotDot", Restricted, Schema, "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /run/secrets/../../etc, size: 1Mi}]}`},
	{"TmpfsTebibyte", Baseline, Schema, "spec.tmpfs[0].size", `{tmpfs: [{mountPath: /a, size: 1Ti}]}`},
	{"FileDotDot", Restricted, Schema, "spec.files[0].path", `{files: [{path: /a/../etc/passwd, configMapKeyRef: {name: a, key: b}}]}`},
	{"FileSetUID", Baseline, Schema, "spec.files[0].mode", `{files: [{path: /a, mode: 2559, configMapKeyRef: {name: a, key: b}}]}`},
	{"WorkingDirProc", Restricted, Schema, "spec.workingDir", `{workingDir: /proc/self/fd/7}`},
	{"TemplateEnv", Restricted, Schema, "spec.env[0].value", `{env: [{name: A, value: "{{.Node.Hostname}}"}]}`},
	{"TemplateBomb", Baseline, Schema, "spec.env[0].value", `{env: [{name: A, value: "` + bomb(24) + `"}]}`},
	{"TemplateHostname", Restricted, Schema, "spec.hostname", `{hostname: "{{.Node.Hostname}}"}`},
	{"TemplateLabel", Baseline, Schema, "spec.labels[a]", `{labels: {a: "{{.Service.ID}}"}}`},
	{"TemplateCommand", Restricted, Schema, "spec.command[0]", `{command: ["{{env}}"]}`},
	{"TemplateCheck", Baseline, Schema, "spec.healthCheck.exec.command[0]", `{healthCheck: {exec: {command: ["{{env}}"]}}}`},
	{"EnvNameEquals", Restricted, Schema, "spec.env[0].name", `{env: [{name: "A=B", value: c}]}`},
	{"EnvNameNewline", Baseline, Schema, "spec.env[0].name", `{env: [{name: "A\nB", value: c}]}`},
	{"EnvNUL", Restricted, Schema, "spec.env[0].value", `{env: [{name: A, value: "a\0b"}]}`},
	{"ImageID", Restricted, Schema, "spec.image", `{image: "sha256:` + strings.Repeat("a", 64) + `"}`},
	{"ImageUserinfo", Baseline, Schema, "spec.image", `{image: "user:pw@registry.example/x"}`},
	{"LogSyslog", Restricted, Schema, "spec.logging.driver", `{logging: {driver: syslog}}`},
	{"LogSplunk", Baseline, Schema, "spec.logging.options", `{logging: {driver: json-file, options: {splunk-url: "http://10.0.0.1"}}}`},
	{"LogTerabyte", Baseline, Schema, "spec.logging.maxSize", `{logging: {driver: json-file, maxSize: 1000G}}`},
	{"GraceYear", Restricted, Schema, "spec.terminationGracePeriodSeconds", `{terminationGracePeriodSeconds: 31536000}`},
	{"GraceNegative", Baseline, Schema, "spec.terminationGracePeriodSeconds", `{terminationGracePeriodSeconds: -5}`},
	{"StopSignal", Restricted, Schema, "spec.stopSignal", `{stopSignal: SIGWINCH}`},
	{"PortZero", Baseline, Schema, "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Ingress, port: 0}}]}`},
	{"PortTooHigh", Baseline, Schema, "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Ingress, port: 65536}}]}`},
	{"CheckOtherHost", Restricted, Schema, "spec.healthCheck.httpGet.host", `{healthCheck: {httpGet: {port: 80, host: 169.254.169.254}}}`},
	{"SecretByID", Baseline, Schema, "spec.files[0].secretKeyRef.id", `{files: [{path: /a, secretKeyRef: {id: x, name: a, key: b}}]}`},
	{"SecretOfOther", Restricted, Schema, "spec.env[0].valueFrom.secretKeyRef.namespace", `{env: [{name: A, valueFrom: {secretKeyRef: {namespace: tenant-b, name: a, key: b}}}]}`},
	{"AliasWithUnderscore", Baseline, Schema, "spec.dnsAliases[0]", `{dnsAliases: [tenantb_db]}`},
	{"ConstraintRegexp", Restricted, Schema, "spec.placement.constraints[0]", `{placement: {constraints: ["node.role=~man.*"]}}`},
	{"StackLabel", Restricted, Schema, "spec.labels", `{labels: {com.docker.stack.namespace: tenantb}}`},
	{"OwnerLabel", Baseline, Schema, "spec.labels", `{labels: {io.dogker.uid: forged}}`},
	{"CPUNegative", Baseline, Schema, "spec.resources.limits.cpu", `{resources: {limits: {cpu: "-1"}}}`},
	{"MemoryTooSmall", Restricted, Schema, "spec.resources.limits.memory", `{resources: {limits: {memory: 1Mi}}}`},
	{"ReplicasNegative", Restricted, Schema, "spec.replicas", `{replicas: -1}`},
}

// bomb is a template that doubles with each level.
func bomb(levels int) string {
	var out strings.Builder
	for i := range levels {
		fmt.Fprintf(&out, `{{define \"a%d\"}}{{template \"a%d\"}}{{template \"a%d\"}}{{end}}`, i, i+1, i+1)
	}

	return out.String() + `{{template \"a0\"}}`
}

// Good are specs that must be accepted, by world.
func Good() map[string][]string {
	return map[string][]string{
		Restricted: {
			`{}`,
			`{replicas: 10, ports: [{name: http, containerPort: 8080}]}`,
			`{security: {runAsUser: 101}}`,
			`{security: {runAsUser: 101, runAsGroup: 102, readOnlyRootFilesystem: true, capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}}}`,
			`{security: {capabilities: {add: [NET_BIND_SERVICE]}}}`,
			`{tmpfs: [{mountPath: /tmp, size: 64Mi}, {mountPath: /run/nginx, size: 0.5Mi}], resources: {limits: {memory: 512Mi}}}`,
			`{resources: {limits: {cpu: 20m, memory: 32Mi}}}`,
			`{resources: {requests: {cpu: "1", memory: 1Gi}}}`,
			`{files: [{path: /etc/nginx/nginx.conf, configMapKeyRef: {name: a, key: b}}, {path: /app/start, mode: 365, configMapKeyRef: {name: a, key: b}}]}`,
			`{placement: {constraints: [node.role == worker, node.labels.zone == a, node.labels.public.disk == ssd, node.platform.arch == amd64], spread: [node.labels.zone]}}`,
			`{logging: {driver: json-file}}`,
			`{logging: {driver: local, maxSize: 100Mi, maxFiles: 10}}`,
			`{labels: {team: shop, app.example/part: web}}`,
			`{replicas: 8, rollout: {parallelism: 2, order: StartFirst}}`,
			`{replicas: 8, rollout: {parallelism: 8, order: StopFirst}}`,
			`{healthCheck: {httpGet: {port: 8080}, periodSeconds: 5, timeoutSeconds: 30}}`,
			`{image: "registry.example:443/shop:1"}`,
			`{image: nginx, imagePullPolicy: Always}`,
			`{env: [{name: A, value: b}, {name: PASSWORD, valueFrom: {secretKeyRef: {name: a, key: b}}}]}`,
		},
		Baseline: {
			`{}`,
			`{security: {runAsUser: 0}}`,
			`{security: {capabilities: {add: [CHOWN, SETUID, SETGID, MKNOD]}}}`,
			`{sysctls: {net.ipv4.ip_unprivileged_port_start: "0"}}`,
			`{ulimits: [{name: nofile, soft: 1024, hard: 65536}]}`,
			`{placement: {constraints: [node.labels.disk == ssd], spread: [node.labels.rack]}}`,
			`{ports: [{containerPort: 80, publish: {mode: Ingress, port: 30100}}]}`,
			`{terminationGracePeriodSeconds: 60}`,
			`{tmpfs: [{mountPath: /tmp, size: 256Mi}]}`,
		},
		Ranged: {
			`{ports: [{containerPort: 80, publish: {mode: Ingress, port: 20000}}]}`,
			`{ports: [{containerPort: 80, publish: {mode: Host, port: 20009}}]}`,
		},
		Picky: {
			`{image: "registry.example/team/x` + digest + `"}`,
			`{image: "registry.example/team/deep/er/x:1` + digest + `"}`,
			`{image: "127.0.0.1:5000/anything` + digest + `"}`,
			`{image: "nginx` + digest + `"}`,
			`{image: "index.docker.io/library/nginx` + digest + `"}`,
		},
		Tagged: {
			`{image: "registry.example/x:1"}`,
			`{image: "registry.example/x:latest` + digest + `"}`,
		},
	}
}
