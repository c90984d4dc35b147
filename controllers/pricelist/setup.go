package pricelist

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Loop is the reconciler as Setup needs it.
type Loop interface {
	reconcile.Reconciler
	// IgnoreOwnWrites lets no status that the loop has written itself start another pass.
	IgnoreOwnWrites() predicate.Predicate
}

// Setup registers the reconciler with a manager. There are few PriceLists, and each concerns the others, so all of them are
// looked at when one comes or goes, when a plan changes, and when a tenant comes, goes or changes its plan.
func Setup(mgr ctrl.Manager, r Loop) error {
	cached := mgr.GetClient()
	everything := func() handler.EventHandler {
		return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request { return All(ctx, cached) })
	}
	cameOrWent := predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&billingv1.PriceList{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&billingv1.PriceList{}, everything(), builder.WithPredicates(cameOrWent)).
		Watches(&v1alpha1.Plan{}, everything(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Tenant{}, everything(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(r)
}

// All are requests for all lists. What cannot be listed is found by the next change.
func All(ctx context.Context, r client.Reader) []reconcile.Request {
	var list billingv1.PriceListList
	if err := r.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}

	out := make([]reconcile.Request, len(list.Items))
	for i := range list.Items {
		out[i] = reconcile.Request{NamespacedName: types.NamespacedName{Name: list.Items[i].Name}}
	}

	return out
}
