package door

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/internal/agent"
)

// guarded is a door with nothing but an engine, in whose time seconds are free.
func guarded(t *testing.T, e *engine) (d *Door, stop func()) {
	t.Helper()
	d = New(Options{Engine: e, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Guard(ctx) }()

	return d, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func (d *Door) pauses(t *testing.T, id string) {
	t.Helper()
	done, err := d.leases.begin(id)
	if err != nil {
		t.Fatal(err)
	}
	done()
}

// TestThaws: what a server does not pause again goes on, and what it does stays paused.
func TestThaws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		d, stop := guarded(t, e)
		d.pauses(t, taskID)
		d.pauses(t, dryID)

		for range 5 {
			time.Sleep(agent.FreezeLease / 2)
			d.pauses(t, taskID)
		}
		synctest.Wait()
		if got := e.take(); !slices.Equal(got, []string{"thaw d"}) {
			t.Errorf("the engine was asked %v, want that the one goes on that nobody keeps paused", got)
		}

		time.Sleep(agent.FreezeLease - time.Second)
		synctest.Wait()
		if got := e.take(); len(got) > 0 {
			t.Errorf("the engine was asked %v before its time", got)
		}
		time.Sleep(2 * thawEvery)
		synctest.Wait()
		if got := e.take(); !slices.Equal(got, []string{"thaw a"}) {
			t.Errorf("the engine was asked %v, want that it goes on", got)
		}

		// What goes on by itself is left alone.
		d.pauses(t, taskID)
		d.leases.end(taskID)
		time.Sleep(2 * agent.FreezeLease)
		stop()
		if got := e.take(); len(got) > 0 {
			t.Errorf("the engine was asked %v", got)
		}
	})
}

// TestThawsAtItsEnd: an agent that stops leaves nothing paused, and pauses nothing any more.
func TestThawsAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		d, stop := guarded(t, e)
		d.pauses(t, taskID)
		synctest.Wait()
		stop()
		if got := e.take(); !slices.Equal(got, []string{"thaw a"}) {
			t.Errorf("the engine was asked %v, want that what it has paused goes on", got)
		}
		if _, err := d.leases.begin(taskID); err == nil {
			t.Error("it pauses still")
		}
	})
}

// TestThawsOfAnother: what an agent had paused that was killed goes on as well. What no server can have paused is left alone.
func TestThawsOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		task := map[string]string{agent.TaskLabel: "t"}
		ours := []container.MountPoint{{Type: "volume", Name: ourVolume}}
		e := &engine{listed: []container.Summary{
			{ID: taskID, State: "paused", Labels: task, Mounts: ours},
			{ID: execID, State: "running", Labels: task, Mounts: ours},
			{ID: dryID, State: "paused", Labels: task, Mounts: []container.MountPoint{{Type: "volume", Name: otherVolume}, {Type: "volume", Name: "gone"}}},
			{ID: plainID, State: "paused", Mounts: ours},
		}}
		_, stop := guarded(t, e)
		time.Sleep(agent.FreezeLease - time.Second)
		synctest.Wait()
		if got := e.take(); len(got) > 0 {
			t.Errorf("the engine was asked %v before a server could say that it is to stay so", got)
		}
		time.Sleep(2 * thawEvery)
		synctest.Wait()
		if got := e.take(); !slices.Equal(got, []string{"thaw a"}) {
			t.Errorf("the engine was asked %v, want that what a server may have paused goes on", got)
		}
		stop()
	})
}

// TestLeasesThroughTheDoor: pausing through the door takes a lease, once more a longer one, and going on ends it.
func TestLeasesThroughTheDoor(t *testing.T) {
	w := newWorld(t)
	const in = "/v1.41/containers/"

	ends := func() time.Time {
		w.door.leases.mu.Lock()
		defer w.door.leases.mu.Unlock()

		return w.door.leases.until[taskID]
	}
	w.ask(t, "POST", in+taskID+"/pause", "")
	first := ends()
	if left := time.Until(first); left < agent.FreezeLease/2 {
		t.Fatalf("its lease ends in %v", left)
	}
	w.ask(t, "POST", in+taskID+"/pause", "")
	if again := ends(); !again.After(first) {
		t.Errorf("paused once more it ends at %v, before at %v", again, first)
	}
	if code, said := w.ask(t, "POST", in+taskID+"/unpause", ""); code >= http.StatusMultipleChoices || !ends().IsZero() {
		t.Errorf("got %d %q, and a lease until %v is left", code, said, ends())
	}
}
