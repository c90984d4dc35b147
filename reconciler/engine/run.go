package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/slogctx"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// ending is how a pass ended, and when to look again; zero is not before something changes.
type ending struct {
	kind  endKind
	after time.Duration
}

// endKind is the label by which passes are counted: a closed list.
type endKind string

const (
	endSuccess  endKind = "success"
	endWait     endKind = "wait"
	endStall    endKind = "stall"
	endConflict endKind = "conflict"
	endError    endKind = "error"
	endPanic    endKind = "panic"
	endGone     endKind = "gone"
	endStale    endKind = "stale"
	endHeld     endKind = "held"
)

// errPanic stands for a panic that was captured. Its text is all that the owner of the object is told.
var errPanic = errors.New("internal error; it has been logged and counted, and other objects are not affected")

// run lets the kind do its work on a copy and persists what it reports.
func (e *Engine[T]) run(ctx context.Context, key types.NamespacedName, before T) ending {
	obj := before.DeepCopyObject().(T)
	log := slogctx.From(ctx).With(logkey.Generation, before.GetGeneration())
	ctx = slogctx.Into(ctx, log)

	result, err := e.guarded(ctx, obj)

	switch {
	case err != nil && ctx.Err() != nil && context.Cause(ctx) == context.Canceled:
		// The process is going down. Whatever failed, failed because of that, and the next process does it all again.
		return ending{kind: endError}
	case isConflict(err) && e.failures.silent(key):
		log.DebugContext(ctx, "Retrying after a write conflict", logkey.Err, err)

		return ending{kind: endConflict, after: e.failures.add(key, subjectOf(before))}
	case err == nil && result.Finalized:
		return e.finalize(ctx, key, before)
	}

	end := e.report(obj, result, err)

	if err := e.persist(ctx, key, before, obj); err != nil {
		return e.fail(ctx, key, subjectOf(before), err)
	}

	if end.kind == endError || end.kind == endPanic {
		end.after = e.fail(ctx, key, subjectOf(before), err).after
	} else {
		e.failures.forget(key)
	}

	e.announce(before, obj, err)

	return end
}

// guarded calls the kind and turns a panic into an error, so that one poisoned object is one failing object.
func (e *Engine[T]) guarded(ctx context.Context, obj T) (result outcome.Result, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}

		if s, ok := p.(specChanged); ok {
			panic(s)
		}

		e.opts.Metrics.panicked(e.opts.Name)
		slogctx.From(ctx).ErrorContext(ctx, "Recovered from a panic in a reconcile pass",
			logkey.Err, fmt.Sprint(p), "stack", string(debug.Stack()))

		result, err = outcome.Result{}, errPanic
	}()

	return e.kind.Reconcile(ctx, obj)
}

// fail logs an unexpected error, once, and says when to try again.
func (e *Engine[T]) fail(ctx context.Context, key types.NamespacedName, s subject, err error) ending {
	after := e.failures.add(key, s)

	if isConflict(err) && e.failures.silent(key) {
		return ending{kind: endConflict, after: after}
	}

	slogctx.From(ctx).ErrorContext(ctx, "Reconcile pass failed", logkey.Err, err, logkey.After, after)

	return ending{kind: endError, after: after}
}

// isConflict is true for an error that only means that the world was newer than what the pass had read of it. In a namespace that
// is being deleted nothing is made any more, and the object is about to be deleted itself.
func isConflict(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) ||
		errors.Is(err, swarmobj.ErrStale) || errors.Is(err, swarmobj.ErrExists)
}
