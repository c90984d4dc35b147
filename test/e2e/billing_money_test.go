//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billing "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/payment"
)

// TestChargebackHolds stops a tenant whose payer's bank takes the money back, whatever else it has; no payment lifts that,
// and the platform does.
func TestChargebackHolds(t *testing.T) {
	t.Parallel()
	p := sharedBillingCell(t).payer(t, "chargeback", rash())
	p.pays("own", "500000")
	stolen := p.pays("stolen", "400000")
	p.run(app("web", "v1"))

	if err := p.bank.Chargeback(stolen.Status.OrderID, 400000); err != nil {
		t.Fatal(err)
	}
	p.topUpIs(soon, "stolen", billing.TopUpChargedBack)
	held := p.phase(soon, "Hold")
	p.unready(soon, "web", v1alpha1.ReasonSuspended)
	if held.Spec.Hold == nil {
		t.Error("the account does not say why it is held")
	}
	p.pays("more", "500000")
	p.phase(soon, "Hold")

	p.wants(func(a *billing.BillingAccount) { a.Spec.Hold = nil })
	p.runs(soon)
	p.ready("web")
}

// TestRefundGoesBack gives a part of a payment back through the gateway, once, and not more than is there.
func TestRefundGoesBack(t *testing.T) {
	t.Parallel()
	p := sharedBillingCell(t).payer(t, "refunded", rash())
	order := p.pays("money", "100000").Status.OrderID
	p.refund("part", "40000", billing.RefundPosted)
	p.topUpIs(soon, "money", billing.TopUpPartiallyRefunded)
	await(t, soon, "the account shows it", func() error {
		a, err := p.account()
		if err != nil {
			return err
		}

		return wantf(a.Status.Available+" "+a.Status.Held, "60000 0", "available and held after a refund of 40000 from 100000")
	})

	much := &billing.Refund{ObjectMeta: metav1.ObjectMeta{Name: "much"}, Spec: billing.RefundSpec{TopUpName: "money", Amount: "60001", Reason: "too much"}}
	p.create(much)
	await(t, soon, "more than is there is not given back", func() error {
		if err := p.api.Get(t.Context(), client.ObjectKeyFromObject(much), much); err != nil {
			return err
		}
		if ready := conditions.Get(much, conditions.Ready); ready == nil || ready.Reason != billing.ReasonInsufficient {
			return fmt.Errorf("Ready is %+v", ready)
		}

		return nil
	})
	p.refund("rest", "60000", billing.RefundPosted)
	p.topUpIs(soon, "money", billing.TopUpRefunded)
	p.told("RefundPosted")

	refunds := 0
	for _, call := range p.bank.Calls() {
		if call.Op == payment.OpRefund && strings.HasPrefix(call.ID, order) {
			refunds++
		}
	}
	if refunds > 2 {
		t.Errorf("the gateway was asked for %d refunds of %s, want 2", refunds, order)
	}
}

// refund asks for a refund and waits until it is in a phase.
func (p *payer) refund(name, amount string, want billing.RefundPhase) {
	p.t.Helper()

	r := &billing.Refund{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: billing.RefundSpec{
		TopUpName: "money", Amount: billing.WholeAmount(amount), Reason: "asked for",
	}}
	p.create(r)
	await(p.t, soon, fmt.Sprintf("refund %q is %s", name, want), func() error {
		if err := p.api.Get(p.t.Context(), client.ObjectKeyFromObject(r), r); err != nil {
			return err
		}
		if r.Status.Phase != want {
			return fmt.Errorf("it is %+v", r.Status)
		}

		return nil
	})
}

