package billing

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/payment"
)

// TestQuiet lives through 40 days after a payment. The gateway is asked ten minutes later, daily for thirty days, and then
// never; whatever wakes the loop meanwhile writes nothing.
func TestQuiet(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.paid("one", "other_qris")

	asked := w.calls(payment.OpStatus)
	for range 40 {
		after := w.passTopUp("one")
		if after == 0 {
			break
		}
		version, calls := w.get("one").ResourceVersion, w.calls("")
		if w.passTopUp("one"); w.get("one").ResourceVersion != version || w.calls("") != calls {
			t.Fatal("a pass before its time writes or asks")
		}
		w.wait(after)
	}

	if n := w.calls(payment.OpStatus) - asked; n != 31 {
		t.Errorf("asked %d times, want 31", n)
	}

	w.wait(24 * time.Hour)
	w.restart()
	version, calls := w.get("one").ResourceVersion, w.calls("")

	if after := w.passTopUp("one"); after != 0 || w.get("one").ResourceVersion != version || w.calls("") != calls {
		t.Errorf("a payment of last month is not quiet: again after %v", after)
	}
}

// TestStatusIsLost: whenever the status is deleted, the next pass restores what counts.
func TestStatusIsLost(t *testing.T) {
	lose := func(w *world) {
		one := w.get("one")
		one.Status = billingv1.TopUpStatus{}
		must(t, w.api.Status().Update(t.Context(), one))
		w.restart()
	}

	t.Run("BeforePayment", func(t *testing.T) {
		w := newWorld(t, fake.Options{}, seams{})
		order := w.open("one")
		lose(w)
		w.passTopUp("one")

		if one := w.get("one"); one.Status.OrderID != order || one.Status.RedirectURL == "" {
			t.Fatalf("got %+v", one.Status)
		}
	})

	t.Run("PaymentBegun", func(t *testing.T) {
		w := newWorld(t, fake.Options{}, seams{})
		order := w.open("one")
		_, err := w.midtrans.Choose(order, "bca_va")
		must(t, err)
		lose(w)
		w.passTopUp("one")

		if one := w.get("one"); one.Status.Phase != awaiting {
			t.Fatalf("got %+v", one.Status)
		}

		must(t, w.midtrans.Settle(order))
		if one := w.look("one"); one.Status.Phase != credited {
			t.Fatalf("got %+v", one.Status)
		}
	})

	t.Run("Paid", func(t *testing.T) {
		w := newWorld(t, fake.Options{}, seams{})
		order := w.open("one")
		_, err := w.midtrans.Pay(order, "bca_va")
		must(t, err)
		lose(w)
		w.passTopUp("one")
		w.wait(time.Minute + time.Second)
		w.passTopUp("one")

		if one := w.get("one"); one.Status.Phase != credited || one.Status.TransactionID == "" {
			t.Fatalf("got %+v", one.Status)
		}
	})

	t.Run("Credited", func(t *testing.T) {
		w := newWorld(t, fake.Options{}, seams{})
		w.coupon("plus", "WELCOME-2026", nil)
		w.paid("one", "other_qris", withCode("WELCOME-2026"))
		want := w.get("one").Status
		lose(w)
		w.passTopUp("one")
		w.look("one")

		got := w.get("one").Status
		if got.CreditedSequence != want.CreditedSequence || got.TransactionID != want.TransactionID || got.CouponAmount != want.CouponAmount || got.Phase != want.Phase {
			t.Errorf("got %+v, before %+v", got, want)
		}
		if entries := w.entries(); !slices.Equal(entries, []string{"TopUp 100000", "Grant 10000"}) {
			t.Errorf("got %v", entries)
		}
	})
}

// coupon declares one of ten percent.
func (w *world) coupon(name, code string, edit func(*billingv1.Coupon)) {
	w.t.Helper()

	c := &billingv1.Coupon{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       billingv1.CouponSpec{CodeSHA256: billing.HashCode(billingv1.CouponCode(code)), Percent: 10, MaxAmount: "50000", MaxRedemptions: 1},
	}
	c.Name = w.tenant + "-" + name
	if edit != nil {
		edit(c)
	}
	w.declare(c)
}

func withCode(code string) func(*billingv1.TopUp) {
	return func(t *billingv1.TopUp) { t.Spec.CouponCode = billingv1.CouponCode(code) }
}

