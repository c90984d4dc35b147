package volumework

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// Worker does jobs. Its methods may be called at any time; jobs begin while Run runs.
type Worker struct {
	o       Options
	log     *slog.Logger
	metrics *metrics

	mu sync.Mutex
	// run is the context of Run; nil before it, and after it has ended.
	run context.Context //nolint:containedctx // It is that of everything that is done, and jobs are ordered by others.
	// jobs by their owners, and waiting are those that have not begun, in the order in which they were ordered.
	jobs    map[string]*job
	waiting []*job
	busy    load
	tell    []func(owner string)
	nodes   map[string]*node
	// tidied is when a store was swept last, by class.
	tidied map[string]time.Time
	// listed is when it was looked last which classes there are. It is of Run alone.
	listed time.Time

	running sync.WaitGroup
}

// job is one that was ordered.
type job struct {
	order volumejob.Order
	need  need
	// moved counts bytes.
	moved atomic.Int64

	// What follows is guarded by Worker.mu.
	shown volumejob.Job
	ended time.Time
	// cancel ends it; nil before it has begun.
	cancel context.CancelFunc
	// away is true while somebody else may have what it takes.
	away bool
}

// New returns a worker that does nothing yet.
func New(o Options) *Worker {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Hold == nil {
		o.Hold = func(context.Context) error { return nil }
	}
	d := DefaultLimits
	o.Limits = Limits{
		All: cmp.Or(o.Limits.All, d.All), Background: cmp.Or(o.Limits.Background, d.Background), Readers: cmp.Or(o.Limits.Readers, d.Readers),
		BackgroundReaders: cmp.Or(o.Limits.BackgroundReaders, d.BackgroundReaders), Writers: cmp.Or(o.Limits.Writers, d.Writers),
		Away: cmp.Or(o.Limits.Away, d.Away), TenantAway: cmp.Or(o.Limits.TenantAway, d.TenantAway),
	}
	w := &Worker{
		o: o, log: o.Log.With(logkey.Component, "volumework"),
		jobs: map[string]*job{}, nodes: map[string]*node{}, tidied: map[string]time.Time{}, busy: newLoad(),
	}
	w.metrics = newMetrics(o.Registerer, w)

	return w
}

// Subscribe makes tell be called with the owner of each job that has ended. It must not block.
func (w *Worker) Subscribe(tell func(owner string)) {
	w.mu.Lock()
	defer w.mu.Unlock()

	w.tell = append(w.tell, tell)
}

// Job is that of an owner; false when there is none. One that waits for its turn has not ended, and its Began is zero.
func (w *Worker) Job(owner string) (volumejob.Job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()

	j := w.jobs[owner]
	if j == nil {
		return volumejob.Job{}, false
	}
	shown := j.shown
	shown.Bytes = j.moved.Load()

	return shown, true
}

// Order begins a job, or puts it in the queue. It changes nothing while the owner has a job, also one that has ended.
func (w *Worker) Order(o volumejob.Order) {
	w.mu.Lock()
	defer w.mu.Unlock()

	if w.jobs[o.Owner] != nil {
		return
	}
	j := &job{order: o, need: needOf(&o), shown: volumejob.Job{Kind: o.Kind, Operation: o.Operation, Thawed: true}}
	w.jobs[o.Owner] = j
	w.waiting = append(w.waiting, j)
	w.dispatch()
}

// Cancel ends the job of an owner, if it has not ended. What it has begun is undone, for which it may need a while; one that waits
// ends at once.
func (w *Worker) Cancel(owner string) {
	w.mu.Lock()
	j := w.jobs[owner]
	switch {
	case j == nil || j.shown.Ended:
		w.mu.Unlock()
		return
	case j.cancel != nil:
		j.cancel()
		w.mu.Unlock()
		return
	}
	w.unqueue(j)
	j.shown.Err, j.shown.Ended, j.ended = cancelled, true, time.Now()
	w.dispatch()
	tell := w.tell
	w.mu.Unlock()

	announce(tell, owner)
}

// Dismiss forgets a job that has ended.
func (w *Worker) Dismiss(owner string) {
	w.mu.Lock()
	defer w.mu.Unlock()

	if j := w.jobs[owner]; j != nil && j.shown.Ended {
		delete(w.jobs, owner)
	}
}

func announce(tell []func(string), owner string) {
	for _, f := range tell {
		f(owner)
	}
}

// Run does jobs until the context ends, and returns once all have ended. What waits then is forgotten.
func (w *Worker) Run(ctx context.Context) error {
	w.mu.Lock()
	w.run = ctx
	w.dispatch()
	w.mu.Unlock()

	w.tidy(ctx)

	w.mu.Lock()
	w.run = nil
	for _, j := range w.waiting {
		delete(w.jobs, j.order.Owner)
	}
	w.waiting = nil
	w.mu.Unlock()
	w.running.Wait()

	return nil
}

// Settled tells whether Run is over, or was never called, and nothing is done any more.
func (w *Worker) Settled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()

	for _, j := range w.jobs {
		if j.cancel != nil && !j.shown.Ended {
			return false
		}
	}

	return w.run == nil || w.run.Err() != nil
}

// dispatch begins what can begin. The lock is held.
func (w *Worker) dispatch() {
	if w.run == nil || w.run.Err() != nil {
		return
	}
	for _, j := range w.busy.choose(w.waiting, w.o.Limits) {
		w.unqueue(j)
		w.busy.take(&j.need)
		ctx, cancel := context.WithCancel(w.run)
		j.cancel, j.shown.Began = cancel, time.Now()
		if j.order.Kind == volumejob.Save || j.order.Kind == volumejob.Thaw {
			j.shown.Thawed = false
		}
		w.running.Go(func() {
			defer cancel()
			w.do(ctx, j)
		})
	}
}

func (w *Worker) unqueue(j *job) {
	for i := range w.waiting {
		if w.waiting[i] == j {
			w.waiting = append(w.waiting[:i:i], w.waiting[i+1:]...)
			return
		}
	}
}

// finish puts down what has come of a job.
func (w *Worker) finish(j *job, result volumejob.Job) {
	w.mu.Lock()
	result.Kind, result.Operation, result.Began, result.Ended = j.shown.Kind, j.shown.Operation, j.shown.Began, true
	j.shown, j.ended = result, time.Now()
	w.busy.free(&j.need)
	w.dispatch()
	tell := w.tell
	w.mu.Unlock()

	announce(tell, j.order.Owner)
}

// at tells whether a job runs at a node. The lock is held.
func (w *Worker) at(id string) bool {
	for _, j := range w.jobs {
		if j.cancel != nil && !j.shown.Ended && (slices.Contains(j.need.readers, id) || slices.Contains(j.need.writers, id)) {
			return true
		}
	}

	return false
}

// volumes are those of a node.
func (w *Worker) volumes(id string) *voldata.Volumes {
	w.mu.Lock()
	defer w.mu.Unlock()

	return w.nodeOf(id).volumes
}
