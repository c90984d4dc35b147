package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	"golang.org/x/sync/errgroup"

	"github.com/dogker/dogker/internal/lab"
)

// Callers is how many bare calls are under way at a time: an engine takes no more than that in parallel, as trials with
// one to 32 have shown.
const Callers = 8

// Engine is a private engine that is a swarm of one node, and everything that is done to it by bare calls.
type Engine struct {
	// Docker is its client.
	Docker *client.Client
	// Host is its DOCKER_HOST.
	Host string
	// ImageID is the ID of the app's image: a service that names it starts without the engine asking a registry.
	ImageID string

	lab *lab.Lab
	dir string
}

// StartEngine starts an engine. The caller must call Down.
func StartEngine(ctx context.Context) (*Engine, error) {
	l, err := lab.Up(ctx, lab.Options{Versions: []string{"v1"}})
	if err != nil {
		return nil, fmt.Errorf("start lab: %w", err)
	}

	n := l.Nodes[0]
	e := &Engine{lab: l, Docker: n.Docker, Host: n.Host, dir: filepath.Dir(strings.TrimPrefix(n.Host, "unix://"))}
	e.ImageID, err = l.ImageID(ctx, "v1")
	if err := errors.Join(err, Cgroup(l.ID).join(e.processes())); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare engine: %w", err), l.Down())
	}

	return e, nil
}

// Down removes the engine and everything in it.
func (e *Engine) Down() error { return e.lab.Down() }

// Consumer accounts for the engine, its helpers and all containers.
func (e *Engine) Consumer() Consumer { return Cgroup(e.lab.ID) }

func (e *Engine) processes() []Process {
	var out []Process
	for _, file := range []string{"dockerd.pid", "exec/containerd/containerd.pid"} {
		content, err := os.ReadFile(filepath.Join(e.dir, file))
		if err != nil {
			continue
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(string(content))); err == nil {
			out = append(out, Process(pid))
		}
	}

	return out
}

// CreateNetwork makes an overlay network and returns its ID.
func (e *Engine) CreateNetwork(ctx context.Context, name string) (string, error) {
	made, err := e.Docker.NetworkCreate(ctx, name, network.CreateOptions{Driver: "overlay", Scope: "swarm"})
	if err != nil {
		return "", fmt.Errorf("create network %q: %w", name, err)
	}

	return made.ID, nil
}

// Like is a copy of a service under another name, in another network and with nobody's labels: the same work for the
// engine.
func Like(spec swarm.ServiceSpec, name, networkID string, replicas uint64) (swarm.ServiceSpec, error) {
	content, err := json.Marshal(spec)
	if err != nil {
		return swarm.ServiceSpec{}, err
	}

	var out swarm.ServiceSpec
	if err := json.Unmarshal(content, &out); err != nil {
		return swarm.ServiceSpec{}, err
	}
	out.Name = name
	out.Labels = nil
	out.Mode.Replicated = &swarm.ReplicatedService{Replicas: &replicas}
	for i := range out.TaskTemplate.Networks {
		out.TaskTemplate.Networks[i].Target = networkID
	}

	return out, nil
}

// Create creates services by bare calls, Callers at a time.
func (e *Engine) Create(ctx context.Context, specs []swarm.ServiceSpec) error {
	return each(ctx, Callers, specs, func(ctx context.Context, spec swarm.ServiceSpec) error {
		if _, err := e.Docker.ServiceCreate(ctx, spec, swarm.ServiceCreateOptions{}); err != nil {
			return fmt.Errorf("create service %q: %w", spec.Name, err)
		}

		return nil
	})
}

// Services lists services whose name begins with the prefix.
func (e *Engine) Services(ctx context.Context, prefix string) ([]swarm.Service, error) {
	all, err := e.Docker.ServiceList(ctx, swarm.ServiceListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}

	out := all[:0]
	for _, s := range all {
		if strings.HasPrefix(s.Spec.Name, prefix) {
			out = append(out, s)
		}
	}

	return out, nil
}

