package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/docker/docker/api/types/swarm"
	"sigs.k8s.io/yaml"
)

// Stack is a file for `docker stack deploy`.
type Stack struct {
	// Name of the stack, and the start of the names of its services.
	Name string

	file string
	host string
}

// NewStack writes a file with one service for each name, all like spec, in the network of that name.
func (e *Engine) NewStack(dir, name, network string, names []string, spec swarm.ServiceSpec) (*Stack, error) {
	one, err := composeService(spec, network)
	if err != nil {
		return nil, err
	}

	services := map[string]any{}
	for _, n := range names {
		services[n] = one
	}
	content, err := yaml.Marshal(map[string]any{
		"version":  "3.8",
		"services": services,
		"networks": map[string]any{network: map[string]any{"external": true}},
	})
	if err != nil {
		return nil, err
	}

	s := &Stack{Name: name, host: e.Host, file: filepath.Join(dir, name+".yaml")}

	return s, os.WriteFile(s.file, content, 0o600)
}

// composeService says in Compose's words what the benchmarks' services are. The label for containers that `docker stack`
// adds, and defaults that it always writes, have no effect on how long a start takes.
func composeService(spec swarm.ServiceSpec, network string) (map[string]any, error) {
	if spec.Mode.Replicated == nil || spec.TaskTemplate.ContainerSpec == nil || spec.EndpointSpec == nil {
		return nil, fmt.Errorf("write service %q for Compose: it is not replicated or not complete", spec.Name)
	}

	c := spec.TaskTemplate.ContainerSpec
	out := map[string]any{
		"image":    c.Image,
		"command":  c.Args,
		"networks": []string{network},
		"deploy": map[string]any{
			"replicas":       *spec.Mode.Replicated.Replicas,
			"endpoint_mode":  string(spec.EndpointSpec.Mode),
			"restart_policy": map[string]any{"condition": "any", "delay": "5s"},
		},
	}
	if c.Init != nil {
		out["init"] = *c.Init
	}
	if len(c.CapabilityDrop) > 0 {
		out["cap_drop"] = c.CapabilityDrop
	}
	if len(c.CapabilityAdd) > 0 {
		out["cap_add"] = c.CapabilityAdd
	}
	if c.ReadOnly {
		out["read_only"] = true
	}
	if c.User != "" {
		out["user"] = c.User
	}

	return out, nil
}

// Deploy runs `docker stack deploy` on the file. No registry is asked, as in the other arms.
func (s *Stack) Deploy(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "docker", "--host", s.host, "stack", "deploy", "--resolve-image", "never", "--compose-file", s.file, s.Name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("deploy stack %q: %w: %s", s.Name, err, strings.TrimSpace(string(out)))
	}

	return nil
}
