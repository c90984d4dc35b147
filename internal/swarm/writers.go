package swarm

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Writers are the services of a tenant that mount a volume, by what engines call it, for writing, or of which a task does that has not
// ended: of those that were removed as well. Tasks on nodes that are down are among them: they may still run, and do when their node
// is back. It asks the engine, because the read cache shows later what another server has made, and forgets tasks with their service.
func (e *Engine) Writers(ctx context.Context, tenant, source string) ([]swarmobj.Writer, error) {
	ours := filters.NewArgs(filters.Arg("label", v1alpha1.SwarmLabelTenant+"="+tenant))

	services, err := read(ctx, e, "service_list", listTimeout, func(ctx context.Context) ([]swarm.Service, error) {
		return e.api.ServiceList(ctx, swarm.ServiceListOptions{Filters: ours})
	})
	if err != nil {
		return nil, fmt.Errorf("list services of %q: %w", tenant, err)
	}

	tasks, err := read(ctx, e, "task_list", listTimeout, func(ctx context.Context) ([]swarm.Task, error) {
		return e.api.TaskList(ctx, swarm.TaskListOptions{Filters: ours})
	})
	if err != nil {
		return nil, fmt.Errorf("list tasks of %q: %w", tenant, err)
	}

	return writers(services, tasks, source), nil
}

// writers finds those that write, in the order of the IDs of their services.
func writers(services []swarm.Service, tasks []swarm.Task, source string) []swarmobj.Writer {
	out, has := map[string]swarmobj.Writer{}, map[string]bool{}
	known := map[string]swarm.Service{}

	for _, s := range services {
		known[s.ID] = s
		if swarmobj.WritesVolume(&s.Spec.TaskTemplate, source) {
			out[s.ID] = swarmobj.Writer{}
		}
	}

	for i := range tasks {
		t, id := &tasks[i], tasks[i].ServiceID
		has[id] = true

		_, stands := known[id]
		if newTask(t, task{}).Ended() || !swarmobj.WritesVolume(&t.Spec, source) || !stands && t.NodeID == "" {
			continue
		}
		out[id] = swarmobj.Writer{Live: true}
	}

	list := make([]swarmobj.Writer, 0, len(out))
	for _, id := range slices.Sorted(maps.Keys(out)) {
		w := out[id]
		if s, stands := known[id]; stands {
			w.Owner, _ = swarmobj.OwnerOf(s.Spec.Labels)
			w.Run = s.Spec.Labels[v1alpha1.SwarmLabelRun]
			w.Live = w.Live || !has[id] && (s.Spec.Mode.Replicated == nil || replicasOf(&s.Spec) > 0)
		}
		list = append(list, w)
	}

	return list
}
