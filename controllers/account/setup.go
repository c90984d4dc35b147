package account

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
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

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/wake"
)

const (
	// workers is how many accounts are looked at at once.
	workers = 8
	// soon is how long an account waits for more to come when its containers have changed: a hundred that are applied
	// together make one status.
	soon = 2 * time.Second
)

// Setup registers the reconciler with a manager. It is woken by its own kind, by what terms are made of, a little later by
// containers, and by written, which holds the names of tenants whose ledger was written to.
func Setup(mgr ctrl.Manager, r engine.Loop, written <-chan event.TypedGenericEvent[string]) error {
	cached := mgr.GetClient()
	all := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request {
		return wake.Found(ctx, cached, &billingv1.BillingAccountList{})
	})

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&billingv1.BillingAccount{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&v1alpha1.Tenant{}, handler.EnqueueRequestsFromMapFunc(ofTenant), builder.WithPredicates(TenantChanged())).
		Watches(&v1alpha1.Plan{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return OfPlan(ctx, cached, o.GetName())
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&billingv1.PriceList{}, all, builder.WithPredicates(wake.CameOrWent())).
		Watches(&billingv1.Coupon{}, all, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.TenantContainer{}, wake.Later(soon, ofContainer), builder.WithPredicates(DemandChanged())).
		WatchesRawSource(source.Channel(written, told())).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// Setup registers the keeper with a manager. It is woken by tenants, plans and namespaces, and by accounts that go.
func (k *Keeper) Setup(mgr ctrl.Manager) error {
	cached := mgr.GetClient()
	gone := predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false }, UpdateFunc: func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}

	return ctrl.NewControllerManagedBy(mgr).
		Named(KeeperName).
		For(&v1alpha1.Tenant{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Plan{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return tenantsWith(ctx, cached, o.GetName(), func(t string) types.NamespacedName { return types.NamespacedName{Name: t} })
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(TenantOf)).
		Watches(&billingv1.BillingAccount{}, handler.EnqueueRequestsFromMapFunc(TenantOf), builder.WithPredicates(gone)).
		Complete(k)
}

// keyOf is the account of a tenant.
func keyOf(tenant string) types.NamespacedName {
	return types.NamespacedName{Namespace: tenant, Name: billingv1.AccountName}
}

func ofContainer(o client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: keyOf(o.GetNamespace())}
}

func ofTenant(_ context.Context, o client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: keyOf(o.GetName())}}
}

// TenantOf is a request for the tenant that a namespace, or what is in one, belongs to.
func TenantOf(_ context.Context, o client.Object) []reconcile.Request {
	name := o.GetNamespace()
	if name == "" {
		name = o.GetName()
	}

	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: name}}}
}

// OfPlan are requests for the accounts of all tenants with a plan. What cannot be listed is found by the next look around.
func OfPlan(ctx context.Context, r client.Reader, plan string) []reconcile.Request {
	return tenantsWith(ctx, r, plan, keyOf)
}

func tenantsWith(ctx context.Context, r client.Reader, plan string, key func(tenant string) types.NamespacedName) []reconcile.Request {
	var list v1alpha1.TenantList
	if err := r.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}

	var out []reconcile.Request

	for i := range list.Items {
		if string(list.Items[i].Spec.PlanName) == plan {
			out = append(out, reconcile.Request{NamespacedName: key(list.Items[i].Name)})
		}
	}

	return out
}

// TenantChanged passes a tenant whose spec or suspension has changed, and one that is being deleted; not the many changes
// of its status.
func TenantChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, is := e.ObjectOld, e.ObjectNew

		return was.GetGeneration() != is.GetGeneration() || was.GetUID() != is.GetUID() ||
			differs(was, is, v1alpha1.AnnotationSuspend) || differs(was, is, v1alpha1.AnnotationBillingSuspend)
	}}
}

// DemandChanged passes a container that comes, goes, or wants something else: by its spec, by the suspension, or, for a
// global one, because there are more nodes or fewer.
func DemandChanged() predicate.Predicate {
	tasks := func(o client.Object) string {
		tc, ok := o.(*v1alpha1.TenantContainer)
		if !ok || tc.Spec.Mode != v1alpha1.ModeGlobal {
			return ""
		}

		return tc.Status.Tasks
	}

	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, is := e.ObjectOld, e.ObjectNew

		return was.GetGeneration() != is.GetGeneration() || was.GetDeletionTimestamp() == nil && is.GetDeletionTimestamp() != nil ||
			differs(was, is, v1alpha1.AnnotationSuspend) || tasks(was) != tasks(is)
	}}
}

func differs(was, is client.Object, annotation string) bool {
	a, had := was.GetAnnotations()[annotation]
	b, has := is.GetAnnotations()[annotation]

	return had != has || a != b
}

// told asks at once for the account of a tenant whose ledger was written to: somebody may have paid.
func told() handler.TypedEventHandler[string, reconcile.Request] {
	return handler.TypedFuncs[string, reconcile.Request]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[string], q wake.Queue) {
			q.Add(reconcile.Request{NamespacedName: keyOf(e.Object)})
		},
	}
}
