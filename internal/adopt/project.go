package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/compose"
)

// shared is the one network of a project; what the live networks mean is not for the mapping of Compose to say.
const shared = "default"

// nowhere is the folder of a project that was read from an engine: no file of this machine belongs to it.
const nowhere = "/var/empty"

// stackOf writes services down as Compose would have them. Those who are left out are not in it.
func (m *maker) stackOf(names map[string]bool) *compose.Stack {
	p := &types.Project{Name: m.options.Namespace, WorkingDir: nowhere, Services: types.Services{},
		Configs: types.Configs{}, Secrets: types.Secrets{}, Volumes: types.Volumes{}, Networks: types.Networks{shared: {}}}
	stack := &compose.Stack{Project: p, Configs: map[string]compose.Content{}, Secrets: map[string]compose.Content{}}

	for i := range m.live.Services {
		s := &m.live.Services[i]
		key := m.key(s)
		if !names[s.Spec.Name] || s.Spec.TaskTemplate.ContainerSpec == nil {
			continue
		}
		c := types.ServiceConfig{Name: key}
		m.container(&c, s)
		deploy(&c, s)
		m.files(&c, s, stack)
		// What a service writes to lies on nodes: no Volume that is made now has it.
		for _, v := range c.Volumes {
			if v.Type == types.VolumeTypeVolume && v.Source != "" {
				p.Volumes[v.Source] = types.VolumeConfig{Name: v.Source, External: true}
			}
		}
		p.Services[key] = c
	}

	return stack
}

// key of a service is its name without that of the namespace.
func (m *maker) key(s *swarm.Service) string {
	return strings.TrimPrefix(s.Spec.Name, m.options.Namespace+"_")
}

// container writes down what runs.
func (m *maker) container(c *types.ServiceConfig, s *swarm.Service) {
	spec := s.Spec.TaskTemplate.ContainerSpec
	c.Image = imageOf(s)
	c.Entrypoint, c.Command = types.ShellCommand(spec.Command), types.ShellCommand(spec.Args)
	if len(spec.Command) == 0 {
		c.Entrypoint = nil
	}
	if len(spec.Args) == 0 {
		c.Command = nil
	}
	c.WorkingDir, c.User, c.Hostname = spec.Dir, spec.User, spec.Hostname
	c.ReadOnly, c.Init, c.Tty, c.StdinOpen = spec.ReadOnly, spec.Init, spec.TTY, spec.OpenStdin
	c.CapAdd, c.CapDrop, c.GroupAdd = spec.CapabilityAdd, spec.CapabilityDrop, spec.Groups
	c.StopSignal, c.OomScoreAdj = spec.StopSignal, spec.OomScoreAdj
	if spec.StopGracePeriod != nil {
		c.StopGracePeriod = new(types.Duration(*spec.StopGracePeriod))
	}
	if !spec.Isolation.IsDefault() {
		c.Isolation = string(spec.Isolation)
	}

	c.Environment = types.MappingWithEquals{}
	for _, e := range spec.Env {
		name, value, _ := strings.Cut(e, "=")
		c.Environment[name] = &value
	}
	c.Labels = free(spec.Labels)
	c.Sysctls = types.Mapping(spec.Sysctls)
	for _, u := range spec.Ulimits {
		if c.Ulimits == nil {
			c.Ulimits = map[string]*types.UlimitsConfig{}
		}
		c.Ulimits[u.Name] = &types.UlimitsConfig{Soft: int(u.Soft), Hard: int(u.Hard)}
	}
	if d := spec.DNSConfig; d != nil {
		c.DNS, c.DNSSearch, c.DNSOpts = d.Nameservers, d.Search, d.Options
	}
	for _, line := range spec.Hosts {
		if ip, names, ok := strings.Cut(line, " "); ok {
			if c.ExtraHosts == nil {
				c.ExtraHosts = types.HostsList{}
			}
			c.ExtraHosts[names] = append(c.ExtraHosts[names], ip)
		}
	}

	c.HealthCheck = health(spec)
	c.SecurityOpt = securityOptions(spec.Privileges)
	c.Volumes = mounts(spec)
	c.Networks = map[string]*types.ServiceNetworkConfig{shared: {Aliases: m.aliases(s)}}
	if l := s.Spec.TaskTemplate.LogDriver; l != nil && l.Name != "" {
		c.Logging = &types.LoggingConfig{Driver: l.Name, Options: types.Options(l.Options)}
	}
}

// imageOf a service as somebody asked for it: with the tag that stands in the file of a stack, and otherwise with the digest
// that the client of the engine found.
func imageOf(s *swarm.Service) string {
	runs, asked := s.Spec.TaskTemplate.ContainerSpec.Image, s.Spec.Labels[labelImage]
	if tagged, _, pinned := strings.Cut(runs, "@"); asked != "" && (tagged == asked || !pinned && runs == asked) {
		return asked
	}

	return runs
}

// free are the labels that are not the stack's.
func free(labels map[string]string) types.Labels {
	out := types.Labels{}
	for name, value := range labels {
		if !strings.HasPrefix(name, prefixStack) {
			out[name] = value
		}
	}

	return out
}

