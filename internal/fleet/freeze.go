package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// ErrThawed means that containers have not stayed paused for as long as they were to.
var ErrThawed = errors.New("a container has not stayed paused")

// maxFreeze bounds how long this process keeps containers paused, whoever forgets to let them go on.
const maxFreeze = 24 * time.Hour

// mountPoint is a volume of a node.
type mountPoint struct{ node, volume string }

// freeze is what this process has paused for the sake of one volume, and keeps so: what agents are not told again they let go on.
type freeze struct {
	over chan struct{} // Closed when it is to end,
	done chan struct{} // and when it has ended.

	mu sync.Mutex
	// held are the IDs of the containers, true once they are paused, and broken why they have not been so all the while.
	held   map[string]bool
	broken error
}

// PauseMounting pauses the containers of Dogker's tasks on a node that mount a volume, and returns their IDs. It is idempotent. They
// stay paused until UnpauseMounting, which is to be called however this ends, or until the process ends: then agents let them go on
// after agent.FreezeLease, and on the own node it takes the UnpauseMounting of the next process. When it fails nothing is paused.
// There must not be two who pause for the same volume at once.
func (f *Fleet) PauseMounting(ctx context.Context, node, volume string) ([]string, error) {
	at := mountPoint{node, volume}
	z := f.freezeOf(at)

	ids, err := f.pauseAll(ctx, at, z)
	if err != nil {
		return nil, errors.Join(err, f.UnpauseMounting(context.WithoutCancel(ctx), node, volume))
	}

	return ids, nil
}

// pauseAll pauses until nothing is left that runs: a task may start meanwhile.
func (f *Fleet) pauseAll(ctx context.Context, at mountPoint, z *freeze) ([]string, error) {
	const rounds = 4

	for range rounds {
		d, running, paused, err := f.writers(ctx, at)
		if err != nil {
			return nil, err
		}
		// What is paused already is so once more: whoever has paused it may not go on with that.
		for _, id := range slices.Concat(running, paused) {
			z.hold(id, false)
			if err := d.pause(ctx, id); err != nil && !cerrdefs.IsConflict(err) && !cerrdefs.IsNotFound(err) {
				return nil, fmt.Errorf("pause container %.12q on node %q: %w", id, d.name, classed(err))
			}
			z.hold(id, true)
		}
		if len(running) == 0 {
			return z.ids(), nil
		}
	}

	return nil, fmt.Errorf("pause what mounts volume %q on node %q: %w: containers start all the time", at.volume, at.node, swarmobj.ErrUnavailable)
}

// writers are the IDs of the containers of Dogker's tasks that mount a volume. It fails while it is not known whose one is.
func (f *Fleet) writers(ctx context.Context, at mountPoint) (d *door, running, paused []string, err error) {
	if d, err = f.reach(Place{Node: at.node}); err != nil {
		return nil, nil, nil, err
	}
	found, err := d.mounting(ctx, at.volume)
	if err != nil {
		return nil, nil, nil, err
	}

	for i := range found {
		c := &found[i]
		s, known := f.o.Swarm.Subject(c.Labels[agent.ServiceLabel], c.Labels[agent.TaskLabel])
		if !known {
			return nil, nil, nil, fmt.Errorf("look at what mounts volume %q on node %q: %w: it is not known whose container %.12q is", at.volume, d.name, swarmobj.ErrUnavailable, c.ID)
		}
		switch {
		case s.Owner == (swarmobj.Owner{}): // An operator has started it, who knows what he does.
		case c.State == container.StatePaused:
			paused = append(paused, c.ID)
		default:
			running = append(running, c.ID)
		}
	}

	return d, running, paused, nil
}

func (d *door) pause(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()

	return d.docker.ContainerPause(ctx, id)
}

// StillPaused fails with ErrThawed when what mounts a volume has not been paused all the time since PauseMounting. It is asked after
// what was to be done, and before UnpauseMounting.
func (f *Fleet) StillPaused(ctx context.Context, node, volume string) error {
	at := mountPoint{node, volume}
	f.mu.Lock()
	z := f.freezes[at]
	f.mu.Unlock()
	if z == nil {
		return fmt.Errorf("volume %q on node %q: %w: nothing was paused by this server", volume, node, ErrThawed)
	}

	d, running, _, err := f.writers(ctx, at)
	if err != nil {
		return err
	}
	if len(running) > 0 {
		z.fail(running[0])
	}
	if err := z.failure(); err != nil {
		return fmt.Errorf("volume %q on node %q: %w", volume, d.name, err)
	}

	return nil
}

