package fleet

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// cellar is what an engine of tests has of volumes.
type cellar struct {
	mu      sync.Mutex
	volumes map[string]*volume.Volume
	mounted map[string]bool
}

func (c *cellar) put(name string, ours bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := &volume.Volume{Name: name, UsageData: &volume.UsageData{Size: 42}}
	if ours {
		v.Labels = map[string]string{v1alpha1.SwarmLabelManaged: "true"}
	}
	c.volumes[name] = v
}

// release is that nothing refers to a volume any more.
func (c *cellar) release(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mounted, name)
}

func newCellar() *cellar {
	c := &cellar{volumes: map[string]*volume.Volume{}, mounted: map[string]bool{}}
	c.put("ours", true)
	c.put("mounted", true)
	c.put("postgres", false)
	c.mounted["mounted"] = true

	return c
}

// serve answers as an engine does; it heeds the filter for labels.
func (c *cellar) serve(mux *http.ServeMux) {
	say := func(w http.ResponseWriter, code int, what any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(what)
	}
	all := func(ours bool) []*volume.Volume {
		c.mu.Lock()
		defer c.mu.Unlock()
		var out []*volume.Volume
		for _, v := range c.volumes {
			if !ours || v.Labels != nil {
				out = append(out, v)
			}
		}

		return out
	}
	mux.HandleFunc("GET /v1.41/volumes", func(w http.ResponseWriter, r *http.Request) {
		say(w, http.StatusOK, volume.ListResponse{Volumes: all(strings.Contains(r.FormValue("filters"), "io.dogker.managed=true"))})
	})
	mux.HandleFunc("GET /v1.41/system/df", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusOK, map[string]any{"Volumes": all(false), "Images": []any{map[string]any{"Id": "x"}}})
	})
	mux.HandleFunc("GET /v1.41/volumes/{name}", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		v := c.volumes[r.PathValue("name")]
		if v == nil {
			say(w, http.StatusNotFound, map[string]string{"message": "no such volume"})
			return
		}
		say(w, http.StatusOK, v)
	})
	mux.HandleFunc("DELETE /v1.41/volumes/{name}", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		name := r.PathValue("name")
		switch {
		case c.volumes[name] == nil:
			say(w, http.StatusNotFound, map[string]string{"message": "no such volume"})
		case c.mounted[name]:
			say(w, http.StatusConflict, map[string]string{"message": "remove " + name + ": volume is in use - [abc]"})
		default:
			delete(c.volumes, name)
			w.WriteHeader(http.StatusNoContent)
		}
	})
}

// TestVolumes: on the own node and through an agent it is the same.
func TestVolumes(t *testing.T) {
	for _, at := range []string{own, other} {
		t.Run(at, func(t *testing.T) {
			w := newWorld(t, nil).ready()
			ctx := t.Context()

			list, err := w.Volumes(ctx, at)
			if err != nil || len(list) != 2 {
				t.Fatalf("got %d volumes and %v, want the two of ours", len(list), err)
			}
			sizes, err := w.VolumeSizes(ctx, at)
			if err != nil || len(sizes) != 2 || sizes["ours"] != 42 {
				t.Errorf("got sizes %v and %v, want those of ours", sizes, err)
			}
			if there, err := w.HasVolume(ctx, at, "ours"); err != nil || !there {
				t.Errorf("ours: got %v, %v", there, err)
			}
			if there, err := w.HasVolume(ctx, at, "nobodys"); err != nil || there {
				t.Errorf("what is not there: got %v, %v", there, err)
			}
			if there, err := w.HasVolume(ctx, at, "postgres"); there {
				t.Errorf("what is not ours: got %v, %v", there, err)
			}

			if err := w.RemoveVolume(ctx, at, "mounted"); !errors.Is(err, swarmobj.ErrInUse) {
				t.Errorf("what is mounted: got %v", err)
			}
			// Something that runs refers to it beside what has ended, which is then of no use.
			y := w.yardAt(at)
			y.put(plain, "web", "exited", "mounted")
			y.put(late, "web", "running", "mounted")
			if err := w.RemoveVolume(ctx, at, "mounted"); !errors.Is(err, swarmobj.ErrInUse) || y.state(plain) != "exited" {
				t.Errorf("what runs and what has ended mount it: got %v, and the latter is %s", err, y.state(plain))
			}
			y.set(late, "exited")
			if err := w.RemoveVolume(ctx, at, "mounted"); err != nil || w.has(at, "mounted") || y.state(plain) != "gone" || y.state(late) != "gone" {
				t.Errorf("only what has ended mounts it: got %v, and these are %s and %s", err, y.state(plain), y.state(late))
			}
			_ = w.RemoveVolume(ctx, at, "postgres")
			if there := w.has(at, "postgres"); !there {
				t.Error("a volume of somebody else is gone")
			}
			for range 2 {
				if err := w.RemoveVolume(ctx, at, "ours"); err != nil || w.has(at, "ours") {
					t.Errorf("ours, and once more: got %v", err)
				}
			}
		})
	}
}

func TestVolumesOfNobody(t *testing.T) {
	w := newWorld(t, nil).ready()
	if _, err := w.Volumes(t.Context(), "node-gone"); !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("got %v, want that it cannot be asked", err)
	}
	w.cable.pull()
	w.problem("agent")
	if err := w.RemoveVolume(t.Context(), other, "ours"); !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("got %v, want that it cannot be asked", err)
	}
}

// has asks the engine itself.
func (w *world) has(at, name string) bool {
	c := w.own.cellar
	if at == other {
		c = w.far.cellar
	}
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.volumes[name] != nil
}
