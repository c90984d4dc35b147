package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// report turns the ending of a pass into conditions and observedGeneration of obj, and into the time of the next pass.
// It is the only place that does.
func (e *Engine[T]) report(obj T, result outcome.Result, err error) ending {
	var (
		wait  *outcome.Wait
		stall *outcome.Stall
		end   = ending{kind: endSuccess, after: result.RequeueAfter}
	)

	switch {
	case err == nil:
		settle(obj)
	case errors.As(err, &wait):
		conditions.MarkWaiting(obj, orFalse(wait.Ready), wait.Reason, wait.Error())
		end = ending{kind: endWait, after: wait.After}

		if wait.After == 0 {
			end.after = outcome.DefaultWait
		}
	case errors.As(err, &stall):
		conditions.MarkStalled(obj, orFalse(stall.Ready), stall.Reason, stall.Error())
		end = ending{kind: endStall, after: result.RequeueAfter}
	default:
		conditions.MarkWaiting(obj, metav1.ConditionFalse, v1alpha1.ReasonError, e.explain(err))

		if errors.Is(err, errPanic) {
			return ending{kind: endPanic}
		}

		return ending{kind: endError}
	}

	obj.SetObservedGeneration(obj.GetGeneration())

	return end
}

// settle holds a kind that ended without an error to the rules of the summary: Ready is there, and what is ready is
// neither being worked on nor stalled.
func settle(obj conditions.Object) {
	switch ready := conditions.Get(obj, conditions.Ready); {
	case ready == nil:
		conditions.Set(obj, conditions.Ready, metav1.ConditionUnknown, "Unreported", "the controller has not said how it stands")
	case ready.Status == metav1.ConditionTrue:
		conditions.MarkReady(obj, ready.Reason, ready.Message)
	}
}

func orFalse(status metav1.ConditionStatus) metav1.ConditionStatus {
	if status == "" {
		return metav1.ConditionFalse
	}

	return status
}

func (e *Engine[T]) explain(err error) string {
	if errors.Is(err, errPanic) {
		return errPanic.Error()
	}

	return e.opts.Explain(err)
}

// persist writes the status of obj, in one patch, when it differs from before. Nothing else of obj is ever written. An
// object that is gone by now needs no status.
func (e *Engine[T]) persist(ctx context.Context, key types.NamespacedName, before, obj T) error {
	if equality.Semantic.DeepEqual(before, obj) {
		return nil
	}

	patch, err := e.statusPatch(ctx, before, obj)
	if err != nil || patch == nil {
		return err
	}

	// The answer overwrites what it is decoded into, and the caller still needs what it wants to announce.
	written := obj.DeepCopyObject().(T)

	err = e.client.Status().Patch(ctx, written, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(e.opts.FieldOwner))
	if apierrors.IsNotFound(err) {
		return nil
	}

	if err != nil {
		return fmt.Errorf("patch status of %q: %w", key, err)
	}

	e.opts.Metrics.patched(e.opts.Name)
	e.memory.wrote(key, written)

	return nil
}

// statusPatch returns the merge patch of the status alone; nil when there is nothing to say.
func (e *Engine[T]) statusPatch(ctx context.Context, before, obj T) ([]byte, error) {
	data, err := client.MergeFrom(before).Data(obj)
	if err != nil {
		return nil, fmt.Errorf("compute patch of status: %w", err)
	}

	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("compute patch of status: %w", err)
	}

	status, differs := fields["status"]
	delete(fields, "status")

	if len(fields) > 0 {
		e.protest(ctx, fields)
	}

	if !differs {
		return nil, nil
	}

	// The version keeps a patch whose answer was lost, and which arrives late, from undoing a later one.
	return json.Marshal(map[string]any{
		"metadata": map[string]string{"resourceVersion": before.GetResourceVersion()},
		"status":   status,
	})
}

// specChanged is what a strict engine panics with.
type specChanged string

// protest is for a pass that has changed more of its object than the status: a mistake in the controller.
func (e *Engine[T]) protest(ctx context.Context, fields map[string]json.RawMessage) {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}

	slices.Sort(names)

	if e.opts.Strict {
		panic(specChanged(fmt.Sprintf("a pass of %s changed %v of its object; it may change nothing but status", e.opts.Name, names)))
	}

	slogctx.From(ctx).ErrorContext(ctx, "Dropped a change that a reconcile pass made to its object outside of status",
		logkey.Diff, names)
}
