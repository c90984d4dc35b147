package volumes

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/swarm"
	enginevolume "github.com/docker/docker/api/types/volume"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// Engines are those of the nodes. *fleet.Fleet is one. Each call has a deadline of its own. Errors are of swarmobj's classes:
// ErrUnavailable when the node cannot be asked, ErrRefused when its agent or engine will not.
type Engines interface {
	// Volumes lists what Dogker has made on a node, in one call.
	Volumes(ctx context.Context, node string) ([]*enginevolume.Volume, error)
	// VolumeSizes measures that, in bytes by name. It may take minutes.
	VolumeSizes(ctx context.Context, node string) (map[string]int64, error)
	// HasVolume asks for one.
	HasVolume(ctx context.Context, node, name string) (bool, error)
	// RemoveVolume removes one with what is in it. It is idempotent, and ErrInUse while a container refers to it.
	RemoveVolume(ctx context.Context, node, name string) error
}

// Nodes knows the nodes of the swarm. *swarm.Engine of internal/swarm is one. None of it blocks.
type Nodes interface {
	// State says why the swarm cannot be asked; nil when it can.
	State() error
	// Nodes of the swarm, which nobody changes.
	Nodes() []swarm.Node
}

// Options of an Inventory.
type Options struct {
	Engines Engines
	Nodes   Nodes
	// ListEvery is how often nodes are asked what they have; 0 means a minute. MeasureEvery is how often they are asked how large
	// that is; 0 means an hour, and less than 0 never.
	ListEvery, MeasureEvery time.Duration
	// Hold is asked before anything is removed, and fails when this process may not write any more; nil for never.
	Hold func(context.Context) error
	// Log is where it says which nodes cannot be asked; nil means nowhere.
	Log *slog.Logger
	// Registerer takes its metrics; nil for none.
	Registerer prometheus.Registerer
}

// Inventory is what nodes have told. Its methods may be called at any time.
type Inventory struct {
	o       Options
	log     *slog.Logger
	metrics metrics
	// measuring is held while a node measures: one at a time.
	measuring sync.Mutex

	mu    sync.Mutex
	nodes map[string]*node
	// removed is when a volume was removed, by node and name.
	removed map[place]time.Time
	tell    []func(swarmobj.Owner)
}

// node is what one node has told.
type node struct {
	// held by name, as listed at; zero before it has told.
	held map[string]volume.Held
	at   time.Time
	// sizes by name, as of measured.
	sizes    map[string]int64
	measured time.Time
	// tried is when it was asked for sizes last, whatever came of it.
	tried time.Time
	// asking and problem: a list is under way, and what was wrong with the last one.
	asking  bool
	problem string
}

// place is a volume on a node.
type place struct{ node, name string }

// New returns an inventory that knows nothing yet.
func New(o Options) *Inventory {
	o.ListEvery, o.MeasureEvery = cmp.Or(o.ListEvery, time.Minute), cmp.Or(o.MeasureEvery, time.Hour)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	i := &Inventory{o: o, log: o.Log.With(logkey.Component, "volumes"), nodes: map[string]*node{}, removed: map[place]time.Time{}}
	i.metrics = newMetrics(o.Registerer, i.count)

	return i
}

// Subscribe makes tell be called with the owner, by its labels, of each volume that came, went or was measured anew. It must
// neither block nor call back.
func (i *Inventory) Subscribe(tell func(swarmobj.Owner)) {
	i.mu.Lock()
	defer i.mu.Unlock()

	i.tell = append(i.tell, tell)
}

// Held are the volumes of that name, on whichever nodes.
func (i *Inventory) Held(name string) []volume.Held {
	i.mu.Lock()
	defer i.mu.Unlock()

	var out []volume.Held
	for _, n := range i.nodes {
		if h, ok := n.held[name]; ok {
			out = append(out, n.sized(h))
		}
	}
	slices.SortFunc(out, func(a, b volume.Held) int { return strings.Compare(a.Node, b.Node) })

	return out
}

// All are all volumes, in the order of nodes and names.
func (i *Inventory) All() []volume.Held {
	i.mu.Lock()
	defer i.mu.Unlock()

	var out []volume.Held
	for _, n := range i.nodes {
		for _, h := range n.held {
			out = append(out, n.sized(h))
		}
	}
	slices.SortFunc(out, func(a, b volume.Held) int {
		return cmp.Or(strings.Compare(a.Node, b.Node), strings.Compare(a.Name, b.Name))
	})

	return out
}

func (n *node) sized(h volume.Held) volume.Held {
	if size, ok := n.sizes[h.Name]; ok {
		h.Bytes, h.MeasuredAt = size, n.measured
	}

	return h
}

// Told tells whether a node has told lately what it has: so that what is missing was not there then.
func (i *Inventory) Told(id string) bool {
	const rounds = 3

	i.mu.Lock()
	defer i.mu.Unlock()

	n := i.nodes[id]

	return n != nil && !n.at.IsZero() && time.Since(n.at) < rounds*i.o.ListEvery
}

// Exists asks a node for one volume.
func (i *Inventory) Exists(ctx context.Context, node, name string) (bool, error) {
	ok, err := i.o.Engines.HasVolume(ctx, node, name)
	i.metrics.asked("inspect", err)

	return ok, err
}

// Remove removes a volume from a node.
func (i *Inventory) Remove(ctx context.Context, node, name string) error {
	if i.o.Hold != nil {
		if err := i.o.Hold(ctx); err != nil {
			return err
		}
	}
	err := i.o.Engines.RemoveVolume(ctx, node, name)
	i.metrics.asked("remove", err)
	if err != nil {
		return err
	}

	i.mu.Lock()
	defer i.mu.Unlock()

	i.removed[place{node, name}] = time.Now()
	if n := i.nodes[node]; n != nil {
		delete(n.held, name)
		delete(n.sizes, name)
	}

	return nil
}

// count is how many volumes are known, for the metrics.
func (i *Inventory) count() float64 {
	i.mu.Lock()
	defer i.mu.Unlock()

	var n int
	for _, node := range i.nodes {
		n += len(node.held)
	}

	return float64(n)
}

// wordsOf is why a node could not be asked, in the words of its class, for the log.
func wordsOf(err error) string {
	if errors.Is(err, swarmobj.ErrRefused) {
		return err.Error() + " (agents older than this server do not know volumes)"
	}

	return err.Error()
}

// heldOf reads what a node has told of one volume; false for what is none of a Volume.
func heldOf(node string, v *enginevolume.Volume) (volume.Held, bool) {
	if v == nil {
		return volume.Held{}, false
	}
	owner, ok := swarmobj.OwnerOf(v.Labels)

	return volume.Held{Node: node, Name: v.Name, Owner: owner, Operation: v.Labels[voldata.LabelOperation]}, ok && owner.Kind == v1alpha1.KindVolume
}
