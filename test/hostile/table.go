package hostile

import (
	"fmt"
	"strings"
)

// Schema is the Rule of what nobody may, tenant or not: the schema refuses it, and its messages name no rule.
const Schema = "schema"

// Spec is one hostile spec.
type Spec struct {
	// Name of the case.
	Name string
	// World it is applied in.
	World string
	// Rule that it breaks, which the refusal names, or Schema.
	Rule string
	// Field that the refusal must name.
	Field string
	// YAML holds the fields of spec, one mapping. Without an image it gets a good one.
	YAML string
}

// Body is the TenantContainer in YAML.
func Body(spec string) string {
	if !strings.Contains(spec, "image:") {
		spec = strings.Replace(spec, "{", "{image: registry.example/shop:1, ", 1)
	}

	return "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\nspec: " + spec + "\n"
}

// Specs is the whole table.
func Specs() []Spec {
	var all []Spec
	for _, part := range [][]Spec{process, storage, images, reach, running, schema} {
		all = append(all, part...)
	}

	return all
}

const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var process = []Spec{
	{"AddChown", Restricted, "C1", "spec.security.capabilities.add[0]", `{security: {capabilities: {add: [CHOWN], drop: [ALL]}}}`},
	{"AddSetUID", Restricted, "C1", "spec.security.capabilities.add[1]", `{security: {capabilities: {add: [NET_BIND_SERVICE, SETUID], drop: [ALL]}}}`},
	{"AddMknod", Restricted, "C1", "spec.security.capabilities.add[0]", `{security: {capabilities: {add: [MKNOD]}}}`},
	{"AddChroot", Restricted, "C1", "spec.security.capabilities.add[0]", `{security: {capabilities: {add: [SYS_CHROOT]}}}`},
	{"AddDacOverride", Restricted, "C1", "spec.security.capabilities.add[0]", `{security: {capabilities: {add: [DAC_OVERRIDE]}}}`},
	{"DropSome", Restricted, "C1", "spec.security.capabilities.drop", `{security: {capabilities: {drop: [NET_RAW]}}}`},
	{"DropNone", Restricted, "C1", "spec.security.capabilities.drop", `{security: {capabilities: {drop: []}}}`},
	{"KeepRawSockets", Baseline, "C1", "spec.security.capabilities.drop", `{security: {capabilities: {drop: [KILL]}}}`},
	{"KeepAll", Baseline, "C1", "spec.security.capabilities.drop", `{security: {capabilities: {drop: []}}}`},
	{"Sysctl", Restricted, "C3", "spec.sysctls[net.ipv4.ip_unprivileged_port_start]", `{sysctls: {net.ipv4.ip_unprivileged_port_start: "0"}}`},
	{"SysctlBuffers", Restricted, "C3", "spec.sysctls[net.ipv4.tcp_rmem]", `{sysctls: {net.ipv4.tcp_rmem: "4096 131072 999999999"}}`},
	{"Ulimit", Restricted, "C4", "spec.ulimits[0]", `{ulimits: [{name: nofile, soft: 1024, hard: 1024}]}`},
	{"UlimitProcesses", Baseline, "C4", "spec.ulimits[0].name", `{ulimits: [{name: nproc, soft: 1000000, hard: 1000000}]}`},
	{"UlimitMemlock", Baseline, "C4", "spec.ulimits[0].name", `{ulimits: [{name: memlock, soft: 1099511627776, hard: 1099511627776}]}`},
	{"UlimitFiles", Baseline, "C4", "spec.ulimits[0].hard", `{ulimits: [{name: nofile, soft: 1024, hard: 1048576}]}`},
	{"UlimitCore", Baseline, "C4", "spec.ulimits[0].name", `{ulimits: [{name: core, soft: 0, hard: 1099511627776}]}`},
	{"Root", Restricted, "U1", "spec.security.runAsUser", `{security: {runAsUser: 0, runAsGroup: 1000}}`},
	{"RootGroup", Restricted, "U1", "spec.security.runAsGroup", `{security: {runAsUser: 1000, runAsGroup: 0}}`},
	{"RootBoth", Restricted, "U1", "spec.security.runAsGroup", `{security: {runAsUser: 0, runAsGroup: 0}}`},
	{"RootByDefault", Restricted, "U1", "spec.security.runAsUser", `{security: {runAsUser: 0}}`},
}

