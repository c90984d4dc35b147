package plan

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/wake"
)

// Name of the control loop, in logs and metrics.
const Name = "plan"

// Controller counts the tenants of Plans. It keeps nothing in memory.
type Controller struct {
	cached, live client.Reader
}

// New returns the controller. cached may be behind; live asks the API server itself.
func New(cached, live client.Reader) *Controller { return &Controller{cached, live} }

// Reconcile looks at one Plan. It writes nothing; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, p *v1alpha1.Plan) (outcome.Result, error) {
	deleted := !p.DeletionTimestamp.IsZero()

	// What is let go must not have come into use meanwhile.
	reader := c.cached
	if deleted {
		reader = c.live
	}

	n, err := tenantsOf(ctx, reader, p.Name)
	if err != nil {
		return outcome.Result{}, err
	}

	p.Status.Tenants = n

	switch {
	case deleted && n > 0:
		return outcome.Result{}, &outcome.Wait{
			Reason:  v1alpha1.ReasonInUse,
			Message: "The plan is being deleted, and tenants still have it; give them another one",
		}
	case deleted:
		return outcome.Result{Finalized: true}, nil
	default:
		conditions.MarkReady(p, v1alpha1.ReasonAvailable, "Tenants can have it")

		return outcome.Result{}, nil
	}
}

func tenantsOf(ctx context.Context, r client.Reader, plan string) (int32, error) {
	var list v1alpha1.TenantList
	if err := r.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return 0, fmt.Errorf("list tenants: %w", err)
	}

	var n int32

	for i := range list.Items {
		if string(list.Items[i].Spec.PlanName) == plan {
			n++
		}
	}

	return n, nil
}

// Setup registers the reconciler with a manager. It is woken by its own kind and by tenants that come, go or change their
// plan.
func Setup(mgr ctrl.Manager, r engine.Loop) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.Plan{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&v1alpha1.Tenant{}, plansOf()).
		Complete(r)
}

// plansOf asks for the plan that a tenant has, and for the one that it had.
func plansOf() handler.EventHandler {
	ask := func(q wake.Queue, o client.Object) {
		if t, ok := o.(*v1alpha1.Tenant); ok {
			q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: string(t.Spec.PlanName)}})
		}
	}

	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q wake.Queue) { ask(q, e.Object) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q wake.Queue) { ask(q, e.Object) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q wake.Queue) {
			if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
				ask(q, e.ObjectOld)
				ask(q, e.ObjectNew)
			}
		},
	}
}
