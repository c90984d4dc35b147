package pricelist

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/wake"
)

// Setup registers the reconciler with a manager. There are few PriceLists, and each concerns the others, so all of them are
// looked at when one comes or goes, when a plan changes, and when a tenant comes, goes or changes its plan.
func Setup(mgr ctrl.Manager, r engine.Loop) error {
	cached := mgr.GetClient()
	everything := func() handler.EventHandler {
		return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request { return All(ctx, cached) })
	}

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&billingv1.PriceList{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&billingv1.PriceList{}, everything(), builder.WithPredicates(wake.CameOrWent())).
		Watches(&v1alpha1.Plan{}, everything(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Tenant{}, everything(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(r)
}

// All are requests for all lists. What cannot be listed is found by the next change.
func All(ctx context.Context, r client.Reader) []reconcile.Request {
	return wake.Found(ctx, r, &billingv1.PriceListList{})
}
