//go:build e2e

package servicespec_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/internal/lab"
)

// engine is a real one with a network, and with Swarm objects for files.
type engine struct {
	*lab.Node
	network        string
	image          string
	secret, config string
}

func startEngine(t *testing.T) *engine {
	t.Helper()

	l := lab.Start(t, lab.Options{})
	e := &engine{Node: l.Nodes[0]}

	net, err := e.Docker.NetworkCreate(t.Context(), "acme_default", network.CreateOptions{Driver: "overlay"})
	if err != nil {
		t.Fatal(err)
	}
	e.network = net.ID

	if e.image, err = l.ImageID(t.Context(), "v1"); err != nil {
		t.Fatal(err)
	}

	secret, err := e.Docker.SecretCreate(t.Context(), swarm.SecretSpec{Annotations: swarm.Annotations{Name: "acme_db_1"}, Data: []byte("s")})
	if err != nil {
		t.Fatal(err)
	}
	config, err := e.Docker.ConfigCreate(t.Context(), swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "acme_shop_1"}, Data: []byte("c")})
	if err != nil {
		t.Fatal(err)
	}
	e.secret, e.config = secret.ID, config.ID

	return e
}

// fit makes an input one for this engine: with its network, its image and its files. Nothing is to run, and ports are
// free, so that only the words count.
func (e *engine) fit(in servicespec.Input) servicespec.Input {
	in.NetworkID, in.Image = e.network, e.image
	in.Files = slices.Clone(in.Files)
	for i := range in.Files {
		f := &in.Files[i]
		if f.Kind == servicespec.KindSecret {
			f.SwarmID, f.SwarmName = e.secret, "acme_db_1"
		} else {
			f.SwarmID, f.SwarmName = e.config, "acme_shop_1"
		}
	}

	return in
}

func (e *engine) idle(in servicespec.Input) servicespec.Input {
	in = e.fit(in)
	in.Replicas, in.Suspended = 0, true

	return in
}

func (e *engine) create(t *testing.T, in servicespec.Input) (id string, spec swarm.ServiceSpec) {
	t.Helper()

	spec = build(t, in)
	facts := factsOf(in)
	facts.ImageID = e.image
	if err := guard.Check(spec, facts); err != nil {
		t.Fatal(err)
	}

	made, err := e.Docker.ServiceCreate(t.Context(), spec, swarm.ServiceCreateOptions{})
	if err != nil {
		t.Fatalf("create service: %v\n%s", err, marshal(t, spec))
	}

	return made.ID, spec
}

func (e *engine) update(t *testing.T, id string, spec swarm.ServiceSpec) {
	t.Helper()

	// The allocator moves the version on its own; a conflict only asks for another look.
	for range 20 {
		live := e.inspect(t, id)
		_, err := e.Docker.ServiceUpdate(t.Context(), id, live.Version, spec, swarm.ServiceUpdateOptions{})
		if err == nil {
			return
		}
		t.Logf("update service: %v", err)
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the service cannot be updated")
}

func (e *engine) inspect(t *testing.T, id string) swarm.Service {
	t.Helper()

	live, _, err := e.Docker.ServiceInspectWithRaw(t.Context(), id, swarm.ServiceInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}

	return live
}

func (e *engine) remove(t *testing.T, id string) {
	t.Helper()

	if err := e.Docker.ServiceRemove(context.WithoutCancel(t.Context()), id); err != nil {
		t.Error(err)
	}
}

// unchanged demands that the engine's answers, to inspect and to list, do not differ from what was sent.
func (e *engine) unchanged(t *testing.T, id string, sent swarm.ServiceSpec) {
	t.Helper()

	answers := map[string]swarm.ServiceSpec{"inspect": e.inspect(t, id).Spec}
	listed, err := e.Docker.ServiceList(t.Context(), swarm.ServiceListOptions{Filters: filters.NewArgs(filters.Arg("id", id))})
	if err != nil || len(listed) != 1 {
		t.Fatalf("list services: %d, %v", len(listed), err)
	}
	answers["list"] = listed[0].Spec

	for call, answer := range answers {
		if changes := servicespec.Diff(answer, sent); len(changes) > 0 {
			t.Errorf("%s: a spec differs from the engine's answer: %s\n%s", call, changes, cmp.Diff(sent, answer))
		}
	}
}

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
		"Labels":  with(func(t *v1alpha1.TenantContainerSpec) { t.Labels = map[string]v1alpha1.LabelText{"a": "", "b/c": "x"} }),
		"Logging": with(func(t *v1alpha1.TenantContainerSpec) { t.Logging = &v1alpha1.Logging{Driver: "local"} }),
		"Rollout": func(in *servicespec.Input) {
			in.Rollout = &v1alpha1.Rollout{Parallelism: new(int32(0)), MaxFailurePercent: new(int32(33)), FailureAction: v1alpha1.FailureContinue}
		},
		"Notes": func(in *servicespec.Input) { in.ForceUpdate, in.RegistryAuth, in.RestartedAt = 1<<63, "ab", "now" },
	}
}

