package account

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/money"
)

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// gift is a coupon of 500 rupiah for the code GIFT.
func gift(redemptions int64) *billingv1.Coupon {
	return &billingv1.Coupon{
		ObjectMeta: metav1.ObjectMeta{Name: "gift", Generation: 1},
		Spec:       billingv1.CouponSpec{CodeSHA256: billing.HashCode("GIFT"), Amount: "500", MaxRedemptions: redemptions},
	}
}

func redeeming(codes ...billingv1.CouponCode) func(o *billingv1.BillingAccount) {
	return func(a *billingv1.BillingAccount) { a.Spec.CouponCodes = codes }
}

func TestCoupons(t *testing.T) {
	cases := map[string]struct {
		reason string
		coupon *billingv1.Coupon
		codes  []billingv1.CouponCode
		before func(*office)
		want   []redeemed
		given  money.Micro
	}{
		"Redeemed": {"It is given once.", gift(1), []billingv1.CouponCode{"gift"}, nil, []redeemed{{Code: "gift", Amount: "500", Reason: "Redeemed"}}, 500 * money.Rupiah},
		"Guess":    {"A guess looks like everything that is refused.", gift(1), []billingv1.CouponCode{"TGIF"}, nil, []redeemed{{Code: "TGIF", Reason: "CodeNotAccepted"}}, 0},
		"UsedUp": {
			"So does one that others have redeemed.", gift(1), []billingv1.CouponCode{"GIFT"},
			func(o *office) { o.books.coupons["gift"] = 1 }, []redeemed{{Code: "GIFT", Reason: "CodeNotAccepted"}}, 0,
		},
		"Share": {
			"And one that comes with a payment.",
			&billingv1.Coupon{ObjectMeta: meta("", "share"), Spec: billingv1.CouponSpec{CodeSHA256: billing.HashCode("GIFT"), Percent: 10, MaxAmount: "500", MaxRedemptions: 1}},
			[]billingv1.CouponCode{"GIFT"}, nil, []redeemed{{Code: "GIFT", Reason: "CodeNotAccepted"}}, 0,
		},
		"OtherPlan": {
			"And one that is for others.",
			&billingv1.Coupon{ObjectMeta: meta("", "other"), Spec: billingv1.CouponSpec{CodeSHA256: billing.HashCode("GIFT"), Amount: "500", MaxRedemptions: 1, PlanNames: []v1alpha1.DNSLabel{"large"}}},
			[]billingv1.CouponCode{"GIFT"}, nil, []redeemed{{Code: "GIFT", Reason: "CodeNotAccepted"}}, 0,
		},
		"TwoSpellings": {
			"Capitals make no second coupon of one.", gift(5), []billingv1.CouponCode{"gift", "GIFT"}, nil,
			[]redeemed{{Code: "gift", Amount: "500", Reason: "Redeemed"}, {Code: "GIFT", Amount: "500", Reason: "Redeemed"}}, 500 * money.Rupiah,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, append(acme(edit(redeeming(tc.codes...))), tc.coupon)...)
			if tc.before != nil {
				tc.before(o)
			}
			o.settle()

			if diff := cmp.Diff(tc.want, o.account().Status.Coupons); diff != "" || o.books.state("acme").Head.Promo() != tc.given {
				t.Errorf("%s\ngiven %s (-want +got):\n%s", tc.reason, o.books.state("acme").Head.Promo(), diff)
			}
		})
	}
}

// TestCouponStays: what was redeemed stays when its code is taken out, and comes once, even if the code comes back.
func TestCouponStays(t *testing.T) {
	o := newOffice(t, append(acme(edit(redeeming("GIFT"))), gift(5))...)
	o.settle()

	for _, codes := range [][]billingv1.CouponCode{nil, {"GIFT"}} {
		change(o, &billingv1.BillingAccount{ObjectMeta: meta("acme", "default")}, redeeming(codes...))
		o.controller.Forget(keyOf("acme"))
		o.settle()

		if got := o.books.state("acme").Head.Promo(); got != 500*money.Rupiah || len(o.account().Status.Coupons) != len(codes) {
			t.Errorf("with codes %q there are %s and %+v", codes, got, o.account().Status.Coupons)
		}
	}
}

// TestGuessing: who tries one code after the other waits ever longer, and a code that was refused before costs nothing.
func TestGuessing(t *testing.T) {
	o := newOffice(t, append(acme(), gift(5))...)
	looked := 0

	for round := range 4 {
		var codes []billingv1.CouponCode
		for i := range 16 {
			codes = append(codes, billingv1.CouponCode(fmt.Sprintf("GUESS-%d-%d", round, i)))
		}
		change(o, &billingv1.BillingAccount{ObjectMeta: meta("acme", "default")}, redeeming(codes...))
		o.settle()
		looked += len(o.account().Status.Coupons)
	}
	if looked != guessesAtOnce {
		t.Errorf("%d codes were looked at, want %d", looked, guessesAtOnce)
	}

	change(o, &billingv1.BillingAccount{ObjectMeta: meta("acme", "default")}, redeeming("GIFT"))
	o.settle()
	if got := o.account().Status.Coupons; len(got) != 0 {
		t.Errorf("no guess is left, and %+v", got)
	}
	o.now = o.now.Add(guessEvery)
	o.settle()
	if got := o.account().Status.Coupons; len(got) != 1 || got[0].Reason != reasonRedeemed {
		t.Errorf("in its turn it is redeemed: %+v", got)
	}
}
