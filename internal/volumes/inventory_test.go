package volumes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/api/types/swarm"
	enginevolume "github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// world is a swarm whose engines have volumes, and count what they are asked.
type world struct {
	mu    sync.Mutex
	nodes []swarm.Node
	blind error
	has   map[string]map[string]bool
	// made are volumes of other owners, by node and name.
	made  map[string]map[string]made
	fails map[string]error
	calls map[string]int
	// listing is called while a list is under way, and measuring while a node measures.
	listing, measuring func(node string)
}

// made is whose a volume is, and what has made it.
type made struct {
	owner     swarmobj.Owner
	operation string
}

func newWorld(nodes ...string) *world {
	w := &world{has: map[string]map[string]bool{}, fails: map[string]error{}, calls: map[string]int{}}
	for _, id := range nodes {
		n := swarm.Node{ID: id}
		n.Status.State = swarm.NodeStateReady
		w.nodes = append(w.nodes, n)
		w.has[id] = map[string]bool{}
	}

	return w
}

func (w *world) State() error        { return w.blind }
func (w *world) Nodes() []swarm.Node { return w.nodes }

func (w *world) asked(op, node string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[op]++

	return w.fails[node]
}

func (w *world) Volumes(_ context.Context, node string) ([]*enginevolume.Volume, error) {
	if err := w.asked("list", node); err != nil {
		return nil, err
	}
	w.mu.Lock()
	out := []*enginevolume.Volume{nil, {Name: "foreign"}, {Name: "network", Labels: swarmobj.Owner{Tenant: "acme", Kind: "Tenant"}.Labels()}}
	for name := range w.has[node] {
		out = append(out, &enginevolume.Volume{Name: name, Labels: swarmobj.Owner{Tenant: "acme", Kind: "Volume", Name: name, UID: name}.Labels()})
	}
	for name, m := range w.made[node] {
		v := &enginevolume.Volume{Name: name, Labels: m.owner.Labels()}
		if m.operation != "" {
			v.Labels[voldata.LabelOperation] = m.operation
		}
		out = append(out, v)
	}
	w.mu.Unlock()
	if w.listing != nil {
		w.listing(node)
	}

	return out, nil
}

func (w *world) VolumeSizes(_ context.Context, node string) (map[string]int64, error) {
	if err := w.asked("measure", node); err != nil {
		return nil, err
	}
	if w.measuring != nil {
		w.measuring(node)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int64{}
	for name := range w.has[node] {
		out[name] = 42
	}

	return out, nil
}

func (w *world) HasVolume(_ context.Context, node, name string) (bool, error) {
	err := w.asked("inspect", node)
	w.mu.Lock()
	defer w.mu.Unlock()

	return w.has[node][name], err
}

func (w *world) RemoveVolume(_ context.Context, node, name string) error {
	if err := w.asked("remove", node); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.has[node], name)

	return nil
}

func (w *world) take() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls = map[string]int{}

	return calls
}

// round asks all that are due, and waits for the answers.
func round(i *Inventory) {
	var wg sync.WaitGroup
	i.Round(context.Background(), &wg)
	wg.Wait()
}

// TestOneListForANode: ten thousand volumes cost one list and one measurement for each node, and nothing for a volume.
func TestOneListForANode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a", "b", "c")
		for k := range 10_000 {
			w.has[[]string{"a", "b", "c"}[k%3]][fmt.Sprintf("acme_data%d_0", k)] = true
		}
		var told atomic.Int64
		i := New(Options{Engines: w, Nodes: w})
		i.Subscribe(func(swarmobj.Owner) { told.Add(1) })

		for range 60 {
			round(i)
			time.Sleep(time.Minute)
		}

		if got := len(i.All()); got != 10_000 {
			t.Errorf("%d volumes are known, want 10000", got)
		}
		calls := w.take()
		if calls["list"] != 3*60 || calls["measure"] > 3 || calls["inspect"]+calls["remove"] > 0 {
			t.Errorf("an hour of 10000 volumes on 3 nodes has asked %v", calls)
		}
		if told.Load() > 2*10_000 {
			t.Errorf("%d hints for 10000 volumes that came and were measured once", told.Load())
		}
		if h := i.Held("acme_data0_0"); len(h) != 1 || h[0].Node != "a" || h[0].Owner.Tenant != "acme" {
			t.Errorf("got %+v, want the one of node a", h)
		}
	})
}

