package imagepolicy

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

// jobs are the looks that are under way, at most one for each policy, and those that have ended and whose pass has not begun
// yet. Each is a goroutine that ends with its look. A tenant has some seats; who finds none waits without holding up a pass, so
// that a tenant whose registries are slow waits for himself alone.
type jobs struct {
	perTenant int64
	inAll     *semaphore.Weighted
	wakes     chan<- event.TypedGenericEvent[types.NamespacedName]

	ctx  context.Context
	end  context.CancelFunc
	busy sync.WaitGroup

	mu      sync.Mutex
	known   map[types.NamespacedName]*job
	tenants map[string]*seats
}

// job is one look. ended is set under the lock of jobs.
type job struct {
	cancel context.CancelFunc
	ended  *ending
}

// seats are those of a tenant, and how many of its jobs have one or wait for one.
type seats struct {
	*semaphore.Weighted
	jobs int
}

func newJobs(perTenant, inAll int, wakes chan<- event.TypedGenericEvent[types.NamespacedName]) *jobs {
	j := &jobs{
		perTenant: int64(perTenant), inAll: semaphore.NewWeighted(int64(inAll)), wakes: wakes,
		known: map[types.NamespacedName]*job{}, tenants: map[string]*seats{},
	}
	j.ctx, j.end = context.WithCancel(context.Background())

	return j
}

// stop ends all looks and waits until they have.
func (j *jobs) stop() {
	j.end()
	j.busy.Wait()
}

// start begins a look, in the place of one that may be under way.
func (j *jobs) start(key types.NamespacedName, look func(context.Context) *ending) {
	j.cancel(key)

	ctx, cancel := context.WithCancel(j.ctx)
	this := &job{cancel: cancel}

	j.mu.Lock()
	j.known[key] = this
	j.mu.Unlock()

	j.busy.Go(func() {
		defer cancel()
		j.run(ctx, key, this, look)
	})
}

func (j *jobs) run(ctx context.Context, key types.NamespacedName, this *job, look func(context.Context) *ending) {
	mine := j.enter(key.Namespace)
	defer j.leave(key.Namespace)

	if mine.Acquire(ctx, 1) != nil {
		return
	}
	defer mine.Release(1)

	if j.inAll.Acquire(ctx, 1) != nil {
		return
	}
	defer j.inAll.Release(1)

	ended := look(ctx)

	if ctx.Err() != nil {
		return // Nobody wants to know any more.
	}

	j.mu.Lock()
	this.ended = ended
	j.mu.Unlock()

	select {
	case j.wakes <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
	case <-ctx.Done():
	}
}

// enter returns the seats of a tenant, for as long as it has jobs.
func (j *jobs) enter(tenant string) *seats {
	j.mu.Lock()
	defer j.mu.Unlock()

	s := j.tenants[tenant]
	if s == nil {
		s = &seats{Weighted: semaphore.NewWeighted(j.perTenant)}
		j.tenants[tenant] = s
	}

	s.jobs++

	return s
}

func (j *jobs) leave(tenant string) {
	j.mu.Lock()
	defer j.mu.Unlock()

	if s := j.tenants[tenant]; s.jobs == 1 {
		delete(j.tenants, tenant)
	} else {
		s.jobs--
	}
}

// cancel ends a look, if one is under way, and forgets what it came to.
func (j *jobs) cancel(key types.NamespacedName) {
	j.mu.Lock()
	defer j.mu.Unlock()

	if old, known := j.known[key]; known {
		old.cancel()
		delete(j.known, key)
	}
}

// take returns how a look ended, once; nil when none has.
func (j *jobs) take(key types.NamespacedName) *ending {
	j.mu.Lock()
	defer j.mu.Unlock()

	done := j.known[key]
	if done == nil || done.ended == nil {
		return nil
	}

	delete(j.known, key)

	return done.ended
}

// running is whether a look is under way.
func (j *jobs) running(key types.NamespacedName) bool {
	j.mu.Lock()
	defer j.mu.Unlock()

	return j.known[key] != nil
}
