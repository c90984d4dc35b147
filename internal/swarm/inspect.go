package swarm

import (
	"context"
	"errors"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// inspect reads one object by ID and takes in what it is, or that there is none.
func (e *Engine) inspect(ctx context.Context, k kind, id string) error {
	_, err := e.look(ctx, k, id)

	return err
}

// look reads one object by ID or name and takes it in. gone is true when the engine says that there is no such object.
func (e *Engine) look(ctx context.Context, k kind, id string) (gone bool, err error) {
	switch k {
	case kindService:
		_, err = e.inspectService(ctx, id)
	case kindNetwork:
		_, err = inspectItem(ctx, e, k, func(ctx context.Context) (network.Summary, error) {
			return e.api.NetworkInspect(ctx, id, network.InspectOptions{})
		}, e.cache.takeNetwork)
	case kindSecret:
		_, err = inspectItem(ctx, e, k, func(ctx context.Context) (swarm.Secret, error) {
			s, _, err := e.api.SecretInspectWithRaw(ctx, id)
			return s, err
		}, e.cache.takeSecret)
	case kindConfig:
		_, err = inspectItem(ctx, e, k, func(ctx context.Context) (swarm.Config, error) {
			c, _, err := e.api.ConfigInspectWithRaw(ctx, id)
			return c, err
		}, e.cache.takeConfig)
	}

	if !errors.Is(err, swarmobj.ErrNotFound) {
		return false, err
	}

	e.vanished(k, id)

	return true, nil
}

// vanished takes an object out of the cache that the engine says does not exist.
func (e *Engine) vanished(k kind, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()

	name, owner, known := e.cache.remove(k, id)
	if !known {
		return
	}

	if k == kindService {
		e.hints.add(owner)
	} else {
		e.hintTenant(owner.Tenant)
	}
	e.hintFreed(name)
}

func (e *Engine) inspectService(ctx context.Context, id string) (swarm.Service, error) {
	got, err := read(ctx, e, "service_inspect", readTimeout, func(ctx context.Context) (swarm.Service, error) {
		s, _, err := e.api.ServiceInspectWithRaw(ctx, id, swarm.ServiceInspectOptions{})
		return s, err
	})
	if err != nil {
		return got, err
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	e.act(got.ID, e.cache.upsert(got, false))

	return got, nil
}

func inspectItem[T any](
	ctx context.Context, e *Engine, k kind, call func(context.Context) (T, error), take func(T) (news, bool),
) (T, error) {
	got, err := read(ctx, e, string(k)+"_inspect", readTimeout, call)
	if err != nil {
		return got, err
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	if n, changed := take(got); changed {
		e.hintTenants(n)
	}

	return got, nil
}
