package swarm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// list reads all objects of a kind and takes them in. Services and networks are listed with those that are not ours,
// whose names and ports matter; secrets and configs without, whose data would come along.
func (e *Engine) list(ctx context.Context, k kind) error {
	begun := e.begin()
	start := time.Now()

	var err error
	switch k {
	case kindService:
		err = e.listServices(ctx, begun)
	case kindTask:
		err = e.listTasks(ctx, begun, nil)
	case kindNetwork:
		err = listItems(ctx, e, k, begun, networkID, func(ctx context.Context) ([]network.Summary, error) {
			return e.api.NetworkList(ctx, network.ListOptions{})
		}, e.cache.takeNetwork)
	case kindSecret:
		err = listItems(ctx, e, k, begun, secretID, func(ctx context.Context) ([]swarm.Secret, error) {
			return e.api.SecretList(ctx, swarm.SecretListOptions{Filters: ourLabel()})
		}, e.cache.takeSecret)
	case kindConfig:
		err = listItems(ctx, e, k, begun, configID, func(ctx context.Context) ([]swarm.Config, error) {
			return e.api.ConfigList(ctx, swarm.ConfigListOptions{Filters: ourLabel()})
		}, e.cache.takeConfig)
	case kindNode:
		err = e.listNodes(ctx)
	}

	e.metrics.resyncs.WithLabelValues(codeOf(err)).Inc()
	if err != nil {
		return err
	}

	took := time.Since(start)
	e.metrics.resync.WithLabelValues(string(k)).Observe(took.Seconds())

	e.mu.Lock()
	e.cache.listedAt[k] = start
	e.due[k] = time.Now().Add(e.pace(k, took))
	e.mu.Unlock()

	return nil
}

func networkID(n network.Summary) string { return n.ID }
func secretID(s swarm.Secret) string     { return s.ID }
func configID(c swarm.Config) string     { return c.ID }

func ourLabel() filters.Args {
	return filters.NewArgs(filters.Arg("label", v1alpha1.SwarmLabelManaged+"=true"))
}

// begin numbers a list.
func (e *Engine) begin() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()

	return e.cache.tick()
}

func (e *Engine) listServices(ctx context.Context, begun uint64) error {
	list, err := read(ctx, e, "service_list", listTimeout, func(ctx context.Context) ([]swarm.Service, error) {
		return e.api.ServiceList(ctx, swarm.ServiceListOptions{Status: true})
	})
	if err != nil {
		return err
	}

	seen := make(map[string]bool, len(list))

	e.mu.Lock()
	for _, s := range list {
		seen[s.ID] = true
		e.act(s.ID, e.cache.upsert(s, true))
	}
	missing := absent(e.cache.expected(kindService, begun), seen)
	e.mu.Unlock()

	return e.confirm(ctx, kindService, missing)
}

// act does what news of a service ask for. The engine's lock is held.
func (e *Engine) act(id string, n news) {
	if n.recount {
		e.heat(id)
	}
	if !n.changed {
		return
	}

	e.hints.add(n.owner, n.was)
	if n.owner != (swarmobj.Owner{}) {
		e.heat(id)
	}
}

// listItems lists networks, secrets or configs.
func listItems[T any](
	ctx context.Context, e *Engine, k kind, begun uint64, id func(T) string,
	call func(context.Context) ([]T, error), take func(T) (news, bool),
) error {
	list, err := read(ctx, e, string(k)+"_list", listTimeout, call)
	if err != nil {
		return err
	}

	seen := make(map[string]bool, len(list))

	e.mu.Lock()
	for _, it := range list {
		seen[id(it)] = true
		if n, changed := take(it); changed {
			e.hintTenants(n)
		}
	}
	missing := absent(e.cache.expected(k, begun), seen)
	e.mu.Unlock()

	return e.confirm(ctx, k, missing)
}

func (e *Engine) hintTenants(n news) {
	e.hintTenant(n.owner.Tenant)
	if n.was.Tenant != n.owner.Tenant {
		e.hintTenant(n.was.Tenant)
	}
}

func (e *Engine) listNodes(ctx context.Context) error {
	list, err := read(ctx, e, "node_list", listTimeout, func(ctx context.Context) ([]swarm.Node, error) {
		return e.api.NodeList(ctx, swarm.NodeListOptions{})
	})
	if err != nil {
		return err
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	changed := map[string]bool{}
	for _, id := range e.cache.takeNodes(list) {
		changed[id] = true
	}
	if len(changed) == 0 {
		return nil
	}
	e.hintNodes()

	// Tasks on a node that went away, or that wait for one like it, are about to move.
	for id, s := range e.cache.services {
		if s.owner != (swarmobj.Owner{}) && s.unsettled(changed) {
			e.heat(id)
			e.hints.add(s.owner)
		}
	}

	return nil
}

// unsettled is true for a service that a change of these nodes may concern.
func (s *service) unsettled(nodes map[string]bool) bool {
	for _, t := range s.tasks {
		if t.Desired == swarm.TaskStateRunning && (nodes[t.NodeID] || !t.Running()) {
			return true
		}
	}

	return s.shown.Spec.Mode.Global != nil
}

func absent(expected []string, seen map[string]bool) []string {
	var missing []string
	for _, id := range expected {
		if !seen[id] {
			missing = append(missing, id)
		}
	}

	return missing
}

// errPartial is the error of a list that left out what the engine, asked about it, has.
var errPartial = errors.New("the list left out objects that exist")

// confirm asks about each object that was missing from a list. Only what the engine says does not exist leaves the
// cache. When a list turns out to have left out something that exists, the rest of what it lacks is not believed either:
// the next list will tell.
func (e *Engine) confirm(ctx context.Context, k kind, missing []string) error {
	for _, id := range missing {
		gone, err := e.look(ctx, k, id)
		if err != nil {
			return fmt.Errorf("confirm that %s %q is gone: %w", k, id, err)
		}
		if !gone {
			return fmt.Errorf("%s %q: %w", k, id, errPartial)
		}
	}

	return nil
}
