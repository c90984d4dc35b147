package refund

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

// lookAround is when something is looked at again that a change elsewhere may have helped.
const lookAround = 10 * time.Minute

// begin sets the amount aside, if there is a way back for it.
func (p *pass) begin(ctx context.Context) (outcome.Result, error) {
	amount, err := p.amount()
	if err != nil {
		return outcome.Result{RequeueAfter: lookAround}, err
	}

	if err := p.hasWay(ctx, amount); err != nil {
		return outcome.Result{RequeueAfter: lookAround}, err
	}

	result, err := p.book(ctx, book.RefundHold{
		Refund: p.key, Order: p.order.ID, Amount: amount, Actor: p.actor(), Reason: printable(p.refund.Spec.Reason, ledgerText),
	})

	switch {
	case errors.Is(err, book.ErrInsufficient):
		// How much can go back is not said: it is less with every minute of use, and each would be news.
		return outcome.Result{RequeueAfter: lookAround}, &outcome.Stall{
			Reason: billingv1.ReasonInsufficient, Err: err,
			Message: "spec.amount: less than that can go back: the rest of the payment went back before, is on its way, or was used; without spec.amount all goes back that can",
		}
	case errors.Is(err, book.ErrConflict), err == nil && !p.held():
		return p.begun(ctx, err)
	case errors.Is(err, book.ErrTooMany):
		return outcome.Result{}, &outcome.Wait{Reason: billingv1.ReasonInsufficient, Message: "Too many refunds of the tenant are on their way; this one waits", Err: err, After: lookAround}
	case err != nil:
		return outcome.Result{}, err
	}

	p.refund.Status.LedgerSequence = last(result)

	return p.resolve(ctx)
}

// begun finds out what became of an amount that was set aside before: in a pass of which nothing is known any more, or by a
// leader before this one, whose call may have been on its way while this pass looked.
func (p *pass) begun(ctx context.Context, cause error) (outcome.Result, error) {
	if err := p.look(ctx); err != nil {
		return outcome.Result{}, err
	}

	switch {
	case p.held():
		return p.resume(ctx)
	case p.known():
		return p.posted()
	default:
		return p.voided(cause)
	}
}

// amount to give back: what the Refund says, or all that can be.
func (p *pass) amount() (money.Micro, error) {
	if text := string(p.refund.Spec.Amount); text != "" {
		amount, err := money.ParseWhole(text)
		if err != nil {
			return 0, &outcome.Stall{Reason: billingv1.ReasonInvalidAmount, Message: fmt.Sprintf("spec.amount: %v", err)}
		}

		return amount, nil
	}

	most := p.most()
	if most < money.Rupiah {
		return 0, &outcome.Stall{
			Reason:  billingv1.ReasonInsufficient,
			Message: "Nothing of the payment can go back: it went back before, is on its way, or was used",
		}
	}

	return most, nil
}

// most is all that can go back: of the payment what has not, and of that what is paid and not used.
func (p *pass) most() money.Micro {
	own := p.head.Refundable(book.WindowEnd(p.head.ChargedThrough))

	return max(0, min(p.order.Free(), own)/money.Rupiah*money.Rupiah)
}

// hasWay says why nothing is set aside: there is no way back for it, or not yet.
func (p *pass) hasWay(ctx context.Context, amount money.Micro) error {
	if p.refund.Spec.Method == billingv1.RefundByHand {
		return nil
	}

	if p.gateway == nil {
		return &outcome.Stall{Reason: billingv1.ReasonNoGateway, Message: "No payment gateway is configured; pay it back by other means and make a Refund with spec.method Manual"}
	}

	s, err := p.ask(ctx)
	if err != nil {
		return payment.Ending(err)
	}

	switch payment.RefundRoute(s) {
	case payment.RouteManual:
		return &outcome.Stall{
			Reason:  billingv1.ReasonManualOnly,
			Message: fmt.Sprintf("What was paid by %q cannot be paid back through the gateway; pay it back by other means and make a Refund with spec.method Manual and spec.evidence", s.Type),
		}
	case payment.RouteCancel:
		if amount == p.order.Credited {
			return nil
		}

		return &outcome.Wait{
			Reason:  billingv1.ReasonSettling,
			Message: "The payment is not settled: until it is, all of it can be given back, and not a part of it",
			After:   time.Hour,
		}
	case payment.RouteNone:
		return &outcome.Stall{
			Reason:  billingv1.ReasonUnexpectedStatus,
			Message: fmt.Sprintf("The gateway says that the payment is %q; there is nothing to give back", s.Transaction),
		}
	default:
		return nil
	}
}

// ask asks how the payment stands that was credited.
func (p *pass) ask(ctx context.Context) (payment.Status, error) {
	s, err := p.gateway.Status(ctx, payment.Reference{OrderID: p.order.ID, TransactionID: p.order.Transaction})
	p.answered = p.answered || err == nil

	return s, err
}

// rupiah is an amount for people. What goes back goes back in whole rupiah.
func rupiah(m money.Micro) string { return payment.IDR(m / money.Rupiah).String() }

// stamp is a time as the API keeps it.
func stamp(t time.Time) *metav1.Time {
	at := metav1.NewTime(t).Rfc3339Copy()

	return &at
}
