package imagepolicy

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

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/wake"
)

// workers is how many policies are worked on at once. They wait for nobody.
const workers = 4

// Setup registers the reconciler with a manager, and what owns its jobs. It is woken by its own kind, by jobs that end, and by the
// specs of GitSyncs that say where to commit; changes of containers do not wake it, so that somebody who changes one back is no race.
func Setup(mgr ctrl.Manager, loop engine.Loop, c *Controller) error {
	if err := mgr.Add(owner{c}); err != nil {
		return err
	}

	cached := mgr.GetClient()

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&gitopsv1.ImagePolicy{}, builder.WithPredicates(loop.IgnoreOwnWrites())).
		Watches(&gitopsv1.GitSync{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return committers(ctx, cached, o)
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(source.Channel(c.wakes, handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
			GenericFunc: func(_ context.Context, e event.TypedGenericEvent[types.NamespacedName], q wake.Queue) {
				q.Add(reconcile.Request{NamespacedName: e.Object})
			},
		})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(loop)
}

// committers are the policies that commit to the repository of a GitSync.
func committers(ctx context.Context, cached client.Reader, sync client.Object) []reconcile.Request {
	var policies gitopsv1.ImagePolicyList
	if err := cached.List(ctx, &policies, client.InNamespace(sync.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}

	var out []reconcile.Request
	for i := range policies.Items {
		if syncOf(&policies.Items[i]) == sync.GetName() {
			out = append(out, reconcile.Request{NamespacedName: keyOf(&policies.Items[i])})
		}
	}

	return out
}

// owner runs the controller's jobs where the controller runs.
type owner struct{ c *Controller }

// Start implements manager.Runnable.
func (o owner) Start(ctx context.Context) error { return o.c.Run(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (owner) NeedLeaderElection() bool { return true }

func keyOf(p *gitopsv1.ImagePolicy) types.NamespacedName { return client.ObjectKeyFromObject(p) }
