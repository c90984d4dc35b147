package converge

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Process is one life of the program under test: from a start with empty memory to a crash or the end of the run.
type Process struct {
	// Client reads from the process's cache and writes to the store, through the seam.
	Client client.Client
	// Live reads from the store itself, through the seam.
	Live client.Reader
	// Seam that calls to the outside world must go through.
	Seam *Seam
	// World of the run.
	World World

	run    *Run
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	cache  *cache

	reconciler reconcile.Reconciler
	queue      *queue
	watches    []watch

	mu      sync.Mutex
	crashed bool
	paused  time.Time // until then it does nothing at all
}

type watch struct {
	of  client.Object
	ask func(ctx context.Context, old, new client.Object) []reconcile.Request
}

// Context ends with the process.
func (p *Process) Context() context.Context { return p.ctx }

// Go runs f until the process ends. f must return when its context ends.
func (p *Process) Go(f func(context.Context)) {
	p.wg.Go(func() { f(p.ctx) })
}

// Reconcile makes r the control loop of the process. It is called by one worker.
func (p *Process) Reconcile(r reconcile.Reconciler) { p.reconciler = r }

// Watch asks for requests when an object of that kind changes; old is nil for a new one, new is nil for one that is gone.
func (p *Process) Watch(of client.Object, ask func(ctx context.Context, old, new client.Object) []reconcile.Request) {
	p.watches = append(p.watches, watch{of, ask})
}

// Enqueue asks for a pass, as soon as the worker is free.
func (p *Process) Enqueue(requests ...reconcile.Request) {
	for _, r := range requests {
		p.queue.add(r, 0)
	}
}

func (p *Process) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.crashed
}

// pause stops the process for a while.
func (p *Process) pause(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.paused = time.Now().Add(d)
}

// awake returns when the process is not paused.
func (p *Process) awake() {
	p.mu.Lock()
	wait := time.Until(p.paused)
	p.mu.Unlock()

	if wait > 0 {
		time.Sleep(wait)
	}
}

// crash ends the process at this very call.
func (p *Process) crash() {
	p.kill()
	p.run.crashed(p)
}

func (p *Process) kill() {
	p.mu.Lock()
	p.crashed = true
	p.mu.Unlock()
	p.cancel()
}

// work runs passes until the process ends.
func (p *Process) work(ctx context.Context) {
	for {
		req, ok := p.queue.next(ctx)
		if !ok {
			return
		}

		result, err := p.reconciler.Reconcile(ctx, req)
		p.queue.done(req)

		switch {
		case err != nil:
			p.queue.add(req, time.Second)
		case result.RequeueAfter > 0:
			p.queue.add(req, result.RequeueAfter)
		}
	}
}

// notify hands a change in the cache on to the watches. As an informer does, it says nothing of an object that is gone
// and whose beginning the cache has not heard of.
func (p *Process) notify(old, new client.Object) {
	o := new
	if o == nil {
		o = old
	}
	if o == nil {
		return
	}

	for _, w := range p.watches {
		if p.run.Store.kindOf(o) == p.run.Store.kindOf(w.of) {
			p.Enqueue(w.ask(p.ctx, old, new)...)
		}
	}
}

// queue holds requests until they are due. A request that is being worked on is handed out again only when that is done.
type queue struct {
	mu     sync.Mutex
	due    map[types.NamespacedName]time.Time
	active map[types.NamespacedName]bool
	wake   chan struct{}
}

func newQueue() *queue {
	return &queue{due: map[types.NamespacedName]time.Time{}, active: map[types.NamespacedName]bool{}, wake: make(chan struct{}, 1)}
}

// add makes the request due after the delay, unless it is due earlier already.
func (q *queue) add(r reconcile.Request, delay time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()

	at := time.Now().Add(delay)
	if due, ok := q.due[r.NamespacedName]; !ok || at.Before(due) {
		q.due[r.NamespacedName] = at
	}

	q.poke()
}

func (q *queue) done(r reconcile.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()

	delete(q.active, r.NamespacedName)
	q.poke()
}

func (q *queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next waits for the request that is due first.
func (q *queue) next(ctx context.Context) (reconcile.Request, bool) {
	for {
		key, wait, ok := q.first()
		if ok && wait <= 0 {
			return reconcile.Request{NamespacedName: key}, ctx.Err() == nil
		}

		if !ok {
			wait = time.Hour
		}

		timer := time.NewTimer(wait)

		select {
		case <-ctx.Done():
			timer.Stop()

			return reconcile.Request{}, false
		case <-q.wake:
		case <-timer.C:
		}

		timer.Stop()
	}
}

// first returns the request that is due first and how long that is; it is taken when it is due.
func (q *queue) first() (key types.NamespacedName, wait time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()

	var at time.Time

	for k, due := range q.due {
		if q.active[k] {
			continue
		}

		if !ok || due.Before(at) || due.Equal(at) && k.String() < key.String() {
			key, at, ok = k, due, true
		}
	}

	if wait = time.Until(at); ok && wait <= 0 {
		delete(q.due, key)
		q.active[key] = true
	}

	return key, wait, ok
}
