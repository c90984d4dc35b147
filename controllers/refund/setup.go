package refund

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/wake"
)

// IndexTopUp finds the Refunds of a TopUp.
const IndexTopUp = "spec.topUpName"

// TopUpOf is the value of IndexTopUp.
func TopUpOf(o client.Object) []string {
	r, ok := o.(*billingv1.Refund)
	if !ok {
		return nil
	}

	return []string{string(r.Spec.TopUpName)}
}

// workers is how many refunds are worked on at once.
const workers = 2

// Setup registers the reconciler with a manager. It is woken by its own kind and by the TopUps that are to be given back.
func Setup(mgr ctrl.Manager, loop engine.Loop) error {
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &billingv1.Refund{}, IndexTopUp, TopUpOf); err != nil {
		return fmt.Errorf("index refunds: %w", err)
	}

	cached := mgr.GetClient()

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&billingv1.Refund{}, builder.WithPredicates(loop.IgnoreOwnWrites())).
		Watches(&billingv1.TopUp{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return wake.Found(ctx, cached, &billingv1.RefundList{}, client.InNamespace(o.GetNamespace()), client.MatchingFields{IndexTopUp: o.GetName()})
		})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(loop)
}
