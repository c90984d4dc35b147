package workload

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
)

// volumeChanged passes a Volume of which containers have to know something else than before. What is in it, and who mounts
// it, is written often and changes nothing for them.
func volumeChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok1 := e.ObjectOld.(*v1alpha1.Volume)
			now, ok2 := e.ObjectNew.(*v1alpha1.Volume)

			return ok1 && ok2 && !sameToContainers(before, now)
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func sameToContainers(x, y *v1alpha1.Volume) bool {
	rx, ry := conditions.Get(x, conditions.Ready), conditions.Get(y, conditions.Ready)
	if (rx == nil) != (ry == nil) || rx != nil && (rx.Reason != ry.Reason || rx.Message != ry.Message) {
		return false
	}

	return x.UID == y.UID && x.Generation == y.Generation && x.DeletionTimestamp.IsZero() == y.DeletionTimestamp.IsZero() &&
		volume.Name(x) == volume.Name(y) && phaseOf(x) == phaseOf(y) && volume.Unfilled(x) == volume.Unfilled(y) &&
		x.Status.VolumeName == y.Status.VolumeName && equality.Semantic.DeepEqual(x.Status.Node, y.Status.Node)
}

// phaseOf is how far a move of the Volume is; empty when none is under way.
func phaseOf(v *v1alpha1.Volume) v1alpha1.MovePhase {
	if v.Status.Move == nil {
		return ""
	}

	return v.Status.Move.Phase
}

// mountsChanged passes a container that has given a Volume free, or may have: another one may wait for it.
func mountsChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok1 := e.ObjectOld.(*v1alpha1.TenantContainer)
			now, ok2 := e.ObjectNew.(*v1alpha1.TenantContainer)

			return ok1 && ok2 && len(before.Spec.Volumes)+len(now.Spec.Volumes) > 0 &&
				(!slices.Equal(before.Spec.Volumes, now.Spec.Volumes) || before.Status.Revision != now.Status.Revision)
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			tc, ok := e.Object.(*v1alpha1.TenantContainer)

			return ok && len(tc.Spec.Volumes) > 0
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// sharing lists the containers that mount a Volume which this one mounts, too.
func sharing(ctx context.Context, r client.Reader, o client.Object) []reconcile.Request {
	var out []reconcile.Request
	for _, name := range volumesOf(o) {
		for _, found := range containersBy(ctx, r, client.InNamespace(o.GetNamespace()), client.MatchingFields{indexVolume: name}) {
			if found.Name != o.GetName() && !slices.Contains(out, found) {
				out = append(out, found)
			}
		}
	}

	return out
}

// volumesOf is what indexVolume knows a container by.
func volumesOf(o client.Object) []string {
	tc, ok := o.(*v1alpha1.TenantContainer)
	if !ok {
		return nil
	}

	return mounts.Names(tc.Spec.Volumes)
}
