package volumes

import (
	"context"
	"sync"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// Run asks the nodes until the context ends. It is idle while the swarm cannot be asked.
func (i *Inventory) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()

	// Nodes come and go between two rounds, and agents start: who has not told yet is asked again soon.
	soon := min(i.o.ListEvery, firstTry)
	ticks := time.NewTicker(soon)
	defer ticks.Stop()

	for {
		i.Round(ctx, &wg)

		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

// firstTry is how soon a node is asked again that has never told.
const firstTry = 5 * time.Second

// Round begins to ask each node that is due, and forgets nodes that have left the swarm. Nodes do not wait for each other; no
// node is asked for two lists at a time.
func (i *Inventory) Round(ctx context.Context, wg *sync.WaitGroup) {
	if i.o.Nodes.State() != nil {
		return
	}
	nodes := i.o.Nodes.Nodes()
	if len(nodes) == 0 {
		return
	}

	for _, id := range i.due(nodes) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			i.list(ctx, id)
			i.done(id) // It can be asked for its list again while it measures, which may take longer than lists count.
			i.measure(ctx, id)
		}()
	}
}

// due are the nodes to ask now, which are marked as being asked.
func (i *Inventory) due(nodes []swarm.Node) []string {
	i.mu.Lock()
	defer i.mu.Unlock()

	now := time.Now()
	there := make(map[string]bool, len(nodes))

	var out []string
	for k := range nodes {
		s := &nodes[k]
		there[s.ID] = true
		n := i.nodes[s.ID]
		if n == nil {
			n = &node{}
			i.nodes[s.ID] = n
		}
		if n.asking || s.Status.State != swarm.NodeStateReady || now.Sub(n.at) < i.o.ListEvery-tolerance {
			continue
		}
		n.asking = true
		out = append(out, s.ID)
	}

	for id := range i.nodes {
		if !there[id] {
			delete(i.nodes, id)
		}
	}
	for p, at := range i.removed {
		if now.Sub(at) > forget {
			delete(i.removed, p)
		}
	}

	return out
}

const (
	// tolerance keeps a tick that comes a little early from missing a round.
	tolerance = 500 * time.Millisecond
	// forget is how long it is remembered that a volume was removed: longer than a list may be under way.
	forget = 10 * time.Minute
)

func (i *Inventory) done(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()

	if n := i.nodes[id]; n != nil {
		n.asking = false
	}
}

// list asks one node what it has.
func (i *Inventory) list(ctx context.Context, id string) {
	begun := time.Now()
	list, err := i.o.Engines.Volumes(ctx, id)
	i.metrics.asked("list", err)

	if err != nil {
		i.failed(ctx, id, err)
		return
	}

	held := make(map[string]volume.Held, len(list))
	for _, v := range list {
		if h, ok := heldOf(id, v); ok {
			held[h.Name] = h
		}
	}

	i.mu.Lock()
	n := i.nodes[id]
	if n == nil {
		i.mu.Unlock()
		return // It has left the swarm.
	}
	for name := range held {
		if at, gone := i.removed[place{id, name}]; gone && !at.Before(begun) {
			delete(held, name)
		}
	}
	changed := differing(n.held, held)
	recovered := n.problem != ""
	n.held, n.at, n.problem = held, begun, ""
	tell := i.tell
	i.mu.Unlock()

	if recovered {
		i.log.InfoContext(ctx, "A node tells of its volumes again", logkey.Node, id)
	}
	announce(tell, changed)
}

func (i *Inventory) failed(ctx context.Context, id string, err error) {
	if ctx.Err() != nil {
		return
	}
	words := wordsOf(err)

	i.mu.Lock()
	n := i.nodes[id]
	known := n == nil || n.problem == words
	if n != nil {
		n.problem = words
	}
	i.mu.Unlock()

	if !known {
		i.log.WarnContext(ctx, "A node does not tell of its volumes", logkey.Node, id, logkey.Err, words)
	}
}

// measure asks one node how large its volumes are, when that is due and it has any. One node measures at a time; the others go on
// when it is done, or in a later round.
func (i *Inventory) measure(ctx context.Context, id string) {
	if !i.measuring.TryLock() {
		return
	}
	defer i.measuring.Unlock()
	if !i.measureDue(id) {
		return
	}

	sizes, err := i.o.Engines.VolumeSizes(ctx, id)
	i.metrics.asked("measure", err)
	if err != nil && ctx.Err() == nil {
		i.log.WarnContext(ctx, "A node does not tell how large its volumes are", logkey.Node, id, logkey.Err, wordsOf(err))
	}

	i.mu.Lock()
	n := i.nodes[id]
	if n != nil {
		n.tried = time.Now()
	}
	if n == nil || err != nil {
		i.mu.Unlock()
		return
	}
	n.sizes, n.measured = sizes, time.Now()
	var measured []swarmobj.Owner
	for name := range sizes {
		if h, ok := n.held[name]; ok {
			measured = append(measured, h.Owner)
		}
	}
	tell := i.tell
	i.mu.Unlock()

	announce(tell, measured)
}

func (i *Inventory) measureDue(id string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()

	n := i.nodes[id]

	return i.o.MeasureEvery > 0 && n != nil && n.problem == "" && len(n.held) > 0 && time.Since(n.tried) >= i.o.MeasureEvery
}

// differing are the owners of what came, went, or was made anew by something else.
func differing(before, after map[string]volume.Held) []swarmobj.Owner {
	var out []swarmobj.Owner
	for name, h := range after {
		if b, ok := before[name]; !ok || b.Owner != h.Owner || b.Operation != h.Operation {
			out = append(out, h.Owner)
		}
	}
	for name, h := range before {
		if _, ok := after[name]; !ok {
			out = append(out, h.Owner)
		}
	}

	return out
}

func announce(tell []func(swarmobj.Owner), owners []swarmobj.Owner) {
	for _, o := range owners {
		for _, f := range tell {
			f(o)
		}
	}
}
