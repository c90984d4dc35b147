package adopt

import (
	"fmt"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/swarm"
)

// nano is how many of what Swarm counts CPU in make one.
const nano = 1e9

// deploy writes down how a service runs.
func deploy(c *types.ServiceConfig, s *swarm.Service) {
	d := &types.DeployConfig{Labels: free(s.Spec.Labels)}
	c.Deploy = d
	mode(d, s.Spec.Mode)

	t := s.Spec.TaskTemplate
	if r := t.Resources; r != nil {
		resources(d, r)
	}
	if p := t.RestartPolicy; p != nil {
		d.RestartPolicy = &types.RestartPolicy{Condition: string(p.Condition), Delay: duration(p.Delay), MaxAttempts: p.MaxAttempts, Window: duration(p.Window)}
	}
	if p := t.Placement; p != nil {
		placement(c, p)
	}
	if u := s.Spec.UpdateConfig; u != nil {
		d.UpdateConfig = &types.UpdateConfig{
			Parallelism: &u.Parallelism, Delay: types.Duration(u.Delay), FailureAction: u.FailureAction,
			Monitor: types.Duration(u.Monitor), MaxFailureRatio: u.MaxFailureRatio, Order: u.Order,
		}
	}

	d.EndpointMode = string(swarm.ResolutionModeVIP)
	if e := s.Spec.EndpointSpec; e != nil {
		if e.Mode != "" {
			d.EndpointMode = string(e.Mode)
		}
		for _, p := range e.Ports {
			c.Ports = append(c.Ports, types.ServicePortConfig{
				Name: p.Name, Mode: string(p.PublishMode), Target: p.TargetPort, Published: published(s, p), Protocol: string(p.Protocol),
			})
		}
	}
}

func mode(d *types.DeployConfig, m swarm.ServiceMode) {
	switch {
	case m.Global != nil:
		d.Mode = "global"
	case m.ReplicatedJob != nil:
		d.Mode = "replicated-job"
	case m.GlobalJob != nil:
		d.Mode = "global-job"
	default:
		d.Mode = "replicated"
		n := 1
		if m.Replicated != nil && m.Replicated.Replicas != nil {
			n = int(*m.Replicated.Replicas) //nolint:gosec // Swarm runs no such number of tasks.
		}
		d.Replicas = &n
	}
}

func resources(d *types.DeployConfig, r *swarm.ResourceRequirements) {
	if l := r.Limits; l != nil {
		d.Resources.Limits = &types.Resource{
			NanoCPUs: types.NanoCPUs(float64(l.NanoCPUs) / nano), MemoryBytes: types.UnitBytes(l.MemoryBytes), Pids: l.Pids,
		}
	}
	if v := r.Reservations; v != nil {
		d.Resources.Reservations = &types.Resource{NanoCPUs: types.NanoCPUs(float64(v.NanoCPUs) / nano), MemoryBytes: types.UnitBytes(v.MemoryBytes)}
		for _, g := range v.GenericResources {
			d.Resources.Reservations.GenericResources = append(d.Resources.Reservations.GenericResources, generic(g))
		}
	}
}

func generic(g swarm.GenericResource) types.GenericResource {
	out := &types.DiscreteGenericResource{}
	switch {
	case g.DiscreteResourceSpec != nil:
		out.Kind, out.Value = g.DiscreteResourceSpec.Kind, g.DiscreteResourceSpec.Value
	case g.NamedResourceSpec != nil:
		out.Kind, out.Value = g.NamedResourceSpec.Kind, 1
	}

	return types.GenericResource{DiscreteResourceSpec: out}
}

// placement writes down where tasks run. The platforms are those of the image, which the client of the engine has looked
// up; of several one cannot be chosen, and none has to be.
func placement(c *types.ServiceConfig, p *swarm.Placement) {
	c.Deploy.Placement = types.Placement{Constraints: p.Constraints, MaxReplicas: p.MaxReplicas}
	for _, preference := range p.Preferences {
		spread := ""
		if preference.Spread != nil {
			spread = preference.Spread.SpreadDescriptor
		}
		c.Deploy.Placement.Preferences = append(c.Deploy.Placement.Preferences, types.PlacementPreferences{Spread: spread})
	}
	if len(p.Platforms) == 1 && p.Platforms[0].OS != "" && p.Platforms[0].Architecture != "" {
		c.Platform = fmt.Sprintf("%s/%s", p.Platforms[0].OS, p.Platforms[0].Architecture)
	}
}

func duration(d *time.Duration) *types.Duration {
	if d == nil {
		return nil
	}

	return new(types.Duration(*d))
}
