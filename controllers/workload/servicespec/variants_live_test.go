//go:build e2e

package servicespec_test

import (
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

// variants are templates that differ from the smallest one in one thing each.
func variants() map[string]func(*servicespec.Input) {
	with := func(change func(*v1alpha1.TenantContainerSpec)) func(*servicespec.Input) {
		return func(in *servicespec.Input) { change(in.Template) }
	}
	check := func(h v1alpha1.HealthCheck) func(*servicespec.Input) {
		return with(func(t *v1alpha1.TenantContainerSpec) { t.HealthCheck = &h })
	}
	port := func(mode v1alpha1.PublishMode, protocol string) func(*servicespec.Input) {
		return with(func(t *v1alpha1.TenantContainerSpec) {
			t.Ports = []v1alpha1.Port{
				{Name: "b", ContainerPort: 81, Protocol: protocol, Publish: &v1alpha1.PortPublication{Mode: mode, Port: 9001}},
				{Name: "a", ContainerPort: 80, Protocol: protocol, Publish: &v1alpha1.PortPublication{Mode: mode, Port: 9000}},
			}
		})
	}

	return map[string]func(*servicespec.Input){
		"Minimal": func(*servicespec.Input) {},
		"Command": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Command, t.Args = []v1alpha1.Text{"/app", ""}, []v1alpha1.Text{" ", "é"}
		}),
		"WorkingDir":  with(func(t *v1alpha1.TenantContainerSpec) { t.WorkingDir = "/srv/a b" }),
		"Env":         func(in *servicespec.Input) { in.Env = []string{"A=", "B=1\n2", "C=ü=x"} },
		"Secret":      files(servicespec.KindSecret),
		"Config":      files(servicespec.KindConfigMap),
		"HostPort":    port(v1alpha1.PublishHost, "UDP"),
		"IngressPort": port(v1alpha1.PublishIngress, "TCP"),
		"SCTPPort":    port(v1alpha1.PublishHost, "SCTP"),
		"VirtualIP":   with(func(t *v1alpha1.TenantContainerSpec) { t.EndpointMode = v1alpha1.EndpointVIP }),
		"Global":      with(func(t *v1alpha1.TenantContainerSpec) { t.Mode = v1alpha1.ModeGlobal }),
		"CPURequest": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Resources = &v1alpha1.Resources{Requests: &v1alpha1.ResourceRequests{CPU: quantity("1500u")}}
		}),
		"MemoryLimit": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{Memory: quantity("4Mi")}}
		}),
		"PidsAlone": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{Pids: new(int64(5))}}
		}),
		"NoResources": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{}}
		}),
		"ExecCheck": check(v1alpha1.HealthCheck{Exec: &v1alpha1.ExecCheck{Command: []v1alpha1.CheckText{"/app", "-check"}}}),
		"HTTPCheck": check(v1alpha1.HealthCheck{HTTPGet: &v1alpha1.HTTPCheck{Port: 80, Path: "/a?b=c&d='"}}),
		"TCPCheck":  check(v1alpha1.HealthCheck{TCPSocket: &v1alpha1.TCPCheck{Port: 80}, StartPeriodSeconds: new(int32(60))}),
		"NoCheck":   check(v1alpha1.HealthCheck{Disabled: true}),
		"NeverRestarts": with(func(t *v1alpha1.TenantContainerSpec) {
			t.RestartPolicy = &v1alpha1.RestartPolicy{Condition: v1alpha1.RestartNever}
		}),
		"RestartWindow": with(func(t *v1alpha1.TenantContainerSpec) {
			t.RestartPolicy = &v1alpha1.RestartPolicy{WindowSeconds: new(int32(9)), MaxAttempts: new(int32(3))}
		}),
		"StopSignal": with(func(t *v1alpha1.TenantContainerSpec) {
			t.StopSignal, t.TerminationGracePeriodSeconds = "SIGINT", new(int64(0))
		}),
		"Constraints": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Placement = &v1alpha1.Placement{Constraints: []string{"node.role  ==  worker", "node.id!=x"}}
		}),
		"Spread": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Placement = &v1alpha1.Placement{Spread: []string{"node.labels.z", "engine.labels.a"}}
		}),
		"Platforms": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Placement = &v1alpha1.Placement{Platforms: []v1alpha1.Platform{{OS: "linux", Architecture: "amd64"}}}
		}),
		"MaxPerNode": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Placement = &v1alpha1.Placement{MaxReplicasPerNode: new(int32(1))}
		}),
		"User": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Security = &v1alpha1.Security{RunAsUser: new(int64(0)), RunAsGroup: new(int64(0))}
		}),
		"Init": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Security = &v1alpha1.Security{Init: new(false), ReadOnlyRootFilesystem: true}
		}),
		"Capabilities": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Security = &v1alpha1.Security{Capabilities: &v1alpha1.Capabilities{Add: []string{"CHOWN"}, Drop: []string{"ALL"}}}
		}),
		"Hostname": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Hostname, t.DNSAliases = "shop", []v1alpha1.DNSLabel{"z", "a"}
		}),
		"ExtraHosts": with(func(t *v1alpha1.TenantContainerSpec) {
			t.ExtraHosts = []v1alpha1.ExtraHost{{IP: "fd00::1", Hostnames: []v1alpha1.ObjectName{"z", "a"}}}
		}),
		"Sysctls": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Sysctls = map[string]v1alpha1.ShortText{"net.ipv4.tcp_rmem": "1 2 3"}
		}),
		"Ulimits": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Ulimits = []v1alpha1.Ulimit{{Name: "nofile", Soft: 0, Hard: 1}, {Name: "core"}}
		}),
		"Tmpfs": with(func(t *v1alpha1.TenantContainerSpec) {
			t.Tmpfs = []v1alpha1.Tmpfs{{MountPath: "/b", Size: *quantity("1Mi")}, {MountPath: "/a", Size: *quantity("4Ki"), Mode: new(int32(0o1777))}}
		}),
		"Labels":         with(func(t *v1alpha1.TenantContainerSpec) { t.Labels = map[string]v1alpha1.LabelText{"a": "", "b/c": "x"} }),
		"Logging":        with(func(t *v1alpha1.TenantContainerSpec) { t.Logging = &v1alpha1.Logging{Driver: "local"} }),
		"Volume":         volumes(v1alpha1.VolumeMount{Name: "catalog", MountPath: "/data"}),
		"VolumeReadOnly": volumes(v1alpha1.VolumeMount{Name: "catalog", MountPath: "/data", ReadOnly: true}),
		"Volumes":        volumes(v1alpha1.VolumeMount{Name: "catalog", MountPath: "/data/deep"}, v1alpha1.VolumeMount{Name: "uploads", MountPath: "/data"}),
		"Rollout": func(in *servicespec.Input) {
			in.Rollout = &v1alpha1.Rollout{Parallelism: new(int32(0)), MaxFailurePercent: new(int32(33)), FailureAction: v1alpha1.FailureContinue}
		},
		"Notes": func(in *servicespec.Input) { in.ForceUpdate, in.RegistryAuth, in.RestartedAt = 1<<63, "ab", "now" },
	}
}

func volumes(mounts ...v1alpha1.VolumeMount) func(*servicespec.Input) {
	return func(in *servicespec.Input) {
		in.Template.Volumes, in.Volumes = mounts, []servicespec.ResolvedVolume{catalog(), uploads()}
	}
}

func files(kind servicespec.Kind) func(*servicespec.Input) {
	return func(in *servicespec.Input) {
		in.Files = []servicespec.ResolvedFile{{Path: "/run/z", Kind: kind, Mode: 0o444}, {Path: "/etc/a", Kind: kind, UID: 7, GID: 8}}
	}
}
