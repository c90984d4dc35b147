//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/docker/docker/api/types/container"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/internal/lab"
)

// everythingYAML sets every field that a container can feel. The rest of the spec is about rollouts and placement, and
// has tests of its own.
const everythingYAML = `
apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: all}
spec:
  image: %s
  imagePullPolicy: Never
  command: [/app]
  args: ["-start-delay", "10ms"]
  workingDir: /etc
  env:
  - {name: PLAIN, value: "a b=c $HOME"}
  - {name: EMPTY}
  - {name: FROM_SECRET, valueFrom: {secretKeyRef: {name: keys, key: token}}}
  - {name: FROM_MAP, valueFrom: {configMapKeyRef: {name: conf, key: color}}}
  - {name: ABSENT, valueFrom: {secretKeyRef: {name: nobody, key: none, optional: true}}}
  envFrom:
  - {prefix: ALL_, configMapRef: {name: conf}}
  - {secretRef: {name: nobody, optional: true}}
  files:
  - {path: /run/keys/token, secretKeyRef: {name: keys, key: token}, mode: 0400, uid: 1000, gid: 1001}
  - {path: /etc/app/app.conf, configMapKeyRef: {name: conf, key: color}, mode: 0440, gid: 1001}
  - {path: /etc/app/binary, configMapKeyRef: {name: raw, key: bytes}}
  ports: [{name: http, containerPort: 8080}]
  resources: {requests: {cpu: 50m, memory: 16Mi}, limits: {cpu: 250m, memory: 48Mi, pids: 77}}
  healthCheck: {exec: {command: [/app, -check]}, periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 4, startPeriodSeconds: 1}
  stopSignal: SIGINT
  terminationGracePeriodSeconds: 7
  security:
    runAsUser: 1000
    runAsGroup: 1001
    readOnlyRootFilesystem: true
    init: true
    capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}
  hostname: everything
  dnsAliases: [totality]
  extraHosts: [{ip: 10.9.8.7, hostnames: [db, cache.example]}]
  sysctls: {net.ipv4.ip_unprivileged_port_start: "80"}
  ulimits: [{name: core, soft: 4096, hard: 8192}]
  tmpfs: [{mountPath: /scratch, size: 1Mi, mode: 0700}]
  labels: {team: blue}
  logging: {driver: json-file, maxSize: 1Mi, maxFiles: 2}
  restartPolicy: {condition: OnFailure, delaySeconds: 3, maxAttempts: 4, windowSeconds: 60}
`

// TestEveryFieldReachesTheContainer looks at the process from all sides: its own view through /proc, its answers over
// HTTP, and the engine's inspection.
func TestEveryFieldReachesTheContainer(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}, StringData: map[string]string{"token": "s3cr3t"}})
	n.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"color": "blue", "size": "XL"}})
	n.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "raw"}, BinaryData: map[string][]byte{"bytes": {0, 255, 10, '{', '{'}}})
	n.kubectl("apply", "-f", n.manifest(fmt.Sprintf(everythingYAML, lab.Image("v1"))))
	n.ready("all")

	p := n.look("all")
	near := n.neighbour()
	for name, claim := range map[string]struct {
		reason    string
		got, want string
	}{
		"CommandAndArgs": {"the image's entrypoint is replaced by words, not by a shell line", p.cmdline(), "/app -start-delay 10ms"},
		"WorkingDir":     {"relative paths of the process start there", p.link("cwd"), "/etc"},
		"PlainEnv":       {"nothing expands a value on its way", p.env("PLAIN"), "a b=c $HOME"},
		"EmptyEnv":       {"a variable without a value is set and empty", p.env("EMPTY"), ""},
		"SecretEnv":      {"the key's value, decoded", p.env("FROM_SECRET"), "s3cr3t"},
		"ConfigMapEnv":   {"the key's value", p.env("FROM_MAP"), "blue"},
		"EnvFromPrefix":  {"each key of the map, with the prefix", p.env("ALL_size"), "XL"},
		"OptionalEnv":    {"what is optional and missing is not set at all", p.env("ABSENT"), "(not set)"},
		"SecretFile":     {"content, mode and owner", p.file("/run/keys/token"), "s3cr3t 0400 1000:1001"},
		"ConfigFile":     {"content, mode and owner", p.file("/etc/app/app.conf"), "blue 0440 0:1001"},
		"BinaryFile":     {"bytes arrive as they are, braces too", p.file("/etc/app/binary"), "\x00\xff\n{{ 0444 0:0"},
		"User":           {"real, effective, saved and file system user", p.status("Uid"), "1000 1000 1000 1000"},
		"Group":          {"real, effective, saved and file system group", p.status("Gid"), "1001 1001 1001 1001"},
		"Capabilities":   {"the bounding set holds NET_BIND_SERVICE alone", p.status("CapBnd"), "0000000000000400"},
		"ReadOnly":       {"the image cannot be written to", p.mount("/"), "ro"},
		"Tmpfs":          {"a file system in memory of that size", p.mount("/scratch"), "size=1024k,mode=700"},
		"Init":           {"process 1 reaps and forwards signals, and is not the app", p.parent(), "docker-init"},
		"Hostname":       {"the kernel's own name", p.read("root/etc/hostname"), "everything"},
		"ExtraHosts":     {"every name of an address has a line", p.hosts("10.9.8.7"), "cache.example db"},
		"Sysctl":         {"set in the container's own namespace", asks(near, "all", "/file?path=/proc/sys/net/ipv4/ip_unprivileged_port_start"), "80"},
		"Ulimit":         {"soft and hard", p.limit("Max core file size"), "4096 8192"},
		"Label":          {"on the container, for whoever inspects it", p.container.Config.Labels["team"], "blue"},
		"StopSignal":     {"what the engine sends first", p.container.Config.StopSignal, "SIGINT"},
		"StopGrace":      {"how long Swarm waits before it kills", n.service("all").Spec.TaskTemplate.ContainerSpec.StopGracePeriod.String(), "7s"},
		"Memory":         {"what the kernel holds it to", fmt.Sprint(p.container.HostConfig.Memory >> 20), "48"},
		"CPU":            {"what the kernel holds it to, in billionths", fmt.Sprint(p.container.HostConfig.NanoCPUs), "250000000"},
		"Pids":           {"what the kernel holds it to", fmt.Sprint(*p.container.HostConfig.PidsLimit), "77"},
		"HealthCheck":    {"the command, without a shell", strings.Join(p.container.Config.Healthcheck.Test, " "), "CMD /app -check"},
		"HealthPeriods":  {"interval, timeout, start period, retries", healthTimes(p.container), "3s 2s 1s 4"},
		"Logging":        {"driver and options", fmt.Sprint(p.container.HostConfig.LogConfig), "{json-file map[max-file:2 max-size:1048576]}"},
		"OwnName":        {"neighbours find it by the object's name", asks(near, "all", "/"), "hostname=everything"},
		"Alias":          {"and by its aliases", asks(near, "totality", "/"), "hostname=everything"},
	} {
		if !strings.Contains(claim.got, claim.want) || (claim.want == "" && claim.got != "") {
			t.Errorf("%s: got %q, want %q: %s", name, claim.got, claim.want, claim.reason)
		}
	}

	policy := n.service("all").Spec.TaskTemplate.RestartPolicy
	got := fmt.Sprintf("%s %v %d %v", policy.Condition, *policy.Delay, *policy.MaxAttempts, *policy.Window)
	if want := "on-failure 3s 4 1m0s"; got != want {
		t.Errorf("restart policy: got %q, want %q", got, want)
	}
	if got := p.env("HOME"); got == "" {
		t.Error("the engine's own variables are gone")
	}
}

