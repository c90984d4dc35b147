package servicespec_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
)

// readBack is what an engine answers when it is asked for a service that was created from spec. It does what the
// engine's conversion to Swarm's own types and back does, on the way over JSON in both directions. The live test holds
// a real engine to the same demands; this one makes them cheap enough for many random specs.
func readBack(t interface{ Fatal(...any) }, spec swarm.ServiceSpec) swarm.ServiceSpec {
	stored := throughJSON(t, spec)

	stored.TaskTemplate.Runtime = swarm.RuntimeContainer
	if stored.Labels == nil {
		stored.Labels = map[string]string{}
	}
	if stored.Networks == nil { //nolint:staticcheck // The engine answers with the deprecated field.
		stored.Networks = []swarm.NetworkAttachmentConfig{}
	}

	c := stored.TaskTemplate.ContainerSpec
	if c.Isolation == "" {
		c.Isolation = container.IsolationDefault
	}
	c.Secrets = slices.Concat([]*swarm.SecretReference{}, c.Secrets)
	c.Configs = slices.Concat([]*swarm.ConfigReference{}, c.Configs)
	c.Ulimits = slices.Concat([]*container.Ulimit{}, c.Ulimits)
	for i := range c.Mounts {
		if o := c.Mounts[i].TmpfsOptions; o != nil {
			o.Options = [][]string{}
		}
		if o := c.Mounts[i].VolumeOptions; o != nil && o.DriverConfig != nil && o.DriverConfig.Options == nil {
			o.DriverConfig.Options = map[string]string{}
		}
	}

	if stored.TaskTemplate.Resources != nil && stored.TaskTemplate.Resources.Limits == nil {
		stored.TaskTemplate.Resources.Limits = &swarm.Limit{}
	}
	if stored.TaskTemplate.LogDriver != nil && stored.TaskTemplate.LogDriver.Options == nil {
		stored.TaskTemplate.LogDriver.Options = map[string]string{}
	}

	return throughJSON(t, stored)
}

func throughJSON(t interface{ Fatal(...any) }, spec swarm.ServiceSpec) swarm.ServiceSpec {
	raw, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}

	var out swarm.ServiceSpec
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}

	return out
}

func TestReadBackFillsIn(t *testing.T) {
	spec := build(t, inputOf(minimal()))
	answer := readBack(t, spec)

	if got := answer.TaskTemplate.ContainerSpec.Isolation; got != container.IsolationDefault {
		t.Errorf("isolation: got %q, want the engine's default", got)
	}
	if answer.TaskTemplate.ContainerSpec == spec.TaskTemplate.ContainerSpec {
		t.Error("the answer shares memory with what was sent")
	}
}
