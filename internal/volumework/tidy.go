package volumework

import (
	"context"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// tidyEvery is how often it is looked what is to be tidied up.
	tidyEvery = 15 * time.Second
	// sweepEvery is how often orphans of a node are removed, sweepAgain when that is tried again, and sweepPatience how long a node
	// may take.
	sweepEvery    = 10 * time.Minute
	sweepAgain    = time.Minute
	sweepPatience = time.Minute
	// listEvery is how often it is looked which classes there are, and storeEvery how often a store is swept. storeAge is how old an
	// upload must be that nobody goes on with: longer than one may take. storePatience is how long a store may take.
	listEvery            = time.Hour
	storeEvery, storeAge = 24 * time.Hour, 48 * time.Hour
	storePatience        = 10 * time.Minute
	// forgetAfter is how long a job that has ended is remembered that nobody dismisses.
	forgetAfter = time.Hour
)

// tidy removes what processes before this one have left, until the context ends.
func (w *Worker) tidy(ctx context.Context) {
	ticks := time.NewTicker(tidyEvery)
	defer ticks.Stop()

	for {
		w.forget()
		w.sweepNodes(ctx)
		w.sweepStores(ctx)

		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// forget drops jobs whose owners are gone.
func (w *Worker) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()

	for owner, j := range w.jobs {
		if j.shown.Ended && time.Since(j.ended) > forgetAfter {
			delete(w.jobs, owner)
		}
	}
}

// sweepNodes removes containers of ours that nobody holds. A node is swept when it is first seen, and then from time to time; one
// that does not answer holds up nobody.
func (w *Worker) sweepNodes(ctx context.Context) {
	if w.o.Nodes.State() != nil {
		return
	}
	for _, id := range w.due(w.o.Nodes.Nodes()) {
		w.running.Go(func() { w.sweep(ctx, id) })
	}
}

// due are the nodes to sweep now, which are marked as swept. Nodes that have left the swarm are forgotten.
func (w *Worker) due(nodes []swarm.Node) []string {
	w.mu.Lock()
	defer w.mu.Unlock()

	if len(nodes) == 0 {
		return nil
	}
	there := make(map[string]bool, len(nodes))
	var out []string
	for i := range nodes {
		id := nodes[i].ID
		there[id] = true
		if nodes[i].Status.State != swarm.NodeStateReady {
			continue
		}
		if n := w.nodeOf(id); !time.Now().Before(n.sweep) {
			n.sweep = time.Now().Add(sweepEvery)
			out = append(out, id)
		}
	}
	for id := range w.nodes {
		if !there[id] && !w.at(id) {
			delete(w.nodes, id)
		}
	}

	return out
}

func (w *Worker) sweep(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(with(ctx, call{until: time.Now().Add(sweepPatience)}), sweepPatience)
	defer cancel()

	n, err := w.volumes(id).Sweep(ctx)
	if n > 0 {
		w.log.InfoContext(ctx, "Removed what interrupted work with volumes has left on a node", logkey.Node, id, logkey.Count, n)
	}
	if err == nil {
		return
	}
	// Nodes are there before their agents can be asked, and nothing depends on it.
	w.log.DebugContext(ctx, "A node was not searched for what interrupted work with volumes has left", logkey.Node, id, logkey.Err, causes(err))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodeOf(id).sweep = time.Now().Add(sweepAgain)
}

// sweepStores removes what is left of uploads that were interrupted.
func (w *Worker) sweepStores(ctx context.Context) {
	if time.Since(w.listed) < listEvery {
		return
	}
	classes, err := w.o.Places.Classes(ctx)
	if err != nil {
		return // They are asked for again soon, and jobs tell what is wrong with them.
	}
	w.listed = time.Now()
	for _, class := range classes {
		if w.sweepNow(class) {
			w.running.Go(func() { w.sweepStore(ctx, class) })
		}
	}
}

func (w *Worker) sweepNow(class string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()

	if last, is := w.tidied[class]; is && time.Since(last) < storeEvery {
		return false
	}
	w.tidied[class] = time.Now()

	return true
}

func (w *Worker) sweepStore(ctx context.Context, class string) {
	ctx, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()

	if w.hold(ctx) != nil {
		return
	}
	s, err := w.o.Places.Store(ctx, class)
	if err != nil {
		return // Jobs tell what is wrong with it.
	}
	n, err := s.Sweep(ctx, time.Now().Add(-storeAge))
	if n > 0 {
		w.log.InfoContext(ctx, "Removed what is left of interrupted uploads of snapshots", "class", class, logkey.Count, n)
	}
	if err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "A store of snapshots was not searched for interrupted uploads", "class", class, logkey.Err, err)
	}
}
