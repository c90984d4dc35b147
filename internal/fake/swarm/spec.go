package swarm

import (
	"regexp"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
)

var serviceName = regexp.MustCompile(`^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_]*[a-zA-Z0-9])?$`)

// accept checks a spec as swarmkit does and returns it as the engine would give it back: names of networks resolved,
// defaults filled in.
func (c *Cluster) accept(spec swarm.ServiceSpec, self string) (swarm.ServiceSpec, error) {
	spec = clone(spec)

	if err := validate(spec); err != nil {
		return spec, err
	}

	for i, attached := range spec.TaskTemplate.Networks {
		n, ok := find(c.networks, attached.Target, (*networkObject).name)
		if !ok {
			return spec, refuse(500, "network %s not found", attached.Target)
		}

		spec.TaskTemplate.Networks[i].Target = n.ID
	}

	if err := c.checkReferences(spec.TaskTemplate.ContainerSpec); err != nil {
		return spec, err
	}

	if err := c.checkPorts(spec, self); err != nil {
		return spec, err
	}

	return filled(spec), nil
}

func validate(spec swarm.ServiceSpec) error {
	template := spec.TaskTemplate

	switch {
	case spec.Mode.ReplicatedJob != nil || spec.Mode.GlobalJob != nil:
		return unimplemented("fake swarm: jobs are not modelled")
	case template.ContainerSpec == nil || template.Runtime != "" && template.Runtime != swarm.RuntimeContainer:
		return unimplemented("fake swarm: only containers are modelled")
	case !serviceName.MatchString(spec.Name):
		return invalid("name must be valid as a DNS name component")
	case len(spec.Name) > 63:
		return invalid("name must be 63 characters or fewer")
	case template.ContainerSpec.Image == "":
		return invalid("ContainerSpec: image reference must be provided")
	case spec.Mode.Global != nil && spec.Mode.Replicated != nil:
		return refuse(400, "must specify only one service mode")
	}

	if r := template.Resources; r != nil && r.Limits != nil {
		if m := r.Limits.MemoryBytes; m != 0 && m < 4<<20 {
			return invalid("invalid memory value %d: Must be at least 4MiB", m)
		}
	}

	if e := spec.EndpointSpec; e != nil && e.Mode == swarm.ResolutionModeDNSRR {
		for _, p := range e.Ports {
			if p.PublishMode != swarm.PortConfigPublishModeHost {
				return invalid("EndpointSpec: port published with ingress mode can't be used with dnsrr mode")
			}
		}
	}

	return nil
}

// checkReferences demands that secrets and configs exist, under the ID and the name that the spec says.
func (c *Cluster) checkReferences(spec *swarm.ContainerSpec) error {
	for _, r := range spec.Secrets {
		if s, ok := c.secrets[r.SecretID]; !ok || s.name() != r.SecretName {
			return invalid("secret not found: %s", r.SecretName)
		}
	}

	for _, r := range spec.Configs {
		if o, ok := c.configs[r.ConfigID]; !ok || o.name() != r.ConfigName {
			return invalid("config not found: %s", r.ConfigName)
		}
	}

	return nil
}

// checkPorts refuses a port of the routing mesh that another service has published in whatever mode, and the reverse.
func (c *Cluster) checkPorts(spec swarm.ServiceSpec, self string) error {
	if spec.EndpointSpec == nil {
		return nil
	}

	for _, p := range spec.EndpointSpec.Ports {
		if p.PublishedPort == 0 {
			continue
		}

		for _, other := range sorted(c.services) {
			if other.ID == self || other.Spec.EndpointSpec == nil {
				continue
			}

			for _, q := range other.Spec.EndpointSpec.Ports {
				bothHost := p.PublishMode == swarm.PortConfigPublishModeHost && q.PublishMode == swarm.PortConfigPublishModeHost
				if bothHost || p.PublishedPort != q.PublishedPort || protocol(p) != protocol(q) {
					continue
				}

				as := "an ingress port"
				if q.PublishMode == swarm.PortConfigPublishModeHost {
					as = "a host-published port"
				}

				return invalid("port '%d' is already in use by service '%s' (%s) as %s", p.PublishedPort, other.Spec.Name, other.ID, as)
			}
		}
	}

	return nil
}

func protocol(p swarm.PortConfig) swarm.PortConfigProtocol {
	if p.Protocol == "" {
		return swarm.PortConfigProtocolTCP
	}

	return p.Protocol
}

// filled returns the spec with what the engine adds on its way in and out.
func filled(spec swarm.ServiceSpec) swarm.ServiceSpec {
	spec.Labels = orEmpty(spec.Labels)

	t := &spec.TaskTemplate
	t.Runtime = swarm.RuntimeContainer

	if t.ContainerSpec.Isolation == "" {
		t.ContainerSpec.Isolation = container.IsolationDefault
	}

	if r := t.RestartPolicy; r != nil {
		if r.Condition == "" {
			r.Condition = swarm.RestartPolicyConditionAny
		}

		if r.MaxAttempts == nil {
			r.MaxAttempts = new(uint64)
		}
	}

	if spec.Mode.Global == nil {
		if spec.Mode.Replicated == nil {
			spec.Mode.Replicated = &swarm.ReplicatedService{}
		}

		if spec.Mode.Replicated.Replicas == nil {
			one := uint64(1)
			spec.Mode.Replicated.Replicas = &one
		}
	}

	for _, u := range []*swarm.UpdateConfig{spec.UpdateConfig, spec.RollbackConfig} {
		if u == nil {
			continue
		}

		if u.FailureAction == "" {
			u.FailureAction = swarm.UpdateFailureActionPause
		}

		if u.Order == "" {
			u.Order = swarm.UpdateOrderStopFirst
		}
	}

	if e := spec.EndpointSpec; e != nil {
		if e.Mode == "" {
			e.Mode = swarm.ResolutionModeVIP
		}

		for i := range e.Ports {
			e.Ports[i].Protocol = protocol(e.Ports[i])
			if e.Ports[i].PublishMode == "" {
				e.Ports[i].PublishMode = swarm.PortConfigPublishModeIngress
			}
		}
	}

	return clone(spec)
}

func replicas(spec swarm.ServiceSpec) int {
	if spec.Mode.Replicated == nil {
		return 0
	}

	return int(*spec.Mode.Replicated.Replicas)
}
