package account

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
)

// Name of the control loop, in logs and metrics.
const Name = "account"

// fieldOwner of what this controller writes to objects of others: one annotation and one part of the status of Tenants.
const fieldOwner = "dogker-billing"

// Controller shows how accounts stand and carries out what was decided about them. What it keeps in memory spares it
// questions to the ledger, which answers them the same way after a restart.
type Controller struct {
	cached   client.Client
	live     client.Reader
	desk     Desk
	ledger   Ledger
	swarm    Running
	recorder engine.Recorder
	metering func() Metering
	metrics  *Metrics
	now      func() time.Time

	turns  *turns
	memory *memory
}

// New returns the controller. Reads through cached may be behind; live asks the API server itself.
func New(cached client.Client, live client.Reader, desk Desk, ledger Ledger, swarm Running, recorder engine.Recorder, opts ...Option) *Controller {
	c := &Controller{
		cached: cached, live: live, desk: desk, ledger: ledger, swarm: swarm, recorder: recorder,
		metering: func() Metering { return Metering{} }, metrics: NewMetrics(nil), now: time.Now,
		turns: newTurns(), memory: newMemory(),
	}
	for _, opt := range opts {
		opt(c)
	}

	return c
}

// Reconcile moves one account a step closer to what its specs and its ledger say. Only the engine persists its status.
func (c *Controller) Reconcile(ctx context.Context, a *billingv1.BillingAccount) (outcome.Result, error) {
	s, err := c.survey(ctx, a)
	if err != nil {
		return outcome.Result{RequeueAfter: lookAround}, err
	}

	switch {
	case !a.DeletionTimestamp.IsZero():
		return c.finalize(ctx, s)
	case s.tenant == nil:
		if err := c.abandon(ctx, s); err != nil {
			return outcome.Result{}, err
		}
	}

	if err := c.keepBooks(ctx, s); err != nil {
		return outcome.Result{RequeueAfter: lookAround}, err
	}
	if err := c.carryOut(ctx, s); err != nil {
		return outcome.Result{}, err
	}

	return c.report(ctx, s)
}

// Forget drops what is remembered of an account that is gone.
func (c *Controller) Forget(key types.NamespacedName) {
	c.turns.forget(key.Namespace)
	c.memory.forget(key.Namespace)
}
