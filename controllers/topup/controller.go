package topup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

// Name of the control loop, in logs and metrics.
const Name = "topup"

// fieldOwner of what this controller writes beside the status of TopUps: the hold of an account.
const fieldOwner = "dogker-topup"

// Desk tells what holds for a tenant. *billing.Desk is one.
type Desk interface {
	// Terms are those of now. With billing.ErrNotBilled and billing.ErrNotInEffect they say what is known all the same.
	Terms(ctx context.Context, tenant string) (billing.Terms, error)
}

// Ledger is what is needed of the ledger. Its errors are those of package book.
type Ledger interface {
	// Do carries an operation out, exactly once for its key.
	Do(ctx context.Context, req book.Request) (book.Result, error)
	// Head is how a tenant stands.
	Head(ctx context.Context, tenant string) (book.Head, error)
	// Order is what became of a payment; book.ErrNotFound before anything did.
	Order(ctx context.Context, tenant, id string) (book.Order, error)
}

// Options of a Controller. Cluster is required.
type Options struct {
	// Cluster is the tag that order IDs of this installation have in common: payment.ClusterTag of its UID.
	Cluster string
	// MerchantID that payments must be made to; not checked when empty.
	MerchantID string
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Recorder of events; none when nil.
	Recorder engine.Recorder
	// Registerer of the metrics; they are not exposed when nil.
	Registerer prometheus.Registerer
}

// Controller takes payments. All that it keeps in memory is which orders somebody has hinted at; losing that costs time.
type Controller struct {
	client  client.Client
	desk    Desk
	ledger  Ledger
	gateway payment.Gateway
	opts    Options
	hints   hints
	judged  *prometheus.CounterVec
}

// New returns the controller. Reads through c may be behind, and it must have the index that Setup makes. Without a gateway,
// nil, no page is opened and nothing is asked.
func New(c client.Client, desk Desk, ledger Ledger, gateway payment.Gateway, o Options) (*Controller, error) {
	if _, err := payment.OrderIDOf(o.Cluster, "probe", time.Unix(0, 0)); err != nil {
		return nil, fmt.Errorf("set up top-ups: %w", err)
	}

	if o.Now == nil {
		o.Now = time.Now
	}

	judged, err := newJudged(o.Registerer)
	if err != nil {
		return nil, err
	}

	return &Controller{client: c, desk: desk, ledger: ledger, gateway: gateway, opts: o, judged: judged}, nil
}

// OrderID is the ID of a TopUp's order.
func (c *Controller) OrderID(t *billingv1.TopUp) (string, error) {
	return payment.OrderIDOf(c.opts.Cluster, string(t.UID), t.CreationTimestamp.Time)
}

// Reconcile moves one payment a step further. Only the ledger moves money; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, t *billingv1.TopUp) (outcome.Result, error) {
	p, err := c.begin(ctx, t)

	var never *outcome.Stall
	if errors.As(err, &never) && !t.DeletionTimestamp.IsZero() {
		return outcome.Result{Finalized: true}, nil // What has no amount has no page.
	}

	if err != nil {
		return outcome.Result{}, err
	}

	if !t.DeletionTimestamp.IsZero() {
		return p.finalize(ctx)
	}

	err = p.progress(ctx)
	p.mirror()

	return p.report(err)
}

// Forget implements engine.Forgetter.
func (c *Controller) Forget(key types.NamespacedName) { c.hints.forget(key) }

// progress opens the page, asks what became of it, or does nothing because it is not time.
func (p *pass) progress(ctx context.Context) error {
	switch {
	case p.gateway == nil && p.credited():
		return nil
	case p.gateway == nil:
		return &outcome.Stall{Reason: billingv1.ReasonNoGateway, Message: "No payment gateway is configured; the platform has to add one"}
	case p.unopened():
		if err := p.open(ctx); err != nil || !p.due() {
			return err
		}

		return p.ask(ctx)
	case p.due():
		return p.ask(ctx)
	default:
		// A crash may have come between a credit and what its coupon adds.
		return p.redeem(ctx)
	}
}
