//go:build e2e

package swarm_test

import (
	"errors"
	"testing"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// C6 of the reliability notes: what is done by hand is known by its event, well within a second.
func TestLiveDriftIsSeenByEvent(t *testing.T) {
	e := start(t, engine.Docker, swarm.Options{})

	for name, tc := range drifts {
		t.Run(name, func(t *testing.T) {
			o := newOwner(t)
			id := withEverything(t, e, o)
			eventually(t, e, o, 5*time.Second, "settle", func(w swarmobj.World) bool { return !w.Uncertain })

			began := time.Now()
			if err := tc.do(t, engine.Docker, o, id); err != nil {
				t.Fatal(err)
			}
			eventually(t, e, o, time.Second, "see it", tc.seen)
			t.Logf("seen after %s", time.Since(began).Round(time.Millisecond))
		})
	}
}

// C7: a service that has our name and not our label.
func TestLiveForeignServiceIsLeftAlone(t *testing.T) {
	api := &counting{API: engine.Docker}
	e := start(t, api, swarm.Options{})
	o := newOwner(t)

	foreign := spec(o, "", 0)
	foreign.Labels = map[string]string{"com.example": "theirs"}
	made, err := engine.Docker.ServiceCreate(t.Context(), foreign, dockerswarm.ServiceCreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, e, o, 5*time.Second, "see the squatter", func(w swarmobj.World) bool {
		return w.Service == nil && w.Squatter != nil && w.Squatter.ID == made.ID
	})

	if err := e.RemoveService(t.Context(), made.ID, o); err != nil {
		t.Error(err)
	}
	if n := api.writes.Load(); n != 0 {
		t.Errorf("writes: got %d, want none", n)
	}
	if _, err := e.CreateService(t.Context(), spec(o, "", 0), ""); !errors.Is(err, swarmobj.ErrExists) {
		t.Errorf("create: got %v, want ErrExists", err)
	}
}

// C5: somebody else writes ten times a second. Each of his changes is put back at most once, and at the end everything is
// as declared.
func TestLiveConflictStorm(t *testing.T) {
	const changes = 50

	api := &counting{API: engine.Docker}
	e := start(t, api, swarm.Options{})
	o := newOwner(t)
	id := must(t, e, spec(o, "", 0))

	hints := make(chan struct{}, 1)
	e.Subscribe(func(told swarmobj.Owner) {
		if told == o {
			select {
			case hints <- struct{}{}:
			default:
			}
		}
	})

	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range uint64(changes) {
			for edit(t, engine.Docker, id, scaledTo(n%5+1)) != nil { // He loses races as well, and tries again.
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()

	stale := 0
	repair := func() {
		w, err := e.Look(t.Context(), o)
		if err != nil || w.Service == nil || w.Uncertain || replicas(w) == 0 {
			return
		}
		switch err := e.UpdateService(t.Context(), *w.Service, spec(o, "", 0), ""); {
		case errors.Is(err, swarmobj.ErrStale):
			stale++
		case err != nil:
			t.Errorf("update: %v", err)
		}
	}
	for storming := true; storming; {
		select {
		case <-hints:
			repair()
		case <-done:
			storming = false
		}
	}
	wait(t, 5*time.Second, "calm", func() bool {
		repair()
		w, err := e.Look(t.Context(), o)

		return err == nil && !w.Uncertain && replicas(w) == 0
	})

	writes := api.writes.Load() - 1
	t.Logf("%d changes by hand, %d writes of ours, %d of them too late", changes, writes, stale)
	if writes > changes+int64(stale)+1 {
		t.Errorf("writes: got %d for %d changes and %d lost races", writes, changes, stale)
	}
}