// process is a container's main process, seen from this machine.
type process struct {
	n         *tenant
	pid       int // of the app itself, below the init process if there is one
	container container.InspectResponse
}

func (n *tenant) look(name string) process {
	n.t.Helper()

	task := n.running(name)[0]
	inspected, err := n.docker().ContainerInspect(n.t.Context(), task.Status.ContainerStatus.ContainerID)
	if err != nil {
		n.t.Fatal(err)
	}

	p := process{n: n, pid: inspected.State.Pid, container: inspected}
	for child := range strings.FieldsSeq(p.read(fmt.Sprintf("task/%d/children", p.pid))) {
		// The health check is a child of nobody here: the engine starts it from outside.
		if p.pid, err = strconv.Atoi(child); err != nil {
			n.t.Fatal(err)
		}
		break
	}

	return p
}

// read returns a file below /proc/PID.
func (p process) read(path string) string {
	p.n.t.Helper()

	content, err := os.ReadFile(p.path(path))
	if err != nil {
		return "(" + err.Error() + ")"
	}

	return string(content)
}

func (p process) path(path string) string { return filepath.Join("/proc", strconv.Itoa(p.pid), path) }

func (p process) link(path string) string {
	target, err := os.Readlink(p.path(path))
	if err != nil {
		return err.Error()
	}

	return target
}

func (p process) cmdline() string { return strings.ReplaceAll(p.read("cmdline"), "\x00", " ") }

func (p process) env(name string) string {
	for v := range strings.SplitSeq(p.read("environ"), "\x00") {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}

	return "(not set)"
}

// file is the content, mode and owner of a file as the container sees it.
func (p process) file(path string) string {
	info, err := os.Stat(p.path("root" + path))
	if err != nil {
		return err.Error()
	}
	owner := info.Sys().(*syscall.Stat_t)

	return fmt.Sprintf("%s %04o %d:%d", p.read("root"+path), info.Mode().Perm(), owner.Uid, owner.Gid)
}

// status is one line of /proc/PID/status, its words separated by single spaces.
func (p process) status(key string) string {
	for line := range strings.Lines(p.read("status")) {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			return strings.Join(strings.Fields(value), " ")
		}
	}

	return ""
}

// parent is the command of the process that has started the app.
func (p process) parent() string {
	content, err := os.ReadFile(filepath.Join("/proc", p.status("PPid"), "cmdline"))
	if err != nil {
		return err.Error()
	}

	return string(content)
}

// mount are the options of what is mounted at the path, and of its file system.
func (p process) mount(path string) string {
	for line := range strings.Lines(p.read("mountinfo")) {
		if f := strings.Fields(line); f[4] == path {
			return f[5] + " " + f[len(f)-1]
		}
	}

	return "(nothing)"
}

// hosts are the names that /etc/hosts has for an address.
func (p process) hosts(address string) string {
	var names []string
	for line := range strings.Lines(p.read("root/etc/hosts")) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == address {
			names = append(names, f[1:]...)
		}
	}

	return strings.Join(names, " ")
}

// limit is one line of /proc/PID/limits, without its name.
func (p process) limit(name string) string {
	for line := range strings.Lines(p.read("limits")) {
		if values, ok := strings.CutPrefix(line, name); ok {
			return strings.Join(strings.Fields(values), " ")
		}
	}

	return ""
}

func healthTimes(c container.InspectResponse) string {
	h := c.Config.Healthcheck

	return fmt.Sprint(h.Interval, " ", h.Timeout, " ", h.StartPeriod, " ", h.Retries)
}

// asks is what the app of a container answers to its neighbour.
func asks(near *neighbour, name, path string) string {
	body, err := near.ask(name, path)
	if err != nil {
		return err.Error()
	}

	return body
}
