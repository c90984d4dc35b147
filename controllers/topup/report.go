package topup

import (
	"cmp"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// mirror writes into status what the ledger has of the order.
func (p *pass) mirror() {
	s := &p.topUp.Status
	s.ExpiresAt = stamp(p.expires)

	if p.credited() {
		o := p.order
		s.Phase = phaseOf(o)
		s.TransactionID, s.CreditedAt, s.CreditedSequence = o.Transaction, stamp(time.Unix(o.At, 0)), o.Seq
		s.ChargedBack, s.Refunded = "", ""

		if o.ChargedBack > 0 {
			s.ChargedBack = whole(o.ChargedBack).String()
		}

		if refunded := o.Returned - o.ChargedBack - o.Reversed; refunded > 0 {
			s.Refunded = whole(refunded).String()
		}
	}

	next, ok := p.next()

	switch {
	case ok && !p.silent():
		s.NextCheckAt = stamp(next)
	default:
		s.NextCheckAt = nil
	}

	// Nobody asks any more, so nothing else will be known.
	if !ok && (s.Phase == billingv1.TopUpAwaitingPayment || s.Phase == billingv1.TopUpPending) {
		s.Phase = billingv1.TopUpExpired
	}

	p.forgiveFinding()
}

// silent is true where there is no gateway to ask.
func (p *pass) silent() bool { return p.gateway == nil }

// phaseOf is what became of a credited payment.
func phaseOf(o book.Order) billingv1.TopUpPhase {
	switch {
	case o.ChargedBack > 0:
		return billingv1.TopUpChargedBack
	case o.Reversed > 0:
		return billingv1.TopUpReversed
	case o.Returned >= o.Credited:
		return billingv1.TopUpRefunded
	case o.Returned > 0:
		return billingv1.TopUpPartiallyRefunded
	default:
		return billingv1.TopUpCredited
	}
}

// messages say for people what a phase means.
var messages = map[billingv1.TopUpPhase]string{
	billingv1.TopUpPending:           "The page to pay on is not open yet",
	billingv1.TopUpAwaitingPayment:   "It can be paid on the page in status.redirectURL",
	billingv1.TopUpChallenged:        "It was paid, and the gateway doubts by whom; the platform decides there",
	billingv1.TopUpCredited:          "It was paid, and the account has the money",
	billingv1.TopUpPartiallyRefunded: "It was paid, and a part of it went back",
	billingv1.TopUpRefunded:          "It was paid, and all of it went back",
	billingv1.TopUpReversed:          "It was paid, and the gateway took the payment back",
	billingv1.TopUpChargedBack:       "It was paid, and the payer's bank took it back",
	billingv1.TopUpFailed:            "The payment was cancelled; make another TopUp. If it arrives all the same, it is credited",
	billingv1.TopUpExpired:           "Nobody paid in time; make another TopUp. A payment that arrives all the same is credited",
}

// report says how the pass ended, and when the next one is.
func (p *pass) report(err error) (outcome.Result, error) {
	result := outcome.Result{RequeueAfter: p.after()}
	phase := p.topUp.Status.Phase
	message := messages[phase]

	if err != nil {
		return p.reportError(result, err)
	}

	switch phase {
	case billingv1.TopUpCredited, billingv1.TopUpPartiallyRefunded, billingv1.TopUpRefunded:
		conditions.MarkReady(p.topUp, string(phase), message)

		return result, nil
	case billingv1.TopUpReversed, billingv1.TopUpChargedBack, billingv1.TopUpFailed, billingv1.TopUpExpired:
		return result, &outcome.Stall{Reason: string(phase), Message: message}
	case billingv1.TopUpAwaitingPayment:
		message = p.awaited(message)
	}

	return result, &outcome.Wait{Reason: string(phase), Message: message, After: cmp.Or(result.RequeueAfter, seldom)}
}

// seldom is when a payment is looked at that waits for a person at the gateway, and of which no news are expected.
const seldom = 6 * time.Hour

// awaited is what is said while it can be paid: the news of the last attempt stay until there are others.
func (p *pass) awaited(message string) string {
	ready := conditions.Get(p.topUp, conditions.Ready)

	switch {
	case p.news != "":
		return p.news
	case !p.answered && ready != nil && ready.Reason == string(billingv1.TopUpAwaitingPayment):
		return ready.Message
	case p.topUp.Status.RedirectURL == "":
		return "A payment was begun, and is awaited"
	default:
		return message
	}
}

// reportError ends a pass in which something could not be done. What is credited stays ready meanwhile: that the gateway
// cannot be asked changes nothing about it.
func (p *pass) reportError(result outcome.Result, err error) (outcome.Result, error) {
	var (
		wait  *outcome.Wait
		stall *outcome.Stall
	)

	switch {
	case errors.As(err, &wait) && p.credited():
		asked := result.RequeueAfter
		result, err = p.report(nil)
		result.RequeueAfter = max(wait.After, lookAround)

		if asked > 0 {
			result.RequeueAfter = min(result.RequeueAfter, max(asked, lookAround))
		}

		return result, err
	case errors.As(err, &stall) && stall.Ready == "":
		// What is refused now may not be later: another plan, another gateway.
		return outcome.Result{RequeueAfter: lookAround}, &outcome.Stall{Reason: stall.Reason, Message: stall.Message, Err: stall.Err, Ready: metav1.ConditionFalse}
	default:
		return result, err
	}
}

// after is how long it is until the gateway is to be asked next; 0 for never.
func (p *pass) after() time.Duration {
	next, ok := p.next()
	if !ok || p.silent() {
		return 0
	}

	return max(next.Sub(p.now), time.Second)
}
