package topup

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

const (
	// lastCall is how much of its time an order must have left for a page to be opened.
	lastCall = time.Minute
	// lookAround is when something is looked at again that a change elsewhere may have helped.
	lookAround = 10 * time.Minute
	// defaultMaxPending is for plans that do not say how many payments a tenant may have open.
	defaultMaxPending = 10
)

// unopened is true for an order of which no page is known, and that still can be paid.
func (p *pass) unopened() bool {
	s := &p.topUp.Status

	return !p.credited() && s.RedirectURL == "" && s.Phase == billingv1.TopUpPending && p.now.Before(p.expires.Add(-lastCall))
}

// open opens the page. It may be that there was one, and that what is in status got lost: then the earlier page dies, or the
// gateway says that a payment was begun on it, and how that stands is asked for.
func (p *pass) open(ctx context.Context) error {
	if err := p.admit(ctx); err != nil {
		return err
	}

	methods := make([]payment.Method, len(p.topUp.Spec.Methods))
	for i, m := range p.topUp.Spec.Methods {
		methods[i] = payment.Method(m)
	}

	s := &p.topUp.Status

	page, err := p.gateway.CreateCheckout(ctx, payment.CheckoutRequest{
		OrderID: p.id, Amount: p.amount, Description: "Top-up of " + p.tenant, Methods: methods, Lifetime: lifetime(p.topUp),
		Opened: p.topUp.CreationTimestamp.Time, ReturnURL: p.topUp.Spec.ReturnURL, Attempt: int(s.Attempts),
	})
	if errors.Is(err, payment.ErrDuplicateOrder) {
		s.Phase, p.hinted = billingv1.TopUpAwaitingPayment, true

		return nil
	}

	if err != nil {
		if errors.Is(err, payment.ErrRefused) {
			s.Attempts++
		}

		return payment.Ending(err)
	}

	s.Attempts++
	s.Phase, s.RedirectURL, s.OpenedAt = billingv1.TopUpAwaitingPayment, page.RedirectURL, stamp(p.now)

	return nil
}

// admit says why no page is opened, as admission should have.
func (p *pass) admit(ctx context.Context) error {
	terms, err := p.desk.Terms(ctx, p.tenant)

	switch {
	case errors.Is(err, billing.ErrNotBilled), apierrors.IsNotFound(err):
		return &outcome.Stall{Reason: billingv1.ReasonNotBilled, Message: "Nothing that this tenant uses is billed, so there is nothing to pay for", Err: err}
	case err != nil && !errors.Is(err, billing.ErrNotInEffect):
		return err
	}

	var rules dogkerv1.TopUpRules
	if b := terms.Plan.Spec.Billing; b != nil && b.TopUps != nil {
		rules = *b.TopUps
	}

	if why := outOfBounds(p.amount.Micro(), rules); why != "" {
		return &outcome.Stall{Reason: billingv1.ReasonInvalidAmount, Message: why}
	}

	return p.queue(ctx, rules.MaxPending)
}

// outOfBounds says why the plan does not take the amount, if it does not.
func outOfBounds(amount money.Micro, rules dogkerv1.TopUpRules) string {
	if least, err := money.ParseWhole(string(rules.MinAmount)); err == nil && amount < least {
		return fmt.Sprintf("spec.amount: invalid value: %q: must be at least %s, which is the plan's minimum", whole(amount), rules.MinAmount)
	}

	if most, err := money.ParseWhole(string(rules.MaxAmount)); err == nil && amount > most {
		return fmt.Sprintf("spec.amount: invalid value: %q: must be at most %s, which is the plan's maximum", whole(amount), rules.MaxAmount)
	}

	return ""
}

// queue lets a tenant have so many payments open at a time, in the order in which they were asked for.
func (p *pass) queue(ctx context.Context, most int32) error {
	if most == 0 {
		most = defaultMaxPending
	}

	var list billingv1.TopUpList
	if err := p.client.List(ctx, &list, client.InNamespace(p.tenant), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list top-ups of %q: %w", p.tenant, err)
	}

	var ahead int32

	for i := range list.Items {
		if other := &list.Items[i]; other.UID != p.topUp.UID && p.isAhead(other) {
			ahead++
		}
	}

	if ahead < most {
		return nil
	}

	return &outcome.Wait{
		Reason:  billingv1.ReasonTooManyPending,
		Message: fmt.Sprintf("%d payments of the tenant are open, which is as many as the plan allows; pay or delete one", most),
		After:   time.Minute,
	}
}

// isAhead is true for a TopUp whose page is open, or was asked for before this one.
func (p *pass) isAhead(other *billingv1.TopUp) bool {
	switch other.Status.Phase {
	case billingv1.TopUpAwaitingPayment, billingv1.TopUpChallenged:
		return true
	case billingv1.TopUpPending, "":
		mine, theirs := p.topUp.CreationTimestamp, other.CreationTimestamp

		return theirs.Before(&mine) || theirs.Equal(&mine) && other.Name < p.topUp.Name
	default:
		return false
	}
}
