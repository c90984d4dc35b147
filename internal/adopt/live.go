package adopt

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
)

// The labels by which `docker stack deploy` knows what is its own.
const (
	labelStack = "com.docker.stack.namespace"
	labelImage = "com.docker.stack.image"
	// prefixStack begins all of them.
	prefixStack = "com.docker.stack."
)

// Engine is the part of Docker's client that is used here. It only reads.
type Engine interface {
	ServiceList(ctx context.Context, options swarm.ServiceListOptions) ([]swarm.Service, error)
	NetworkList(ctx context.Context, options network.ListOptions) ([]network.Summary, error)
	ConfigInspectWithRaw(ctx context.Context, id string) (swarm.Config, []byte, error)
	TaskList(ctx context.Context, options swarm.TaskListOptions) ([]swarm.Task, error)
}

// Live is what runs, as far as it matters for those who are to be adopted.
type Live struct {
	// Services to adopt, by name.
	Services []swarm.Service
	// Others are all further services of the swarm.
	Others []swarm.Service
	// Networks by ID, and the contents of Configs by ID.
	Networks map[string]network.Summary
	Configs  map[string][]byte
}

// Stack chooses the services of a stack; all of them, or those with the names, with or without the name of the stack.
func Stack(name string, only []string) func(swarm.Service) bool {
	return func(s swarm.Service) bool {
		short := strings.TrimPrefix(s.Spec.Name, name+"_")

		return s.Spec.Labels[labelStack] == name &&
			(len(only) == 0 || slices.Contains(only, short) || slices.Contains(only, s.Spec.Name))
	}
}

// Named chooses services by their names.
func Named(names ...string) func(swarm.Service) bool {
	return func(s swarm.Service) bool { return slices.Contains(names, s.Spec.Name) }
}

// Read asks the engine for what runs.
func Read(ctx context.Context, e Engine, chosen func(swarm.Service) bool) (*Live, error) {
	services, err := e.ServiceList(ctx, swarm.ServiceListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	networks, err := e.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}

	live := &Live{Networks: map[string]network.Summary{}, Configs: map[string][]byte{}}
	for _, n := range networks {
		live.Networks[n.ID] = n
	}
	for _, s := range services {
		if !chosen(s) {
			live.Others = append(live.Others, s)
			continue
		}
		live.Services = append(live.Services, s)
		if err := live.readConfigs(ctx, e, s); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(live.Services, func(a, b swarm.Service) int { return strings.Compare(a.Spec.Name, b.Spec.Name) })

	return live, nil
}

func (l *Live) readConfigs(ctx context.Context, e Engine, s swarm.Service) error {
	con := s.Spec.TaskTemplate.ContainerSpec
	if con == nil {
		return nil
	}
	for _, ref := range con.Configs {
		if _, known := l.Configs[ref.ConfigID]; known {
			continue
		}
		config, _, err := e.ConfigInspectWithRaw(ctx, ref.ConfigID)
		if err != nil {
			return fmt.Errorf("read config %q of service %q: %w", ref.ConfigName, s.Spec.Name, err)
		}
		l.Configs[ref.ConfigID] = config.Spec.Data
	}

	return nil
}

// Tasks are the running tasks of services: their IDs, by the ID of the service.
func Tasks(ctx context.Context, e Engine, services ...string) (map[string][]string, error) {
	out := map[string][]string{}
	if len(services) == 0 {
		return out, nil
	}
	wanted := filters.NewArgs(filters.Arg("desired-state", "running"))
	for _, id := range services {
		wanted.Add("service", id)
	}
	list, err := e.TaskList(ctx, swarm.TaskListOptions{Filters: wanted})
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	for _, t := range list {
		if t.Status.State == swarm.TaskStateRunning {
			out[t.ServiceID] = append(out[t.ServiceID], t.ID)
		}
	}
	for id := range out {
		slices.Sort(out[id])
	}

	return out, nil
}
