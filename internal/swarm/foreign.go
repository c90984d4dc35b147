package swarm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Foreign is a service that is not ours, asked for now and shown whole. It fails with ErrNotFound when there is none. It
// fails with ErrRefused when it is ours, and when it has fields that this program does not know: they would be lost in the
// next write.
func (e *Engine) Foreign(ctx context.Context, id string) (swarm.Service, error) {
	type answer struct {
		service swarm.Service
		raw     []byte
	}
	got, err := read(ctx, e, "service_inspect", readTimeout, func(ctx context.Context) (answer, error) {
		s, raw, err := e.api.ServiceInspectWithRaw(ctx, id, swarm.ServiceInspectOptions{})

		return answer{s, raw}, err
	})
	if err != nil {
		return swarm.Service{}, fmt.Errorf("inspect service %q: %w", id, err)
	}

	s := got.service
	if owner, ours := swarmobj.OwnerOf(s.Spec.Labels); ours {
		return swarm.Service{}, fmt.Errorf("%w: service %q belongs to %s %q of namespace %q", swarmobj.ErrRefused, s.Spec.Name, owner.Kind, owner.Name, owner.Tenant)
	}
	if err := wholly(got.raw); err != nil {
		return swarm.Service{}, fmt.Errorf("%w: service %q was made with a newer engine than this program knows: %w", swarmobj.ErrRefused, s.Spec.Name, err)
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	e.act(s.ID, e.cache.upsert(s, false))

	return s, nil
}

// wholly fails when the spec in an answer of the engine has fields that Docker's types do not.
func wholly(raw []byte) error {
	if len(raw) == 0 {
		return nil
	}

	var outer struct{ Spec json.RawMessage }
	if err := json.Unmarshal(raw, &outer); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(outer.Spec))
	decoder.DisallowUnknownFields()

	return decoder.Decode(&swarm.ServiceSpec{})
}

// Network is a network that is not ours, from the read cache; false when there is none.
func (e *Engine) Network(id string) (swarmobj.Network, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()

	it := e.cache.networks[id]
	if it == nil || it.ours {
		return swarmobj.Network{}, false
	}

	return it.network(), true
}

func (it *item) network() swarmobj.Network {
	return swarmobj.Network{
		ID: it.ID, Name: it.Name, Labels: it.Labels, Subnets: it.overlay.subnets, Encrypted: it.overlay.encrypted, Created: it.Created,
	}
}
