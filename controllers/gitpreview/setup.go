package gitpreview

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
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
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/wake"
)

// workers is how many GitPreviews are worked on at once. They wait for the API and not for repositories.
const workers = 4

// Setup registers the reconciler with a manager, and what owns its questions to repositories. It is woken by its own kind, by
// answers, by the tenants whose previews are made and the previews themselves, by their GitSyncs, and by plans.
func Setup(mgr ctrl.Manager, loop engine.Loop, c *Controller) error {
	if err := mgr.Add(owner{c}); err != nil {
		return err
	}

	cached := mgr.GetClient()

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&gitopsv1.GitPreview{}, builder.WithPredicates(loop.IgnoreOwnWrites())).
		Watches(&v1alpha1.Tenant{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return concerned(ctx, cached, o)
		}), builder.WithPredicates(moved())).
		Watches(&gitopsv1.GitSync{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return previewOf(ctx, cached, o)
		}), builder.WithPredicates(moved())).
		Watches(&v1alpha1.Plan{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request {
			return wake.Found(ctx, cached, &gitopsv1.GitPreviewList{})
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(source.Channel(c.listings.wakes, handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
			GenericFunc: func(_ context.Context, e event.TypedGenericEvent[types.NamespacedName], q wake.Queue) {
				q.Add(reconcile.Request{NamespacedName: e.Object})
			},
		})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(loop)
}

// owner runs the controller's questions where the controller runs.
type owner struct{ c *Controller }

// Start implements manager.Runnable.
func (o owner) Start(ctx context.Context) error { return o.c.Run(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (owner) NeedLeaderElection() bool { return true }

// concerned asks for the GitPreviews of a tenant, and for those of the tenant that it is a preview of: where one goes, another
// may come.
func concerned(ctx context.Context, r client.Reader, o client.Object) []reconcile.Request {
	namespace := o.GetName()
	if of := o.GetLabels()[gitopsv1.LabelPreviewOf]; of != "" {
		namespace = of
	}

	return wake.Found(ctx, r, &gitopsv1.GitPreviewList{}, client.InNamespace(namespace))
}

// previewOf asks for the GitPreview that a GitSync was made by.
func previewOf(ctx context.Context, r client.Reader, o client.Object) []reconcile.Request {
	name := o.GetLabels()[gitopsv1.LabelPreview]
	if name == "" {
		return nil
	}

	var t v1alpha1.Tenant
	if err := r.Get(ctx, client.ObjectKey{Name: o.GetNamespace()}, &t); err != nil || t.Labels[gitopsv1.LabelPreviewOf] == "" {
		return nil
	}

	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: t.Labels[gitopsv1.LabelPreviewOf], Name: t.Labels[gitopsv1.LabelPreview]}}}
}

// moved passes changes of what is declared and of how it stands, and not those of what is counted.
func moved() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, ok := e.ObjectOld.(conditions.Object)
		is, isObject := e.ObjectNew.(conditions.Object)

		return !ok || !isObject || e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
			!equality.Semantic.DeepEqual(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) ||
			!equality.Semantic.DeepEqual(e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()) ||
			!equality.Semantic.DeepEqual(e.ObjectOld.GetDeletionTimestamp(), e.ObjectNew.GetDeletionTimestamp()) ||
			!equality.Semantic.DeepEqual(conditions.Get(was, conditions.Ready), conditions.Get(is, conditions.Ready)) ||
			handled(e.ObjectOld) != handled(e.ObjectNew)
	}}
}

// handled is which request a GitSync has obeyed.
func handled(o client.Object) string {
	if s, ok := o.(*gitopsv1.GitSync); ok {
		return s.Status.LastHandledReconcileAt
	}

	return ""
}
