package plan

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/inuse"
	"github.com/dogker/dogker/reconciler/outcome"
)

// Name of the control loop, in logs and metrics.
const Name = "plan"

// Controller counts the tenants of Plans. It keeps nothing in memory.
type Controller struct {
	cached, live client.Reader
}

// New returns the controller. cached may be behind; live asks the API server itself.
func New(cached, live client.Reader) *Controller { return &Controller{cached, live} }

// tenants have Plans.
var tenants = inuse.Users[*v1alpha1.Tenant]{
	List: func() client.ObjectList { return &v1alpha1.TenantList{} },
	Of:   func(t *v1alpha1.Tenant) string { return string(t.Spec.PlanName) },
}

// Reconcile looks at one Plan. It writes nothing; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, p *v1alpha1.Plan) (outcome.Result, error) {
	n, err := tenants.Count(ctx, inuse.Reader(p, c.cached, c.live), p.Name)
	if err != nil {
		return outcome.Result{}, err
	}

	p.Status.Tenants = n
	if !p.DeletionTimestamp.IsZero() {
		return inuse.Release(n, "The plan is being deleted, and tenants still have it; give them another one")
	}
	conditions.MarkReady(p, v1alpha1.ReasonAvailable, "Tenants can have it")

	return outcome.Result{}, nil
}

// Setup registers the reconciler with a manager. It is woken by its own kind and by tenants that come, go or change their
// plan.
func Setup(mgr ctrl.Manager, r engine.Loop) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.Plan{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&v1alpha1.Tenant{}, tenants.Wake()).
		Complete(r)
}
