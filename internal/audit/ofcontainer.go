package audit

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// labelService is on containers of tasks. Nobody but the engine can put it there.
const labelService = "com.docker.swarm.service.name"

// OfContainer is a container as the engine has made it. volumes are paths of the node by name of the volume that stands
// for it. What the kernel says of its processes is for the caller to fill in.
func OfContainer(in container.InspectResponse, volumes map[string]string) Container {
	c := Container{CommandsUnseen: "its processes were not listed", ProcessUnseen: "its process was not looked at"}

	if b := in.ContainerJSONBase; b != nil {
		c.ID, c.AppArmorProfile, c.SELinuxLabel = b.ID, b.AppArmorProfile, b.ProcessLabel
		if h := b.HostConfig; h != nil {
			c.takeHostConfig(h)
		}
	}
	if in.Config != nil {
		c.Image, c.User = in.Config.Image, in.Config.User
		c.EnvNames = namesOf(in.Config.Env)
		c.Service = in.Config.Labels[labelService] != ""
	}
	c.Health = HealthNone
	if in.Config != nil {
		c.Health = healthOf(in.Config.Healthcheck, HealthNone)
	}
	if n := in.NetworkSettings; n != nil {
		c.Networks = slices.Sorted(maps.Keys(n.Networks))
		c.Ports = bound(in)
	}
	for _, m := range in.Mounts {
		c.Mounts = append(c.Mounts, mountPoint(m, volumes))
	}

	return c
}

func (c *Container) takeHostConfig(h *container.HostConfig) {
	c.Privileged, c.ReadOnlyRoot, c.PublishAll = h.Privileged, h.ReadonlyRootfs, h.PublishAllPorts
	c.CapAdd, c.CapDrop = h.CapAdd, h.CapDrop
	c.NetworkMode, c.PIDMode, c.IPCMode = string(h.NetworkMode), string(h.PidMode), string(h.IpcMode)
	c.UTSMode, c.UserNSMode = string(h.UTSMode), string(h.UsernsMode)
	c.MemoryBytes, c.NanoCPUs, c.CPUShares, c.CPUQuota = h.Memory, h.NanoCPUs, h.CPUShares, h.CPUQuota
	c.CgroupParent, c.Ulimits = h.CgroupParent, ulimitsOf(h.Ulimits)
	c.Restart = Restart{Condition: string(h.RestartPolicy.Name), MaxAttempts: uint64(max(0, h.RestartPolicy.MaximumRetryCount))}

	if h.PidsLimit != nil {
		c.PIDs = *h.PidsLimit
	}
	for _, o := range h.SecurityOpt {
		c.SecurityOpt = append(c.SecurityOpt, securityOption(o))
	}
	for _, d := range h.Devices {
		c.Devices = append(c.Devices, d.PathOnHost)
	}
	for _, r := range h.DeviceCgroupRules {
		c.Devices = append(c.Devices, "rule "+r)
	}
	for _, r := range h.DeviceRequests {
		c.Devices = append(c.Devices, "by request of "+cmp.Or(r.Driver, "any driver"))
	}
	slices.Sort(c.Devices)
}

// securityOption in one spelling of the several that the engine takes, and without the text of a profile.
func securityOption(o string) string {
	key, value, _ := strings.Cut(o, "=")
	if k, v, ok := strings.Cut(key, ":"); ok && value == "" {
		key, value = k, v
	}

	switch {
	case key == "no-new-privileges" && value != "false":
		return key
	case key == "seccomp" && value != "unconfined":
		return "seccomp=custom"
	default:
		return key + "=" + value
	}
}

// bound are the ports of the node that the container has. One that the engine has chosen has number 0, as it was asked
// for.
func bound(in container.InspectResponse) []Port {
	if in.NetworkSettings == nil || in.ContainerJSONBase == nil || in.HostConfig == nil {
		return nil
	}

	var out []Port
	for _, port := range slices.Sorted(maps.Keys(in.NetworkSettings.Ports)) {
		chosen := false
		for _, b := range in.HostConfig.PortBindings[port] {
			chosen = chosen || b.HostPort == "" || b.HostPort == "0"
		}
		for _, b := range in.NetworkSettings.Ports[port] {
			p := Port{Address: b.HostIP, Target: number(port.Port()), Protocol: port.Proto()}
			if !chosen {
				p.Published = number(b.HostPort)
			}
			out = append(out, p)
		}
	}

	return out
}

// number of a port; 0 for what is none.
func number(port string) uint32 {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return 0
	}

	return uint32(n)
}

func mountPoint(m container.MountPoint, volumes map[string]string) Mount {
	out := Mount{Target: m.Destination, ReadOnly: !m.RW, Propagation: string(m.Propagation)}

	switch m.Type {
	case mount.TypeBind, mount.TypeNamedPipe:
		out.HostPath = m.Source
	case mount.TypeVolume:
		out.HostPath = volumes[m.Name]
	}

	return out
}
