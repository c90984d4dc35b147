package swarm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// CreateSecret creates a secret and returns its ID. It fails with ErrExists when one of ours has the name, and with
// ErrRefused when somebody else's has.
func (e *Engine) CreateSecret(ctx context.Context, spec swarm.SecretSpec) (string, error) {
	return e.createContent(ctx, kindSecret, spec.Annotations, func(ctx context.Context) (string, error) {
		made, err := e.api.SecretCreate(ctx, spec)
		return made.ID, err
	})
}

// CreateConfig creates a config and returns its ID, as CreateSecret does.
func (e *Engine) CreateConfig(ctx context.Context, spec swarm.ConfigSpec) (string, error) {
	return e.createContent(ctx, kindConfig, spec.Annotations, func(ctx context.Context) (string, error) {
		made, err := e.api.ConfigCreate(ctx, spec)
		return made.ID, err
	})
}

func (e *Engine) createContent(
	ctx context.Context, k kind, a swarm.Annotations, call func(context.Context) (string, error),
) (string, error) {
	owner, _ := swarmobj.OwnerOf(a.Labels)
	if err := e.settle(ctx, owner.Tenant); err != nil {
		return "", fmt.Errorf("create %s %q: %w", k, a.Name, err)
	}
	defer e.fly(k, a.Name)()

	id, err := write(ctx, e, string(k)+"_create", call)
	if err != nil {
		e.relearn(ctx, doubt{kind: k, tenant: owner.Tenant, ref: a.Name}, err)
		if errors.Is(err, swarmobj.ErrExists) && !e.holds(k, owner.Tenant, a.Name) {
			err = fmt.Errorf("%w: Swarm has a %s of that name that Dogker did not make", swarmobj.ErrRefused, k)
		}

		return "", fmt.Errorf("create %s %q: %w", k, a.Name, err)
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	if n, changed := e.cache.take(k, id, a.Name, a.Labels, time.Now(), overlay{}); changed {
		e.hintTenants(n)
	}

	return id, nil
}

// holds is true when the cache has such an object of the tenant.
func (e *Engine) holds(k kind, tenant, name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()

	secrets, configs := e.cache.contentsOf(tenant)
	if k == kindConfig {
		secrets = configs
	}
	_, ok := secrets[name]

	return ok
}

// RemoveSecret removes a secret if, asked now, it is ours. It fails with ErrInUse while a service refers to it.
func (e *Engine) RemoveSecret(ctx context.Context, id string) error {
	got, err := inspectItem(ctx, e, kindSecret, func(ctx context.Context) (swarm.Secret, error) {
		s, _, err := e.api.SecretInspectWithRaw(ctx, id)
		return s, err
	}, e.cache.takeSecret)

	return e.removeContent(ctx, kindSecret, id, got.Spec.Annotations, err, e.api.SecretRemove)
}

// RemoveConfig removes a config, as RemoveSecret does.
func (e *Engine) RemoveConfig(ctx context.Context, id string) error {
	got, err := inspectItem(ctx, e, kindConfig, func(ctx context.Context) (swarm.Config, error) {
		c, _, err := e.api.ConfigInspectWithRaw(ctx, id)
		return c, err
	}, e.cache.takeConfig)

	return e.removeContent(ctx, kindConfig, id, got.Spec.Annotations, err, e.api.ConfigRemove)
}

// removeContent removes what has just been inspected.
func (e *Engine) removeContent(
	ctx context.Context, k kind, id string, a swarm.Annotations, err error, call func(context.Context, string) error,
) error {
	owner, ours := swarmobj.OwnerOf(a.Labels)

	switch {
	case errors.Is(err, swarmobj.ErrNotFound):
		e.vanished(k, id)
		return nil
	case err == nil && !ours:
		return nil
	case err == nil:
		err = e.settle(ctx, owner.Tenant)
	}

	if err == nil {
		err = e.remove(ctx, string(k)+"_remove", doubt{kind: k, tenant: owner.Tenant, ref: id}, func(ctx context.Context) error {
			return call(ctx, id)
		})
	}
	if err != nil && !errors.Is(err, swarmobj.ErrNotFound) {
		return fmt.Errorf("remove %s %q: %w", k, id, err)
	}

	return nil
}
