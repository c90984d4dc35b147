package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// Object is an API object that a control loop of ours can be about. T is a pointer to it.
type Object interface {
	client.Object
	conditions.Object
	GetObservedGeneration() int64
	SetObservedGeneration(generation int64)
}

// Kind is what is particular to one kind of object.
type Kind[T Object] interface {
	// Reconcile moves the object a step closer to its spec and reports in its status what it saw. It may be called at
	// any time, any number of times, with nothing changed; calls for one object never overlap. It changes nothing of
	// obj but its status. An object with a deletion timestamp is to be taken down; Result.Finalized says that it is.
	Reconcile(ctx context.Context, obj T) (outcome.Result, error)
}

// Forgetter is a Kind that keeps something in memory for each object.
type Forgetter interface {
	// Forget tells that the object exists no longer. It neither blocks nor writes.
	Forget(key types.NamespacedName)
}

// Options of an Engine.
type Options struct {
	// Name of the control loop, in logs, metrics and conditions' events; required.
	Name string
	// Finalizer that holds the object until Result.Finalized; none when empty. It is added before the first pass to an
	// object that was admitted without it.
	Finalizer string
	// FieldOwner of what the engine writes; "dogker-" and Name when empty.
	FieldOwner string
	// Recorder of events; none when nil.
	Recorder Recorder
	// Metrics to count in; metrics that nobody reads when nil.
	Metrics *Metrics
	// Logger of the passes; silent when nil.
	Logger *slog.Logger
	// Timeout of one pass; DefaultTimeout when zero.
	Timeout time.Duration
	// Explain turns an unexpected error into what the owner of the object may read; its text when nil.
	Explain func(error) string
	// Jitter returns a number in [0, 1) that spreads retries; random when nil.
	Jitter func() float64
	// Strict panics, through all capture, when a pass has changed more of the object than its status. Tests set it;
	// otherwise the change is logged and dropped.
	Strict bool
}

// DefaultTimeout of one pass. Every call within it has a shorter one of its own; this is the last resort.
const DefaultTimeout = 2 * time.Minute

// Engine runs the passes of one kind. It is a reconcile.Reconciler.
type Engine[T Object] struct {
	client   client.Client
	kind     Kind[T]
	opts     Options
	memory   memory[T]
	failures failures
}

// New returns an engine that reads and writes through c. Reads may come from a cache.
func New[T Object](c client.Client, kind Kind[T], opts Options) *Engine[T] {
	if opts.FieldOwner == "" {
		opts.FieldOwner = "dogker-" + opts.Name
	}

	if opts.Recorder == nil {
		opts.Recorder = silence{}
	}

	if opts.Metrics == nil {
		opts.Metrics = NewMetrics(nil)
	}

	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}

	if opts.Timeout == 0 {
		opts.Timeout = DefaultTimeout
	}

	if opts.Explain == nil {
		opts.Explain = error.Error
	}

	if opts.Jitter == nil {
		opts.Jitter = rand.Float64
	}

	return &Engine[T]{client: c, kind: kind, opts: opts, failures: failures{jitter: opts.Jitter}}
}

// Loop is an Engine, of whatever kind, as whoever registers it with a manager needs it.
type Loop interface {
	reconcile.Reconciler
	// IgnoreOwnWrites lets no status that the loop has written itself start another pass. One that somebody else has
	// written does: it may be an old one that arrived late, or a former leader's last word.
	IgnoreOwnWrites() predicate.Predicate
}

// Reconcile runs one pass. It never returns an error: how it ended is in the object's status, the log and the metrics,
// and when to come back is in the result.
func (e *Engine[T]) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout)
	defer cancel()

	log := e.opts.Logger.With(logkey.Controller, e.opts.Name, logkey.Object, req.String(), logkey.ReconcileID, reconcileID(ctx))
	start := time.Now()
	end := e.pass(slogctx.Into(ctx, log), req.NamespacedName)
	e.opts.Metrics.pass(e.opts.Name, end.kind, time.Since(start))

	return reconcile.Result{RequeueAfter: end.after}, nil
}

// pass reads the object and decides whether there is anything to do with it at all.
func (e *Engine[T]) pass(ctx context.Context, key types.NamespacedName) ending {
	before, err := e.read(ctx, key)

	switch {
	case apierrors.IsNotFound(err):
		return e.gone(key)
	case errors.Is(err, errNothingToDo):
		return ending{kind: endGone}
	case errors.Is(err, errStaleRead):
		// The cache reports the version it lacks as soon as it has it; this is only the fallback.
		return ending{kind: endStale, after: staleRetry}
	case err != nil:
		return e.fail(ctx, key, subject{}, fmt.Errorf("read %q: %w", key, err))
	}

	if held := e.failures.hold(key, subjectOf(before)); held > 0 {
		return ending{kind: endHeld, after: held}
	}

	if e.opts.Finalizer != "" {
		before, err = e.ensureFinalizer(ctx, key, before)

		switch {
		case errors.Is(err, errNothingToDo):
			return e.gone(key)
		case err != nil:
			return e.fail(ctx, key, subjectOf(before), err)
		}
	}

	return e.run(ctx, key, before)
}

// read returns the newest version of the object that is known. It is shared with the cache: nobody may change it.
func (e *Engine[T]) read(ctx context.Context, key types.NamespacedName) (T, error) {
	obj := reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T)
	shared := true

	if err := e.client.Get(ctx, key, obj, &client.GetOptions{UnsafeDisableDeepCopy: &shared}); err != nil {
		return obj, err
	}

	return e.memory.newest(key, obj)
}

// gone forgets an object that exists no longer, or that is no longer ours to take care of.
func (e *Engine[T]) gone(key types.NamespacedName) ending {
	e.memory.forget(key)
	e.failures.forget(key)

	if f, ok := e.kind.(Forgetter); ok {
		f.Forget(key)
	}

	return ending{kind: endGone}
}

// reconcileID returns the ID that controller-runtime gave the pass, or one of our own.
func reconcileID(ctx context.Context) string {
	if id := controller.ReconcileIDFromContext(ctx); id != "" {
		return string(id)
	}

	return fmt.Sprintf("%016x", rand.Uint64())
}
