package servicespec_test

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

// The generators below draw what the schema of TenantContainer lets pass, and lean towards its edges. They are written
// from the markers of package v1alpha1.

// maybe is nil half of the time.
func maybe[T any](r *rapid.T, name string, g *rapid.Generator[T]) *T {
	if !rapid.Bool().Draw(r, "has "+name) {
		return nil
	}

	return new(g.Draw(r, name))
}

func some[T any](g *rapid.Generator[T], most int) *rapid.Generator[[]T] {
	return rapid.SliceOfN(g, 0, most)
}

// distinct is a list whose elements differ by key.
func distinct[T any, K comparable](g *rapid.Generator[T], most int, key func(T) K) *rapid.Generator[[]T] {
	return rapid.SliceOfNDistinct(g, 0, most, key)
}

// text is a string without template marks, of any characters but what the JSON decoder would refuse.
func text[T ~string](most int) *rapid.Generator[T] {
	return rapid.Map(rapid.StringN(0, most, most), func(s string) T {
		for strings.Contains(s, "{{") || strings.Contains(s, "}}") {
			s = strings.NewReplacer("{{", "{", "}}", "}").Replace(s)
		}

		return T(strings.ToValidUTF8(s, "?"))
	})
}

func word[T ~string](pattern string) *rapid.Generator[T] {
	return rapid.Map(rapid.StringMatching(pattern), func(s string) T { return T(s) })
}

