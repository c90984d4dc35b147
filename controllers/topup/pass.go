package topup

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

// pass is what one pass over a TopUp knows.
type pass struct {
	*Controller

	topUp  *billingv1.TopUp
	tenant string
	// id of the order, amount of it, and until when it can be paid: functions of what never changes.
	id      string
	amount  payment.IDR
	expires time.Time
	now     time.Time
	// order is what the ledger has of it; zero before it is credited. It is read again after each movement.
	order book.Order
	// hinted is true when somebody has said that there is something new to ask for.
	hinted bool
	// answered is true once the gateway was asked and has answered.
	answered bool
	// found is what a person has to look at, as far as the gateway was asked in this pass.
	found finding
	// news is what is to be said about the last attempt to pay, if there is something.
	news string
}

// begin reads what the pass starts from.
func (c *Controller) begin(ctx context.Context, t *billingv1.TopUp) (*pass, error) {
	id, err := c.OrderID(t)
	if err != nil {
		return nil, err
	}

	whole, err := money.ParseWhole(string(t.Spec.Amount))
	if err != nil {
		return nil, &outcome.Stall{Reason: billingv1.ReasonInvalidAmount, Message: fmt.Sprintf("spec.amount: %v", err)}
	}

	amount, err := payment.Whole(whole)
	if err != nil {
		return nil, &outcome.Stall{Reason: billingv1.ReasonInvalidAmount, Message: fmt.Sprintf("spec.amount: %v", err)}
	}

	p := &pass{
		Controller: c, topUp: t, tenant: t.Namespace, id: id, amount: amount, now: c.opts.Now(),
		expires: t.CreationTimestamp.Add(lifetime(t)), hinted: c.hints.open(client.ObjectKeyFromObject(t), t.Status.CheckedAt),
	}

	t.Status.OrderID = id
	if t.Status.Phase == "" {
		t.Status.Phase = billingv1.TopUpPending
	}

	return p, p.look(ctx)
}

// defaultLifetime is for TopUps that were stored without one.
const defaultLifetime = 24 * time.Hour

func lifetime(t *billingv1.TopUp) time.Duration {
	if t.Spec.ExpirationSeconds == 0 {
		return defaultLifetime
	}

	return time.Duration(t.Spec.ExpirationSeconds) * time.Second
}

// look reads what the ledger has of the order.
func (p *pass) look(ctx context.Context) error {
	order, err := p.ledger.Order(ctx, p.tenant, p.id)
	if err != nil && !errors.Is(err, book.ErrNotFound) {
		return err
	}

	p.order = order

	return nil
}

// book carries an operation out, with what follows from it, and reads what became of the order.
func (p *pass) book(ctx context.Context, op book.Op) (book.Result, error) {
	terms, err := p.desk.Terms(ctx, p.tenant)

	decide, err := billing.Movement(terms, err, p.opts.Now)
	if err != nil {
		return book.Result{}, err
	}

	result, err := p.ledger.Do(ctx, book.Request{Tenant: p.tenant, Op: op, Decide: decide})
	if err != nil {
		return book.Result{}, err
	}

	return result, p.look(ctx)
}

func (p *pass) credited() bool { return p.order.Credited > 0 }

// known is the order as payment.Judge wants to know it.
func (p *pass) known() payment.Order {
	refunds := make(map[string]payment.IDR, len(p.order.Refunds))
	for key, amount := range p.order.Refunds {
		refunds[key] = whole(amount)
	}

	return payment.Order{
		ID: p.id, Amount: p.amount, MerchantID: p.opts.MerchantID, Credited: p.order.Transaction,
		Reversed: p.order.Reversed > 0, Refunds: refunds, ChargedBack: whole(p.order.ChargedBack),
	}
}

// whole is an amount of an order in the gateway's unit. Orders move whole rupiah only.
func whole(m money.Micro) payment.IDR { return payment.IDR(m / money.Rupiah) }

// schedule is what the times at which to ask depend on.
func (p *pass) schedule() payment.Progress {
	s := payment.Progress{Opened: p.opened(), Expires: p.expires}
	if p.credited() {
		s.Credited = time.Unix(p.order.At, 0)
	}

	return s
}

// opened is when the page was made, as far as that is known.
func (p *pass) opened() time.Time {
	if at := p.topUp.Status.OpenedAt; at != nil {
		return at.Time
	}

	return p.topUp.CreationTimestamp.Time
}

// next is when to ask next, false for never.
func (p *pass) next() (time.Time, bool) {
	var last time.Time
	for _, at := range []*metav1.Time{p.topUp.Status.OpenedAt, p.topUp.Status.CheckedAt} {
		// A time that is yet to come was written by a clock that was ahead, and says nothing about questions.
		if at != nil && at.After(last) && !at.After(p.now) {
			last = at.Time
		}
	}

	return payment.NextPoll(p.schedule(), last)
}

// due is true when it is time to ask.
func (p *pass) due() bool {
	next, ok := p.next()

	return p.hinted || ok && !next.After(p.now)
}

// stamp is a time as the API keeps it.
func stamp(t time.Time) *metav1.Time {
	at := metav1.NewTime(t).Rfc3339Copy()

	return &at
}
