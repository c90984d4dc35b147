package receiver

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/wake"
)

// Setup registers the reconciler with a manager. It is woken by its own kind, by Tenants, by Secrets that Receivers name, and by
// deliveries.
func Setup(mgr ctrl.Manager, loop engine.Loop, deliveries <-chan event.TypedGenericEvent[alert.ReceiverRef]) error {
	cached := mgr.GetClient()

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&monitoringv1.Receiver{}, builder.WithPredicates(loop.IgnoreOwnWrites())).
		Watches(&v1alpha1.Tenant{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return wake.Found(ctx, cached, &monitoringv1.ReceiverList{}, client.InNamespace(o.GetName()))
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return naming(ctx, cached, o)
		})).
		WatchesRawSource(source.Channel(deliveries, handler.TypedFuncs[alert.ReceiverRef, reconcile.Request]{
			GenericFunc: func(_ context.Context, e event.TypedGenericEvent[alert.ReceiverRef], q wake.Queue) {
				q.Add(reconcile.Request{NamespacedName: client.ObjectKey{Namespace: e.Object.Namespace, Name: e.Object.Name}})
			},
		})).
		Complete(loop)
}

// naming are the Receivers that name a Secret.
func naming(ctx context.Context, cached client.Reader, secret client.Object) []reconcile.Request {
	var receivers monitoringv1.ReceiverList
	if err := cached.List(ctx, &receivers, client.InNamespace(secret.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}

	var out []reconcile.Request

	for i := range receivers.Items {
		for _, ref := range refsOf(&receivers.Items[i]) {
			if ref.secret != nil && string(ref.secret.Name) == secret.GetName() {
				out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&receivers.Items[i])})
			}
		}
	}

	return out
}