func files(kind servicespec.Kind) func(*servicespec.Input) {
	return func(in *servicespec.Input) {
		in.Files = []servicespec.ResolvedFile{{Path: "/run/z", Kind: kind, Mode: 0o444}, {Path: "/etc/a", Kind: kind, UID: 7, GID: 8}}
	}
}

// TestLiveNoDifferenceToTheEnginesAnswer is what keeps Dogker from writing without a reason: whatever is sent, the
// engine's answer must not look different.
func TestLiveNoDifferenceToTheEnginesAnswer(t *testing.T) {
	e := startEngine(t)

	inputs := map[string]servicespec.Input{"Complete": completeInput(t)}
	for name, change := range variants() {
		in := inputOf(minimal())
		change(&in)
		inputs[name] = in
	}
	for seed := range 60 {
		inputs[fmt.Sprintf("Generated%d", seed)] = buildable().Example(seed)
	}

	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		t.Run(name, func(t *testing.T) {
			id, spec := e.create(t, e.idle(inputs[name]))
			defer e.remove(t, id)

			e.unchanged(t, id, spec)
		})
	}
}

// TestLiveNoDifferenceAfterUpdates walks one service through all variants: an update must leave nothing of the old.
func TestLiveNoDifferenceAfterUpdates(t *testing.T) {
	e := startEngine(t)
	id, _ := e.create(t, e.idle(inputOf(minimal())))

	all := variants()
	delete(all, "Global")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		in := inputOf(minimal())
		all[name](&in)
		spec := build(t, e.idle(in))

		e.update(t, id, spec)
		e.unchanged(t, id, spec)
	}
}

// TestLiveImpact changes one running service in one way after the other and looks whether its task was replaced. What is
// called policy or scale must leave it alone; what is called template must not.
func TestLiveImpact(t *testing.T) {
	e := startEngine(t)
	base := e.fit(inputOf(minimal()))
	id, last := e.create(t, base)
	task := e.running(t, id, "")

	for _, name := range []string{"Rollout", "Notes", "Env", "Labels", "Hostname", "HostPort", "VirtualIP", "StopSignal", "NeverRestarts", "Minimal"} {
		t.Run(name, func(t *testing.T) {
			in := e.fit(inputOf(minimal()))
			variants()[name](&in)
			in.ForceUpdate = max(in.ForceUpdate, last.TaskTemplate.ForceUpdate)
			spec := build(t, in)

			impact := servicespec.Diff(e.inspect(t, id).Spec, spec).Impact()
			e.update(t, id, spec)
			last = spec

			if impact >= servicespec.ImpactTemplate {
				task = e.running(t, id, task)

				return
			}
			time.Sleep(2 * time.Second)
			if now := e.running(t, id, ""); now != task {
				t.Errorf("impact is %s, but task %s was replaced by %s", impact, task, now)
			}
		})
	}

	t.Run("Scale", func(t *testing.T) {
		in := e.fit(inputOf(minimal()))
		in.ForceUpdate, in.Replicas = last.TaskTemplate.ForceUpdate, 2
		if impact := servicespec.Diff(last, build(t, in)).Impact(); impact != servicespec.ImpactScale {
			t.Fatalf("impact: got %s, want %s", impact, servicespec.ImpactScale)
		}
		e.update(t, id, build(t, in))
		time.Sleep(2 * time.Second)
		if got := e.inspectTask(t, task); got.DesiredState != swarm.TaskStateRunning {
			t.Errorf("task %s was to be left alone and is to be %s", task, got.DesiredState)
		}
	})
}

