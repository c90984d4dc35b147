package refund

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

// Name of the control loop, in logs and metrics.
const Name = "refund"

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
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Controller gives payments back. It keeps nothing in memory.
type Controller struct {
	client  client.Client
	desk    Desk
	ledger  Ledger
	gateway payment.Gateway
	opts    Options
}

// New returns the controller. Without a gateway, nil, only refunds by hand are written down.
func New(c client.Client, desk Desk, ledger Ledger, gateway payment.Gateway, o Options) (*Controller, error) {
	if _, err := payment.OrderIDOf(o.Cluster, "probe", time.Unix(0, 0)); err != nil {
		return nil, fmt.Errorf("set up refunds: %w", err)
	}

	if o.Now == nil {
		o.Now = time.Now
	}

	return &Controller{client: c, desk: desk, ledger: ledger, gateway: gateway, opts: o}, nil
}

// Reconcile moves one refund a step further. Only the ledger moves money; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, r *billingv1.Refund) (outcome.Result, error) {
	p := &pass{Controller: c, refund: r, tenant: r.Namespace, key: string(r.UID), now: c.opts.Now()}
	r.Status.Key = p.key

	if r.Status.Phase == "" {
		r.Status.Phase = billingv1.RefundPending
	}

	err := p.look(ctx)

	var nothing *outcome.Stall
	if err != nil && !errors.As(err, &nothing) {
		return outcome.Result{}, err
	}

	switch {
	case p.held():
		return p.resume(ctx)
	case p.known():
		return p.posted()
	case !r.DeletionTimestamp.IsZero():
		return outcome.Result{Finalized: true}, nil // It holds nothing.
	// What is over stays so: the TopUp may be gone since, or be another one of its name.
	case r.Status.Phase == billingv1.RefundPosted:
		return p.posted()
	case r.Status.Phase == billingv1.RefundVoided:
		return p.voided(nil)
	case nothing != nil:
		return outcome.Result{}, err
	default:
		return p.begin(ctx)
	}
}

// pass is what one pass over a Refund knows.
type pass struct {
	*Controller

	refund *billingv1.Refund
	tenant string
	// key by which the ledger and the gateway know the refund.
	key  string
	now  time.Time
	head book.Head
	// order that is given back, as the ledger has it; zero when it cannot be found.
	order book.Order
	// asked is true when an earlier pass may have asked the gateway to pay it back.
	asked bool
	// answered is true once the gateway has said how the payment stands, doubted when a person has to look at that.
	answered, doubted bool
}

// look reads how the tenant and the payment stand. A hold says itself which payment it is of, whether or not the TopUp is
// still there.
func (p *pass) look(ctx context.Context) error {
	var err error
	if p.head, err = p.ledger.Head(ctx, p.tenant); err != nil {
		return err
	}

	hold, held := p.head.Hold(p.key)

	id := hold.Order
	if !held {
		if id, err = p.orderID(ctx); err != nil {
			return err
		}
	}

	p.order, err = p.ledger.Order(ctx, p.tenant, id)
	if !held && errors.Is(err, book.ErrNotFound) {
		return p.notFound("Nothing was credited for TopUp %q; there is nothing to give back", err)
	}

	return err
}

// orderID is the order of the TopUp.
func (p *pass) orderID(ctx context.Context) (string, error) {
	var t billingv1.TopUp

	err := p.client.Get(ctx, client.ObjectKey{Namespace: p.tenant, Name: string(p.refund.Spec.TopUpName)}, &t)

	switch {
	case apierrors.IsNotFound(err):
		return "", p.notFound("spec.topUpName: there is no TopUp %q", err)
	case err != nil:
		return "", fmt.Errorf("read top-up %q: %w", p.refund.Spec.TopUpName, err)
	default:
		return payment.OrderIDOf(p.opts.Cluster, string(t.UID), t.CreationTimestamp.Time)
	}
}

func (p *pass) notFound(format string, err error) error {
	return &outcome.Stall{Reason: billingv1.ReasonTopUpNotFound, Message: fmt.Sprintf(format, p.refund.Spec.TopUpName), Err: err}
}

// held is true while the amount is set aside.
func (p *pass) held() bool {
	_, ok := p.head.Hold(p.key)

	return ok
}

// known is true once the amount was set aside, until it is certain that it does not go back.
func (p *pass) known() bool {
	_, ok := p.order.Refunds[p.key]

	return ok
}

// posted reports a refund that is done.
func (p *pass) posted() (outcome.Result, error) {
	s := &p.refund.Status
	s.Phase = billingv1.RefundPosted

	if amount, known := p.order.Refunds[p.key]; known {
		s.Amount = rupiah(amount)
	}

	if s.PostedAt == nil {
		s.PostedAt = stamp(p.now)
	}

	if !p.refund.DeletionTimestamp.IsZero() {
		return outcome.Result{Finalized: true}, nil
	}

	conditions.Delete(p.refund, billingv1.ConditionNeedsReview)
	conditions.MarkReady(p.refund, string(billingv1.RefundPosted), "It went back to the payer")

	return outcome.Result{}, nil
}

// voided reports a refund that did not come to be.
func (p *pass) voided(err error) (outcome.Result, error) {
	p.refund.Status.Phase = billingv1.RefundVoided

	if !p.refund.DeletionTimestamp.IsZero() {
		return outcome.Result{Finalized: true}, nil
	}

	conditions.Delete(p.refund, billingv1.ConditionNeedsReview)

	return outcome.Result{}, &outcome.Stall{
		Reason: string(billingv1.RefundVoided), Err: err,
		Message: "It did not go back, and the account has the amount again; make another Refund, with spec.method Manual if the gateway refuses",
	}
}