func TestCoupons(t *testing.T) {
	cases := map[string]struct {
		reason string
		edit   func(*billingv1.Coupon)
		code   string
		after  func(*world, string)
		amount string
		want   []string
	}{
		"Percent": {"A share of the payment comes on top.", nil, "welcome-2026", nil, "10000", []string{"TopUp 100000", "Grant 10000"}},
		"Capped":  {"No more than the coupon says.", func(c *billingv1.Coupon) { c.Spec.MaxAmount = "5000" }, "WELCOME-2026", nil, "5000", []string{"TopUp 100000", "Grant 5000"}},
		"Fixed": {
			"Or a fixed amount.", func(c *billingv1.Coupon) { c.Spec.Percent, c.Spec.MaxAmount, c.Spec.Amount = 0, "", "25000" },
			"WELCOME-2026", nil, "25000", []string{"TopUp 100000", "Grant 25000"},
		},
		"Unknown":   {"A code that is none leaves the payment alone.", nil, "WELCOME-2027", nil, "", []string{"TopUp 100000"}},
		"OtherPlan": {"So does one for others.", func(c *billingv1.Coupon) { c.Spec.PlanNames = []dogkerv1.DNSLabel{"large"} }, "WELCOME-2026", nil, "", []string{"TopUp 100000"}},
		"Over": {
			"And one whose time is over.", func(c *billingv1.Coupon) { at := metav1.NewTime(time.Now().Add(-time.Hour)); c.Spec.ValidUntil = &at },
			"WELCOME-2026", nil, "", []string{"TopUp 100000"},
		},
		"Reversed": {
			"What came with a payment goes with it.", nil, "WELCOME-2026",
			func(w *world, order string) { must(w.t, w.midtrans.Reverse(order)) }, "10000", []string{"TopUp 100000", "Grant 10000", "Reversal -110000"},
		},
		"RefundedPast": {
			"Also with one that was given back past us.", nil, "WELCOME-2026",
			func(w *world, order string) { must(w.t, w.midtrans.RefundAtDashboard(order, 20_000)) }, "10000",
			[]string{"TopUp 100000", "Grant 10000", "RefundPost -30000"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fake.Options{}, seams{})
			w.coupon("plus", "WELCOME-2026", tc.edit)
			order := w.paid("one", "other_qris", withCode(tc.code))
			if tc.after != nil {
				tc.after(w, order)
				w.look("one")
			}

			one := w.get("one")
			if one.Status.CouponAmount != tc.amount || conditions.IsTrue(one, billingv1.ConditionCouponRefused) != (tc.amount == "") {
				t.Errorf("%s\ngot %+v", tc.reason, one.Status)
			}
			if got := w.entries(); !slices.Equal(got, tc.want) {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}

			w.verify()
		})
	}
}

// TestCouponOnce: each tenant once, and all together as often as it says.
func TestCouponOnce(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.coupon("plus", "WELCOME-2026", func(c *billingv1.Coupon) { c.Spec.MaxRedemptions = 5 })
	w.paid("one", "other_qris", withCode("WELCOME-2026"))
	w.paid("two", "other_qris", withCode("WELCOME-2026"))

	if two := w.get("two"); two.Status.CouponAmount != "" || !conditions.IsTrue(two, billingv1.ConditionCouponRefused) {
		t.Errorf("got %+v", two.Status)
	}
	if got := w.entries(); !slices.Equal(got, []string{"TopUp 100000", "Grant 10000", "TopUp 100000"}) {
		t.Errorf("got %v", got)
	}
}

// TestHintOutlivesAnAnswerThatIsNotStored: months after a payment nobody asks without a hint, and nobody hints twice.
func TestHintOutlivesAnAnswerThatIsNotStored(t *testing.T) {
	fails := 0
	w := newWorld(t, fake.Options{}, seams{api: func(c client.WithWatch) client.WithWatch {
		return interceptor.NewClient(c, interceptor.Funcs{
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, options ...client.SubResourcePatchOption) error {
				if fails > 0 {
					fails--
					return errCut
				}

				return c.SubResource(sub).Patch(ctx, o, p, options...)
			},
		})
	}})
	order := w.paid("one", "other_qris")
	w.wait(40 * 24 * time.Hour)
	w.passTopUp("one")
	must(t, w.midtrans.Change(order, func(p *fake.Payment) { p.Status = "teleported" }))

	w.wait(2 * time.Second)
	fails = 1
	if one := w.look("one"); conditions.IsTrue(one, billingv1.ConditionNeedsReview) {
		t.Fatal("the status was written")
	}

	time.Sleep(w.passTopUp("one")) // The engine tries again when it says so.
	w.passTopUp("one")

	if one := w.get("one"); !conditions.IsTrue(one, billingv1.ConditionNeedsReview) {
		t.Errorf("what the gateway has said is lost: %+v", one.Status)
	}

	calls := w.calls("")
	w.passTopUp("one")

	if w.calls("") != calls {
		t.Error("the hint is never over")
	}
}

// TestClockWasAhead: passes that the clock has sent to next month end no questions; a payment that no notification tells of
// is found.
func TestClockWasAhead(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.open("one")
	w.wait(30 * 24 * time.Hour)
	w.look("one")
	w.wait(-30 * 24 * time.Hour)

	_, err := w.midtrans.Pay(order, "other_qris")
	must(t, err)

	w.restart()
	w.wait(w.passTopUp("one"))
	w.passTopUp("one")

	if one := w.get("one"); one.Status.Phase != credited {
		t.Errorf("got %+v", one.Status)
	}
}

// TestOrdersAreNobodysElse: neither a forged status nor another tenant's TopUp reaches a payment.
func TestOrdersAreNobodysElse(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.open("victim")
	w.open("thief")
	_, err := w.midtrans.Pay(order, "other_qris")
	must(t, err)

	thief := w.get("thief")
	thief.Status.OrderID = order
	must(t, w.api.Status().Patch(t.Context(), thief, client.MergeFrom(w.get("thief"))))

	if got := w.look("thief"); got.Status.Phase != awaiting || len(w.entries()) != 0 || got.Status.OrderID == order {
		t.Fatalf("got %+v, %v", got.Status, w.entries())
	}

	if found, err := w.loops.orders.Exists(t.Context(), order); err != nil || !found {
		t.Errorf("got %v, %v", found, err)
	}
	if found, err := w.loops.orders.Exists(t.Context(), fmt.Sprintf("dk-zzzzzz-%s", order[10:])); err != nil || found {
		t.Errorf("another installation's order is found: %v, %v", found, err)
	}
}
