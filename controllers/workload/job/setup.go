package job

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/wake"
)

// workers is how many jobs are worked on at once: as many ticks as fall on the same minute wait for no more than their turn.
const workers = 8

// Setup registers the reconciler with a manager. It is woken by its own kind, by Tenants that are suspended or let go, and by hints
// about owners in Swarm.
func Setup(mgr ctrl.Manager, r engine.Loop, hints <-chan event.TypedGenericEvent[swarmobj.Owner]) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.TenantJob{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&v1alpha1.Tenant{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return wake.Found(ctx, mgr.GetClient(), &v1alpha1.TenantJobList{}, client.InNamespace(o.GetName()))
		}), builder.WithPredicates(predicate.AnnotationChangedPredicate{})).
		WatchesRawSource(source.Channel(hints, handler.TypedEnqueueRequestsFromMapFunc(hinted))).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

func hinted(_ context.Context, o swarmobj.Owner) []reconcile.Request {
	if o.Kind != swarmobj.KindJob {
		return nil
	}

	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.Tenant, Name: o.Name}}}
}
