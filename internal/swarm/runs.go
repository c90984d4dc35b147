package swarm

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// LookRuns shows what is known of an owner that has a service for each run, at the cost that Look has. An owner without any
// is told when something of its namespace changes.
func (e *Engine) LookRuns(ctx context.Context, o swarmobj.Owner) (swarmobj.JobWorld, error) {
	e.awaitFirstAnswer(ctx)

	if err := e.blindFor(o); err != nil {
		return swarmobj.JobWorld{}, err
	}
	if err := e.settle(ctx, o.Tenant); err != nil {
		return swarmobj.JobWorld{}, err
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	r := e.cache.lookRuns(o)
	if len(r.Services) == 0 || r.NetworkSquatter {
		e.waiting.add(o)
	}

	return r, nil
}

// lookRuns gathers what is known of one owner's runs. It copies nothing that has a size.
func (c *cache) lookRuns(o swarmobj.Owner) swarmobj.JobWorld {
	r := swarmobj.JobWorld{Services: map[string]swarmobj.JobService{}, Nodes: c.nodes}

	for _, s := range c.owned[o.UID] {
		r.Services[s.shown.Spec.Name] = swarmobj.JobService{
			Service: s.shown, Uncertain: s.uncertain, Tasks: s.tasksView(c.nodes), TasksFresh: s.tasksFresh(),
		}
	}

	r.Network, r.NetworkSquatter = c.networkOf(o.Tenant)
	r.Secrets, r.Configs = c.contentsOf(o.Tenant)

	return r
}

// tailBytes is how much of a log is read at most. Lines that are longer than what is kept of them are read to their end.
const tailBytes = 256 << 10

// Tail returns the last lines that the container of a task has written, to either stream, in the order in which the engine
// has them. It has at most so many bytes: those at the end. It fails when the log cannot be read, as when the node is cut off
// or the log driver keeps nothing.
func (e *Engine) Tail(ctx context.Context, task string, lines, bytes int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()

	log, err := e.TaskLogs(ctx, task, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()

	end := &ending{limit: bytes}
	if _, err := stdcopy.StdCopy(end, end, io.LimitReader(log, tailBytes)); err != nil && len(end.kept) == 0 {
		return nil, fmt.Errorf("read log of task %q: %w", task, translateRead(err))
	}

	return end.kept, nil
}

// ending keeps the end of what is written to it.
type ending struct {
	kept  []byte
	limit int
}

func (e *ending) Write(p []byte) (int, error) {
	e.kept = append(e.kept, p...)
	if over := len(e.kept) - e.limit; over > 0 {
		e.kept = append(e.kept[:0], e.kept[over:]...)
	}

	return len(p), nil
}

// Leftovers are the tasks of an owner that have not ended, on nodes that can be asked, by the IDs of their services: those that were
// removed as well. It asks the engine: the read cache forgets tasks with their service, and the engine stops them later.
func (e *Engine) Leftovers(ctx context.Context, o swarmobj.Owner) (map[string][]swarmobj.Task, error) {
	tasks, err := read(ctx, e, "task_list", listTimeout, func(ctx context.Context) ([]swarm.Task, error) {
		return e.api.TaskList(ctx, swarm.TaskListOptions{
			Filters: filters.NewArgs(filters.Arg("label", v1alpha1.SwarmLabelUID+"="+o.UID)),
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list tasks of %s %q: %w", o.Kind, o.Name, err)
	}

	down := map[string]bool{}
	for _, n := range e.Nodes() {
		down[n.ID] = n.Status.State == swarm.NodeStateDown
	}

	out := map[string][]swarmobj.Task{}
	for i := range tasks {
		t := newTask(&tasks[i], task{}).Task
		if !t.Ended() && t.NodeID != "" && !down[t.NodeID] {
			out[tasks[i].ServiceID] = append(out[tasks[i].ServiceID], t)
		}
	}

	return out, nil
}
