//go:build e2e

package swarm_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// counting counts the writes to services.
type counting struct {
	swarm.API
	writes atomic.Int64
}

func (c *counting) ServiceCreate(ctx context.Context, s dockerswarm.ServiceSpec, o dockerswarm.ServiceCreateOptions) (dockerswarm.ServiceCreateResponse, error) {
	c.writes.Add(1)
	return c.API.ServiceCreate(ctx, s, o)
}

func (c *counting) ServiceUpdate(ctx context.Context, id string, v dockerswarm.Version, s dockerswarm.ServiceSpec, o dockerswarm.ServiceUpdateOptions) (dockerswarm.ServiceUpdateResponse, error) {
	c.writes.Add(1)
	return c.API.ServiceUpdate(ctx, id, v, s, o)
}

func (c *counting) ServiceRemove(ctx context.Context, id string) error {
	c.writes.Add(1)
	return c.API.ServiceRemove(ctx, id)
}

// C8 of the reliability notes, the adapter's part: while the engine is dead nothing is known, and when it is back the
// same is known as before.
func TestLiveEngineKilledAndRestarted(t *testing.T) {
	node := lab.Start(t, lab.Options{}).Nodes[0]
	api := &counting{API: node.Docker}
	e := start(t, api, swarm.Options{})

	var all []swarmobj.Owner
	for range 5 {
		o := newOwner(t)
		must(t, e, spec(o, "", 1))
		all = append(all, o)
	}
	ids := map[string]string{}
	for _, o := range all {
		w := eventually(t, e, o, 60*time.Second, "run", allRunning(1))
		ids[o.UID] = w.Service.ID
	}
	before := api.writes.Load()

	if err := node.Kill(); err != nil {
		t.Fatal(err)
	}
	wait(t, 2*time.Second, "doubt", func() bool { return errors.Is(e.State(), swarmobj.ErrUnavailable) })
	if _, err := e.Look(t.Context(), all[0]); !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("look: got %v, want ErrUnavailable", err)
	}

	if err := node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	up := time.Now()
	wait(t, 15*time.Second, "trust", func() bool { return e.State() == nil })
	t.Logf("read %s after the engine answered", time.Since(up).Round(time.Millisecond))

	for _, o := range all {
		w := eventually(t, e, o, 30*time.Second, "run again", allRunning(1))
		if w.Service.ID != ids[o.UID] || len(w.Duplicates) != 0 {
			t.Errorf("service of %s: got %s and %d duplicates, want %s alone", o.Tenant, w.Service.ID, len(w.Duplicates), ids[o.UID])
		}
	}
	t.Logf("all tasks run %s after the engine answered", time.Since(up).Round(time.Millisecond))

	if n := api.writes.Load() - before; n != 0 {
		t.Errorf("writes: got %d, want none", n)
	}
}

// S6: the client gives up, and the engine does it all the same.
func TestLiveCreateThatHappensLater(t *testing.T) {
	node := lab.Start(t, lab.Options{}).Nodes[0]
	e := start(t, node.Docker, swarm.Options{})
	o := newOwner(t)

	if err := node.Pause(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := e.CreateService(ctx, spec(o, "", 0), ""); !errors.Is(err, swarmobj.ErrUnknownOutcome) {
		t.Fatalf("create: got %v, want ErrUnknownOutcome", err)
	}

	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := e.Look(short, o); !errors.Is(err, swarmobj.ErrUnknownOutcome) && !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("look while nobody answers: got %v, want ErrUnknownOutcome or ErrUnavailable", err)
	}
	if err := node.Resume(); err != nil {
		t.Fatal(err)
	}

	// Whether the engine still does it is a race between what it reads first, the request or the end of the connection.
	// Either way a second create makes one service, and the cache knows it.
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var w swarmobj.World
		if w, err = e.Look(t.Context(), o); err == nil && w.Service != nil {
			return
		}
		if err == nil {
			_, err = e.CreateService(t.Context(), spec(o, "", 0), "")
			t.Logf("it did not happen; second create: %v", err)
		}
	}
	t.Errorf("no service: %v", err)
}

func wait(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()

	for deadline := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, within)
		}
	}
}