// UnpauseMounting lets the containers of tasks on a node go on that are paused and mount a volume, whoever has paused them. It is
// idempotent. Those that another volume needs to be paused stay so.
func (f *Fleet) UnpauseMounting(ctx context.Context, node, volume string) error {
	at := mountPoint{node, volume}
	if err := f.endFreeze(ctx, at); err != nil {
		return err
	}
	d, err := f.reach(Place{Node: node})
	if err != nil {
		return err
	}
	found, err := d.mounting(ctx, volume)
	if err != nil {
		return err
	}

	var errs []error
	for i := range found {
		if c := &found[i]; c.State == container.StatePaused && !f.frozenElsewhere(at, c.ID) {
			errs = append(errs, d.unpause(ctx, c.ID))
		}
	}

	return errors.Join(errs...)
}

// unpause lets one go on. One that does already, or has ended, is no error: what came between is whatever was wanted.
func (d *door) unpause(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()

	err := d.docker.ContainerUnpause(ctx, id)
	if err == nil || cerrdefs.IsNotFound(err) {
		return nil
	}
	if now, failed := d.docker.ContainerInspect(ctx, id); failed == nil && now.ContainerJSONBase != nil && now.State != nil && !now.State.Paused {
		return nil
	}

	return fmt.Errorf("let container %.12q on node %q go on: %w", id, d.name, classed(err))
}

// freezeOf returns the freeze of a volume, and begins it.
func (f *Fleet) freezeOf(at mountPoint) *freeze {
	f.mu.Lock()
	defer f.mu.Unlock()

	if z := f.freezes[at]; z != nil {
		return z
	}
	z := &freeze{over: make(chan struct{}), done: make(chan struct{}), held: map[string]bool{}}
	f.freezes[at] = z
	go f.keepFrozen(at, z)

	return z
}

// endFreeze waits until nothing of ours pauses any more: it must not come after what lets containers go on.
func (f *Fleet) endFreeze(ctx context.Context, at mountPoint) error {
	f.mu.Lock()
	z := f.freezes[at]
	delete(f.freezes, at)
	f.mu.Unlock()
	if z == nil {
		return nil
	}
	close(z.over)

	select {
	case <-z.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// frozenElsewhere tells whether a container is paused for another volume of the node.
func (f *Fleet) frozenElsewhere(at mountPoint, id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()

	for other, z := range f.freezes {
		if other != at && other.node == at.node && z.holds(id) {
			return true
		}
	}

	return false
}

// keepFrozen says again and again that containers are to stay paused. An engine that pauses one then, instead of saying that it
// is, tells that it has gone on meanwhile.
func (f *Fleet) keepFrozen(at mountPoint, z *freeze) {
	defer close(z.done)

	ticks := time.NewTicker(f.pace.freeze)
	defer ticks.Stop()
	ends := time.NewTimer(maxFreeze)
	defer ends.Stop()

	for {
		select {
		case <-z.over:
			return
		case <-ends.C:
			f.log.Warn("Containers are not kept paused any longer", logkey.Node, at.node, "volume", at.volume)
			return
		case <-ticks.C:
			f.pauseAgain(at, z)
		}
	}
}

func (f *Fleet) pauseAgain(at mountPoint, z *freeze) {
	d, err := f.reach(Place{Node: at.node})
	if err != nil {
		return // Whether they are paused is asked at the end.
	}
	for _, id := range z.ids() {
		if z.paused(id) && d.pause(context.Background(), id) == nil {
			z.fail(id)
		}
	}
}

// hold notes a container that is to be paused, or is.
func (z *freeze) hold(id string, paused bool) {
	z.mu.Lock()
	defer z.mu.Unlock()

	z.held[id] = z.held[id] || paused
}

func (z *freeze) holds(id string) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	_, holds := z.held[id]

	return holds
}

func (z *freeze) paused(id string) bool {
	z.mu.Lock()
	defer z.mu.Unlock()

	return z.held[id]
}

func (z *freeze) ids() []string {
	z.mu.Lock()
	defer z.mu.Unlock()

	return slices.Sorted(maps.Keys(z.held))
}

func (z *freeze) fail(id string) {
	z.mu.Lock()
	defer z.mu.Unlock()

	if z.broken == nil {
		z.broken = fmt.Errorf("%w: %.12q has run meanwhile", ErrThawed, id)
	}
}

func (z *freeze) failure() error {
	z.mu.Lock()
	defer z.mu.Unlock()

	return z.broken
}
