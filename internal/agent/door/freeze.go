package door

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/logkey"
)

// thawEvery is how often it is looked whether a lease has ended.
const thawEvery = 5 * time.Second

// leases are until when containers stay paused that were paused through the door. Who has paused one says so again and again; when
// it does not, because it has gone, they go on.
type leases struct {
	length time.Duration

	mu     sync.Mutex
	until  map[string]time.Time
	closed bool
	busy   sync.WaitGroup // What is being paused at the moment.
}

var errStopping = errors.New("the agent is stopping")

// begin gives a container a lease before the engine is asked: the answer may be lost. The caller calls done when there is one.
func (l *leases) begin(id string) (done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.closed {
		return nil, errStopping
	}
	l.until[id] = time.Now().Add(l.length)
	l.busy.Add(1)

	return l.busy.Done, nil
}

// end takes the lease from a container that goes on.
func (l *leases) end(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()

	delete(l.until, id)
}

// over are the containers whose lease has ended, or all.
func (l *leases) over(all bool) []string {
	l.mu.Lock()
	defer l.mu.Unlock()

	var out []string
	now := time.Now()
	for id, at := range l.until {
		if all || now.After(at) {
			out = append(out, id)
		}
	}

	return out
}

// close lets nothing be paused any more, and waits for what is being paused.
func (l *leases) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()

	l.busy.Wait()
}

// Guard lets containers go on that no server pauses any more, until the context ends, and then all that were paused through the
// door. An agent that was killed has left no word of what it had paused. So one that starts gives a lease to every paused container
// that a server could have paused.
func (d *Door) Guard(ctx context.Context) error {
	ticks := time.NewTicker(min(thawEvery, d.leases.length))
	defer ticks.Stop()

	adopted := false
	for {
		if !adopted {
			adopted = d.adopt(ctx)
		}
		d.thaw(ctx, false)

		select {
		case <-ctx.Done():
			d.leases.close()
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), inspectPatience)
			defer cancel()
			d.thaw(last, true)

			return nil
		case <-ticks.C:
		}
	}
}

// adopt gives leases to what is paused. It is false when the engine did not say what is.
func (d *Door) adopt(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()

	all, err := d.o.Engine.ContainerList(ctx, container.ListOptions{})
	if err != nil {
		return false
	}
	for i := range all {
		c := &all[i]
		if c.State != container.StatePaused || c.Labels[agent.TaskLabel] == "" {
			continue
		}
		ours, err := d.mountsOurs(ctx, c.Mounts)
		if err != nil {
			return false
		}
		if !ours {
			continue
		}
		if done, err := d.leases.begin(c.ID); err == nil {
			done()
		}
	}

	return true
}

// thaw lets go on whose lease has ended. What the engine does not do now is tried again.
func (d *Door) thaw(ctx context.Context, all bool) {
	for _, id := range d.leases.over(all) {
		err := d.unpause(ctx, id)
		switch {
		case err == nil:
			d.o.Log.WarnContext(ctx, "Let a container go on that no server keeps paused", "container", id)
		case errdefs.IsNotFound(err), errdefs.IsConflict(err): // It is gone, or goes on already.
		default:
			d.o.Log.ErrorContext(ctx, "A container stays paused", "container", id, logkey.Err, err)
			continue
		}
		d.leases.end(id)
	}
}

func (d *Door) unpause(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()

	return d.o.Engine.ContainerUnpause(ctx, id)
}

// mountsOurs tells whether a volume that Dogker has made is among mounts.
func (d *Door) mountsOurs(ctx context.Context, mounts []container.MountPoint) (bool, error) {
	for _, m := range mounts {
		if m.Type != mount.TypeVolume {
			continue
		}
		v, _, err := d.volume(ctx, m.Name)
		switch {
		case errors.Is(err, errNoVolume):
		case err != nil:
			return false, err
		case managed(v.Labels):
			return true, nil
		}
	}

	return false, nil
}

// admitPause is an error for a container that mounts no volume of ours.
func (d *Door) admitPause(ctx context.Context, c *call) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()

	found, err := d.o.Engine.ContainerInspect(ctx, c.target.container)
	switch {
	case errdefs.IsNotFound(err):
		return http.StatusNotFound, errors.New("there is no such container on this node")
	case err != nil:
		return http.StatusBadGateway, fmt.Errorf("the engine does not answer: %w", err)
	}
	switch ours, err := d.mountsOurs(ctx, found.Mounts); {
	case err != nil:
		return http.StatusBadGateway, err
	case !ours:
		return http.StatusForbidden, errors.New("it mounts no volume that Dogker has made")
	}

	return 0, nil
}