// AwaitServices waits until there are exactly n services whose name begins with the prefix, and returns them.
func (e *Engine) AwaitServices(ctx context.Context, prefix string, n int) (found []swarm.Service, err error) {
	err = poll(ctx, 200*time.Millisecond, fmt.Sprintf("wait for %d services %s…", n, prefix), func() (bool, error) {
		found, err = e.Services(ctx, prefix)

		return len(found) == n, err
	})

	return found, err
}

// Running lists the running tasks of services whose name begins with the prefix.
func (e *Engine) Running(ctx context.Context, services []swarm.Service) (map[string]swarm.Task, error) {
	wanted := map[string]bool{}
	for _, s := range services {
		wanted[s.ID] = true
	}

	tasks, err := e.Docker.TaskList(ctx, swarm.TaskListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}

	out := map[string]swarm.Task{}
	for _, t := range tasks {
		if wanted[t.ServiceID] && t.Status.State == swarm.TaskStateRunning && t.DesiredState == swarm.TaskStateRunning {
			out[t.ServiceID] = t
		}
	}

	return out, nil
}

// AwaitRunning waits until the engine shows a running task for each of the services. It returns when the last of them
// began to run by the engine's clock, which is that of this machine; the engine shows it up to 0.1 s later.
func (e *Engine) AwaitRunning(ctx context.Context, services []swarm.Service, every time.Duration) (last time.Time, err error) {
	err = poll(ctx, every, fmt.Sprintf("wait for tasks of %d services", len(services)), func() (bool, error) {
		running, err := e.Running(ctx, services)
		if err != nil || len(running) < len(services) {
			return false, err
		}
		for _, t := range running {
			if t.Status.Timestamp.After(last) {
				last = t.Status.Timestamp
			}
		}

		return true, nil
	})

	return last, err
}

// AwaitTask waits until the one task of a service is in that state. It is asked for every 5 ms.
func (e *Engine) AwaitTask(ctx context.Context, serviceID string, state swarm.TaskState) error {
	of := swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", serviceID))}

	return poll(ctx, 5*time.Millisecond, fmt.Sprintf("wait for task of service %s", serviceID), func() (bool, error) {
		tasks, err := e.Docker.TaskList(ctx, of)
		if err != nil || len(tasks) == 0 {
			return false, err
		}
		if len(tasks) > 1 {
			return false, fmt.Errorf("it has %d", len(tasks))
		}

		return tasks[0].Status.State == state, nil
	})
}

// Remove removes services by bare calls and waits until nothing is left of their tasks.
func (e *Engine) Remove(ctx context.Context, services []swarm.Service) error {
	err := each(ctx, Callers, services, func(ctx context.Context, s swarm.Service) error {
		return e.Docker.ServiceRemove(ctx, s.ID)
	})
	if err != nil {
		return fmt.Errorf("remove services: %w", err)
	}

	return e.AwaitNoContainers(ctx)
}

// AwaitNoContainers waits until no container is left. Removing a service returns at once; its containers take seconds,
// and whoever measures in the meantime measures the cleaning up.
func (e *Engine) AwaitNoContainers(ctx context.Context) error {
	return poll(ctx, 100*time.Millisecond, "wait until no container is left", func() (bool, error) {
		left, err := e.Docker.ContainerList(ctx, container.ListOptions{All: true})

		return len(left) == 0, err
	})
}

// each calls f for all items, n at a time, until one fails.
func each[T any](ctx context.Context, n int, items []T, f func(context.Context, T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(n)
	for _, item := range items {
		g.Go(func() error { return f(ctx, item) })
	}

	return g.Wait()
}

// poll asks again and again until the answer is yes. Asking takes no more than a tenth of the time: the engine has other
// work to do, and that is what is measured.
func poll(ctx context.Context, every time.Duration, what string, done func() (bool, error)) error {
	for {
		asked := time.Now()
		ok, err := done()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if ok {
			return nil
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case <-time.After(max(every, 9*time.Since(asked))):
		}
	}
}
