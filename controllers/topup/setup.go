package topup

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/wake"
)

// workers is how many payments are worked on at once: as many as the gateway takes calls at a time.
const workers = 8

// Setup registers the reconciler with a manager. It is woken by its own kind, by Refunds of its payments, and by hints: the
// IDs of orders of which something may have become.
func Setup(mgr ctrl.Manager, loop engine.Loop, c *Controller, hints <-chan event.TypedGenericEvent[string]) error {
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &billingv1.TopUp{}, IndexOrder, c.Order); err != nil {
		return fmt.Errorf("index top-ups: %w", err)
	}

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&billingv1.TopUp{}, builder.WithPredicates(loop.IgnoreOwnWrites())).
		Watches(&billingv1.Refund{}, handler.EnqueueRequestsFromMapFunc(Refunded)).
		WatchesRawSource(source.Channel(hints, c.hinted())).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(loop)
}

// Refunded asks for the TopUp that a Refund gives back.
func Refunded(_ context.Context, o client.Object) []reconcile.Request {
	r, ok := o.(*billingv1.Refund)
	if !ok {
		return nil
	}

	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: r.Namespace, Name: string(r.Spec.TopUpName)}}}
}

func (c *Controller) hinted() handler.TypedEventHandler[string, reconcile.Request] {
	return handler.TypedFuncs[string, reconcile.Request]{
		GenericFunc: func(ctx context.Context, e event.TypedGenericEvent[string], q wake.Queue) {
			for _, request := range c.Hint(ctx, e.Object) {
				q.Add(request)
			}
		},
	}
}
