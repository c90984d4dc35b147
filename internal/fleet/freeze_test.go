package fleet

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// yard is what an engine of tests has of containers that mount volumes, by ID.
type yard struct {
	mu     sync.Mutex
	states map[string]*container.Summary
	// starts are put there when something is paused.
	starts []*container.Summary
	// stuck is not let go on.
	stuck bool
}

// put has a container of a service, which mounts a volume.
func (y *yard) put(id, service, state, volume string) *container.Summary {
	c := &container.Summary{
		ID: id, State: state, Created: int64(id[0]), Labels: map[string]string{agent.ServiceLabel: service, agent.TaskLabel: taskOf(id)},
		Mounts: []container.MountPoint{{Type: "bind", Name: "ours"}, {Type: "volume", Name: volume}},
	}
	if service == "" {
		c.Labels = nil
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.states[id] = c

	return c
}

func (y *yard) state(id string) string {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.states[id] == nil {
		return "gone"
	}

	return y.states[id].State
}

func (y *yard) set(id, state string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.states[id].State = state
}

func (y *yard) serve(e *engine, mux *http.ServeMux) {
	mux.HandleFunc("GET /v1.41/containers/json", func(w http.ResponseWriter, _ *http.Request) {
		y.mu.Lock()
		defer y.mu.Unlock()
		out := []container.Summary{}
		for _, c := range y.states {
			out = append(out, *c)
		}
		e.answer(w, http.StatusOK, out)
	})
	change := func(from, to string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			y.mu.Lock()
			defer y.mu.Unlock()
			switch c := y.states[r.PathValue("id")]; {
			case c == nil:
				e.answer(w, http.StatusNotFound, map[string]string{"message": "No such container"})
			case c.State != from:
				e.answer(w, http.StatusConflict, map[string]string{"message": "Container is already " + c.State})
			case to == "running" && y.stuck:
				e.answer(w, http.StatusInternalServerError, map[string]string{"message": "freezer: device or resource busy"})
			default:
				c.State = to
				if to == "paused" && len(y.starts) > 0 {
					y.states[y.starts[0].ID], y.starts = y.starts[0], y.starts[1:]
				}
				w.WriteHeader(http.StatusNoContent)
			}
		}
	}
	mux.HandleFunc("DELETE /v1.41/containers/{id}", func(w http.ResponseWriter, r *http.Request) {
		y.mu.Lock()
		defer y.mu.Unlock()
		c := y.states[r.PathValue("id")]
		if c == nil || c.State != "exited" {
			e.answer(w, http.StatusConflict, map[string]string{"message": "You cannot remove a running container"})
			return
		}
		delete(y.states, c.ID)
		for _, m := range c.Mounts {
			e.cellar.release(m.Name)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /v1.41/containers/{id}/pause", change("running", "paused"))
	mux.HandleFunc("POST /v1.41/containers/{id}/unpause", change("paused", "running"))
}

// yardAt is that of the engine of a node.
func (w *world) yardAt(node string) *yard {
	if node == own {
		return w.own.yard
	}

	return w.far.yard
}

var late = strings.Repeat("f", 64)

// TestPauseMounting: on the own node and through an agent it is the same.
func TestPauseMounting(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		y := w.yardAt(node)
		y.put(plain, "web", "running", "ours")
		y.put(terminal, "web", "running", "postgres")
		y.put(strange, "", "running", "ours")
		y.starts = []*container.Summary{{
			ID: late, State: "running", Labels: map[string]string{agent.ServiceLabel: "web", agent.TaskLabel: "t"},
			Mounts: []container.MountPoint{{Type: "volume", Name: "ours"}},
		}}
		ctx := t.Context()

		for range 2 {
			got, err := w.PauseMounting(ctx, node, "ours")
			if err != nil || !slices.Equal(got, []string{plain, late}) {
				t.Fatalf("paused %v and %v, want those that mount it, also one that started meanwhile", got, err)
			}
		}
		for id, want := range map[string]string{plain: "paused", late: "paused", terminal: "running", strange: "running"} {
			if got := y.state(id); got != want {
				t.Errorf("container %.4s is %s, want %s", id, got, want)
			}
		}
		if err := w.StillPaused(ctx, node, "ours"); err != nil {
			t.Errorf("they have been paused all the while: %v", err)
		}

		// An agent that has let one go on is told to pause it again, which tells.
		y.set(plain, "running")
		w.await("it is paused again", func() error {
			if got := y.state(plain); got != "paused" {
				return errors.New(got)
			}

			return nil
		})
		w.await("it is known", func() error {
			if err := w.StillPaused(ctx, node, "ours"); !errors.Is(err, ErrThawed) {
				return errors.New("not yet")
			}

			return nil
		})

		for range 2 {
			if err := w.UnpauseMounting(ctx, node, "ours"); err != nil {
				t.Errorf("unpause: %v", err)
			}
			if y.state(plain) != "running" || y.state(late) != "running" {
				t.Error("they do not go on")
			}
		}
		if err := w.StillPaused(ctx, node, "ours"); !errors.Is(err, ErrThawed) {
			t.Errorf("what was not paused: got %v", err)
		}
	})
}

// TestPauseFails: nothing stays paused when not everything can be, and what does not go on is told.
func TestPauseFails(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		y := w.yardAt(node)
		ctx := t.Context()

		y.put(plain, "web", "running", "ours")
		y.put(late, "of-whom", "running", "ours")
		if _, err := w.PauseMounting(ctx, node, "ours"); !errors.Is(err, swarmobj.ErrUnavailable) || !strings.Contains(err.Error(), "not known whose") {
			t.Errorf("got %v, want that it cannot be told yet", err)
		}
		if got := y.state(plain); got != "running" {
			t.Errorf("it is %s after a failure", got)
		}

		// One that an operator runs is his own business.
		y.put(late, "foreign", "running", "ours")
		if got, err := w.PauseMounting(ctx, node, "ours"); err != nil || !slices.Equal(got, []string{plain}) {
			t.Fatalf("paused %v and %v", got, err)
		}
		y.mu.Lock()
		y.stuck = true
		y.mu.Unlock()
		if err := w.UnpauseMounting(ctx, node, "ours"); err == nil {
			t.Error("it is said to go on, and does not")
		}
		y.mu.Lock()
		y.stuck = false
		y.mu.Unlock()
		if err := w.UnpauseMounting(ctx, node, "ours"); err != nil || y.state(plain) != "running" {
			t.Errorf("once more: got %v, and it is %s", err, y.state(plain))
		}
	})
}

