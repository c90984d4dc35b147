package swarm

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Options of an Engine. The zero value is good for production.
type Options struct {
	// Resync is how often each kind of object is listed; 0 means 30 seconds. Kinds whose list is expensive are listed
	// more rarely.
	Resync time.Duration
	// Hold is asked right before each write, and may let it wait; a write that it refuses is not sent. It is how a server
	// that leads no more is kept from writing. Nil means that nobody else writes.
	Hold func(context.Context) error
	// Log is where the adapter says what happens to the engine; nil means nowhere.
	Log *slog.Logger
}

// Engine is one Docker engine in swarm mode, and through it the whole swarm. All methods may be called at any time from
// anywhere; Look and what depends on it fail until Run has seen the swarm once.
type Engine struct {
	api     API
	log     *slog.Logger
	resync  time.Duration
	hold    func(context.Context) error
	metrics metrics
	hints   *hints
	turns   chan struct{} // One token for each write in flight.

	wakeReader  chan struct{}
	wakeTasks   chan struct{}
	wakeSession chan struct{}
	synced      chan struct{} // Closed when the swarm has been seen once.
	syncOnce    sync.Once
	answered    chan struct{} // Closed when it is known for the first time whether the engine can be asked.
	answerOnce  sync.Once
	running     atomic.Bool

	mu       sync.Mutex
	cache    cache
	state    error // Why the engine cannot be asked; nil when it can.
	nodeID   string
	dirty    map[kind]map[string]asked // What is to be read again, by ID, and when.
	due      map[kind]time.Time        // When the kind is to be listed next.
	hot      map[string]time.Time      // Services whose tasks are watched closely, and until when.
	inFlight map[string]int            // Names of objects that are being created by us.
	doubts   map[doubt]bool            // Writes without an answer.
	waiting  waiting
	fates    map[string]fate // How tasks ended, before they are in the cache.
	autopsy  []corpse        // Tasks that ended as if killed, to be looked at.

	taskChanges int      // Counts changes of tasks.
	nodeTargets []func() // Told of changes of nodes.
}

// errUnasked is the state before the first answer.
var errUnasked = fmt.Errorf("%w: it has not been asked yet", swarmobj.ErrUnavailable)

// New returns an adapter for the engine. It asks nothing before Run.
func New(api API, o Options) *Engine {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	return &Engine{
		api:     api,
		log:     o.Log.With(logkey.Component, "swarm"),
		resync:  cmp.Or(o.Resync, 30*time.Second),
		hold:    o.Hold,
		metrics: newMetrics(),
		hints:   newHints(newHints(nil)),
		turns:   make(chan struct{}, writesInFlight),

		wakeReader:  make(chan struct{}, 1),
		wakeTasks:   make(chan struct{}, 1),
		wakeSession: make(chan struct{}, 1),
		synced:      make(chan struct{}),
		answered:    make(chan struct{}),

		cache:    newCache(),
		state:    errUnasked,
		dirty:    map[kind]map[string]asked{},
		due:      map[kind]time.Time{},
		hot:      map[string]time.Time{},
		inFlight: map[string]int{},
		doubts:   map[doubt]bool{},
		waiting:  waiting{byTenant: map[string]map[swarmobj.Owner]bool{}},
		fates:    map[string]fate{},
	}
}

// Synced is closed when the whole swarm has been seen once.
func (e *Engine) Synced() <-chan struct{} { return e.synced }

// State says why the engine cannot be asked, in one of the classes of swarmobj; nil when it can.
func (e *Engine) State() error {
	e.mu.Lock()
	defer e.mu.Unlock()

	return e.state
}