// aliases are the names of a service on all its networks, other than the one it has anyway.
func (m *maker) aliases(s *swarm.Service) []string {
	var out []string
	for _, n := range s.Spec.TaskTemplate.Networks {
		out = append(out, n.Aliases...)
	}
	slices.Sort(out)

	return slices.DeleteFunc(slices.Compact(out), func(name string) bool { return name == m.key(s) })
}

func health(spec *swarm.ContainerSpec) *types.HealthCheckConfig {
	h := spec.Healthcheck
	if h == nil {
		return nil
	}
	out := &types.HealthCheckConfig{Test: h.Test}
	for _, d := range []struct {
		to   **types.Duration
		from types.Duration
	}{
		{&out.Interval, types.Duration(h.Interval)}, {&out.Timeout, types.Duration(h.Timeout)},
		{&out.StartPeriod, types.Duration(h.StartPeriod)}, {&out.StartInterval, types.Duration(h.StartInterval)},
	} {
		if d.from != 0 {
			*d.to = &d.from
		}
	}
	if h.Retries > 0 {
		out.Retries = new(uint64(h.Retries))
	}

	return out
}

// securityOptions are written as on the command line.
func securityOptions(p *swarm.Privileges) []string {
	if p == nil {
		return nil
	}
	var out []string
	if p.CredentialSpec != nil {
		out = append(out, "credentialspec")
	}
	if p.SELinuxContext != nil && *p.SELinuxContext != (swarm.SELinuxContext{}) {
		out = append(out, "label")
	}
	if p.Seccomp != nil && p.Seccomp.Mode != "" && p.Seccomp.Mode != swarm.SeccompModeDefault {
		out = append(out, "seccomp="+string(p.Seccomp.Mode))
	}
	if p.AppArmor != nil && p.AppArmor.Mode != "" && p.AppArmor.Mode != swarm.AppArmorModeDefault {
		out = append(out, "apparmor="+string(p.AppArmor.Mode))
	}
	if p.NoNewPrivileges {
		out = append(out, "no-new-privileges")
	}

	return out
}

func mounts(spec *swarm.ContainerSpec) []types.ServiceVolumeConfig {
	var out []types.ServiceVolumeConfig
	for _, mount := range spec.Mounts {
		v := types.ServiceVolumeConfig{Type: string(mount.Type), Source: mount.Source, Target: mount.Target, ReadOnly: mount.ReadOnly}
		if o := mount.TmpfsOptions; o != nil {
			v.Tmpfs = &types.ServiceVolumeTmpfs{Size: types.UnitBytes(o.SizeBytes), Mode: uint32(o.Mode)}
		}
		out = append(out, v)
	}

	return out
}

// files writes down configs, with what is in them, and secrets, with what was given for them.
func (m *maker) files(c *types.ServiceConfig, s *swarm.Service, stack *compose.Stack) {
	spec := s.Spec.TaskTemplate.ContainerSpec
	for _, ref := range spec.Configs {
		key := m.content(ref.ConfigName)
		stack.Project.Configs[key] = types.ConfigObjConfig{Name: key}
		stack.Configs[key] = held(m.live.Configs[ref.ConfigID])
		f := types.FileReferenceConfig{Source: key}
		if ref.File != nil {
			f.Target, f.UID, f.GID, f.Mode = absolute(ref.File.Name), ref.File.UID, ref.File.GID, new(types.FileMode(ref.File.Mode))
		}
		c.Configs = append(c.Configs, types.ServiceConfigObjConfig(f))
	}
	for _, ref := range spec.Secrets {
		key := m.content(ref.SecretName)
		stack.Project.Secrets[key] = types.SecretConfig{Name: key}
		data, _ := m.secret(ref.SecretName)
		stack.Secrets[key] = held(data)
		f := types.FileReferenceConfig{Source: key}
		if ref.File != nil {
			f.Target, f.UID, f.GID, f.Mode = ref.File.Name, ref.File.UID, ref.File.GID, new(types.FileMode(ref.File.Mode))
		}
		c.Secrets = append(c.Secrets, types.ServiceSecretConfig(f))
	}
}

// absolute is where the engine puts a config.
func absolute(target string) string {
	if strings.HasPrefix(target, "/") {
		return target
	}

	return "/" + target
}

// content is the name of what a config or a secret becomes.
func (m *maker) content(name string) string { return strings.TrimPrefix(name, m.options.Namespace+"_") }

// secret is what was given for a secret, by its name or by its name without that of the stack.
func (m *maker) secret(name string) ([]byte, bool) {
	for _, n := range []string{name, m.content(name)} {
		if data, ok := m.options.Secrets[n]; ok {
			return data, true
		}
	}

	return nil, false
}

func held(data []byte) compose.Content {
	if len(data) == 0 {
		return compose.Content{Missing: "it is empty, and Swarm holds no empty files", Unfit: true}
	}

	return compose.Content{Data: data}
}

// published is a port on the nodes: the one that was asked for, or the one that the swarm has chosen.
func published(s *swarm.Service, p swarm.PortConfig) string {
	if p.PublishedPort != 0 {
		return fmt.Sprint(p.PublishedPort)
	}
	for _, given := range s.Endpoint.Ports {
		if given.TargetPort == p.TargetPort && given.Protocol == p.Protocol && given.PublishedPort != 0 {
			return fmt.Sprint(given.PublishedPort)
		}
	}

	return ""
}
