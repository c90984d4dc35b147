package refund

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

const (
	// doubtful is for how long after the first call a refusal of a later one is not believed.
	doubtful = 10 * time.Minute
	// listing is when the gateway is asked again whether it lists a refund that it has accepted; later it is asked less often,
	// and when three days are over, of which some banks take two, a person is.
	listing   = time.Minute
	listingBy = 72 * time.Hour
	// soon is when a payment is looked at that has just changed.
	soon = 5 * time.Second
)

// resume goes on with an amount that an earlier pass has set aside. Where status does not say that it has, that pass was cut
// off before it could, and may have asked the gateway before.
func (p *pass) resume(ctx context.Context) (outcome.Result, error) {
	s := &p.refund.Status
	cutOff := s.Phase != billingv1.RefundHeld && s.Phase != billingv1.RefundSent

	if cutOff && p.refund.Spec.Method != billingv1.RefundByHand {
		s.Phase, s.SentAt = billingv1.RefundSent, stamp(p.now)
	}

	p.asked = s.SentAt != nil

	result, err := p.resolve(ctx)
	if p.answered && !p.doubted {
		conditions.Delete(p.refund, billingv1.ConditionNeedsReview)
	}

	return result, err
}

// resolve finds out what became of a held amount, and asks for it to be paid back if nothing has.
func (p *pass) resolve(ctx context.Context) (outcome.Result, error) {
	hold, _ := p.head.Hold(p.key)
	s := &p.refund.Status
	s.Amount = rupiah(hold.Amount)

	if s.Phase != billingv1.RefundSent {
		s.Phase = billingv1.RefundHeld
	}

	switch word := p.refund.Annotations[billingv1.AnnotationResolve]; {
	case word == billingv1.ResolvePosted:
		return p.post(ctx, "", "the platform says that the payer has it")
	case word == billingv1.ResolveVoided:
		return p.void(ctx, "the platform says that the payer does not have it", nil)
	case p.refund.Spec.Method == billingv1.RefundByHand:
		return p.post(ctx, "", p.refund.Spec.Evidence)
	case p.gateway == nil:
		return outcome.Result{}, &outcome.Wait{Reason: billingv1.ReasonNoGateway, Message: "No payment gateway is configured; the amount stays set aside", After: lookAround}
	}

	status, err := p.ask(ctx)
	if errors.Is(err, payment.ErrNotFound) {
		return p.review("The gateway does not know the payment that is to be given back")
	}

	if err != nil {
		return outcome.Result{}, payment.Ending(err)
	}

	if done, result, err := p.settle(ctx, status, hold.Amount); done {
		return result, err
	}

	if at := s.AcceptedAt; at != nil {
		return p.unlisted(p.now.Sub(at.Time))
	}

	return p.send(ctx, status, hold.Amount)
}

// settle resolves the hold if what the gateway says is enough for it.
func (p *pass) settle(ctx context.Context, s payment.Status, held money.Micro) (done bool, result outcome.Result, err error) {
	if entry, listed := s.Refund(p.key); listed {
		amount, err := payment.ParseGross(entry.Amount)
		if err != nil || amount.Micro() != held {
			result, err = p.review(fmt.Sprintf("The gateway lists %q as given back, %s is set aside", entry.Amount, rupiah(held)))
			return true, result, err
		}

		result, err = p.post(ctx, s.TransactionID, "")
		return true, result, err
	}

	switch s.Transaction {
	case payment.StatusRefund, payment.StatusCancel, payment.StatusDeny, payment.StatusChargeback:
		// All of the payment is back with the payer, by whatever way, and so is what is set aside of it; unless the whole
		// was taken from the balance already.
		if p.order.Returned+held > p.order.Credited {
			result, err = p.void(ctx, "all of the payment went back another way", nil)
		} else {
			result, err = p.post(ctx, s.TransactionID, "the gateway says of the whole payment: "+string(s.Transaction))
		}

		return true, result, err
	default:
		return false, outcome.Result{}, nil
	}
}

