package audit

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// swarmDelay is what Swarm waits before it replaces a task of a service that does not say.
const swarmDelay = 5 * time.Second

// OfService is the container that a service asks for. networks are names by id.
func OfService(spec swarm.ServiceSpec, networks map[string]string) Container {
	task := spec.TaskTemplate
	c := Container{Service: true, Restart: restartOfTask(task.RestartPolicy)}

	for _, n := range slices.Concat(task.Networks, spec.Networks) { //nolint:staticcheck // The engine obeys the old field, too.
		c.Networks = append(c.Networks, cmp.Or(networks[n.Target], n.Target))
	}
	if e := spec.EndpointSpec; e != nil {
		for _, p := range e.Ports {
			c.Ports = append(c.Ports, Port{Published: p.PublishedPort, Target: p.TargetPort, Protocol: cmp.Or(string(p.Protocol), "tcp")})
		}
	}
	if r := task.Resources; r != nil && r.Limits != nil {
		c.MemoryBytes, c.NanoCPUs, c.PIDs = r.Limits.MemoryBytes, r.Limits.NanoCPUs, r.Limits.Pids
	}
	if s := task.ContainerSpec; s != nil {
		c.takeSpec(s)
	}

	return c
}

func (c *Container) takeSpec(s *swarm.ContainerSpec) {
	c.Image, c.User, c.ReadOnlyRoot = s.Image, s.User, s.ReadOnly
	c.CapAdd, c.CapDrop = s.CapabilityAdd, s.CapabilityDrop
	c.EnvNames = namesOf(s.Env)
	c.Ulimits = ulimitsOf(s.Ulimits)
	c.Health = healthOf(s.Healthcheck, HealthUnknown)

	for _, m := range s.Mounts {
		c.Mounts = append(c.Mounts, mountOf(m))
	}

	p := s.Privileges
	if p == nil {
		return
	}
	if p.NoNewPrivileges {
		c.SecurityOpt = append(c.SecurityOpt, "no-new-privileges")
	}
	if p.Seccomp != nil && p.Seccomp.Mode == swarm.SeccompModeUnconfined {
		c.SecurityOpt = append(c.SecurityOpt, "seccomp=unconfined")
	}
	if p.AppArmor != nil && p.AppArmor.Mode == swarm.AppArmorModeDisabled {
		c.SecurityOpt = append(c.SecurityOpt, "apparmor=unconfined")
	}
	if p.SELinuxContext != nil && p.SELinuxContext.Disable {
		c.SecurityOpt = append(c.SecurityOpt, "label=disable")
	}
}

func restartOfTask(p *swarm.RestartPolicy) Restart {
	r := Restart{Condition: string(swarm.RestartPolicyConditionAny), Delay: swarmDelay}
	if p == nil {
		return r
	}

	r.Condition = cmp.Or(string(p.Condition), r.Condition)
	if p.Delay != nil {
		r.Delay = *p.Delay
	}
	if p.MaxAttempts != nil {
		r.MaxAttempts = *p.MaxAttempts
	}

	return r
}

// mountOf takes of a mount what of the node it brings in, and none of its options: they may hold passwords.
func mountOf(m mount.Mount) Mount {
	out := Mount{Target: m.Target, ReadOnly: m.ReadOnly}

	switch m.Type {
	case mount.TypeBind, mount.TypeNamedPipe:
		out.HostPath = m.Source
		if m.BindOptions != nil {
			out.Propagation = string(m.BindOptions.Propagation)
		}
	case mount.TypeVolume, "":
		if strings.Contains(m.Source, "{{") {
			out.HostPath = m.Source
		}
		if o := m.VolumeOptions; o != nil && o.DriverConfig != nil {
			out.HostPath = cmp.Or(out.HostPath, HostPathOfVolume(o.DriverConfig.Options))
		}
	}

	return out
}

// HostPathOfVolume is the path of the node that a volume with these options stands for; empty for one that the engine
// keeps itself, and for one of another machine. Options with a template stand for anything.
func HostPathOfVolume(options map[string]string) string {
	for key, value := range options {
		if strings.Contains(key+value, "{{") {
			return "{{…}} in the options of a volume"
		}
	}

	device := options["device"]
	switch kind := options["type"]; {
	case !strings.HasPrefix(device, "/"), strings.HasPrefix(kind, "nfs"), kind == "cifs", kind == "smb3", kind == "tmpfs":
		return ""
	default:
		return device
	}
}

// namesOf variables that have a value.
func namesOf(env []string) []string {
	var names []string
	for _, e := range env {
		if name, value, ok := strings.Cut(e, "="); ok && value != "" {
			names = append(names, name)
		}
	}

	return names
}

func ulimitsOf(in []*container.Ulimit) []Ulimit {
	var out []Ulimit
	for _, u := range in {
		if u != nil {
			out = append(out, Ulimit{Name: u.Name, Soft: u.Soft, Hard: u.Hard})
		}
	}

	return out
}

// healthOf a configuration; silent is what it means that there is none.
func healthOf(h *container.HealthConfig, silent Health) Health {
	switch {
	case h == nil || len(h.Test) == 0:
		return silent
	case h.Test[0] == "NONE":
		return HealthDisabled
	default:
		return HealthChecked
	}
}
