package topup

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// redeem adds what the coupon adds to a payment, once it is credited. What is given is a function of the payment, the coupon
// and the time of the credit, so that a pass that comes after a crash asks the ledger for the same.
func (p *pass) redeem(ctx context.Context) error {
	t := p.topUp

	switch {
	case t.Spec.CouponCode == "", !p.credited(), p.order.Returned > 0:
		return nil
	case t.Status.CouponAmount != "", conditions.IsTrue(t, billingv1.ConditionCouponRefused):
		return nil
	}

	amount, err := p.grant(ctx)
	if errors.Is(err, billing.ErrCodeNotAccepted) {
		conditions.Set(t, billingv1.ConditionCouponRefused, metav1.ConditionTrue, billingv1.ReasonCodeNotAccepted,
			"The payment is credited, and its coupon adds nothing: the code is not one that can be redeemed here, now, or any more")

		return nil
	}

	if err != nil {
		return err
	}

	t.Status.CouponAmount = amount

	return nil
}

// grant redeems the coupon and says what it added.
func (p *pass) grant(ctx context.Context) (string, error) {
	grant, err := p.grantOf(ctx)
	if err != nil {
		return "", err
	}

	result, err := p.book(ctx, grant)

	switch {
	case errors.Is(err, book.ErrUsedUp), errors.Is(err, book.ErrInvalid), errors.Is(err, book.ErrConflict), errors.Is(err, book.ErrExists):
		// The last redemption was somebody else's, what it would give has expired by now, or this tenant has redeemed it
		// before in another way.
		return "", fmt.Errorf("%w: %w", billing.ErrCodeNotAccepted, err)
	case errors.Is(err, book.ErrTooMany):
		// The tenant has as many gifts as one can have. When one is used up or has lapsed there is room.
		return "", &outcome.Wait{Reason: billingv1.ReasonCodeNotAccepted, Err: err, After: time.Hour}
	case err != nil:
		return "", err
	case len(result.Entries) == 1 && result.Entries[0].Order != p.id:
		return "", billing.ErrCodeNotAccepted
	default:
		return whole(grant.Lot.Left).String(), nil
	}
}

// grantOf is what redeeming the coupon comes to.
func (p *pass) grantOf(ctx context.Context) (book.Grant, error) {
	var plan dogkerv1.DNSLabel

	terms, err := p.desk.Terms(ctx, p.tenant)

	switch {
	case terms.Plan != nil:
		plan = dogkerv1.DNSLabel(terms.Plan.Name)
	case err != nil:
		return book.Grant{}, err
	}

	var coupons billingv1.CouponList
	if err := p.client.List(ctx, &coupons, client.UnsafeDisableDeepCopy); err != nil {
		return book.Grant{}, fmt.Errorf("list coupons: %w", err)
	}

	r := billing.Redemption{
		Code: p.topUp.Spec.CouponCode, Plan: plan, At: time.Unix(p.order.At, 0), Order: p.id, Payment: p.amount.Micro(),
	}

	coupon, err := r.Coupon(coupons.Items)
	if err != nil {
		return book.Grant{}, err
	}

	return r.Grant(coupon)
}
