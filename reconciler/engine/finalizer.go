package engine

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/dogker/dogker/reconciler/slogctx"
)

// errNothingToDo is for an object that is being deleted and that we have let go of.
var errNothingToDo = errors.New("deleted, and the finalizer is gone")

// ensureFinalizer returns the object with our finalizer on it, before anything is done that the finalizer is there to
// undo. Admission has put it there already as a rule.
func (e *Engine[T]) ensureFinalizer(ctx context.Context, key types.NamespacedName, before T) (T, error) {
	if controllerutil.ContainsFinalizer(before, e.opts.Finalizer) {
		return before, nil
	}

	if before.GetDeletionTimestamp() != nil {
		return before, errNothingToDo
	}

	obj := before.DeepCopyObject().(T)
	controllerutil.AddFinalizer(obj, e.opts.Finalizer)

	if err := e.patchFinalizers(ctx, before, obj); err != nil {
		if apierrors.IsNotFound(err) {
			return before, errNothingToDo
		}

		return before, fmt.Errorf("add finalizer to %q: %w", key, err)
	}

	e.memory.wrote(key, obj)

	return obj, nil
}

// finalize lets the object go: what it had in the outside world is gone.
func (e *Engine[T]) finalize(ctx context.Context, key types.NamespacedName, before T) ending {
	obj := before.DeepCopyObject().(T)

	if before.GetDeletionTimestamp() == nil || !controllerutil.RemoveFinalizer(obj, e.opts.Finalizer) {
		return ending{kind: endSuccess}
	}

	slogctx.From(ctx).InfoContext(ctx, "Removing the finalizer")

	if err := e.patchFinalizers(ctx, before, obj); err != nil && !apierrors.IsNotFound(err) {
		return e.fail(ctx, key, subjectOf(before), fmt.Errorf("remove finalizer of %q: %w", key, err))
	}

	e.memory.letGo(key, before.GetUID())
	e.failures.forget(key)

	return ending{kind: endSuccess}
}

// patchFinalizers writes the finalizers of obj. The list is replaced as a whole, so it must be the list that was read:
// the patch is refused when the object has changed since.
func (e *Engine[T]) patchFinalizers(ctx context.Context, before, obj T) error {
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})

	return e.client.Patch(ctx, obj, patch, client.FieldOwner(e.opts.FieldOwner))
}
