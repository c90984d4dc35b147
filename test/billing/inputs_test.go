package billing

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/payment"
)

// TestWhatIsNotOpened: admission refuses all of it; what comes past it is not paid for either.
func TestWhatIsNotOpened(t *testing.T) {
	of := func(text string) func(*billingv1.TopUp) {
		return func(t *billingv1.TopUp) { t.Spec.Amount = billingv1.WholeAmount(text) }
	}

	cases := map[string]struct {
		reason string
		edit   func(*billingv1.TopUp)
		want   string
	}{
		"Zero":      {"Nothing to pay.", of("0"), "InvalidAmount"},
		"Negative":  {"Payments go one way.", of("-50000"), "InvalidAmount"},
		"Fraction":  {"The gateway takes whole rupiah.", of("50000.5"), "InvalidAmount"},
		"Exponent":  {"One way to write a number.", of("5e4"), "InvalidAmount"},
		"Long":      {"More than twelve digits do not fit.", of("1000000000000"), "InvalidAmount"},
		"Plus":      {"One way to write a number.", of("+50000"), "InvalidAmount"},
		"Spaces":    {"One way to write a number.", of(" 50000"), "InvalidAmount"},
		"NaN":       {"Not a number.", of("NaN"), "InvalidAmount"},
		"BelowPlan": {"The plan's minimum is 10000.", of("9999"), "InvalidAmount"},
		"AbovePlan": {"The plan's maximum is 1000000.", of("1000001"), "InvalidAmount"},
		"LeastOfIt": {"The bounds themselves are allowed.", of("10000"), "AwaitingPayment"},
		"MostOfIt":  {"The bounds themselves are allowed.", of("1000000"), "AwaitingPayment"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fake.Options{}, seams{})
			w.topUp("one", tc.edit)
			w.passTopUp("one")

			ready := conditions.Get(w.get("one"), conditions.Ready)
			if ready == nil || ready.Reason != tc.want || (w.calls(payment.OpCheckout) == 0) != (tc.want == "InvalidAmount") {
				t.Errorf("%s\ngot %+v and %d pages", tc.reason, ready, w.calls(payment.OpCheckout))
			}
		})
	}
}

// TestPending: a tenant has as many payments open as its plan allows, in the order in which it asked for them.
func TestPending(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.open("a")
	order := w.open("b")
	w.open("c")

	if c := w.get("c"); c.Status.RedirectURL != "" || conditions.Get(c, conditions.Ready).Reason != billingv1.ReasonTooManyPending {
		t.Fatalf("got %+v", c.Status)
	}

	_, err := w.midtrans.Pay(order, "other_qris")
	must(t, err)
	w.look("b")
	w.passTopUp("c")

	if c := w.get("c"); c.Status.RedirectURL == "" {
		t.Errorf("its turn has come, and it is not open: %+v", c.Status)
	}
}

// TestNotBilled: who has no prices has nothing to pay for; what was paid all the same counts.
func TestNotBilled(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.open("open")

	var plan dogkerv1.Plan
	must(t, w.api.Get(t.Context(), client.ObjectKey{Name: "prepaid"}, &plan))
	plan.Spec.PriceListName = ""
	must(t, w.api.Update(t.Context(), &plan))

	w.open("late")
	if late := w.get("late"); conditions.Get(late, conditions.Ready).Reason != billingv1.ReasonNotBilled || late.Status.RedirectURL != "" {
		t.Errorf("got %+v", late.Status)
	}

	_, err := w.midtrans.Pay(order, "other_qris")
	must(t, err)

	if got := w.look("open"); got.Status.Phase != credited || w.paidMoney() != "100000" {
		t.Errorf("got %+v and %s", got.Status, w.paidMoney())
	}
}

// TestAmountsThatAreNone: what the gateway says was paid is not guessed at.
func TestAmountsThatAreNone(t *testing.T) {
	say := func(field string, value any) func(map[string]any) {
		return func(body map[string]any) { body[field] = value }
	}

	for name, edit := range map[string]func(map[string]any){
		"Exponent":      say("gross_amount", "1e5"),
		"Fraction":      say("gross_amount", "100000.50"),
		"Separator":     say("gross_amount", "100,000.00"),
		"Number":        say("gross_amount", 100000),
		"Less":          say("gross_amount", "99999.00"),
		"More":          say("gross_amount", "100001.00"),
		"Currency":      say("currency", "USD"),
		"Merchant":      say("merchant_id", "G111111111"),
		"NoMerchant":    say("merchant_id", ""),
		"NotSuccessful": say("status_code", "201"),
		"OtherFee": say("metadata", map[string]any{"extra_info": map[string]any{"gross_amount_info": map[string]any{
			"original_amount": "90000", "gross_amount": "100000", "customer_imposed_payment_fee": "10000",
		}}}),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fake.Options{}, seams{})
			order := w.open("one")
			_, err := w.midtrans.Pay(order, "other_qris")
			must(t, err)
			must(t, w.midtrans.Change(order, func(p *fake.Payment) { p.Edit = edit }))

			got := w.look("one")
			if !conditions.IsTrue(got, billingv1.ConditionNeedsReview) || len(w.entries()) != 0 || got.Status.Phase != awaiting {
				t.Errorf("got %+v and %v", got.Status, w.entries())
			}

			// When it says what can be understood, the payment is credited and nobody needs to look any more.
			must(t, w.midtrans.Change(order, func(p *fake.Payment) { p.Edit = nil }))

			got = w.look("one")
			if conditions.IsTrue(got, billingv1.ConditionNeedsReview) || got.Status.Phase != credited {
				t.Errorf("got %+v", got.Status)
			}
		})
	}
}

