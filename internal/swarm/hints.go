package swarm

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// maxWaiting bounds the owners that are remembered although nothing of theirs is in Swarm.
const maxWaiting = 20_000

// hints tell others whose objects have changed. An owner is told once however often something of his changes before he
// is told, so the queue is never longer than there are owners, and whoever makes a hint never waits.
type hints struct {
	mu      sync.Mutex
	queue   []swarmobj.Owner
	queued  map[swarmobj.Owner]bool
	wake    chan struct{}
	targets []func(swarmobj.Owner)
	// details tell of more, and are given every hint; nil for those that are details themselves.
	details *hints
}

func newHints(details *hints) *hints {
	return &hints{queued: map[swarmobj.Owner]bool{}, wake: make(chan struct{}, 1), details: details}
}

// add queues hints. Owners that are not ours to tell, which have no UID, are left out.
func (h *hints) add(owners ...swarmobj.Owner) {
	if h.details != nil {
		h.details.add(owners...)
	}

	h.mu.Lock()
	defer h.mu.Unlock()

	for _, o := range owners {
		if o.UID != "" && !h.queued[o] {
			h.queued[o] = true
			h.queue = append(h.queue, o)
		}
	}

	poke(h.wake)
}

func (h *hints) take() ([]swarmobj.Owner, []func(swarmobj.Owner)) {
	h.mu.Lock()
	defer h.mu.Unlock()

	queue := h.queue
	h.queue = nil
	clear(h.queued)

	return queue, h.targets
}

// run passes hints on until the context ends.
func (h *hints) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		}

		queue, targets := h.take()
		for _, o := range queue {
			for _, tell := range targets {
				tell(o)
			}
		}
	}
}

// Subscribe makes tell be called with every owner whose objects in Swarm have changed, or may have. It is called from
// one goroutine, one owner after the other, as long as Run runs; it may be called for nothing, and it must not block.
func (e *Engine) Subscribe(tell func(swarmobj.Owner)) {
	e.hints.mu.Lock()
	defer e.hints.mu.Unlock()

	e.hints.targets = append(e.hints.targets, tell)
}

// waiting are owners that looked and have nothing in Swarm yet, or found somebody else in its place, by tenant. Each is
// told once when something changes that may concern it, and has to look again to be remembered again.
type waiting struct {
	byTenant map[string]map[swarmobj.Owner]bool
	count    int
}

func (w *waiting) add(o swarmobj.Owner) {
	if w.byTenant[o.Tenant][o] || w.count >= maxWaiting {
		return
	}
	if w.byTenant[o.Tenant] == nil {
		w.byTenant[o.Tenant] = map[swarmobj.Owner]bool{}
	}

	w.byTenant[o.Tenant][o] = true
	w.count++
}

// take returns those of a tenant and forgets them.
func (w *waiting) take(tenant string) []swarmobj.Owner {
	owners := slices.Collect(maps.Keys(w.byTenant[tenant]))
	delete(w.byTenant, tenant)
	w.count -= len(owners)

	return owners
}

// hintTenant tells all owners of a namespace, also those that wait for something in it. The engine's lock is held.
func (e *Engine) hintTenant(name string) {
	for _, o := range e.cache.within[name] {
		e.hints.add(o)
	}

	e.hints.add(e.waiting.take(name)...)
}

// hintFreed tells those who may have waited for a name in Swarm that it is free. The engine's lock is held.
func (e *Engine) hintFreed(name string) {
	tenant, _, _ := strings.Cut(name, "_")

	e.hints.add(e.waiting.take(tenant)...)
}

// hintAll tells all owners. The engine's lock is held.
func (e *Engine) hintAll() {
	e.hints.add(e.cache.owners()...)

	for tenant := range e.waiting.byTenant {
		e.hints.add(e.waiting.take(tenant)...)
	}
}

// poke wakes whoever waits on the channel, which has room for one.
func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