// Look shows what is known of an owner. It costs no call to the engine, except after a write whose answer did not come:
// then it first asks what became of it. Right after the start it waits for the engine's first answer.
func (e *Engine) Look(ctx context.Context, o swarmobj.Owner) (swarmobj.World, error) {
	e.awaitFirstAnswer(ctx)

	// An engine that cannot be asked is not asked what became of a write either.
	if err := e.blindFor(o); err != nil {
		return swarmobj.World{}, err
	}
	if err := e.settle(ctx, o.Tenant); err != nil {
		return swarmobj.World{}, err
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	w := e.cache.look(o)
	if w.Service == nil || w.Squatter != nil || w.NetworkSquatter {
		e.waiting.add(o)
	}

	return w, nil
}

// blindFor says why nothing is known. The owner is told when that changes.
func (e *Engine) blindFor(o swarmobj.Owner) error {
	e.mu.Lock()
	defer e.mu.Unlock()

	if e.state != nil {
		e.waiting.add(o)
	}

	return e.state
}

// awaitFirstAnswer waits while the engine is being asked for the first time. Otherwise everything would be told to be
// unknown for a moment, at every start, for no reason.
func (e *Engine) awaitFirstAnswer(ctx context.Context) {
	const patience = 5 * time.Second

	select {
	case <-e.answered:
		return
	default:
	}
	if !e.running.Load() {
		return
	}

	t := time.NewTimer(patience)
	defer t.Stop()

	select {
	case <-e.answered:
	case <-ctx.Done():
	case <-t.C:
	}
}

// PortHolder is a service that stands in the way of publishing the port, other than the service with the ID except. A
// port of the routing mesh is the whole swarm's and bears no other use; a port in mode host is one node's, so that two
// services may share it where there are several nodes: that is for the caller to judge. The owner of a service that is
// not ours is the zero Owner.
func (e *Engine) PortHolder(_ swarm.PortConfigPublishMode, port swarm.PortConfig, except string) (swarmobj.Owner, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()

	return e.cache.ports.holder(port, except)
}

// Owners lists the owners of all services of ours.
func (e *Engine) Owners() []swarmobj.Owner {
	e.mu.Lock()
	defer e.mu.Unlock()

	return e.cache.owners()
}

// Inventory shows everything with our labels. It fails while nothing is known.
func (e *Engine) Inventory(context.Context) (swarmobj.Inventory, error) {
	e.mu.Lock()
	defer e.mu.Unlock()

	if e.state != nil {
		return swarmobj.Inventory{}, e.state
	}

	return e.cache.inventory(), nil
}

// LocalImage is the image by that reference if the connected engine holds it.
func (e *Engine) LocalImage(ctx context.Context, ref string) (swarmobj.LocalImage, error) {
	got, err := read(ctx, e, "image_inspect", readTimeout, func(ctx context.Context) (swarmobj.LocalImage, error) {
		image, err := e.api.ImageInspect(ctx, ref)

		return swarmobj.LocalImage{ID: image.ID, Digests: image.RepoDigests}, err
	})
	if err != nil {
		return swarmobj.LocalImage{}, fmt.Errorf("inspect image %q: %w", ref, err)
	}

	return got, nil
}

// Run keeps the cache until the context ends. An engine that cannot be asked is asked again and again, ever more rarely
// up to every five seconds; meanwhile everything that depends on it fails with the reason.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()

	wg.Go(func() { e.hints.run(ctx) })
	wg.Go(func() { e.hints.details.run(ctx) })

	e.running.Store(true)
	defer e.running.Store(false)

	const shortest, longest = 100 * time.Millisecond, 5 * time.Second

	for wait := shortest; ctx.Err() == nil; {
		began := time.Now()
		err := e.session(ctx)
		if ctx.Err() != nil {
			break
		}

		e.lost(ctx, err)
		if time.Since(began) > longest {
			wait = shortest
		}
		if !pause(ctx, wait) {
			break
		}
		wait = min(2*wait, longest)
	}

	return nil
}

// lost notes that the engine cannot be asked.
func (e *Engine) lost(ctx context.Context, err error) {
	if !blinding(err) {
		err = fmt.Errorf("%w: %w", swarmobj.ErrUnavailable, err)
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	was := e.state
	e.state = err
	e.answerOnce.Do(func() { close(e.answered) })
	if was != nil && was != errUnasked && codeOf(was) == codeOf(err) {
		return // Nothing new to tell.
	}

	e.log.WarnContext(ctx, "Engine cannot be asked", logkey.Err, err)
	e.hintAll()
}

// found notes that the whole swarm has been seen.
func (e *Engine) found(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()

	e.log.InfoContext(ctx, "Swarm has been read", "services", len(e.cache.services), "nodes", len(e.cache.nodes))
	e.state = nil
	clear(e.hot) // All tasks have just been listed.
	e.hintAll()
	e.syncOnce.Do(func() { close(e.synced) })
	e.answerOnce.Do(func() { close(e.answered) })
}

// pause waits. It is false when the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