// TestCouponIsRedeemedOnce gives each tenant what a code is worth, once, and tells nothing of codes that are worth nothing.
func TestCouponIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	b := sharedBillingCell(t)
	p, other := b.payer(t, "coupons", rash()), b.payer(t, "coupons-too", rash())
	hash, err := p.dogker("coupon", "hash", "gift-2026")
	if err != nil {
		t.Fatal(err)
	}
	gift := &billing.Coupon{ObjectMeta: metav1.ObjectMeta{Name: "gift"}, Spec: billing.CouponSpec{
		CodeSHA256: strings.TrimSpace(hash), Amount: "5000", MaxRedemptions: 1,
	}}
	if err := p.api.Create(t.Context(), gift); err != nil {
		t.Fatal(err)
	}
	guess := func(a *billing.BillingAccount) { a.Spec.CouponCodes = []billing.CouponCode{"guess-1234"} }
	redeem := func(a *billing.BillingAccount) { a.Spec.CouponCodes = []billing.CouponCode{"Gift-2026"} }

	wrong := p.mayNot(guess)
	p.wants(redeem)
	p.redeemed("Gift-2026", "Redeemed")
	await(t, 2*minute, "the coupon counts", func() error {
		if err := p.api.Get(t.Context(), client.ObjectKeyFromObject(gift), gift); err != nil {
			return err
		}

		return wantf(gift.Status.Redeemed, 1, "redemptions")
	})
	// A code that is used up gets the answer of one that never was.
	if used := other.mayNot(redeem); strings.ReplaceAll(used, "Gift-2026", "guess-1234") != wrong {
		t.Errorf("a code that is used up: %s\na wrong one: %s", used, wrong)
	}

	// One that is taken out stays redeemed.
	p.wants(func(a *billing.BillingAccount) { a.Spec.CouponCodes = nil })
	if a := p.phase(soon, "Active"); a.Status.Promotional != "5000" {
		t.Errorf("promotional money: got %s, want 5000", a.Status.Promotional)
	}
}

// mayNot wants a change of the account to be refused, and returns in which words.
func (p *payer) mayNot(change func(*billing.BillingAccount)) string {
	p.t.Helper()

	var err error
	await(p.t, soon, "a change is refused", func() error {
		before, failed := p.account()
		if failed != nil {
			return failed
		}
		after := before.DeepCopy()
		change(after)
		if err = p.api.Patch(p.t.Context(), after, client.MergeFrom(before)); !apierrors.IsInvalid(err) {
			return fmt.Errorf("the answer is %v, want Invalid", err)
		}

		return nil
	})

	return err.Error()
}

// redeemed waits until the account says what became of a code.
func (p *payer) redeemed(code billing.CouponCode, reason string) {
	p.t.Helper()

	await(p.t, soon, "the code is looked at", func() error {
		a, err := p.account()
		if err != nil {
			return err
		}
		for _, c := range a.Status.Coupons {
			if c.Code == code {
				return wantf(c.Reason, reason, "what became of %q", code)
			}
		}

		return fmt.Errorf("there are %+v", a.Status.Coupons)
	})
}

// TestBooksAreClosedBeforeATenantGoes: a tenant that is deleted stops, and stays until its money is settled or given up by
// the platform.
func TestBooksAreClosedBeforeATenantGoes(t *testing.T) {
	t.Parallel()
	p := sharedBillingCell(t).payer(t, "leaving", rash())
	p.pays("money", "50000")
	p.run(app("web", "v1"))

	if err := p.api.Delete(t.Context(), p.owner()); err != nil {
		t.Fatal(err)
	}
	p.phase(soon, "Closed")
	await(t, goneBy, "nothing runs", func() error {
		left, err := p.containers(t.Context(), false)
		if err == nil && len(left) > 0 {
			err = errors.New(strings.Join(left, ", "))
		}

		return err
	})
	await(t, 6*minute, "it says what is left", func() error {
		a, err := p.account()
		if err != nil {
			return err
		}
		ready := conditions.Get(a, conditions.Ready)
		if ready == nil || ready.Reason != billing.ReasonBalanceNotSettled {
			return fmt.Errorf("Ready is %+v", ready)
		}

		return nil
	})
	p.wants(func(a *billing.BillingAccount) {
		metav1.SetMetaDataAnnotation(&a.ObjectMeta, billing.AnnotationWriteOff, "the test is over")
	})
	await(t, 2*minute, "the account is gone", func() error {
		a, err := p.account()
		if err == nil {
			return fmt.Errorf("it is %+v", a.Status)
		}

		return client.IgnoreNotFound(err)
	})
}
