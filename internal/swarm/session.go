package swarm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"
	"golang.org/x/sync/errgroup"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// minAPIVersion is the oldest version of the Engine API that has all that Dogker uses: that of Docker 20.10.
const minAPIVersion = "1.41"

// session asks an engine for as long as it answers: it subscribes to events, then reads everything, then keeps it fresh.
// Subscribing comes first, so that nothing that happens while the lists are read is lost.
func (e *Engine) session(ctx context.Context) error {
	if err := e.probe(ctx); err != nil {
		return err
	}

	g, ctx := errgroup.WithContext(ctx)
	ready := make(chan struct{})

	for _, s := range e.streams() {
		s.connect(ctx, e)
		g.Go(func() error { return s.run(ctx, e) })
	}

	g.Go(func() error {
		if err := e.readAll(ctx); err != nil {
			return err
		}
		e.found(ctx)
		close(ready)

		return e.reader(ctx)
	})
	g.Go(func() error { return e.watchTasks(ctx, ready) })
	g.Go(func() error { return e.guardSession(ctx, ready) })

	return g.Wait()
}

// probe asks the engine whether it is one that can be used: an answering manager of a swarm, of a known version.
func (e *Engine) probe(ctx context.Context) error {
	const timeout = 5 * time.Second

	ping, err := read(ctx, e, "ping", timeout, func(ctx context.Context) (string, error) {
		p, err := e.api.Ping(ctx)

		return p.APIVersion, err
	})
	if err != nil {
		return asUnavailable(err)
	}
	if ping != "" && versions.LessThan(ping, minAPIVersion) {
		return fmt.Errorf("%w: it speaks API %s, and Dogker needs %s, that of Docker 20.10, or newer",
			swarmobj.ErrUnavailable, ping, minAPIVersion)
	}

	info, err := read(ctx, e, "info", timeout, func(ctx context.Context) (system.Info, error) { return e.api.Info(ctx) })
	if err != nil {
		return asUnavailable(err)
	}
	if err := usable(info.Swarm); err != nil {
		return err
	}

	e.mu.Lock()
	e.nodeID = info.Swarm.NodeID
	e.mu.Unlock()

	return nil
}

// asUnavailable makes an error that has no class of its own one of an engine that does not answer.
func asUnavailable(err error) error {
	if blinding(err) {
		return err
	}

	return fmt.Errorf("%w: %w", swarmobj.ErrUnavailable, err)
}

// usable says why an engine cannot be used for what it is in its swarm. A manager that has lost its leader still counts
// itself as one, and says what is wrong in words only.
func usable(info swarm.Info) error {
	if class, _, ok := match(errors.New(info.Error)); ok && info.Error != "" {
		if err := (&callError{class: class, cause: class}); blinding(err) {
			return err
		}
	}

	switch info.LocalNodeState {
	case swarm.LocalNodeStateActive:
		if !info.ControlAvailable {
			return swarmobj.ErrNotManager
		}

		return nil
	case swarm.LocalNodeStateInactive:
		return swarmobj.ErrInactive
	default:
		return fmt.Errorf("%w: its state is %q: %s", swarmobj.ErrInactive, info.LocalNodeState, info.Error)
	}
}

// guardSession probes the engine whenever a call got no answer from it, and ends the session when the probe gets none
// either. A single failed call is no reason to call everything unknown.
func (e *Engine) guardSession(ctx context.Context, ready <-chan struct{}) error {
	const gap = time.Second

	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-ready:
	}

	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.wakeSession:
		}

		if err := e.probe(ctx); err != nil {
			return err
		}
		if err := e.staleness(); err != nil {
			return err
		}
		if !pause(ctx, gap) {
			return ctx.Err()
		}
	}
}

// doubtEngine asks for a probe.
func (e *Engine) doubtEngine() { poke(e.wakeSession) }

// maxStale is for how long the services may not have been listed, in resync periods, before nothing counts as known.
const maxStale = 4

// staleness is an error when the engine answers but has not given a list of the services for too long, as a swarm
// without a leader does.
func (e *Engine) staleness() error {
	e.mu.Lock()
	defer e.mu.Unlock()

	if age := time.Since(e.cache.listedAt[kindService]); age > maxStale*e.resync {
		return fmt.Errorf("%w: it has not listed its services for %s", swarmobj.ErrUnavailable, age.Round(time.Second))
	}

	return nil
}

// readAll reads all kinds, as the first thing of a session.
func (e *Engine) readAll(ctx context.Context) error {
	e.mu.Lock()
	clear(e.dirty)
	clear(e.due)
	e.mu.Unlock()

	for _, k := range kinds {
		if err := e.list(ctx, k); err != nil {
			return fmt.Errorf("list %ss: %w", k, err)
		}
	}

	return nil
}
