package tenant

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/tenant/addresses"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
)

// Name of the control loop, in logs and metrics.
const Name = "tenant"

// fieldOwner of the API objects that this controller writes.
const fieldOwner = "dogker-tenant"

// Controller makes and keeps what Tenants declare. All that it keeps in memory are claims of subnets that nobody else can
// see yet; losing them costs another look.
type Controller struct {
	cached   client.Client
	live     client.Reader
	swarm    Swarm
	recorder engine.Recorder
	claims   *claims
	now      func() time.Time
}

// New returns the controller. Reads through cached may be behind, and it must have Indexes; live asks the API server
// itself.
func New(cached client.Client, live client.Reader, s Swarm, pool addresses.Pool, recorder engine.Recorder) *Controller {
	return &Controller{cached: cached, live: live, swarm: s, recorder: recorder, claims: newClaims(pool), now: time.Now}
}

// Reconcile moves one tenant a step closer to its spec. Only apply changes anything; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, t *v1alpha1.Tenant) (outcome.Result, error) {
	if !t.DeletionTimestamp.IsZero() {
		return c.finalize(ctx, t)
	}

	s, err := c.survey(ctx, t)
	if err != nil {
		return outcome.Result{}, err
	}

	steps, wait := plan(s)
	if err := c.apply(ctx, s, steps); err != nil {
		return outcome.Result{}, err
	}

	return c.report(s, wait)
}

// Forget lets the subnet of a tenant that is gone be claimed again.
func (c *Controller) Forget(key types.NamespacedName) { c.claims.release(key.Name) }
