package gitsync

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/dogker/dogker/reconciler/source"
)

// jobs are the builds that are under way, at most one for each sync, and those that have ended and whose pass has not begun
// yet. Each is a goroutine that ends with its build; how many work at the same time is decided by the builder, which is fair
// among tenants.
type jobs struct {
	builder source.Builder
	metrics *metrics
	wakes   chan<- event.TypedGenericEvent[types.NamespacedName]

	ctx  context.Context
	end  context.CancelFunc
	busy sync.WaitGroup

	mu    sync.Mutex
	known map[types.NamespacedName]*job
}

// job is one build. ended is set under the lock of jobs.
type job struct {
	cancel context.CancelFunc
	ended  *answer
}

// answer is what a build came to.
type answer struct {
	built source.Built
	err   error
}

func newJobs(builder source.Builder, m *metrics, wakes chan<- event.TypedGenericEvent[types.NamespacedName]) *jobs {
	j := &jobs{builder: builder, metrics: m, wakes: wakes, known: map[types.NamespacedName]*job{}}
	j.ctx, j.end = context.WithCancel(context.Background())

	return j
}

// stop ends all builds and waits until they have.
func (j *jobs) stop() {
	j.end()
	j.busy.Wait()
}

// start begins a build, in the place of one that may be under way.
func (j *jobs) start(key types.NamespacedName, r source.Request) {
	j.cancel(key)

	ctx, cancel := context.WithCancel(j.ctx)
	this := &job{cancel: cancel}

	j.mu.Lock()
	j.known[key] = this
	j.mu.Unlock()

	j.busy.Go(func() {
		defer cancel()
		j.run(ctx, key, this, r)
	})
}

func (j *jobs) run(ctx context.Context, key types.NamespacedName, this *job, r source.Request) {
	began := time.Now()
	b, err := j.builder.Build(ctx, r)

	if ctx.Err() != nil {
		return // Nobody wants to know any more.
	}

	j.metrics.build(b, err, time.Since(began))

	j.mu.Lock()
	this.ended = &answer{b, err}
	j.mu.Unlock()

	select {
	case j.wakes <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
	case <-ctx.Done():
	}
}

// cancel ends a build, if one is under way, and forgets what it came to.
func (j *jobs) cancel(key types.NamespacedName) {
	j.mu.Lock()
	defer j.mu.Unlock()

	if old, known := j.known[key]; known {
		old.cancel()
		delete(j.known, key)
	}
}

// take returns what a build came to, once; nil when none has ended.
func (j *jobs) take(key types.NamespacedName) *answer {
	j.mu.Lock()
	defer j.mu.Unlock()

	ended := j.known[key]
	if ended == nil || ended.ended == nil {
		return nil
	}

	delete(j.known, key)

	return ended.ended
}

// running is whether a build is under way.
func (j *jobs) running(key types.NamespacedName) bool {
	j.mu.Lock()
	defer j.mu.Unlock()

	return j.known[key] != nil
}

// count is how many there are.
func (j *jobs) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()

	return len(j.known)
}

// asError makes an error of a builder one that can be shown. They are all such, so the rest is for a builder that is none.
func asError(err error) *source.Error {
	var known *source.Error
	if errors.As(err, &known) {
		return known
	}

	return &source.Error{
		Reason: source.ReasonWorkerFailed, Transient: true, Message: "the build failed for a cause that is not the repository's", Cause: err,
	}
}
