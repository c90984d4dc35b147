package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/internal/audit"
	"github.com/dogker/dogker/internal/audit/gather"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// TestGuardedReadsWhatTheEngineTells: an engine fills in defaults, and none of them is somebody's tampering.
func TestGuardedReadsWhatTheEngineTells(t *testing.T) {
	facts := gather.Facts{Owner: swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "u1"}, NetworkID: "n1"}
	spec := swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "acme_web", Labels: facts.Owner.Labels()},
		TaskTemplate: swarm.TaskSpec{
			Runtime: swarm.RuntimeContainer, Networks: []swarm.NetworkAttachmentConfig{{Target: "n1"}},
			ContainerSpec: &swarm.ContainerSpec{
				Image: "registry.example/shop:1.4", StopGracePeriod: new(30 * time.Second), DNSConfig: &swarm.DNSConfig{}, Isolation: "default",
			},
		},
		Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(1))}}, EndpointSpec: &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR},
	}
	spec.Labels[v1alpha1.SwarmLabelGeneration] = "3"
	if got := guarded(spec, facts); len(got) > 0 {
		t.Errorf("a service as the engine has it: got %v", got)
	}

	spec.TaskTemplate.ContainerSpec.Mounts = []mount.Mount{{Type: mount.TypeBind, Source: "/etc", Target: "/e"}}
	spec.Labels[v1alpha1.SwarmLabelPlacement] = v1alpha1.PlacementWorkers
	got := guarded(spec, facts)
	for _, word := range []string{"Mounts", "managers"} {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, word) }) {
			t.Errorf("a bind mount, and no constraint where the label promises one: got %v, want a word about %s", got, word)
		}
	}
}

// TestGuardedKnowsWhatWasAdopted: a service that keeps the tasks it came with is nobody's tampering, until somebody changes it.
func TestGuardedKnowsWhatWasAdopted(t *testing.T) {
	facts := gather.Facts{Owner: swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "u1"}, NetworkID: "n1"}
	live := swarm.ServiceSpec{
		TaskTemplate: swarm.TaskSpec{
			Networks: []swarm.NetworkAttachmentConfig{{Target: "theirs", Aliases: []string{"Web_1"}}},
			ContainerSpec: &swarm.ContainerSpec{
				Image: "nginx:1", Hostname: "Web_1", User: "nginx", Labels: map[string]string{"com.docker.stack.namespace": "acme"},
			},
		},
		EndpointSpec: &swarm.EndpointSpec{Mode: swarm.ResolutionModeVIP},
	}
	ours := swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "acme_web", Labels: facts.Owner.Labels()},
		Mode:        swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(1))}},
	}
	ours.Labels[v1alpha1.SwarmLabelGeneration] = "1"

	adopted := servicespec.Adopt(ours, live)
	if got := guarded(adopted, facts); len(got) > 0 {
		t.Errorf("a service that was adopted: got %v", got)
	}

	adopted.TaskTemplate.ContainerSpec.Hostname = "web-2"
	if got := guarded(adopted, facts); len(got) == 0 {
		t.Error("a service that was adopted and then changed by hand: got nothing")
	}
}

func TestPlain(t *testing.T) {
	t.Setenv("DOCKER_TLS_VERIFY", "")
	t.Setenv("DOCKER_CERT_PATH", "")
	for host, want := range map[string]bool{"tcp://10.0.0.1:2375": true, "unix:///var/run/docker.sock": false, "": false} {
		if got := plain(host); got != want {
			t.Errorf("%q is plain: got %v", host, got)
		}
	}

	t.Setenv("DOCKER_TLS_VERIFY", "1")
	if plain("tcp://10.0.0.1:2376") {
		t.Error("with TLS nothing is in the clear")
	}
}

func TestExitCodes(t *testing.T) {
	coded := &exitError{exitUnaudited, errors.New("no engine")}
	for err, want := range map[error]int{errors.New("other"): 1, coded: 2, fmt.Errorf("wrapped: %w", coded): 2} {
		if got := exitCodeOf(err); got != want {
			t.Errorf("exit code of %q: got %d, want %d", err, got, want)
		}
	}
}

func TestReportFormats(t *testing.T) {
	r := audit.Evaluate(audit.Input{SwarmUnseen: "no swarm", HostUnseen: "no host", DeclaredUnseen: "no API"}, audit.Options{})
	for format, word := range map[string]string{
		"table": "CIS Docker Benchmark", "json": `"apiVersion": "audit.dogker.io/v1"`, "yaml": "apiVersion: audit.dogker.io/v1\n",
	} {
		var out strings.Builder
		if err := printReport(&out, r, format); err != nil || !strings.Contains(out.String(), word) || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%s: error %v, got %.200q", format, err, out.String())
		}
	}
}