// running waits for the one task that runs and is meant to, other than the one that was there before.
func (e *engine) running(t *testing.T, service, before string) string {
	t.Helper()

	var tasks []swarm.Task
	for range 600 {
		var err error
		tasks, err = e.Docker.TaskList(t.Context(), swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", service))})
		if err != nil {
			t.Fatal(err)
		}

		alive := slices.DeleteFunc(slices.Clone(tasks), func(x swarm.Task) bool { return x.DesiredState != swarm.TaskStateRunning })
		if len(alive) == 1 && alive[0].Status.State == swarm.TaskStateRunning && alive[0].ID != before {
			return alive[0].ID
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, x := range tasks {
		t.Logf("task %s: %s, wanted %s: %s %s", x.ID, x.Status.State, x.DesiredState, x.Status.Message, x.Status.Err)
	}
	t.Fatal("no new task runs")

	return ""
}

func (e *engine) inspectTask(t *testing.T, id string) swarm.Task {
	t.Helper()

	task, _, err := e.Docker.TaskInspectWithRaw(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}

	return task
}

// TestLiveFieldsReachTheContainer runs the complete template and reads from the container what has become of each field.
func TestLiveFieldsReachTheContainer(t *testing.T) {
	e := startEngine(t)
	in := e.fit(completeInput(t))
	in.Replicas = 1
	id, _ := e.create(t, in)

	task := e.inspectTask(t, e.running(t, id, ""))
	made, err := e.Docker.ContainerInspect(t.Context(), task.Status.ContainerStatus.ContainerID)
	if err != nil {
		t.Fatal(err)
	}

	golden(t, "testdata/container.golden", marshal(t, whatMatters(made)))
}

// whatMatters is what a container's inspection says about our fields.
func whatMatters(c container.InspectResponse) any {
	labels := maps.Clone(c.Config.Labels)
	maps.DeleteFunc(labels, func(key, _ string) bool { return len(key) > 11 && key[:11] == "com.docker." })

	return map[string]any{
		"entrypoint": c.Config.Entrypoint, "cmd": c.Config.Cmd, "dir": c.Config.WorkingDir, "user": c.Config.User,
		"env": c.Config.Env, "hostname": c.Config.Hostname, "labels": labels, "health": c.Config.Healthcheck,
		"stopSignal": c.Config.StopSignal, "ports": c.HostConfig.PortBindings, "init": c.HostConfig.Init,
		"readOnly": c.HostConfig.ReadonlyRootfs, "capAdd": c.HostConfig.CapAdd, "capDrop": c.HostConfig.CapDrop,
		"hosts": c.HostConfig.ExtraHosts, "sysctls": c.HostConfig.Sysctls, "ulimits": c.HostConfig.Ulimits,
		"nanoCPUs": c.HostConfig.NanoCPUs, "memory": c.HostConfig.Memory, "pids": c.HostConfig.PidsLimit,
		"mounts": c.HostConfig.Mounts, "log": c.HostConfig.LogConfig, "privileged": c.HostConfig.Privileged,
		"securityOpt": c.HostConfig.SecurityOpt, "tty": c.Config.Tty, "stdin": c.Config.OpenStdin,
	}
}
