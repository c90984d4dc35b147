package swarm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Level says how bad a finding is.
type Level string

// The levels. Only a Problem keeps Dogker from its work.
const (
	LevelOK      Level = "ok"
	LevelWarning Level = "warning"
	LevelProblem Level = "problem"
)

// Finding is one thing that was looked at.
type Finding struct {
	Level Level `json:"level"`
	// What was looked at, in a word or two.
	What string `json:"what"`
	// Detail is what was found.
	Detail string `json:"detail"`
	// Remedy is what to do about it; empty when nothing has to be done.
	Remedy string `json:"remedy,omitempty"`
}

// diagnosisTimeout bounds one question to the engine.
const diagnosisTimeout = 10 * time.Second

// Diagnose asks an engine whether Dogker can work with it, and stops at the first answer that makes the rest
// meaningless. host is DOCKER_HOST, empty for the machine's own engine; it tells what can be looked at beside the engine.
func Diagnose(ctx context.Context, api API, host string) []Finding {
	ctx, cancel := context.WithTimeout(ctx, diagnosisTimeout)
	defer cancel()

	findings := connection(host)

	ping, err := api.Ping(ctx)
	if err != nil {
		return append(findings, unreachable(err, host))
	}

	info, err := api.Info(ctx)
	if err != nil {
		return append(findings, unreachable(err, host))
	}

	findings = append(findings, version(info, ping.APIVersion), membership(info.Swarm))
	findings = append(findings, machine(info)...)

	if local(host) {
		findings = append(findings, ipvs())
	}
	if info.Swarm.ControlAvailable {
		findings = append(findings, members(ctx, api))
	}

	return findings
}

// Sick is true when something keeps Dogker from its work.
func Sick(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Level == LevelProblem })
}

// connection looks at how the engine is reached.
func connection(host string) []Finding {
	if !strings.HasPrefix(host, "tcp://") || os.Getenv("DOCKER_TLS_VERIFY") != "" || os.Getenv("DOCKER_CERT_PATH") != "" {
		return nil
	}

	return []Finding{{
		LevelWarning, "Connection", fmt.Sprintf("DOCKER_HOST %s is reached without TLS: whoever reaches it too is root on every node", host),
		"protect the engine's API with TLS and set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH",
	}}
}

func unreachable(err error, host string) Finding {
	where, remedy := "the machine's own engine", "start it (systemctl start docker, or dockerd), or set DOCKER_HOST to where it is"
	if host != "" {
		where, remedy = "the engine at "+host, "check DOCKER_HOST, DOCKER_CERT_PATH and DOCKER_TLS_VERIFY, and that the engine runs there"
	}

	// Docker's client wraps the system's error without keeping it.
	if errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied") {
		remedy = "run as root, or as a member of the group docker"
	}

	return Finding{LevelProblem, "Engine", fmt.Sprintf("cannot ask %s: %v", where, err), remedy}
}

func version(info system.Info, apiVersion string) Finding {
	f := Finding{LevelOK, "Engine", fmt.Sprintf("%s answers, version %s, API %s", info.Name, info.ServerVersion, apiVersion), ""}
	if apiVersion != "" && versions.LessThan(apiVersion, minAPIVersion) {
		f.Level, f.Remedy = LevelProblem, "Dogker needs API "+minAPIVersion+" or newer: upgrade to Docker 20.10 or newer"
	}

	return f
}

func membership(info swarm.Info) Finding {
	switch err := usable(info); {
	case errors.Is(err, swarmobj.ErrNotManager):
		return Finding{
			LevelProblem, "Swarm", "the engine is a worker, and only a manager can be asked",
			"set DOCKER_HOST to a manager, or promote this node: docker node promote " + info.NodeID + " (on a manager)",
		}
	case info.LocalNodeState == swarm.LocalNodeStateLocked:
		return Finding{LevelProblem, "Swarm", "the swarm is locked", "docker swarm unlock"}
	case err != nil:
		return Finding{
			LevelProblem, "Swarm", fmt.Sprintf("the engine is in no swarm (state %s) %s", info.LocalNodeState, info.Error),
			"docker swarm init, or start the server with --init-swarm",
		}
	}

	return Finding{LevelOK, "Swarm", fmt.Sprintf("the engine is a manager, of %d; the swarm has %d nodes", info.Managers, info.Nodes), ""}
}