// TestMadeBy: volumes of one Volume are found by its UID, whatever they are called, and tell what has made them. One that was made
// anew by another operation between two lists is news.
func TestMadeBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a", "b")
		i := New(Options{Engines: w, Nodes: w})
		var told []swarmobj.Owner
		i.Subscribe(func(o swarmobj.Owner) { told = append(told, o) })
		data := swarmobj.Owner{Tenant: "acme", Kind: "Volume", Name: "data", UID: "1"}
		w.made = map[string]map[string]made{
			"a": {"acme_data_1": {data, ""}, "acme_data_1-r2": {data, "restore/1/2/1"}},
			"b": {"acme_other_2": {swarmobj.Owner{Tenant: "acme", Kind: "Volume", Name: "data", UID: "2"}, ""}},
		}
		round(i)

		want := []volume.Held{
			{Node: "a", Name: "acme_data_1", Owner: data},
			{Node: "a", Name: "acme_data_1-r2", Owner: data, Operation: "restore/1/2/1"},
		}
		got := slices.DeleteFunc(i.All(), func(h volume.Held) bool { return h.Owner != data })
		if !slices.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}

		told = nil
		w.made["a"]["acme_data_1-r2"] = made{data, "restore/1/2/2"}
		time.Sleep(time.Minute)
		round(i)
		if !slices.Equal(told, []swarmobj.Owner{data}) {
			t.Errorf("told %+v, want what was made anew, once", told)
		}
	})
}

func TestNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a", "b")
		w.has["a"]["x"], w.has["b"]["y"] = true, true
		i := New(Options{Engines: w, Nodes: w})

		if i.Told("a") {
			t.Error("a node has told before it was asked")
		}
		round(i)
		round(i)
		if calls := w.take(); calls["list"] != 2 {
			t.Errorf("a round right after a round asks nobody, got %v", calls)
		}

		// A node that does not answer is not one without volumes.
		w.fails["a"] = fmt.Errorf("%w: gone", swarmobj.ErrUnavailable)
		for range 5 {
			time.Sleep(time.Minute)
			round(i)
		}
		if i.Told("a") || !i.Told("b") {
			t.Errorf("told: a %v, b %v; want b only", i.Told("a"), i.Told("b"))
		}
		if len(i.Held("x")) != 1 {
			t.Error("what a silent node had is forgotten")
		}

		// Nor is an engine that knows nothing of the swarm.
		w.blind = errors.New("blind")
		w.take()
		time.Sleep(time.Minute)
		round(i)
		if calls := w.take(); len(calls) > 0 {
			t.Errorf("asked %v without knowing the nodes", calls)
		}

		// One that has left is forgotten.
		w.blind, w.nodes = nil, w.nodes[1:]
		round(i)
		if len(i.Held("x")) != 0 || len(i.Held("y")) != 1 {
			t.Errorf("after a has left: x %v, y %v", i.Held("x"), i.Held("y"))
		}
	})
}

// TestListedWhileItMeasures: a node that measures for long goes on telling what it has, and is not asked to measure beside that.
func TestListedWhileItMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		w.has["a"]["acme_data_0"] = true
		w.measuring = func(string) { time.Sleep(20 * time.Minute) }
		i := New(Options{Engines: w, Nodes: w})

		var wg sync.WaitGroup
		for range 10 {
			i.Round(t.Context(), &wg)
			time.Sleep(time.Minute)
			if !i.Told("a") {
				t.Fatal("the node has not told lately")
			}
		}
		w.mu.Lock()
		w.has["a"]["acme_new_0"] = true
		w.mu.Unlock()
		i.Round(t.Context(), &wg)
		time.Sleep(time.Second)
		if len(i.Held("acme_new_0")) != 1 {
			t.Error("what came while it measures is not known")
		}
		wg.Wait()
		if calls := w.take(); calls["list"] != 11 || calls["measure"] != 1 {
			t.Errorf("asked were %v, want 11 lists and one measurement", calls)
		}
	})
}

// TestRemovedStaysRemoved: a list that began before a removal does not bring back what was removed.
func TestRemovedStaysRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		w.has["a"]["x"] = true
		i := New(Options{Engines: w, Nodes: w})
		round(i)
		time.Sleep(time.Minute)

		w.listing = func(string) {
			if err := i.Remove(t.Context(), "a", "x"); err != nil {
				t.Error(err)
			}
		}
		round(i)
		if h := i.Held("x"); len(h) > 0 {
			t.Errorf("it is back: %+v", h)
		}

		w.listing = nil
		w.has["a"]["x"] = true
		time.Sleep(time.Minute)
		round(i)
		if h := i.Held("x"); len(h) != 1 {
			t.Errorf("what is made anew is not known: %+v", h)
		}
	})
}

func TestRemove(t *testing.T) {
	w := newWorld("a")
	w.has["a"]["x"] = true
	fenced := errors.New("another leads")
	hold := fenced
	i := New(Options{Engines: w, Nodes: w, Hold: func(context.Context) error { return hold }})
	round(i)
	w.take()

	if err := i.Remove(t.Context(), "a", "x"); !errors.Is(err, fenced) || w.take()["remove"] > 0 {
		t.Errorf("who does not lead removes: %v", err)
	}
	hold = nil
	w.fails["a"] = fmt.Errorf("%w: mounted", swarmobj.ErrInUse)
	if err := i.Remove(t.Context(), "a", "x"); !errors.Is(err, swarmobj.ErrInUse) || len(i.Held("x")) != 1 {
		t.Errorf("got %v and %v, want that it is in use and known", err, i.Held("x"))
	}
}
