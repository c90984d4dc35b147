package tenant

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
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
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/wake"
)

// IndexPlan finds the tenants that have a plan.
const IndexPlan = "spec.planName"

// PlanOf is the value of IndexPlan.
func PlanOf(o client.Object) []string {
	t, ok := o.(*v1alpha1.Tenant)
	if !ok {
		return nil
	}

	return []string{string(t.Spec.PlanName)}
}

const (
	// workers is how many tenants are worked on at once.
	workers = 8
	// soon is how long a tenant waits for more to come when only its counts have changed: a hundred containers that are
	// applied together make one status, not a hundred.
	soon = 2 * time.Second
)

// Setup registers the reconciler with a manager. It is woken by its own kind, by plans, by what it makes, and, a little
// later, by what it counts: containers, quotas, and hints about owners in Swarm.
func Setup(mgr ctrl.Manager, r engine.Loop, hints <-chan event.TypedGenericEvent[swarmobj.Owner]) error {
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.Tenant{}, IndexPlan, PlanOf); err != nil {
		return err
	}

	cached := mgr.GetClient()
	made := func() []builder.WatchesOption {
		return []builder.WatchesOption{builder.WithPredicates(predicate.NewPredicateFuncs(Concerns))}
	}

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.Tenant{}, builder.WithPredicates(r.IgnoreOwnWrites(), IgnoreBalance())).
		Watches(&v1alpha1.Plan{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return TenantsOf(ctx, cached, o.GetName())
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(Requests), made()...).
		Watches(&rbacv1.RoleBinding{}, handler.EnqueueRequestsFromMapFunc(Requests), made()...).
		Watches(&rbacv1.ClusterRole{}, handler.EnqueueRequestsFromMapFunc(Requests), made()...).
		Watches(&rbacv1.ClusterRoleBinding{}, handler.EnqueueRequestsFromMapFunc(Requests), made()...).
		Watches(&corev1.ServiceAccount{}, handler.EnqueueRequestsFromMapFunc(Requests), made()...).
		Watches(&corev1.ResourceQuota{}, wake.Later(soon, requestFor), made()...).
		Watches(&v1alpha1.TenantContainer{}, wake.Later(soon, requestFor), builder.WithPredicates(wake.CameOrWent())).
		WatchesRawSource(source.Channel(hints, hinted())).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// Concerns is true for an object that may have been made for a tenant: by its label, or by its name when somebody has
// torn the label off.
func Concerns(o client.Object) bool {
	if _, labelled := o.GetLabels()[v1alpha1.LabelTenant]; labelled {
		return true
	}

	switch o.(type) {
	case *corev1.Namespace:
		return true
	default:
		return o.GetName() == v1alpha1.TenantQuotaName || strings.HasPrefix(o.GetName(), v1alpha1.TenantRolePrefix) ||
			strings.HasPrefix(o.GetName(), selfRole(""))
	}
}

// Requests are for the tenant that an object was made for.
func Requests(_ context.Context, o client.Object) []reconcile.Request {
	return []reconcile.Request{requestFor(o)}
}

func requestFor(o client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: tenantName(o)}}
}

func tenantName(o client.Object) string {
	if ns := o.GetNamespace(); ns != "" {
		return ns
	}

	return strings.TrimPrefix(o.GetName(), selfRole(""))
}

// TenantsOf are requests for all tenants that have a plan. What cannot be listed is found by the next look around.
func TenantsOf(ctx context.Context, r client.Reader, plan string) []reconcile.Request {
	return wake.Found(ctx, r, &v1alpha1.TenantList{}, client.MatchingFields{IndexPlan: plan})
}

// hinted asks for the tenant at once when the hint is about itself, and a little later when it is about a container.
func hinted() handler.TypedEventHandler[swarmobj.Owner, reconcile.Request] {
	return handler.TypedFuncs[swarmobj.Owner, reconcile.Request]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[swarmobj.Owner], q wake.Queue) {
			request := reconcile.Request{NamespacedName: types.NamespacedName{Name: e.Object.Tenant}}

			if e.Object.Kind == kind {
				q.Add(request)
			} else {
				q.AddAfter(request, soon)
			}
		},
	}
}