var storage = []Spec{
	{"TmpfsOverEtc", Restricted, "M4", "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /etc, size: 1Mi}]}`},
	{"TmpfsOverUsr", Baseline, "M4", "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /usr, size: 1Mi}]}`},
	{"TmpfsOverBin", Baseline, "M4", "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /bin, size: 1Mi}]}`},
	{"TmpfsOverRun", Restricted, "M4", "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /run, size: 1Mi}]}`},
	{"TmpfsOverSecrets", Restricted, "M4", "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /run/secrets, size: 1Mi}]}`},
	{"TmpfsInSecrets", Baseline, "M4", "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /run/secrets/inner, size: 1Mi}]}`},
	{"TmpfsAtSocket", Restricted, "M4", "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /var/run/docker.sock, size: 1Mi}]}`},
	{"TmpfsAtEngine", Baseline, "M4", "spec.tmpfs[0].mountPath", `{tmpfs: [{mountPath: /var/lib/docker, size: 1Mi}]}`},
	{"VolumeOverEtc", Restricted, "M4", "spec.volumes[0].mountPath", `{volumes: [{name: data, mountPath: /etc}]}`},
	{"VolumeOverUsr", Baseline, "M4", "spec.volumes[0].mountPath", `{volumes: [{name: data, mountPath: /usr}]}`},
	{"VolumeOverPasswd", Baseline, "M4", "spec.volumes[0].mountPath", `{volumes: [{name: data, mountPath: /etc/passwd}]}`},
	{"VolumeInSecrets", Restricted, "M4", "spec.volumes[1].mountPath", `{volumes: [{name: data, mountPath: /data}, {name: data, mountPath: /run/secrets/x}]}`},
	{"VolumeAtSocket", Baseline, "M4", "spec.volumes[0].mountPath", `{volumes: [{name: data, mountPath: /var/run/docker.sock}]}`},
	{"TmpfsOfAllMemory", Restricted, "M5", "spec.tmpfs[0].size", `{tmpfs: [{mountPath: /cache, size: 256Mi}]}`},
	{"TmpfsHuge", Baseline, "M5", "spec.tmpfs[0].size", `{tmpfs: [{mountPath: /cache, size: 64Gi}]}`},
	{"TmpfsInSum", Restricted, "M5", "spec.tmpfs[1].size", `{tmpfs: [{mountPath: /a, size: 40Mi}, {mountPath: /b, size: 40Mi}]}`},
	{"TmpfsInSumBaseline", Baseline, "M5", "spec.tmpfs[1].size", `{tmpfs: [{mountPath: /a, size: 200Mi}, {mountPath: /b, size: 200Mi}]}`},
	{"FilePasswd", Restricted, "S2", "spec.files[0].path", `{files: [{path: /etc/passwd, configMapKeyRef: {name: a, key: b}}]}`},
	{"FileShadow", Baseline, "S2", "spec.files[0].path", `{files: [{path: /etc/shadow, secretKeyRef: {name: a, key: b}}]}`},
	{"FileSudoers", Baseline, "S2", "spec.files[0].path", `{files: [{path: /etc/sudoers.d/all, configMapKeyRef: {name: a, key: b}}]}`},
	{"FilePreload", Restricted, "S2", "spec.files[0].path", `{files: [{path: /etc/ld.so.preload, configMapKeyRef: {name: a, key: b}}]}`},
	{"FileResolvConf", Restricted, "S2", "spec.files[0].path", `{files: [{path: /etc/resolv.conf, configMapKeyRef: {name: a, key: b}}]}`},
	{"FileHosts", Baseline, "S2", "spec.files[0].path", `{files: [{path: /etc/hosts, configMapKeyRef: {name: a, key: b}}]}`},
	{"FileInSecrets", Restricted, "S2", "spec.files[0].path", `{files: [{path: /run/secrets/other, configMapKeyRef: {name: a, key: b}}]}`},
	{"FileOverSecrets", Restricted, "S2", "spec.files[0].path", `{files: [{path: /run/secrets, secretKeyRef: {name: a, key: b}}]}`},
	{"FileWhereTokensAre", Baseline, "S2", "spec.files[0].path", `{files: [{path: /var/run/secrets/kubernetes.io/serviceaccount/token, secretKeyRef: {name: a, key: b}}]}`},
	{"FileEngine", Baseline, "S2", "spec.files[0].path", `{files: [{path: /etc/docker/daemon.json, configMapKeyRef: {name: a, key: b}}]}`},
	{"FileWorldWritable", Restricted, "S2", "spec.files[0].mode", `{files: [{path: /app/a, mode: 438, configMapKeyRef: {name: a, key: b}}]}`},
	{"FileGroupWritable", Baseline, "S2", "spec.files[0].mode", `{files: [{path: /app/a, mode: 432, configMapKeyRef: {name: a, key: b}}]}`},
	{"NoLogs", Restricted, "L1", "spec.logging.driver", `{logging: {driver: none}}`},
	{"NoLogsBaseline", Baseline, "L1", "spec.logging.driver", `{logging: {driver: none}}`},
	{"LogsFillDisk", Restricted, "L1", "spec.logging.maxSize", `{logging: {driver: json-file, maxSize: 1Gi}}`},
	{"LogsManyFiles", Baseline, "L1", "spec.logging.maxFiles", `{logging: {driver: local, maxSize: 10Mi, maxFiles: 20}}`},
}

var images = []Spec{
	{"ImageLoopback", Restricted, "I1", "spec.image", `{image: "127.0.0.1:5000/x"}`},
	{"ImageMetadata", Restricted, "I1", "spec.image", `{image: "169.254.169.254/x"}`},
	{"ImageIPv6", Baseline, "I1", "spec.image", `{image: "[::1]:5000/x"}`},
	{"ImageIPv6Plain", Baseline, "I1", "spec.image", `{image: "[fe80::1]/x"}`},
	{"ImageLocalhost", Baseline, "I1", "spec.image", `{image: "localhost/x"}`},
	{"ImageLocalhostPort", Restricted, "I1", "spec.image", `{image: "localhost:2375/x"}`},
	{"ImageEtcd", Restricted, "I1", "spec.image", `{image: "etcd.internal.example:2379/x"}`},
	{"ImagePlainHTTP", Baseline, "I1", "spec.image", `{image: "registry.example:80/x"}`},
	{"ImageElsewhere", Picky, "I1", "spec.image", `{image: "elsewhere.example/team/x` + digest + `"}`},
	{"ImageOtherTeam", Picky, "I1", "spec.image", `{image: "registry.example/others/x` + digest + `"}`},
	{"ImageLikeTeam", Picky, "I1", "spec.image", `{image: "registry.example/teams/x` + digest + `"}`},
	{"ImageTeamItself", Picky, "I1", "spec.image", `{image: "registry.example/team` + digest + `"}`},
	{"ImageLikeHost", Picky, "I1", "spec.image", `{image: "registry.example.evil.example/team/x` + digest + `"}`},
	{"ImageOtherPort", Picky, "I1", "spec.image", `{image: "127.0.0.1:5001/x` + digest + `"}`},
	{"ImageOtherOfHub", Picky, "I1", "spec.image", `{image: "redis` + digest + `"}`},
	{"ImageUserOfHub", Picky, "I1", "spec.image", `{image: "somebody/nginx` + digest + `"}`},
	{"ImageNoDigest", Picky, "I1", "spec.image", `{image: "registry.example/team/x:1"}`},
	{"ImageShortNoDigest", Picky, "I1", "spec.image", `{image: "nginx"}`},
	{"ImageLatest", Tagged, "I1", "spec.image", `{image: "registry.example/x:latest"}`},
	{"ImageNoTag", Tagged, "I1", "spec.image", `{image: "registry.example/x"}`},
	{"LocalImage", Restricted, "I2", "spec.imagePullPolicy", `{imagePullPolicy: Never}`},
	{"LocalImageBaseline", Baseline, "I2", "spec.imagePullPolicy", `{imagePullPolicy: Never, image: "tenant-b/private:1"}`},
}

var reach = []Spec{
	{"Publish", Restricted, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Ingress, port: 30000}}]}`},
	{"PublishHost", Restricted, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Host, port: 30000}}]}`},
	{"PublishSecond", Restricted, "N3", "spec.ports[1].publish.port", `{ports: [{containerPort: 80}, {containerPort: 81, publish: {mode: Ingress, port: 30001}}]}`},
	{"PublishBelowRange", Ranged, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Ingress, port: 19999}}]}`},
	{"PublishAboveRange", Ranged, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Host, port: 20010}}]}`},
	{"PublishSSH", Baseline, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Ingress, port: 22}}]}`},
	{"PublishHTTPS", Baseline, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Ingress, port: 443}}]}`},
	{"PublishDocker", Baseline, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Ingress, port: 2375}}]}`},
	{"PublishSwarm", Baseline, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Ingress, port: 2377}}]}`},
	{"PublishGossip", Baseline, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, protocol: UDP, publish: {mode: Ingress, port: 7946}}]}`},
	{"PublishVXLAN", Baseline, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, protocol: UDP, publish: {mode: Ingress, port: 4789}}]}`},
	{"PublishAPI", Baseline, "N3", "spec.ports[0].publish.port", `{ports: [{containerPort: 80, publish: {mode: Ingress, port: 6443}}]}`},
	{"PublishHostUngranted", Baseline, "N3", "spec.ports[0].publish.mode", `{ports: [{containerPort: 80, publish: {mode: Host, port: 30002}}]}`},
	{"Hosts", Restricted, "N4", "spec.extraHosts[0]", `{extraHosts: [{ip: 169.254.169.254, hostnames: [metadata]}]}`},
	{"HostsBaseline", Baseline, "N4", "spec.extraHosts[0]", `{extraHosts: [{ip: 10.0.0.1, hostnames: [registry.example]}]}`},
	{"OnManager", Restricted, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["node.role==manager"]}}`},
	{"OnManagerSpaced", Baseline, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["node.role  ==  manager"]}}`},
	{"OffWorkers", Baseline, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["node.role != worker"]}}`},
	{"OnHost", Restricted, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["node.hostname==db-1"]}}`},
	{"OnHostBaseline", Baseline, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["node.hostname!=db-1"]}}`},
	{"OnNode", Baseline, "P1", "spec.placement.constraints[1]", `{placement: {constraints: ["node.labels.zone==a", "node.id==2ivku8v2gvtg4"]}}`},
	{"OnAddress", Baseline, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["node.ip==10.0.0.4"]}}`},
	{"OnEngine", Restricted, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["engine.labels.tenant==b"]}}`},
	{"OnEngineBaseline", Baseline, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["engine.labels.os==debian"]}}`},
	{"OnPoolOfOther", Restricted, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["node.labels.tenant==b"]}}`},
	{"OnZoneLookalike", Restricted, "P1", "spec.placement.constraints[0]", `{placement: {constraints: ["node.labels.zone.tenant==b"]}}`},
	{"SpreadOverOthers", Restricted, "P1", "spec.placement.spread[0]", `{placement: {spread: [node.labels.tenant]}}`},
	{"SpreadOverEngines", Baseline, "P1", "spec.placement.spread[0]", `{placement: {spread: [engine.labels.rack]}}`},
	{"Everywhere", Restricted, "P2", "spec.mode", `{mode: Global}`},
	{"EverywhereBaseline", Baseline, "P2", "spec.mode", `{mode: Global}`},
	{"TraefikRouter", Restricted, "B1", "spec.labels[traefik.http.routers.x.rule]", "{labels: {traefik.http.routers.x.rule: Host(`tenantb.example`)}}"},
	{"TraefikMixedCase", Baseline, "B1", "spec.labels[TraEfik.enable]", `{labels: {TraEfik.enable: "true"}}`},
	{"TraefikServer", Restricted, "B1", "spec.labels[traefik.http.services.x.loadbalancer.server.url]", `{labels: {traefik.http.services.x.loadbalancer.server.url: "http://169.254.169.254"}}`},
	{"Prometheus", Baseline, "B1", "spec.labels[prometheus.io/scrape]", `{labels: {prometheus.io/scrape: "true"}}`},
	{"Caddy", Restricted, "B1", "spec.labels[caddy]", `{labels: {caddy: tenantb.example}}`},
	{"Watchtower", Baseline, "B1", "spec.labels[com.centurylinklabs.watchtower.enable]", `{labels: {com.centurylinklabs.watchtower.enable: "true"}}`},
	{"LongLabelKey", Restricted, "B1", "spec.labels[" + strings.Repeat("k", 64) + "]", `{labels: {` + strings.Repeat("k", 64) + `: v}}`},
	{"ManyLabels", Baseline, "B1", "spec.labels", manyLabels()},
}

func manyLabels() string {
	var out strings.Builder
	out.WriteString("{labels: {")
	for i := range 10 {
		fmt.Fprintf(&out, "key-%d: %s, ", i, strings.Repeat("v", 4000))
	}

	return out.String() + "last: v}}"
}
