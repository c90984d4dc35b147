package gitsync

import (
	"context"
	"time"

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

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/wake"
)

// PassTimeout is how long a pass may take: to apply what is new of a large repository.
const PassTimeout = 5 * time.Minute

// workers is how many syncs are worked on at once. They wait for the API and not for repositories.
const workers = 16

// Setup registers the reconciler with a manager, and what owns its builds. It is woken by its own kind, by builds that end,
// and by the readiness of what others depend on.
func Setup(mgr ctrl.Manager, loop engine.Loop, c *Controller) error {
	if err := mgr.Add(owner{c}); err != nil {
		return err
	}

	cached := mgr.GetClient()

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&gitopsv1.GitSync{}, builder.WithPredicates(loop.IgnoreOwnWrites())).
		Watches(&gitopsv1.GitSync{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return dependents(ctx, cached, o)
		}), builder.WithPredicates(readiness())).
		WatchesRawSource(source.Channel(c.wakes, handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
			GenericFunc: func(_ context.Context, e event.TypedGenericEvent[types.NamespacedName], q wake.Queue) {
				q.Add(reconcile.Request{NamespacedName: e.Object})
			},
		})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(loop)
}

// owner runs the controller's builds where the controller runs.
type owner struct{ c *Controller }

// Start implements manager.Runnable.
func (o owner) Start(ctx context.Context) error { return o.c.Run(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (owner) NeedLeaderElection() bool { return true }

// readiness passes what those may wait for who depend on a sync: it came, it is ready now, or it was changed.
func readiness() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok := e.ObjectOld.(*gitopsv1.GitSync)
			after, isSync := e.ObjectNew.(*gitopsv1.GitSync)

			return ok && isSync && stateOf(before) != stateOf(after)
		},
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// dependents asks for all that depend on a sync.
func dependents(ctx context.Context, r client.Reader, o client.Object) []reconcile.Request {
	var list gitopsv1.GitSyncList
	if err := r.List(ctx, &list, client.InNamespace(o.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}

	var out []reconcile.Request

	for i := range list.Items {
		one := &list.Items[i]
		for _, d := range one.Spec.DependsOn {
			if string(d.Name) == o.GetName() {
				out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(one)})
			}
		}
	}

	return out
}
