package topup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/payment"
)

// ask asks the gateway what became of the order and does what follows. Of a credited order the payment that was credited is
// what counts; but the payer may have begun another one since, and paid that, too.
func (p *pass) ask(ctx context.Context) error {
	// A hint that comes from here on is about something newer.
	p.hints.asking(client.ObjectKeyFromObject(p.topUp), p.topUp.Status.CheckedAt)

	latest, err := p.gateway.Status(ctx, payment.Reference{OrderID: p.id})

	switch {
	case errors.Is(err, payment.ErrNotFound):
		err = p.follow(ctx, payment.Status{}, payment.JudgeMissing(p.known(), p.now.After(p.expires)))
	case err != nil:
		return payment.Ending(err)
	default:
		err = p.askBoth(ctx, latest)
	}

	if err != nil {
		return err
	}

	p.asked()

	return p.redeem(ctx)
}

// askBoth judges the latest payment, and that which was credited if it is another one.
func (p *pass) askBoth(ctx context.Context, latest payment.Status) error {
	statuses := []payment.Status{latest}

	if credited := p.order.Transaction; credited != "" && credited != latest.TransactionID {
		own, err := p.gateway.Status(ctx, payment.Reference{OrderID: p.id, TransactionID: credited})
		if err != nil && !errors.Is(err, payment.ErrNotFound) {
			return payment.Ending(err)
		}

		if err != nil {
			return p.follow(ctx, payment.Status{}, payment.JudgeMissing(p.known(), true))
		}

		statuses = append(statuses, own)
	}

	var doubt finding

	for _, s := range statuses {
		if err := p.follow(ctx, s, payment.Judge(p.known(), s)); err != nil {
			return err
		}

		if f := p.found; f.reason != "" {
			doubt = f
		}
	}

	p.found = doubt

	return nil
}

// asked notes that the gateway was asked and has answered.
func (p *pass) asked() {
	s := &p.topUp.Status
	s.CheckedAt = stamp(p.now)
	p.hinted, p.answered = false, true
	p.showFinding()
}

// follow does what a judgement says. It writes to status only what nothing is decided by.
func (p *pass) follow(ctx context.Context, s payment.Status, j payment.Judgement) error {
	p.judged.WithLabelValues(string(j.Decision)).Inc()
	p.found = finding{}
	p.show(s)

	phase := &p.topUp.Status.Phase

	switch j.Decision {
	case payment.Credit:
		return p.credit(ctx, s, j)
	case payment.Reverse:
		return p.reverse(ctx, s, j)
	case payment.RefundDebit:
		return p.debitRefunds(ctx, j)
	case payment.ChargebackDebit:
		return p.chargeBack(ctx, s, j)
	case payment.Suspense:
		return p.suspend(ctx, s, j)
	case payment.Quarantine:
		p.found = p.doubt(billingv1.ReasonUnexpectedStatus, j.Reason, s)
	case payment.PreAuthorized:
		*phase = billingv1.TopUpAwaitingPayment
		p.found = p.doubt(billingv1.ReasonUnexpectedStatus, "the money is reserved and not paid; pre-authorization should be turned off at the gateway", s)
	case payment.Await:
		*phase = billingv1.TopUpAwaitingPayment
	case payment.AttemptFailed:
		*phase, p.news = billingv1.TopUpAwaitingPayment, "The last attempt to pay failed; another one can be made on the same page"
	case payment.Challenged:
		*phase = billingv1.TopUpChallenged
	case payment.Failed:
		*phase = billingv1.TopUpFailed
	case payment.Expired:
		*phase = billingv1.TopUpExpired
	}

	return nil
}

// show notes what the gateway calls the payment that counts.
func (p *pass) show(s payment.Status) {
	if p.credited() && s.TransactionID != p.order.Transaction {
		return
	}

	p.topUp.Status.GatewayStatus, p.topUp.Status.Method = word(string(s.Transaction)), word(string(s.Type))
}

// word is a word of the gateway's as it may stand in a status: it has seen strangers.
func word(text string) string {
	const most = 64

	text = strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r
		}

		return '?'
	}, text)

	return text[:min(len(text), most)]
}

// evidence is what a person needs to find the payment at the gateway.
func evidence(s payment.Status) string {
	if s.TransactionID == "" {
		return ""
	}

	return fmt.Sprintf(" (transaction %s, status %q, fraud status %q, code %q, gross amount %q)",
		word(s.TransactionID), word(string(s.Transaction)), word(string(s.Fraud)), word(s.Code), word(s.Gross))
}