// TestPausedForTwo: what mounts two volumes goes on when neither needs it paused.
func TestPausedForTwo(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		y := w.yardAt(node)
		c := y.put(plain, "web", "running", "ours")
		c.Mounts = append(c.Mounts, container.MountPoint{Type: "volume", Name: "mounted"})
		for _, name := range []string{"ours", "mounted"} {
			if _, err := w.PauseMounting(t.Context(), node, name); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.UnpauseMounting(t.Context(), node, "ours"); err != nil || y.state(plain) != "paused" {
			t.Errorf("got %v, and it is %s while the other needs it", err, y.state(plain))
		}
		if err := errors.Join(w.StillPaused(t.Context(), node, "mounted"), w.UnpauseMounting(t.Context(), node, "mounted")); err != nil || y.state(plain) != "running" {
			t.Errorf("got %v, and it is %s", err, y.state(plain))
		}
	})
}

func TestRunInTask(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		y := w.yardAt(node)
		ctx := t.Context()
		run := func(name string, command ...string) (int, string, error) {
			return w.RunInTask(ctx, "acme", name, "ours", node, command)
		}

		if _, _, err := run("web", "fail"); !errors.Is(err, swarmobj.ErrNotFound) {
			t.Errorf("without a task: got %v, want that there is none", err)
		}
		y.put(plain, "web", "paused", "ours")
		y.put(late, "web", "running", "postgres")
		if _, _, err := run("web", "fail"); !errors.Is(err, swarmobj.ErrNotFound) {
			t.Errorf("without one that runs and mounts it: got %v, want that there is none", err)
		}
		y.set(plain, "running")
		if _, _, err := run("other", "fail"); !errors.Is(err, swarmobj.ErrNotFound) {
			t.Errorf("of another container: got %v, want that there is none", err)
		}
		if code, tail, err := run("web", "fail"); err != nil || code != 3 || tail != "no\n" {
			t.Errorf("got code %d, %q and %v, want what the command did", code, tail, err)
		}
		if code, tail, err := run("web", "long"); err != nil || code != 0 || len(tail) > maxTail || !strings.HasSuffix(tail, "the end\n") {
			t.Errorf("got code %d, %d bytes and %v, want the end of what it wrote", code, len(tail), err)
		}
	})
}

