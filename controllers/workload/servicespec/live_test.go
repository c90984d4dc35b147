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
	"github.com/docker/docker/api/types/versions"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/golden"
)

// engine is a real one with a network, and with Swarm objects for files.
type engine struct {
	*lab.Node
	network        string
	image          string
	node           string
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

	info, err := e.Docker.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e.node = info.Swarm.NodeID

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

// fit makes an input one for this engine: with its network, its image and its files, and without what it would drop.
// Nothing is to run, and ports are free, so that only the words count.
func (e *engine) fit(in servicespec.Input) servicespec.Input {
	in.NetworkID, in.Image = e.network, e.image
	in.NoNewPrivileges = in.NoNewPrivileges && versions.GreaterThanOrEqualTo(e.Docker.ClientVersion(), "1.44")
	in.Files = slices.Clone(in.Files)
	for i := range in.Files {
		f := &in.Files[i]
		if f.Kind == servicespec.KindSecret {
			f.SwarmID, f.SwarmName = e.secret, "acme_db_1"
		} else {
			f.SwarmID, f.SwarmName = e.config, "acme_shop_1"
		}
	}
	in.Volumes = slices.Clone(in.Volumes)
	for i := range in.Volumes {
		v := &in.Volumes[i]
		if v.NodeID != "" {
			v.NodeID = e.node
		}
		// There is no such server, and no such plugin.
		if v.Options["type"] == "nfs" {
			v.Options = map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
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

	for _, name := range []string{"Rollout", "Notes", "Env", "Labels", "Hostname", "HostPort", "VirtualIP", "Volume", "VolumeReadOnly", "StopSignal", "NeverRestarts", "Minimal"} {
		t.Run(name, func(t *testing.T) {
			in := inputOf(minimal())
			variants()[name](&in)
			in = e.fit(in)
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

	golden.Check(t, "testdata/container.golden", marshal(t, whatMatters(made)))
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