// send asks the gateway to pay it back. It may have been asked before: the key makes it the same refund.
func (p *pass) send(ctx context.Context, s payment.Status, held money.Micro) (outcome.Result, error) {
	route := payment.RefundRoute(s)

	if route == payment.RouteNone || route == payment.RouteManual {
		if !p.asked {
			return p.void(ctx, "the payment has no way back at the gateway", nil)
		}

		return p.review(fmt.Sprintf("The gateway was asked to give it back, does not list it, and says that the payment is %q", s.Transaction))
	}

	status := &p.refund.Status
	status.Phase = billingv1.RefundSent

	if status.SentAt == nil {
		status.SentAt = stamp(p.now)
	}

	amount, err := payment.Whole(held)
	if err != nil {
		return outcome.Result{}, err
	}

	err = p.call(ctx, route, amount)

	switch {
	case err == nil:
		status.Attempts++

		if status.AcceptedAt == nil {
			status.AcceptedAt = stamp(p.now)
		}

		return p.confirm(ctx, held)
	case errors.Is(err, payment.ErrNotModifiable) && route == payment.RouteCancel:
		// It has settled meanwhile, and goes back the other way.
		status.Attempts++
		return outcome.Result{}, &outcome.Wait{Reason: string(billingv1.RefundSent), Message: "The payment has settled meanwhile; it is given back another way", After: listing}
	case errors.Is(err, payment.ErrRefused), errors.Is(err, payment.ErrNotModifiable), errors.Is(err, payment.ErrInvalidRequest):
		status.Attempts++
		return p.refused(ctx, held, err)
	case errors.Is(err, payment.ErrNotFound):
		return p.review("The gateway does not know the payment that is to be given back")
	default:
		return outcome.Result{}, payment.Ending(err)
	}
}

func (p *pass) call(ctx context.Context, route payment.Route, amount payment.IDR) error {
	ref := payment.Reference{OrderID: p.order.ID, TransactionID: p.order.Transaction}
	attempt := int(p.refund.Status.Attempts)

	if route == payment.RouteCancel {
		return p.gateway.Cancel(ctx, payment.ChangeRequest{Reference: ref, Attempt: attempt})
	}

	_, err := p.gateway.Refund(ctx, payment.RefundRequest{
		Reference: ref, Key: p.key, Amount: amount, Reason: printable(p.refund.Spec.Reason, gatewayText), Route: route, Attempt: attempt,
	})

	return err
}

// confirm asks whether what was accepted is listed.
func (p *pass) confirm(ctx context.Context, held money.Micro) (outcome.Result, error) {
	s, err := p.ask(ctx)
	if err != nil {
		return outcome.Result{}, payment.Ending(err)
	}

	if done, result, err := p.settle(ctx, s, held); done {
		return result, err
	}

	return p.unlisted(0)
}

// unlisted waits for the gateway to list what it accepted that long ago. It is not sent again: what is accepted can only be
// refused the second time.
func (p *pass) unlisted(age time.Duration) (outcome.Result, error) {
	if age > listingBy {
		return p.review("The gateway has accepted it, and does not list it")
	}

	return outcome.Result{}, &outcome.Wait{
		Reason: string(billingv1.RefundSent), Message: "The gateway has accepted it and does not list it yet", After: min(max(listing, age), time.Hour),
	}
}

// refused gives the amount back to the account, if it is certain that the payer does not get it. A refusal of the first call
// is. That of a later one may be about a call before it, of which nobody knows what it did.
func (p *pass) refused(ctx context.Context, held money.Micro, refusal error) (outcome.Result, error) {
	s, err := p.ask(ctx)
	if err != nil {
		return outcome.Result{}, payment.Ending(err)
	}

	if done, result, err := p.settle(ctx, s, held); done {
		return result, err
	}

	if until := p.refund.Status.SentAt.Add(doubtful); p.asked && p.now.Before(until) {
		return outcome.Result{}, &outcome.Wait{
			Reason: payment.ReasonGatewayUnavailable, Err: refusal, Ready: metav1.ConditionUnknown, After: max(until.Sub(p.now), soon),
			Message: "The gateway refuses it, and may have been asked before; the amount stays set aside until that is certain",
		}
	}

	return p.void(ctx, "the gateway refuses it", refusal)
}

// review leaves the hold alone and asks for a person.
func (p *pass) review(message string) (outcome.Result, error) {
	p.doubted = true
	message += "; the amount stays set aside. When it is clear what became of it, set the annotation " + billingv1.AnnotationResolve
	conditions.Set(p.refund, billingv1.ConditionNeedsReview, metav1.ConditionTrue, billingv1.ReasonUnexpectedStatus, message)

	return outcome.Result{}, &outcome.Wait{Reason: billingv1.ReasonUnexpectedStatus, Message: message, Err: errors.New(message), After: time.Hour}
}

// post says that the payer has it.
func (p *pass) post(ctx context.Context, transaction, reason string) (outcome.Result, error) {
	result, err := p.book(ctx, book.RefundPost{
		Refund: p.key, Transaction: transaction, TakeBack: p.lot(), Actor: p.actor(), Reason: printable(reason, ledgerText),
	})
	if err != nil {
		return outcome.Result{}, err
	}

	p.refund.Status.PostedAt, p.refund.Status.LedgerSequence = stamp(p.now), last(result)

	return p.posted()
}

// void gives it back to the account.
func (p *pass) void(ctx context.Context, reason string, cause error) (outcome.Result, error) {
	result, err := p.book(ctx, book.RefundVoid{Refund: p.key, Actor: p.actor(), Reason: reason})
	if err != nil {
		return outcome.Result{}, err
	}

	p.refund.Status.LedgerSequence = last(result)

	return p.voided(cause)
}