// TestFeeOfThePayer: what a payer bears on top is not the tenant's.
func TestFeeOfThePayer(t *testing.T) {
	w := newWorld(t, fake.Options{Fee: 710}, seams{})
	w.paid("one", "other_qris")

	if got := w.get("one"); got.Status.Fee != "710" || w.paidMoney() != "100000" {
		t.Errorf("got %+v and %s", got.Status, w.paidMoney())
	}
}

// TestGatewayFails: an answer that is none changes nothing, neither before nor after a credit, and is made up for.
func TestGatewayFails(t *testing.T) {
	for name, fault := range map[string]fake.Fault{
		"ServerError": fake.Code(500, "Internal"), "HTML": fake.HTML(502), "Null": fake.Null(), "WrongOrder": fake.WrongOrder(),
		"Drop": fake.Drop(), "Empty": fake.Empty(200), "Misconfigured": fake.Code(401, "no"), "Busy": fake.TooMany(1),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fake.Options{}, seams{})
			order := w.open("one")
			_, err := w.midtrans.Pay(order, "other_qris")
			must(t, err)

			w.midtrans.Script(payment.OpStatus, fault)

			if got := w.look("one"); got.Status.Phase != awaiting || len(w.entries()) != 0 {
				t.Fatalf("got %+v and %v", got.Status, w.entries())
			}

			w.restart()
			if got := w.look("one"); got.Status.Phase != credited {
				t.Fatalf("got %+v", got.Status)
			}

			w.midtrans.Script(payment.OpStatus, fault)
			before := w.get("one").ResourceVersion
			got := w.look("one")

			if got.ResourceVersion != before || !conditions.IsTrue(got, conditions.Ready) || !slices.Equal(w.entries(), []string{"TopUp 100000"}) {
				t.Errorf("a credited payment changes because the gateway does not answer: %+v, %v", got.Status, w.entries())
			}
		})
	}
}

// TestMisconfigured: a gateway that does not accept the key opens no page, and says so to people without saying what it is.
func TestMisconfigured(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.midtrans.Script(payment.OpCheckout, fake.Code(401, "Access denied, key "+secret))
	w.open("one")

	got := w.get("one")
	ready := conditions.Get(got, conditions.Ready)

	if ready.Reason != payment.ReasonGatewayMisconfigured || got.Status.RedirectURL != "" || strings.Contains(ready.Message, "TOPsecret") {
		t.Fatalf("got %+v", got.Status)
	}

	w.restart()
	w.passTopUp("one")

	if got := w.get("one"); got.Status.Phase != awaiting {
		t.Errorf("got %+v", got.Status)
	}
}

// TestNoGateway: nothing is opened, and what was credited stays as it is.
func TestNoGateway(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.paid("paid", "other_qris")
	w.topUp("new")
	w.loops = w.wire(w.api, w.ledger, nil)
	w.passTopUp("paid")
	w.passTopUp("new")

	if ready := conditions.Get(w.get("new"), conditions.Ready); ready.Reason != billingv1.ReasonNoGateway || !conditions.IsTrue(w.get("new"), conditions.Stalled) {
		t.Errorf("got %+v", ready)
	}

	if !conditions.IsTrue(w.get("paid"), conditions.Ready) {
		t.Errorf("got %+v", w.get("paid").Status)
	}
}

// TestLifetime: nobody pays, and the order ends by the clock; a payment that comes later is credited all the same.
func TestLifetime(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.open("one")

	w.wait(25 * time.Hour)
	w.passTopUp("one")

	if got := w.get("one"); got.Status.Phase != billingv1.TopUpExpired || !conditions.IsTrue(got, conditions.Stalled) {
		t.Fatalf("got %+v", got.Status)
	}

	_, err := w.midtrans.Pay(order, "bca_va")
	must(t, err)

	if got := w.look("one"); got.Status.Phase != credited || !conditions.IsTrue(got, conditions.Ready) {
		t.Errorf("got %+v", got.Status)
	}
}
