package swarm

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
)

// Sample shows what runs, for metering: tasks of ours and nodes as the engine has them now, not as the cache does, and what
// time the engine has. Only whom a service belongs to is taken from the cache, where it never changes. A task whose service
// the cache does not know is among them without an owner: its service was made a moment ago or is gone.
//
// Nodes are listed after tasks: one that is ready then, and was not changed meanwhile, was ready when its tasks were listed.
func (e *Engine) Sample(ctx context.Context) (usage.Sample, error) {
	if err := e.State(); err != nil {
		return usage.Sample{}, err
	}

	tasks, err := read(ctx, e, "task_list", listTimeout, func(ctx context.Context) ([]swarm.Task, error) {
		return e.api.TaskList(ctx, swarm.TaskListOptions{})
	})
	if err != nil {
		return usage.Sample{}, fmt.Errorf("list tasks: %w", err)
	}
	nodes, err := read(ctx, e, "node_list", listTimeout, func(ctx context.Context) ([]swarm.Node, error) {
		return e.api.NodeList(ctx, swarm.NodeListOptions{})
	})
	if err != nil {
		return usage.Sample{}, fmt.Errorf("list nodes: %w", err)
	}
	info, err := read(ctx, e, "info", readTimeout, func(ctx context.Context) (system.Info, error) { return e.api.Info(ctx) })
	if err != nil {
		return usage.Sample{}, fmt.Errorf("ask the engine for its time: %w", err)
	}
	now, err := time.Parse(time.RFC3339Nano, info.SystemTime)
	if err != nil {
		return usage.Sample{}, fmt.Errorf("read the engine's time: %w", err)
	}

	s := usage.Sample{Tasks: e.usageOf(tasks), Nodes: make(map[string]usage.Node, len(nodes)), Clocks: []time.Time{now}}
	for i := range nodes {
		s.Nodes[nodes[i].ID] = usage.Node{State: nodes[i].Status.State, Updated: nodes[i].UpdatedAt}
	}

	return s, nil
}

// usageOf leaves out the tasks of services that are known not to be ours, and of what Dogker runs for itself.
func (e *Engine) usageOf(tasks []swarm.Task) []usage.Task {
	e.mu.Lock()
	defer e.mu.Unlock()

	out := make([]usage.Task, 0, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		var owner swarmobj.Owner
		if s, known := e.cache.services[t.ServiceID]; known {
			if owner = s.owner; owner == (swarmobj.Owner{}) || owner.Kind == swarmobj.KindAgents {
				continue
			}
		}

		used := usage.Task{
			ID: t.ID, NodeID: t.NodeID, Owner: owner, State: t.Status.State,
			Since: t.Status.Timestamp, Created: t.CreatedAt, Updated: t.UpdatedAt,
		}
		if r := t.Spec.Resources; r != nil && r.Reservations != nil {
			used.NanoCPUs, used.MemoryBytes = r.Reservations.NanoCPUs, r.Reservations.MemoryBytes
		}
		out = append(out, used)
	}

	return out
}