func TestLastWritten(t *testing.T) {
	var l lastWritten
	for _, text := range []string{"ü", strings.Repeat("x", maxTail-1)} {
		if n, err := l.Write([]byte(text)); err != nil || n != len(text) {
			t.Fatalf("wrote %d of %d bytes, %v", n, len(text), err)
		}
	}
	if got := l.String(); got != strings.Repeat("x", maxTail-1) {
		t.Errorf("got %.10q…, want whole characters only", got)
	}
	if _, err := l.Write([]byte(strings.Repeat("y", 2*maxTail) + "end\xff")); err != nil {
		t.Fatal(err)
	}
	if got := l.String(); !strings.HasSuffix(got, "yend\uFFFD") || len(l.data) != maxTail {
		t.Errorf("got …%q of %d bytes", got[len(got)-8:], len(l.data))
	}
}

func TestVolumeOperation(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, e *engine) {
		e.cellar.put("made", true)
		e.cellar.volumes["made"].Labels["io.dogker.volume-operation"] = "restore/1/2/1"
		e.cellar.put("mistaken", true)
		e.cellar.volumes["mistaken"].Labels = map[string]string{"io.dogker.volume-made-by": "x"}

		for name, want := range map[string]struct {
			there     bool
			operation string
			err       error
		}{
			"ours": {there: true}, "made": {there: true, operation: "restore/1/2/1"}, "none": {}, "mistaken": {},
			"postgres": {err: swarmobj.ErrRefused},
		} {
			there, operation, err := w.VolumeOperation(t.Context(), node, name)
			if there != want.there || operation != want.operation || !errors.Is(err, want.err) {
				t.Errorf("%s: got %t, %q and %v, want %+v", name, there, operation, err, want)
			}
		}
	})
}

// TestDataEngineOutlivesItsWay: an engine that is kept finds the way that there is when it is asked.
func TestDataEngineOutlivesItsWay(t *testing.T) {
	w := newWorld(t, nil).ready()
	if _, err := w.DataEngine("node-gone"); !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("got %v, want that it cannot be asked", err)
	}
	e, err := w.DataEngine(other)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := e.VolumeInspect(t.Context(), "ours"); err != nil || v.Name != "ours" {
		t.Fatalf("got %+v and %v", v, err)
	}
	w.cable.pull()
	w.problem("agent")
	if _, err := e.VolumeInspect(t.Context(), "ours"); !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("got %v, want that it cannot be asked", err)
	}
	w.cable.plug()
	w.problem("")
	if v, err := e.VolumeInspect(t.Context(), "ours"); err != nil || v.Name != "ours" {
		t.Errorf("got %+v and %v, want that it is reached again", v, err)
	}
}

// TestDataGoesWithEndedTasks: what was moved away is not kept by what is left of tasks that mounted it.
func TestDataGoesWithEndedTasks(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		y := w.yardAt(node)
		e, err := w.DataEngine(node)
		if err != nil {
			t.Fatal(err)
		}
		y.put(plain, "web", "running", "mounted")
		if err := e.VolumeRemove(t.Context(), "mounted", false); err == nil || !w.has(node, "mounted") {
			t.Errorf("what is mounted: got %v", err)
		}
		y.set(plain, "exited")
		if err := e.VolumeRemove(t.Context(), "mounted", false); err != nil || w.has(node, "mounted") {
			t.Errorf("what only an ended task mounts: got %v", err)
		}
	})
}
