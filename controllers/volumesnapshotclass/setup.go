package volumesnapshotclass

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/wake"
)

// Setup registers the reconciler with a manager. It is woken by its own kind, by snapshots that come and go, and by those that fail because
// of a place.
func Setup(mgr ctrl.Manager, r engine.Loop, c *Controller) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.VolumeSnapshotClass{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&v1alpha1.VolumeSnapshot{}, users.Wake()).
		Watches(&v1alpha1.VolumeSnapshot{}, doubts(c)).
		Complete(r)
}

// doubts asks for the class of a snapshot that has just failed because of the place, or of the key.
func doubts(c *Controller) handler.EventHandler {
	return handler.Funcs{UpdateFunc: func(_ context.Context, e event.UpdateEvent, q wake.Queue) {
		before, was := e.ObjectOld.(*v1alpha1.VolumeSnapshot)
		after, is := e.ObjectNew.(*v1alpha1.VolumeSnapshot)
		if !was || !is || after.Status.Failures == before.Status.Failures || after.Status.LastFailure == nil {
			return
		}
		if r := after.Status.LastFailure.Reason; r == v1alpha1.ReasonStoreUnavailable || r == v1alpha1.ReasonKeyInvalid {
			class := string(after.Spec.ClassName)
			c.Doubt(class)
			q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: class}})
		}
	}}
}