// machine looks at what the engine says of its machine.
func machine(info system.Info) []Finding {
	var out []Finding

	warn := func(what, detail, remedy string) { out = append(out, Finding{LevelWarning, what, detail, remedy}) }

	if !slices.ContainsFunc(info.SecurityOptions, func(o string) bool { return strings.Contains(o, "name=seccomp") }) {
		warn("Seccomp", "the engine filters no system calls", "use a kernel and an engine with seccomp")
	}
	if slices.ContainsFunc(info.SecurityOptions, func(o string) bool { return strings.Contains(o, "name=rootless") }) {
		warn("Rootless", "a rootless engine has no overlay networks between nodes", "run the engine as root for a swarm of several nodes")
	}
	if !info.MemoryLimit || !info.CPUCfsQuota || !info.PidsLimit {
		warn("Limits", "the kernel does not enforce limits of memory, CPU or processes", "enable the cgroup controllers memory, cpu and pids")
	}
	if info.LoggingDriver == "json-file" {
		warn("Logs", "the default log driver json-file grows without bound unless daemon.json sets max-size",
			`set "log-opts": {"max-size": "10m", "max-file": "3"} in daemon.json, or spec.logging`)
	}

	return out
}

// ipvs looks whether this machine's kernel can forward to virtual IPs. The module is loaded when it is first needed, so
// that it is not loaded proves nothing where it can be.
func ipvs() Finding {
	if _, err := os.Stat("/proc/net/ip_vs"); err == nil {
		return Finding{LevelOK, "IPVS", "the kernel forwards to virtual IPs", ""}
	}

	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		folder := "/lib/modules/" + strings.TrimSpace(string(release)) + "/kernel/net/netfilter/ipvs"
		if _, err := os.Stat(folder); err == nil {
			return Finding{LevelOK, "IPVS", "the kernel can load its module for virtual IPs", ""}
		}
	}

	return Finding{
		LevelWarning, "IPVS", "this kernel has no IPVS: ports published in mode Ingress and endpointMode VIP do not forward",
		"publish in mode Host and keep endpointMode DNSRR, which needs no IPVS, or use a kernel with ip_vs",
	}
}

func members(ctx context.Context, api API) Finding {
	nodes, err := api.NodeList(ctx, swarm.NodeListOptions{})
	if err != nil {
		return Finding{LevelProblem, "Nodes", fmt.Sprintf("the swarm does not answer: %v", err), "look for its leader: docker node ls on each manager"}
	}

	var away []string
	for _, n := range nodes {
		if n.Status.State != swarm.NodeStateReady || n.Spec.Availability != swarm.NodeAvailabilityActive {
			away = append(away, fmt.Sprintf("%s (%s, %s)", n.Description.Hostname, n.Status.State, n.Spec.Availability))
		}
	}

	switch {
	case len(nodes) == len(away):
		return Finding{LevelProblem, "Nodes", "no node can run tasks: " + strings.Join(away, ", "), "docker node update --availability active NODE"}
	case len(away) > 0:
		return Finding{LevelWarning, "Nodes", "some nodes run no new tasks: " + strings.Join(away, ", "), ""}
	default:
		return Finding{LevelOK, "Nodes", fmt.Sprintf("all %d can run tasks", len(nodes)), ""}
	}
}

// local is true for an engine on this machine, whose kernel can be looked at.
func local(host string) bool { return host == "" || strings.HasPrefix(host, "unix://") }
