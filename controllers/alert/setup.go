package alert

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
)

// workers is how many Alerts are worked on at once. Those that ask Prometheus wait for it.
const workers = 8

// Setup registers the reconciler with a manager. It is woken by its own kind, and by conditions of what Alerts watch.
func Setup(mgr ctrl.Manager, loop engine.Loop, c *Controller) error {
	b := ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&monitoringv1.Alert{}, builder.WithPredicates(loop.IgnoreOwnWrites()))

	for name, kind := range kinds {
		b = b.Watches(kind.object, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return c.watchers(ctx, name, o)
		}), builder.WithPredicates(judgedAnew()))
	}

	return b.WithOptions(controller.Options{MaxConcurrentReconciles: workers}).Complete(loop)
}

// judgedAnew passes changes that a rule may see: of conditions, of the spec, and that something is being deleted.
func judgedAnew() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok1 := e.ObjectOld.(watched)
		after, ok2 := e.ObjectNew.(watched)

		return !ok1 || !ok2 || before.GetGeneration() != after.GetGeneration() ||
			before.GetDeletionTimestamp().IsZero() != after.GetDeletionTimestamp().IsZero() ||
			!equality.Semantic.DeepEqual(before.GetConditions(), after.GetConditions())
	}}
}

// watchers are the Alerts that a change of an object may concern.
func (c *Controller) watchers(ctx context.Context, kind monitoringv1.WatchedKind, o client.Object) []reconcile.Request {
	var out []reconcile.Request

	namespaces := map[string]bool{o.GetNamespace(): o.GetNamespace() != "", c.opts.Platform: c.opts.Platform != ""}

	for namespace, there := range namespaces {
		var alerts monitoringv1.AlertList
		if !there || c.cached.List(ctx, &alerts, client.InNamespace(namespace), client.UnsafeDisableDeepCopy) != nil {
			continue
		}

		for i := range alerts.Items {
			a := &alerts.Items[i]
			if rule := a.Spec.Condition; rule != nil && rule.Kind == kind && (rule.Name == "" || string(rule.Name) == o.GetName()) {
				out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(a)})
			}
		}
	}

	return out
}
