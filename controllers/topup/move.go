package topup

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/payment"
)

// Reasons of events about money that moved.
const (
	eventReversed    = "Reversed"
	eventRefunded    = "RefundedAtGateway"
	eventChargedBack = "ChargedBack"
)

// credit gives the tenant what was paid. Whether what was suspended runs again is decided in the same transaction.
func (p *pass) credit(ctx context.Context, s payment.Status, j payment.Judgement) error {
	_, err := p.book(ctx, book.TopUp{Order: p.id, Transaction: s.TransactionID, Amount: j.Amount.Micro(), Actor: p.actor()})
	if errors.Is(err, book.ErrConflict) {
		// Another payment of the order was credited meanwhile. What this one is follows from that, in the next pass.
		return fmt.Errorf("credit order %q: it was credited for another payment: %w", p.id, err)
	}

	if err != nil {
		return err
	}

	if j.Fee > 0 {
		p.topUp.Status.Fee = j.Fee.String()
	}

	return nil
}

// reverse takes a credit back that the bank has denied after all.
func (p *pass) reverse(ctx context.Context, s payment.Status, j payment.Judgement) error {
	lot, err := p.lot(ctx)
	if err != nil {
		return err
	}

	_, err = p.book(ctx, book.Reversal{
		Order: p.id, Transaction: s.TransactionID, Amount: j.Amount.Micro(), TakeBack: lot,
		Reason: "the gateway took the payment back: " + word(string(s.Transaction)),
	})
	if err == nil {
		p.event(corev1.EventTypeWarning, eventReversed, fmt.Sprintf("The gateway took the payment back; %s was debited", j.Amount))
	}

	return err
}

// debitRefunds takes back what was given back past us.
func (p *pass) debitRefunds(ctx context.Context, j payment.Judgement) error {
	for _, d := range j.Refunds {
		lot, err := p.lot(ctx)
		if err != nil {
			return err
		}

		_, err = p.book(ctx, book.GatewayRefund{
			Order: p.id, Refund: d.Key, Amount: d.Amount.Micro(), TakeBack: lot, Reason: "given back at the gateway, without a Refund",
		})
		if err != nil {
			return err
		}

		p.event(corev1.EventTypeWarning, eventRefunded, fmt.Sprintf("%s was given back at the gateway without a Refund; it was debited", d.Amount))
	}

	return nil
}

// chargeBack takes back what the payer's bank has taken, and holds the account: only the platform lets go of it.
func (p *pass) chargeBack(ctx context.Context, s payment.Status, j payment.Judgement) error {
	if err := p.hold(ctx); err != nil {
		return err
	}

	lot, err := p.lot(ctx)
	if err != nil {
		return err
	}

	amount := j.Amount.Micro()

	_, err = p.book(ctx, book.Chargeback{
		Order: p.id, Cumulative: p.order.ChargedBack + amount, Amount: amount, TakeBack: lot,
		Reason: "the payer's bank took it back: " + word(string(s.Transaction)),
	})
	if err == nil {
		p.event(corev1.EventTypeWarning, eventChargedBack, fmt.Sprintf("The payer's bank took %s back; it was debited, and the account is held", j.Amount))
	}

	return err
}

// suspend keeps a second payment of an order for nobody, until a person has decided.
func (p *pass) suspend(ctx context.Context, s payment.Status, j payment.Judgement) error {
	p.found = p.doubt(billingv1.ReasonPaidTwice, "the order was paid a second time; the money is kept for nobody until the platform decides", s)

	_, err := p.book(ctx, book.Suspense{Order: p.id, Transaction: s.TransactionID, Amount: j.Amount.Micro(), Reason: j.Reason})

	return err
}

// hold sets spec.hold of the account before the ledger hears of a chargeback, so that nothing runs on money that may never
// have come. A hold that is there already stays as it is.
func (p *pass) hold(ctx context.Context) error {
	var account billingv1.BillingAccount

	err := p.client.Get(ctx, client.ObjectKey{Namespace: p.tenant, Name: billingv1.AccountName}, &account)

	switch {
	case apierrors.IsNotFound(err):
		// A tenant that is not billed any more has none. The ledger's own decision holds it.
		return nil
	case err != nil:
		return fmt.Errorf("read billing account of %q: %w", p.tenant, err)
	case account.Spec.Hold != nil:
		return nil
	}

	before := account.DeepCopy()
	account.Spec.Hold = &billingv1.AccountHold{
		Reason: holdReason, Message: fmt.Sprintf("The payer's bank took back the payment of TopUp %s; the platform has to let go of the account.", p.topUp.Name),
	}

	// Of a version that nobody has changed since: the hold of a person says more than this one.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := p.client.Patch(ctx, &account, patch, client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("hold billing account of %q: %w", p.tenant, err)
	}

	return nil
}

// holdReason of an account one of whose payments was charged back.
const holdReason = "Chargeback"

// lot that came with the payment, as far as it was not used; empty when there is none.
func (p *pass) lot(ctx context.Context) (string, error) {
	head, err := p.ledger.Head(ctx, p.tenant)
	if err != nil {
		return "", err
	}

	for _, l := range head.Lots {
		if l.Order == p.id {
			return l.ID, nil
		}
	}

	return "", nil
}

// actor of entries: who asked for the payment, as far as a controller knows.
func (p *pass) actor() string { return "topup/" + p.topUp.Name }

func (p *pass) event(eventType, reason, message string) {
	if p.opts.Recorder != nil {
		p.opts.Recorder.Event(p.topUp, eventType, reason, message)
	}
}
