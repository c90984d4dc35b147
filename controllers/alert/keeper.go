package alert

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/keeper"
	"github.com/dogker/dogker/reconciler/wake"
)

// KeeperName of the control loop, in logs and metrics.
const KeeperName = "alert-keeper"

// Keeper makes the Alert of every tenant that says that a container is down, as soon as the tenant has its namespace, and again
// when somebody has deleted it. What a tenant makes of it stays as it is.
type Keeper struct{ *keeper.Keeper }

// NewKeeper returns the keeper. Reads through the client may be behind: an Alert that is there already is no error.
func NewKeeper(cached client.Client) *Keeper {
	return &Keeper{keeper.New(cached, keeper.Kind{What: "Alert", FieldOwner: "dogker-" + KeeperName, Make: newAlert})}
}

func newAlert(tenant string) client.Object {
	return &monitoringv1.Alert{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: tenant, Name: monitoringv1.ContainersAlert, Labels: map[string]string{v1alpha1.LabelTenant: tenant},
		},
		Spec: alert.ContainersDown(),
	}
}

// Setup registers the keeper with a manager. It is woken by tenants and namespaces that come, and by Alerts of that name that
// go.
func (k *Keeper) Setup(mgr ctrl.Manager) error {
	byName := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: o.GetName()}}}
	})
	ofAlert := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		if o.GetName() != monitoringv1.ContainersAlert {
			return nil
		}

		return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: o.GetNamespace()}}}
	})

	return ctrl.NewControllerManagedBy(mgr).
		Named(KeeperName).
		For(&v1alpha1.Tenant{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Namespace{}, byName, builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&monitoringv1.Alert{}, ofAlert, builder.WithPredicates(wake.CameOrWent())).
		Complete(k)
}
