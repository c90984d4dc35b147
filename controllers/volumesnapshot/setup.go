package volumesnapshot

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/snapshotrun"
)

// Setup registers the reconciler with a manager. It is woken by its own kind, by other snapshots of the same Volume that are over, by Volumes
// and classes, and by jobs that have ended, which ended names by their owners. It has one worker.
func Setup(mgr ctrl.Manager, r engine.Loop, ended <-chan event.TypedGenericEvent[string]) error {
	cached := mgr.GetClient()

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.VolumeSnapshot{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&v1alpha1.VolumeSnapshot{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			s, is := o.(*v1alpha1.VolumeSnapshot)
			if !is {
				return nil
			}

			return pending(ctx, cached, func(other *v1alpha1.VolumeSnapshot) bool {
				return other.Spec.Source.VolumeName != "" && other.Spec.Source.VolumeName == s.Spec.Source.VolumeName && other.UID != s.UID
			}, client.InNamespace(s.Namespace))
		}), builder.WithPredicates(over())).
		Watches(&v1alpha1.Volume{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return pending(ctx, cached, func(s *v1alpha1.VolumeSnapshot) bool {
				// A Volume may be restored from one that is being deleted, whichever it is of.
				return string(s.Spec.Source.VolumeName) == o.GetName() || !s.DeletionTimestamp.IsZero()
			}, client.InNamespace(o.GetNamespace()))
		})).
		Watches(&v1alpha1.VolumeSnapshotClass{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return pending(ctx, cached, func(s *v1alpha1.VolumeSnapshot) bool { return string(s.Spec.ClassName) == o.GetName() })
		}), builder.WithPredicates(matters())).
		WatchesRawSource(source.Channel(ended, handler.TypedEnqueueRequestsFromMapFunc(func(ctx context.Context, owner string) []reconcile.Request {
			return found(ctx, cached, func(s *v1alpha1.VolumeSnapshot) bool { return string(s.UID) == owner })
		}))).
		Complete(r)
}

// over passes what ends the wait of another snapshot of the same Volume.
func over() predicate.Predicate {
	busy := func(o client.Object) bool {
		s, is := o.(*v1alpha1.VolumeSnapshot)
		return is && snapshotrun.Busy(&s.Status)
	}

	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool { return busy(e.ObjectOld) && !busy(e.ObjectNew) },
		DeleteFunc: func(e event.DeleteEvent) bool { return busy(e.Object) },
	}
}

// matters passes what of a class makes a difference to snapshots: that it came or went, whether it can be used, and its spec.
func matters() predicate.Predicate {
	ready := func(o client.Object) string {
		if class, is := o.(*v1alpha1.VolumeSnapshotClass); is {
			if c := conditions.Get(class, conditions.Ready); c != nil {
				return string(c.Status) + c.Reason
			}
		}

		return ""
	}

	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || ready(e.ObjectOld) != ready(e.ObjectNew)
	}}
}

// pending are requests for those snapshots that are not settled: neither made, nor failed for good, or being deleted.
func pending(ctx context.Context, cached client.Reader, which func(*v1alpha1.VolumeSnapshot) bool, in ...client.ListOption) []reconcile.Request {
	return found(ctx, cached, func(s *v1alpha1.VolumeSnapshot) bool {
		settled := s.DeletionTimestamp.IsZero() && (snapshotrun.Made(&s.Status) || snapshotrun.Failed(&s.Status))
		return !settled && which(s)
	}, in...)
}

// found are requests for snapshots that the cache has; none when it cannot be read, for the periodic look finds them.
func found(ctx context.Context, cached client.Reader, which func(*v1alpha1.VolumeSnapshot) bool, in ...client.ListOption) []reconcile.Request {
	var all v1alpha1.VolumeSnapshotList
	if cached.List(ctx, &all, append(in[:len(in):len(in)], client.UnsafeDisableDeepCopy)...) != nil {
		return nil
	}

	var out []reconcile.Request
	for i := range all.Items {
		if which(&all.Items[i]) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}

	return out
}
