package swarm

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/docker/api/types/network"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// doubt is a write whose outcome is not known: the object it was about, by name when it was to be created and by ID
// otherwise. Until the engine has said what there is, nothing else is written for the tenant.
type doubt struct {
	kind   kind
	tenant string
	ref    string
}

// inFlightKey names an object that is being written.
func inFlightKey(k kind, name string) string { return string(k) + "/" + name }

// fly notes that an object is being written, so that its events are known to be ours, and returns what ends that.
func (e *Engine) fly(k kind, name string) func() {
	key := inFlightKey(k, name)

	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight[key]++

	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()

		if e.inFlight[key]--; e.inFlight[key] == 0 {
			delete(e.inFlight, key)
		}
	}
}

// relearn puts the cache right after a write that failed: the engine knew something that the cache did not. The caller
// looks again at once, so what is cheap to know is read now; what cannot be read now comes with the next list.
func (e *Engine) relearn(ctx context.Context, d doubt, err error) {
	switch {
	case errors.Is(err, swarmobj.ErrUnknownOutcome):
		e.mu.Lock()
		defer e.mu.Unlock()

		e.doubts[d] = true
		e.hintTenant(d.tenant)
	case errors.Is(err, swarmobj.ErrExists), errors.Is(err, swarmobj.ErrStale), errors.Is(err, swarmobj.ErrInUse):
		_ = e.lookUp(ctx, d)
	case errors.Is(err, swarmobj.ErrNotFound):
		// Either the object is gone, or something that it refers to and that the cache believes to be there.
		_ = e.lookUp(ctx, d)
		e.listEverything()
	case errors.Is(err, swarmobj.ErrPortInUse):
		e.postpone(kindService, 0)
		poke(e.wakeReader)
	}
}

// lookUp asks the engine what there is of the object and takes it in.
func (e *Engine) lookUp(ctx context.Context, d doubt) error {
	if d.kind == kindNetwork {
		_, err := inspectItem(ctx, e, kindNetwork, func(ctx context.Context) (network.Summary, error) {
			return e.api.NetworkInspect(ctx, d.ref, network.InspectOptions{Scope: scopeSwarm})
		}, e.cache.takeNetwork)
		if errors.Is(err, swarmobj.ErrNotFound) {
			e.vanished(kindNetwork, d.ref)
			err = nil
		}

		return err
	}

	_, err := e.look(ctx, d.kind, d.ref)

	return err
}

// settle finds out what became of the tenant's writes that got no answer. Until it can, it fails with ErrUnknownOutcome.
//
// That the engine has no such object now does not prove that the write is not still on its way. It need not: a second
// create of the same name, or a second update of the same version, is refused by the engine if the first one made it.
func (e *Engine) settle(ctx context.Context, tenant string) error {
	for {
		d, open := e.openDoubt(tenant)
		if !open {
			return nil
		}
		if err := e.lookUp(ctx, d); err != nil {
			return fmt.Errorf("%w: cannot look it up: %w", swarmobj.ErrUnknownOutcome, err)
		}

		e.mu.Lock()
		delete(e.doubts, d)
		e.mu.Unlock()
	}
}

func (e *Engine) openDoubt(tenant string) (doubt, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()

	for d := range e.doubts {
		if d.tenant == tenant {
			return d, true
		}
	}

	return doubt{}, false
}
