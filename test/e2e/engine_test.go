//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// This file asks the engine itself. What Dogker thinks of it is not of interest here.

func contextFor(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

// service is the container's service.
func (n *tenant) service(name string) swarm.Service {
	n.t.Helper()

	s, err := n.inspect(name)
	if err != nil {
		n.t.Fatal(err)
	}

	return s
}

func (n *tenant) inspect(name string) (swarm.Service, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()

	s, _, err := n.docker().ServiceInspectWithRaw(ctx, swarmobj.ServiceName(n.name, name), swarm.ServiceInspectOptions{})

	return s, err
}

// noService is an error while the container has a service.
func (n *tenant) noService(name string) error {
	_, err := n.inspect(name)
	switch {
	case cerrdefs.IsNotFound(err):
		return nil
	case err != nil:
		return err
	default:
		return errors.New("there is a service")
	}
}

// unmoved is an error when the service has been written to since it had that version, or has been made anew.
func (n *tenant) unmoved(was swarm.Service) error {
	ctx, cancel := contextFor(instant)
	defer cancel()

	s, _, err := n.docker().ServiceInspectWithRaw(ctx, was.ID, swarm.ServiceInspectOptions{})
	if err != nil {
		return err
	}

	return wantf(s.Version.Index, was.Version.Index, "version index of service %q", s.Spec.Name)
}

// tasks are all tasks of a container's service that Swarm remembers.
func (n *tenant) tasks(name string) ([]swarm.Task, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()

	// The filter takes a prefix, so it is held against the ID afterwards.
	s, err := n.inspect(name)
	if err != nil {
		return nil, err
	}
	all, err := n.docker().TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", s.ID))})
	if err != nil {
		return nil, err
	}

	var own []swarm.Task
	for _, task := range all {
		if task.ServiceID == s.ID {
			own = append(own, task)
		}
	}

	return own, nil
}

// running are the tasks that run and are meant to.
func (n *tenant) running(name string) []swarm.Task {
	n.t.Helper()

	tasks, err := n.tasks(name)
	if err != nil {
		n.t.Fatalf("list tasks of %q: %v", name, err)
	}

	var up []swarm.Task
	for _, task := range tasks {
		if task.Status.State == swarm.TaskStateRunning && task.DesiredState == swarm.TaskStateRunning {
			up = append(up, task)
		}
	}

	return up
}

// taskIDs are the IDs of the running tasks; a restart changes them.
func (n *tenant) taskIDs(name string) map[string]bool {
	n.t.Helper()

	ids := map[string]bool{}
	for _, task := range n.running(name) {
		ids[task.ID] = true
	}

	return ids
}

// process is the id of the process of a running task on this machine.
func (n *tenant) process(name string) int {
	n.t.Helper()

	up := n.running(name)
	if len(up) == 0 {
		n.t.Fatalf("no task of %q runs", name)
	}

	return up[0].Status.ContainerStatus.PID
}

// leftovers is an error while Swarm or an engine holds anything of the namespace.
func (n *tenant) leftovers() error {
	ctx, cancel := contextFor(soon)
	defer cancel()

	own := filters.NewArgs(filters.Arg("label", v1alpha1.SwarmLabelTenant+"="+n.name))
	d := n.docker()

	services, err1 := d.ServiceList(ctx, swarm.ServiceListOptions{Filters: own})
	secrets, err2 := d.SecretList(ctx, swarm.SecretListOptions{Filters: own})
	configs, err3 := d.ConfigList(ctx, swarm.ConfigListOptions{Filters: own})
	networks, err4 := d.NetworkList(ctx, network.ListOptions{Filters: own})
	tasks, err5 := d.TaskList(ctx, swarm.TaskListOptions{})
	containers, err6 := n.containers(ctx, true)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return err
	}

	var left []string
	for _, s := range services {
		left = append(left, "service "+s.Spec.Name)
	}
	for _, s := range secrets {
		left = append(left, "secret "+s.Spec.Name)
	}
	for _, c := range configs {
		left = append(left, "config "+c.Spec.Name)
	}
	for _, nw := range networks {
		left = append(left, "network "+nw.Name)
	}
	for _, task := range tasks {
		for _, attached := range task.NetworksAttachments {
			if attached.Network.Spec.Name == swarmobj.NetworkName(n.name) {
				left = append(left, "task "+task.ID)
			}
		}
	}
	if left = append(left, containers...); len(left) > 0 {
		return errors.New(strings.Join(left, ", "))
	}

	return nil
}

// containers are the containers of the namespace on all nodes, and if asked for also what is left of ended ones: an engine
// keeps that for a moment.
func (n *tenant) containers(ctx context.Context, ended bool) ([]string, error) {
	var names []string
	for _, node := range n.lab.Nodes {
		all, err := node.Docker.ContainerList(ctx, container.ListOptions{All: ended})
		if err != nil {
			return nil, fmt.Errorf("list containers of node %q: %w", node.Name, err)
		}
		for _, c := range all {
			if strings.HasPrefix(c.Labels["com.docker.swarm.service.name"], n.name+"_") {
				names = append(names, "container "+c.Names[0])
			}
		}
	}

	return names, nil
}

// configs counts the namespace's configs in Swarm.
func (n *tenant) configs() int {
	n.t.Helper()

	own := filters.NewArgs(filters.Arg("label", v1alpha1.SwarmLabelTenant+"="+n.name))
	list, err := n.docker().ConfigList(n.t.Context(), swarm.ConfigListOptions{Filters: own})
	if err != nil {
		n.t.Fatal(err)
	}

	return len(list)
}
