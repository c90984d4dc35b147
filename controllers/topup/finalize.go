package topup

import (
	"context"
	"errors"
	"time"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

const (
	// shortest is the least time that a page can be open for.
	shortest = 5 * time.Minute
	// margin is for clocks that differ.
	margin = time.Minute
	// settling is for how long a paid TopUp is held after its credit at least: banks take back within minutes what they do.
	settling = 10 * time.Minute
	// soon is when a payment is looked at that was just ended.
	soon = 5 * time.Second
)

// finalize lets a deleted TopUp go once its payment cannot be made any more, so that nobody pays for what nobody knows. What
// is paid meanwhile is credited. A page cannot be closed; but it dies when another one is opened for its order, so that is
// done, for the shortest time there is, and the address of the other is told to nobody.
func (p *pass) finalize(ctx context.Context) (outcome.Result, error) {
	if p.gateway == nil {
		return p.finalizeBlind()
	}

	if p.credited() {
		return p.finalizePaid(ctx)
	}

	// Nobody can pay on a page whose address nobody was told.
	unknown := p.topUp.Status.OpenedAt == nil && p.topUp.Status.Phase == billingv1.TopUpPending

	if err := p.ask(ctx); err != nil {
		p.mirror()

		return outcome.Result{}, err
	}

	if p.credited() {
		return p.finalizePaid(ctx)
	}

	p.mirror()

	switch {
	case p.doubted():
		return p.holdDoubted()
	case p.topUp.Status.Phase == billingv1.TopUpChallenged, p.topUp.Status.Phase == billingv1.TopUpAwaitingPayment && p.begun():
		return p.end(ctx)
	case p.over(), unknown && !p.chosen():
		return outcome.Result{Finalized: true}, nil
	case p.closed():
		return p.holdOn(billingv1.ReasonClosing, "It is being deleted; its page dies within minutes", shortest+margin)
	default:
		return p.closePage(ctx)
	}
}

// holdOn ends a pass of a TopUp that is deleted and cannot go yet.
func (p *pass) holdOn(reason, message string, after time.Duration) (outcome.Result, error) {
	return outcome.Result{}, &outcome.Wait{Reason: reason, Message: message, After: after}
}

// doubted is true while a person has to look at what the gateway says, whenever it said so.
func (p *pass) doubted() bool { return conditions.IsTrue(p.topUp, billingv1.ConditionNeedsReview) }

// holdDoubted keeps what a person has to look at: nothing else would tell of it. The platform lets go of it by its word that
// it has looked.
func (p *pass) holdDoubted() (outcome.Result, error) {
	return p.holdOn(billingv1.ReasonUnexpectedStatus, "It is being deleted, and the gateway says of its payment what nobody expects; the platform has to look", lookAround)
}

// finalizeBlind lets go without asking: of what was paid, because the ledger has it, and of what can be paid no longer.
func (p *pass) finalizeBlind() (outcome.Result, error) {
	if p.credited() || p.topUp.Status.OpenedAt == nil || p.over() {
		return outcome.Result{Finalized: true}, nil
	}

	return p.holdOn(billingv1.ReasonNoGateway, "It is being deleted; without a gateway its page cannot be closed, so it waits until that has expired", lookAround)
}

// finalizePaid holds a paid TopUp until the money is certain to stay. What is taken back later finds no TopUp; the webhook
// says so to the operator.
func (p *pass) finalizePaid(ctx context.Context) (outcome.Result, error) {
	if p.due() {
		if err := p.ask(ctx); err != nil {
			p.mirror()

			return outcome.Result{}, err
		}
	}

	p.mirror()

	age := p.now.Sub(time.Unix(p.order.At, 0))
	_, watched := p.next()

	switch status := payment.TransactionStatus(p.topUp.Status.GatewayStatus); {
	case p.doubted():
		return p.holdDoubted()
	case !watched, p.order.Returned >= p.order.Credited:
		return outcome.Result{Finalized: true}, nil
	case age >= settling && status != payment.StatusCapture:
		return outcome.Result{Finalized: true}, nil
	default:
		return p.holdOn(billingv1.ReasonSettling, "It is being deleted, and it is paid; it goes when the payment is settled", max(p.after(), margin))
	}
}

// chosen is true when the gateway knows of a payment, however that stands.
func (p *pass) chosen() bool { return p.topUp.Status.GatewayStatus != "" }

// begun is true when a payment was begun, so that there is something to end.
func (p *pass) begun() bool {
	return payment.TransactionStatus(p.topUp.Status.GatewayStatus) == payment.StatusPending
}

// end ends a payment that was begun: one that waits for the payer expires, one that the gateway doubts is voided.
func (p *pass) end(ctx context.Context) (outcome.Result, error) {
	r := payment.ChangeRequest{Reference: payment.Reference{OrderID: p.id}, Attempt: int(p.topUp.Status.Attempts)}

	change := p.gateway.Expire
	if p.topUp.Status.Phase == billingv1.TopUpChallenged {
		change = p.gateway.Cancel
	}

	err := change(ctx, r)

	switch {
	case err == nil, errors.Is(err, payment.ErrNotModifiable), errors.Is(err, payment.ErrNotFound):
		// How it stands now, the next pass asks.
		p.topUp.Status.Attempts++

		return p.holdOn(billingv1.ReasonClosing, "It is being deleted; its payment is being cancelled", soon)
	default:
		return outcome.Result{}, payment.Ending(err)
	}
}

// over is true when nothing that was begun in time can be paid any more, and no page is open.
func (p *pass) over() bool {
	end := p.expires
	if at := p.opened().Add(lifetime(p.topUp)); at.After(end) {
		end = at
	}

	if p.closed() {
		end = p.topUp.Status.OpenedAt.Add(shortest)
	}

	return p.now.After(end.Add(margin))
}

// closed is true when the page was replaced by one that nobody knows.
func (p *pass) closed() bool {
	s := &p.topUp.Status

	return s.RedirectURL == "" && s.OpenedAt != nil && !s.OpenedAt.Time.Before(p.topUp.DeletionTimestamp.Time)
}

// closePage replaces the page.
func (p *pass) closePage(ctx context.Context) (outcome.Result, error) {
	s := &p.topUp.Status

	_, err := p.gateway.CreateCheckout(ctx, payment.CheckoutRequest{
		OrderID: p.id, Amount: p.amount, Description: "Cancelled top-up", Lifetime: shortest, Opened: p.now, Attempt: int(s.Attempts),
	})

	switch {
	case err == nil:
		s.Attempts++
		s.RedirectURL, s.OpenedAt = "", stamp(p.now)

		return p.holdOn(billingv1.ReasonClosing, "It is being deleted; its page dies within minutes", shortest+2*margin)
	case errors.Is(err, payment.ErrDuplicateOrder):
		// A payment failed on it in a way after which there can be no other page. This one closes by itself.
		return p.holdOn(billingv1.ReasonClosing, "It is being deleted; it goes when its page has expired", lookAround)
	default:
		return outcome.Result{}, payment.Ending(err)
	}
}