var (
	dnsLabel     = word[v1alpha1.DNSLabel](`[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?`)
	objectName   = word[v1alpha1.ObjectName](`[a-z0-9]([-a-z0-9]{0,70}[a-z0-9])?(\.[a-z0-9]{1,9}){0,2}`)
	absolutePath = rapid.Map(rapid.StringMatching(`(/[^/{}\x00-\x1f]{1,9}){1,3}`), func(s string) v1alpha1.AbsolutePath {
		s = strings.ToValidUTF8(s, "?")
		for _, bad := range []string{"/proc", "/sys", "/dev"} {
			s = strings.Replace(s, bad, "/x", 1)
		}
		elements := strings.Split(s, "/")
		for i, e := range elements { // One by one: in "/././a" the two overlap.
			if e == "." || e == ".." {
				elements[i] = "a"
			}
		}

		return v1alpha1.AbsolutePath(strings.Join(elements, "/") + "_")
	})
	variableName = rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_]{0,12}`)
	int32s       = func(least, most int32) *rapid.Generator[int32] { return rapid.Int32Range(least, most) }
	cpus         = amount(`[1-9][0-9]{0,2}`, "m", "", "00m")
	cpuLimits    = amount(`[1-9][0-9]{1,2}`, "m", "")
	memory       = amount(`[5-9][0-9]{0,2}`, "Mi", "Gi", "000k", "000000")
	capability   = rapid.SampledFrom([]string{
		"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID",
		"SETPCAP", "SETUID", "SYS_CHROOT",
	})
)

func amount(number string, units ...string) *rapid.Generator[resource.Quantity] {
	return rapid.Custom(func(r *rapid.T) resource.Quantity {
		return resource.MustParse(rapid.StringMatching(number).Draw(r, "number") + rapid.SampledFrom(units).Draw(r, "unit"))
	}).Filter(func(q resource.Quantity) bool {
		return q.Cmp(resource.MustParse("4Mi")) >= 0 || q.Cmp(resource.MustParse("1k")) <= 0
	})
}

func templates() *rapid.Generator[*v1alpha1.TenantContainerSpec] {
	return rapid.Custom(func(r *rapid.T) *v1alpha1.TenantContainerSpec {
		t := &v1alpha1.TenantContainerSpec{
			Image: word[v1alpha1.Image](`([a-z0-9]{1,5}\.[a-z]{2}(:[0-9]{2,4})?/)?[a-z0-9]{1,9}(/[a-z]{1,5}(-|__)[a-z]{1,3})?(:[a-zA-Z0-9_][a-zA-Z0-9._-]{0,9})?(@sha256:[a-f0-9]{64})?`).Draw(r, "image"),

			ImagePullPolicy: rapid.SampledFrom([]v1alpha1.PullPolicy{"", v1alpha1.PullAlways, v1alpha1.PullNever}).Draw(r, "pull"),
			Command:         some(text[v1alpha1.Text](30), 3).Draw(r, "command"),
			Args:            some(text[v1alpha1.Text](30), 3).Draw(r, "args"),
			Env:             distinct(envVars, 4, func(e v1alpha1.EnvVar) string { return e.Name }).Draw(r, "env"),
			Files:           distinct(fileRefs, 3, func(f v1alpha1.File) v1alpha1.AbsolutePath { return f.Path }).Draw(r, "files"),
			Ports:           ports.Draw(r, "ports"),
			Mode:            rapid.SampledFrom([]v1alpha1.Mode{"", v1alpha1.ModeReplicated, v1alpha1.ModeGlobal}).Draw(r, "mode"),
			Resources:       maybe(r, "resources", resources),
			HealthCheck:     maybe(r, "health check", healthChecks),
			RestartPolicy:   maybe(r, "restart policy", restartPolicies),
			StopSignal:      rapid.SampledFrom([]string{"", "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"}).Draw(r, "signal"),

			TerminationGracePeriodSeconds: maybe(r, "grace", rapid.Int64Range(0, 60)),

			Placement:  maybe(r, "placement", placements),
			Security:   maybe(r, "security", securities),
			DNSAliases: distinct(dnsLabel, 3, rapid.ID[v1alpha1.DNSLabel]).Draw(r, "aliases"),
			ExtraHosts: distinct(extraHosts, 3, func(h v1alpha1.ExtraHost) string { return h.IP }).Draw(r, "hosts"),
			Sysctls:    rapid.MapOfN(sysctls, text[v1alpha1.ShortText](20), 0, 2).Draw(r, "sysctls"),
			Ulimits:    distinct(ulimits, 3, func(u v1alpha1.Ulimit) string { return u.Name }).Draw(r, "ulimits"),
			Tmpfs:      distinct(tmpfs, 3, func(m v1alpha1.Tmpfs) v1alpha1.AbsolutePath { return m.MountPath }).Draw(r, "tmpfs"),
			Volumes:    distinct(volumeMounts, 3, func(m v1alpha1.VolumeMount) v1alpha1.AbsolutePath { return m.MountPath }).Draw(r, "volumes"),
			Labels:     rapid.MapOfN(rapid.StringMatching(`[a-zA-Z0-9_/-][a-zA-Z0-9._/-]{0,12}`), text[v1alpha1.LabelText](30), 0, 3).Draw(r, "labels"),
			Logging:    maybe(r, "logging", loggings),
		}
		if rapid.Bool().Draw(r, "has dir") {
			t.WorkingDir = absolutePath.Draw(r, "dir")
		}
		if rapid.Bool().Draw(r, "has hostname") {
			t.Hostname = dnsLabel.Draw(r, "hostname")
		}
		legal(t)

		return t
	})
}

// legal applies the schema's rules about more than one field.
func legal(t *v1alpha1.TenantContainerSpec) {
	if t.Mode == v1alpha1.ModeGlobal && t.Placement != nil {
		t.Placement.MaxReplicasPerNode, t.Placement.Spread = nil, nil
	}
	if res := t.Resources; res != nil && res.Requests != nil && res.Limits != nil {
		if q, l := res.Requests.CPU, res.Limits.CPU; q != nil && l != nil && q.Cmp(*l) > 0 {
			res.Requests.CPU, res.Limits.CPU = l, q
		}
		if q, l := res.Requests.Memory, res.Limits.Memory; q != nil && l != nil && q.Cmp(*l) > 0 {
			res.Requests.Memory, res.Limits.Memory = l, q
		}
	}
	if s := t.Security; s != nil && s.RunAsUser == nil {
		s.RunAsGroup = nil
	}
	if l := t.Logging; l != nil && l.Driver == "none" {
		l.MaxSize, l.MaxFiles = nil, nil
	}
	for _, p := range t.Ports {
		if p.Publish != nil && p.Publish.Mode == v1alpha1.PublishIngress {
			t.EndpointMode = v1alpha1.EndpointVIP
		}
	}
}

var envVars = rapid.Custom(func(r *rapid.T) v1alpha1.EnvVar {
	return v1alpha1.EnvVar{Name: variableName.Draw(r, "name"), Value: maybe(r, "value", text[v1alpha1.Text](40))}
})

var fileRefs = rapid.Custom(func(r *rapid.T) v1alpha1.File {
	f := v1alpha1.File{
		Path: absolutePath.Draw(r, "path"),
		Mode: maybe(r, "mode", int32s(0, 0o777)),
		UID:  maybe(r, "uid", rapid.Int64Range(0, 1<<31-1)),
		GID:  maybe(r, "gid", rapid.Int64Range(0, 1<<31-1)),
	}
	ref := &v1alpha1.KeySelector{Name: objectName.Draw(r, "object"), Key: word[v1alpha1.DataKey](`[-._a-zA-Z0-9]{1,9}`).Draw(r, "key")}
	if rapid.Bool().Draw(r, "secret") {
		f.SecretKeyRef = ref
	} else {
		f.ConfigMapKeyRef = ref
	}

	return f
})

var ports = rapid.Custom(func(r *rapid.T) []v1alpha1.Port {
	one := rapid.Custom(func(r *rapid.T) v1alpha1.Port {
		p := v1alpha1.Port{
			ContainerPort: rapid.Int32Range(1, 65535).Draw(r, "port"),
			Protocol:      rapid.SampledFrom([]string{"", "TCP", "UDP", "SCTP"}).Draw(r, "protocol"),
		}
		if rapid.Bool().Draw(r, "published") {
			p.Publish = &v1alpha1.PortPublication{
				Mode: rapid.SampledFrom([]v1alpha1.PublishMode{v1alpha1.PublishHost, v1alpha1.PublishIngress}).Draw(r, "mode"),
				Port: rapid.Int32Range(1, 65535).Draw(r, "published port"),
			}
		}

		return p
	})
	list := distinct(one, 3, func(p v1alpha1.Port) int32 { return p.ContainerPort }).Draw(r, "list")
	seen := map[int32]bool{}
	for i := range list {
		if p := list[i].Publish; p != nil {
			if seen[p.Port] {
				list[i].Publish = nil
			}
			seen[p.Port] = true
		}
	}

	return list
})

var resources = rapid.Custom(func(r *rapid.T) v1alpha1.Resources {
	var out v1alpha1.Resources
	if rapid.Bool().Draw(r, "has requests") {
		out.Requests = &v1alpha1.ResourceRequests{CPU: maybe(r, "cpu", cpus), Memory: maybe(r, "memory", memory)}
	}
	if rapid.Bool().Draw(r, "has limits") {
		out.Limits = &v1alpha1.ResourceLimits{
			CPU: maybe(r, "cpu", cpuLimits), Memory: maybe(r, "memory", memory), Pids: maybe(r, "pids", rapid.Int64Range(1, 4194304)),
		}
	}

	return out
})

var healthChecks = rapid.Custom(func(r *rapid.T) v1alpha1.HealthCheck {
	h := v1alpha1.HealthCheck{
		PeriodSeconds:      maybe(r, "period", int32s(1, 3600)),
		TimeoutSeconds:     maybe(r, "timeout", int32s(1, 60)),
		FailureThreshold:   maybe(r, "threshold", int32s(1, 100)),
		StartPeriodSeconds: maybe(r, "start", int32s(0, 3600)),
	}
	switch rapid.IntRange(0, 3).Draw(r, "kind") {
	case 0:
		h.Exec = &v1alpha1.ExecCheck{Command: rapid.SliceOfN(text[v1alpha1.CheckText](20), 1, 3).Draw(r, "command")}
	case 1:
		h.HTTPGet = &v1alpha1.HTTPCheck{Port: 80, Path: rapid.StringMatching(`(/[A-Za-z0-9/_.~%?&=+:@,;-]{0,20})?`).Draw(r, "path")}
	case 2:
		h.TCPSocket = &v1alpha1.TCPCheck{Port: int32s(1, 65535).Draw(r, "port")}
	case 3:
		h.Disabled = true
	}

	return h
})

var restartPolicies = rapid.Custom(func(r *rapid.T) v1alpha1.RestartPolicy {
	return v1alpha1.RestartPolicy{
		Condition:     rapid.SampledFrom([]v1alpha1.RestartCondition{"", v1alpha1.RestartAlways, v1alpha1.RestartOnFailure, v1alpha1.RestartNever}).Draw(r, "condition"),
		DelaySeconds:  maybe(r, "delay", int32s(1, 3600)),
		MaxAttempts:   maybe(r, "attempts", int32s(0, 1000)),
		WindowSeconds: maybe(r, "window", int32s(0, 86400)),
	}
})

var placements = rapid.Custom(func(r *rapid.T) v1alpha1.Placement {
	return v1alpha1.Placement{
		Constraints:        distinct(rapid.StringMatching(`(node\.(id|hostname|role|platform\.os|labels\.[A-Za-z0-9][A-Za-z0-9._-]{0,9})|engine\.labels\.[A-Za-z0-9]) ?(==|!=) ?[A-Za-z0-9:._/-]{1,9}`), 3, rapid.ID[string]).Draw(r, "constraints"),
		Spread:             some(rapid.StringMatching(`(node|engine)\.labels\.[A-Za-z0-9][A-Za-z0-9._/-]{0,9}`), 2).Draw(r, "spread"),
		MaxReplicasPerNode: maybe(r, "max", int32s(1, 10000)),
		Platforms: some(rapid.Custom(func(r *rapid.T) v1alpha1.Platform {
			return v1alpha1.Platform{OS: "linux", Architecture: rapid.SampledFrom([]string{"amd64", "arm64", "x86_64"}).Draw(r, "arch")}
		}), 3).Draw(r, "platforms"),
	}
})

var securities = rapid.Custom(func(r *rapid.T) v1alpha1.Security {
	s := v1alpha1.Security{
		RunAsUser:              maybe(r, "user", rapid.Int64Range(0, 1<<31-1)),
		RunAsGroup:             maybe(r, "group", rapid.Int64Range(0, 1<<31-1)),
		ReadOnlyRootFilesystem: rapid.Bool().Draw(r, "read-only"),
		Init:                   maybe(r, "init", rapid.Bool()),
	}
	if rapid.Bool().Draw(r, "has capabilities") {
		s.Capabilities = &v1alpha1.Capabilities{
			Add:  distinct(capability, 3, rapid.ID[string]).Draw(r, "add"),
			Drop: distinct(rapid.OneOf(capability, rapid.Just("ALL"), rapid.Just("NET_RAW")), 3, rapid.ID[string]).Draw(r, "drop"),
		}
	}

	return s
})

var extraHosts = rapid.Custom(func(r *rapid.T) v1alpha1.ExtraHost {
	ip := fmt.Sprintf("10.0.%d.%d", rapid.IntRange(0, 255).Draw(r, "a"), rapid.IntRange(0, 255).Draw(r, "b"))
	if rapid.Bool().Draw(r, "six") {
		ip = fmt.Sprintf("fd00::%x", rapid.IntRange(1, 65535).Draw(r, "a"))
	}

	return v1alpha1.ExtraHost{IP: ip, Hostnames: rapid.SliceOfNDistinct(objectName, 1, 3, rapid.ID[v1alpha1.ObjectName]).Draw(r, "names")}
})

var sysctls = rapid.SampledFrom([]string{"kernel.shm_rmid_forced", "net.ipv4.tcp_syncookies", "net.ipv4.ip_unprivileged_port_start"})

var ulimits = rapid.Custom(func(r *rapid.T) v1alpha1.Ulimit {
	hard := rapid.Int64Range(0, 1<<40).Draw(r, "hard")

	return v1alpha1.Ulimit{
		Name: rapid.SampledFrom([]string{"core", "cpu", "nofile", "nproc", "stack"}).Draw(r, "name"),
		Soft: rapid.Int64Range(0, hard).Draw(r, "soft"),
		Hard: hard,
	}
})

var tmpfs = rapid.Custom(func(r *rapid.T) v1alpha1.Tmpfs {
	return v1alpha1.Tmpfs{MountPath: absolutePath.Draw(r, "path"), Size: memory.Draw(r, "size"), Mode: maybe(r, "mode", int32s(1, 0o1777))}
}).Filter(func(m v1alpha1.Tmpfs) bool { return m.Size.Cmp(resource.MustParse("64Gi")) <= 0 })

// Few names, so that one Volume is mounted twice now and then.
var volumeMounts = rapid.Custom(func(r *rapid.T) v1alpha1.VolumeMount {
	return v1alpha1.VolumeMount{
		Name:      rapid.SampledFrom([]v1alpha1.DNSLabel{"a", "b", "c-d"}).Draw(r, "volume"),
		MountPath: absolutePath.Draw(r, "path"),
		ReadOnly:  rapid.Bool().Draw(r, "read-only"),
	}
})

// resolvedVolumes are the Volumes of all those names, some on a node and some with a driver of their own; now and then one is
// missing.
var resolvedVolumes = rapid.Custom(func(r *rapid.T) []servicespec.ResolvedVolume {
	var out []servicespec.ResolvedVolume
	for _, name := range []string{"a", "b", "c-d"} {
		if rapid.IntRange(0, 19).Draw(r, "missing") == 0 {
			continue
		}
		v := servicespec.ResolvedVolume{Name: name, Source: "acme_" + name + "_0", Labels: labelsOf(name)}
		if rapid.Bool().Draw(r, "on a node") {
			v.NodeID = "node1"
		}
		if rapid.Bool().Draw(r, "driver") {
			v.Driver = rapid.SampledFrom([]string{"local", "example/plugin:1"}).Draw(r, "driver name")
			v.Options = rapid.MapOfN(rapid.StringMatching(`[a-z]{1,5}`), text[string](10), 0, 2).Draw(r, "options")
		}
		out = append(out, v)
	}

	return out
})

var loggings = rapid.Custom(func(r *rapid.T) v1alpha1.Logging {
	size := amount(`[4-9]{1,2}`, "Mi", "000000")

	return v1alpha1.Logging{
		Driver:   rapid.SampledFrom([]string{"json-file", "local", "none"}).Draw(r, "driver"),
		MaxSize:  maybe(r, "size", size),
		MaxFiles: maybe(r, "files", int32s(1, 20)),
	}
})

var rollouts = rapid.Custom(func(r *rapid.T) v1alpha1.Rollout {
	return v1alpha1.Rollout{
		Parallelism:             maybe(r, "parallelism", int32s(0, 10000)),
		DelaySeconds:            maybe(r, "delay", int32s(0, 600)),
		Order:                   rapid.SampledFrom([]v1alpha1.RolloutOrder{"", v1alpha1.OrderStartFirst, v1alpha1.OrderStopFirst}).Draw(r, "order"),
		MonitorSeconds:          maybe(r, "monitor", int32s(1, 3600)),
		MaxFailurePercent:       maybe(r, "failures", int32s(0, 100)),
		FailureAction:           rapid.SampledFrom([]v1alpha1.FailureAction{"", v1alpha1.FailureRollback, v1alpha1.FailurePause, v1alpha1.FailureContinue}).Draw(r, "action"),
		ProgressDeadlineSeconds: maybe(r, "deadline", int32s(1, 86400)),
	}
})

// inputs are templates with everything around them.
func inputs() *rapid.Generator[servicespec.Input] {
	return rapid.Custom(func(r *rapid.T) servicespec.Input {
		in := inputOf(templates().Draw(r, "template"))
		in.Rollout = maybe(r, "rollout", rollouts)
		in.Replicas = rapid.Uint64Range(0, 10000).Draw(r, "replicas")
		in.Suspended = rapid.Bool().Draw(r, "suspended")
		in.OffManagers = rapid.Bool().Draw(r, "off managers")
		in.NoNewPrivileges = rapid.Bool().Draw(r, "no new privileges")
		in.ForceUpdate = rapid.Uint64().Draw(r, "force")
		in.RegistryAuth = rapid.StringMatching(`([0-9a-f]{16})?`).Draw(r, "auth")
		in.RestartedAt = text[string](20).Draw(r, "restarted at")
		in.Volumes = resolvedVolumes.Draw(r, "volumes of the namespace")

		env, err := servicespec.Env(in.Template, nil)
		if err != nil {
			r.Fatal(err)
		}
		in.Env = env.Strings()
		for i := range in.Template.Files {
			f := servicespec.RecordedFile(&in.Template.Files[i])
			in.Files = append(in.Files, f.Resolved(fmt.Sprintf("id%d", i), fmt.Sprintf("name%d", i)))
		}

		return in
	})
}
