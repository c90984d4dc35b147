package gather

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/audit"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// services asks a manager for all services, whosever they are, with their tasks, and for the names of what belongs to
// namespaces.
func (g *gatherer) services(ctx context.Context) (err error) {
	if !g.manager {
		return nil
	}

	g.all, err = ask(ctx, "the services", func(ctx context.Context) ([]swarm.Service, error) {
		return g.docker.ServiceList(ctx, swarm.ServiceListOptions{})
	})
	if err != nil {
		return err
	}
	g.tasks, err = ask(ctx, "the tasks", func(ctx context.Context) ([]swarm.Task, error) {
		return g.docker.TaskList(ctx, swarm.TaskListOptions{})
	})
	if err != nil {
		return err
	}

	for _, s := range g.all {
		for _, n := range slices.Concat(s.Spec.TaskTemplate.Networks, s.Spec.Networks) { //nolint:staticcheck // Obeyed, too.
			g.nameNetwork(ctx, n.Target)
		}
	}

	return g.content(ctx)
}

// nameNetwork looks up the networks that no list has: those of the node that a service may name, host among them.
func (g *gatherer) nameNetwork(ctx context.Context, id string) {
	if g.names[id] != "" {
		return
	}

	got, err := ask(ctx, "a network", func(ctx context.Context) (network.Inspect, error) {
		return g.docker.NetworkInspect(ctx, id, network.InspectOptions{Scope: "swarm"})
	})
	if err == nil {
		g.names[id] = got.Name
	}
}

func (g *gatherer) content(ctx context.Context) error {
	g.contents.secrets, g.contents.configs = map[string]map[string]string{}, map[string]map[string]string{}

	secrets, err := ask(ctx, "the names of secrets", func(ctx context.Context) ([]swarm.Secret, error) {
		return g.docker.SecretList(ctx, swarm.SecretListOptions{})
	})
	if err != nil {
		return err
	}
	for _, s := range secrets {
		take(g.contents.secrets, s.Spec.Labels, s.Spec.Name, s.ID)
	}

	configs, err := ask(ctx, "the names of configs", func(ctx context.Context) ([]swarm.Config, error) {
		return g.docker.ConfigList(ctx, swarm.ConfigListOptions{})
	})
	if err != nil {
		return err
	}
	for _, c := range configs {
		take(g.contents.configs, c.Spec.Labels, c.Spec.Name, c.ID)
	}

	return nil
}

func take(into map[string]map[string]string, labels map[string]string, name, id string) {
	owner, ours := swarmobj.OwnerOf(labels)
	if !ours {
		return
	}
	if into[owner.Tenant] == nil {
		into[owner.Tenant] = map[string]string{}
	}
	into[owner.Tenant][name] = id
}

// workloads puts services and containers together. Containers of services that nobody can be asked about stand for
// themselves, service by service.
func (g *gatherer) workloads() {
	known := map[string]bool{}
	for _, s := range g.all {
		known[s.ID] = true
		g.in.Workloads = append(g.in.Workloads, g.workload(s))
	}

	byService := map[string]int{}
	for _, c := range g.live {
		switch at, seen := byService[c.serviceID]; {
		case known[c.serviceID]:
		case c.serviceID == "":
			o := audit.Object{Kind: audit.KindContainer, Name: c.name, Owner: audit.OwnerForeign}
			g.in.Workloads = append(g.in.Workloads, audit.Workload{Object: o, Live: []audit.Container{c.container}})
		case seen:
			g.in.Workloads[at].Live = append(g.in.Workloads[at].Live, c.container)
		default:
			byService[c.serviceID] = len(g.in.Workloads)
			o := audit.Object{Kind: audit.KindService, Name: c.service}
			g.in.Workloads = append(g.in.Workloads, audit.Workload{Object: o, Live: []audit.Container{c.container}})
		}
	}

	slices.SortStableFunc(g.in.Workloads, func(x, y audit.Workload) int {
		return cmp.Or(
			cmp.Compare(x.Object.Owner, y.Object.Owner), cmp.Compare(x.Object.Kind, y.Object.Kind),
			cmp.Compare(x.Object.Namespace, y.Object.Namespace), cmp.Compare(x.Object.Name, y.Object.Name),
		)
	})
}

func (g *gatherer) workload(s swarm.Service) audit.Workload {
	spec := audit.OfService(s.Spec, g.names)
	w := audit.Workload{
		Object: audit.Object{Kind: audit.KindService, Name: s.Spec.Name, Owner: audit.OwnerForeign},
		Spec:   &spec,
	}

	for _, c := range g.live {
		if c.serviceID == s.ID {
			w.Live = append(w.Live, c.container)
		}
	}
	for _, t := range g.tasks {
		if t.ServiceID == s.ID && t.Status.State == swarm.TaskStateRunning && t.NodeID != g.in.Engine.Info.Swarm.NodeID {
			w.Elsewhere = append(w.Elsewhere, cmp.Or(g.nodes[t.NodeID], t.NodeID))
		}
	}
	slices.Sort(w.Elsewhere)
	w.Elsewhere = slices.Compact(w.Elsewhere)

	owner, ours := swarmobj.OwnerOf(s.Spec.Labels)
	if !ours {
		return w
	}

	w.Object = audit.Object{Kind: cmp.Or(owner.Kind, audit.KindTenantContainer), Namespace: owner.Tenant, Name: owner.Name, Owner: audit.OwnerDogker}
	// The guard is for what tenants declare. What Dogker runs for itself has the engine's socket, which the other checks say.
	if g.options.Guard != nil && owner.Kind != swarmobj.KindAgents {
		w.Guarded, w.Violations = true, g.options.Guard(s.Spec, g.facts(owner, s))
	}

	return w
}

// facts are gathered apart from the spec, but for the ID of an image: by which reference the engine once knew it, nobody
// can say.
func (g *gatherer) facts(owner swarmobj.Owner, s swarm.Service) Facts {
	f := Facts{
		Owner: owner, NetworkID: g.ours[owner.Tenant],
		Secrets: g.contents.secrets[owner.Tenant], Configs: g.contents.configs[owner.Tenant],
	}
	if c := s.Spec.TaskTemplate.ContainerSpec; c != nil && strings.HasPrefix(c.Image, "sha256:") {
		f.ImageID = c.Image
	}

	return f
}
