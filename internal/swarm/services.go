package swarm

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// CreateService creates a service and returns its ID. The cache shows it at once. auth is what the engine needs as
// X-Registry-Auth to pull the image; it may be empty.
func (e *Engine) CreateService(ctx context.Context, spec swarm.ServiceSpec, auth string) (string, error) {
	owner, _ := swarmobj.OwnerOf(spec.Labels)
	if err := e.settle(ctx, owner.Tenant); err != nil {
		return "", fmt.Errorf("create service %q: %w", spec.Name, err)
	}

	spec = detached(spec)
	defer e.fly(kindService, spec.Name)()

	made, err := write(ctx, e, "service_create", func(ctx context.Context) (swarm.ServiceCreateResponse, error) {
		return e.api.ServiceCreate(ctx, spec, swarm.ServiceCreateOptions{EncodedRegistryAuth: auth})
	})
	if err != nil {
		e.relearn(ctx, doubt{kind: kindService, tenant: owner.Tenant, ref: spec.Name}, err)

		return "", fmt.Errorf("create service %q: %w", spec.Name, err)
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	e.cache.created(made.ID, spec)
	e.soon(kindService, made.ID, ownDelay)
	e.heat(made.ID)

	return made.ID, nil
}

// UpdateService replaces the spec of a service as Look showed it. An empty auth keeps the credentials that Swarm has.
func (e *Engine) UpdateService(ctx context.Context, seen swarm.Service, spec swarm.ServiceSpec, auth string) error {
	err := e.updateService(ctx, seen, spec, auth)
	if err != nil {
		return fmt.Errorf("update service %q: %w", seen.Spec.Name, err)
	}

	return nil
}

func (e *Engine) updateService(ctx context.Context, seen swarm.Service, spec swarm.ServiceSpec, auth string) error {
	owner, ours := swarmobj.OwnerOf(seen.Spec.Labels)
	if !ours {
		owner, _ = swarmobj.OwnerOf(spec.Labels) // It becomes ours by this write.
	}
	if err := e.settle(ctx, owner.Tenant); err != nil {
		return err
	}

	version, err := e.versionOf(ctx, seen)
	if err != nil {
		return err
	}

	spec = detached(spec)
	defer e.fly(kindService, spec.Name)()

	_, err = write(ctx, e, "service_update", func(ctx context.Context) (swarm.ServiceUpdateResponse, error) {
		return e.api.ServiceUpdate(ctx, seen.ID, version, spec, swarm.ServiceUpdateOptions{
			EncodedRegistryAuth: auth, RegistryAuthFrom: swarm.RegistryAuthFromSpec,
		})
	})
	if err != nil {
		e.relearn(ctx, doubt{kind: kindService, tenant: owner.Tenant, ref: seen.ID}, err)

		return err
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	e.cache.updated(seen.ID, version.Index, spec)
	e.soon(kindService, seen.ID, ownDelay)
	e.heat(seen.ID)

	return nil
}

// versionOf is the version to update. Our own last write gave the service a version that nobody told us: then it is read,
// and what was read must still be what the caller saw.
func (e *Engine) versionOf(ctx context.Context, seen swarm.Service) (swarm.Version, error) {
	e.mu.Lock()
	s, known := e.cache.services[seen.ID]
	ask := known && s.uncertain || seen.Version.Index == 0
	e.mu.Unlock()

	if !ask {
		return seen.Version, nil
	}

	live, err := e.inspectService(ctx, seen.ID)
	if err != nil {
		if errors.Is(err, swarmobj.ErrNotFound) {
			e.vanished(kindService, seen.ID)
		}

		return swarm.Version{}, err
	}
	if !same(&live.Spec, &seen.Spec) {
		return swarm.Version{}, fmt.Errorf("somebody else changed it: %w", swarmobj.ErrStale)
	}

	return live.Version, nil
}

// same compares a spec that was sent with one that was read, by what people change by hand. The rest cannot be compared
// like this, because the engine fills in and reorders; it is replaced by what is declared anyway.
func same(a, b *swarm.ServiceSpec) bool {
	return a.Name == b.Name && maps.Equal(a.Labels, b.Labels) &&
		replicasOf(a) == replicasOf(b) && (a.Mode.Global == nil) == (b.Mode.Global == nil) &&
		a.TaskTemplate.ForceUpdate == b.TaskTemplate.ForceUpdate && imageOf(a) == imageOf(b)
}

func replicasOf(s *swarm.ServiceSpec) uint64 {
	if s.Mode.Replicated == nil || s.Mode.Replicated.Replicas == nil {
		return 0
	}

	return *s.Mode.Replicated.Replicas
}

func imageOf(s *swarm.ServiceSpec) string {
	if s.TaskTemplate.ContainerSpec == nil {
		return ""
	}

	return s.TaskTemplate.ContainerSpec.Image
}

// detached is a spec whose container part may be changed: Docker's client writes the tag "latest" into it.
func detached(spec swarm.ServiceSpec) swarm.ServiceSpec {
	if spec.TaskTemplate.ContainerSpec != nil {
		c := *spec.TaskTemplate.ContainerSpec
		spec.TaskTemplate.ContainerSpec = &c
	}

	return spec
}

// RemoveService removes the service if, asked now, it still belongs to the owner. Its tasks stop later. It is no error
// when there is none, or when it belongs to somebody else.
func (e *Engine) RemoveService(ctx context.Context, id string, o swarmobj.Owner) error {
	err := e.removeService(ctx, id, o)
	if err != nil && !errors.Is(err, swarmobj.ErrNotFound) {
		return fmt.Errorf("remove service %q: %w", id, err)
	}

	return nil
}

func (e *Engine) removeService(ctx context.Context, id string, o swarmobj.Owner) error {
	if err := e.settle(ctx, o.Tenant); err != nil {
		return err
	}

	live, err := e.inspectService(ctx, id)
	if errors.Is(err, swarmobj.ErrNotFound) {
		e.vanished(kindService, id)
	}
	if err != nil {
		return err
	}
	if owner, ours := swarmobj.OwnerOf(live.Spec.Labels); !ours || owner.UID != o.UID {
		return nil
	}

	return e.remove(ctx, "service_remove", doubt{kind: kindService, tenant: o.Tenant, ref: live.ID}, func(ctx context.Context) error {
		return e.api.ServiceRemove(ctx, live.ID)
	})
}

// remove makes a removing call and takes the object out of the cache when it is gone.
func (e *Engine) remove(ctx context.Context, op string, d doubt, call func(context.Context) error) error {
	_, err := write(ctx, e, op, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
	if err != nil {
		e.relearn(ctx, d, err)

		return err
	}

	e.mu.Lock()
	e.cache.bury(d.ref)
	e.mu.Unlock()

	e.vanished(d.kind, d.ref)

	return nil
}
