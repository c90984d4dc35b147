package billing

import (
	"slices"
	"testing"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/payment"
)

// row is a row of the table of statuses: what becomes of the TopUp, what is left of the money, and whether a person has to
// look, before and after the payment was credited.
type row struct {
	reason        string
	status        payment.TransactionStatus
	fraud         payment.FraudStatus
	before, after end
}

type end struct {
	phase  billingv1.TopUpPhase
	left   string
	review bool
}

const (
	awaiting   = billingv1.TopUpAwaitingPayment
	challenged = billingv1.TopUpChallenged
	credited   = billingv1.TopUpCredited
)

var (
	paidNow    = end{credited, "100000", false}
	stays      = end{credited, "100000", false}
	reviewed   = end{credited, "100000", true}
	untouched  = end{awaiting, "0", true}
	undecided  = end{awaiting, "0", false}
	takenBack  = end{billingv1.TopUpReversed, "0", false}
	givenBack  = end{billingv1.TopUpRefunded, "0", false}
	partlyBack = end{billingv1.TopUpPartiallyRefunded, "60000", false}
)

var rows = []row{
	{"Nobody has paid; later it is an old notification.", "pending", "", undecided, stays},
	{"Reserved money is not paid money.", "authorize", "accept", end{awaiting, "0", true}, reviewed},
	{"A card was charged.", "capture", "accept", paidNow, stays},
	{"The gateway doubts by whom.", "capture", "challenge", end{challenged, "0", false}, reviewed},
	{"The gateway does not believe it.", "capture", "deny", undecided, reviewed},
	{"A capture without an opinion is not documented.", "capture", "", untouched, stays},
	{"Nor one with a new opinion.", "capture", "perhaps", untouched, stays},
	{"The money has arrived.", "settlement", "accept", paidNow, stays},
	{"Some methods have no fraud status.", "settlement", "", paidNow, stays},
	{"Settled and doubted is not documented.", "settlement", "challenge", untouched, reviewed},
	{"Settled and denied is not either.", "settlement", "deny", untouched, reviewed},
	{"A denied payer may try again; a credited payment is taken back.", "deny", "", undecided, takenBack},
	{"The merchant cancelled it.", "cancel", "", end{billingv1.TopUpFailed, "0", false}, takenBack},
	{"Time ran out; of a credited payment that is not believed.", "expire", "", end{billingv1.TopUpExpired, "0", false}, reviewed},
	{"The attempt failed.", "failure", "", undecided, reviewed},
	{"All went back.", "refund", "", untouched, givenBack},
	{"A part went back.", "partial_refund", "", untouched, partlyBack},
	{"The payer's bank took all back.", "chargeback", "", untouched, end{billingv1.TopUpChargedBack, "0", false}},
	{"The payer's bank took a part back.", "partial_chargeback", "", untouched, end{billingv1.TopUpChargedBack, "60000", false}},
	{"A word that nobody knows moves nothing.", "teleported", "", untouched, reviewed},
}

// become puts a payment into a status, with what goes with it.
func (r row) become(p *fake.Payment) {
	p.Status, p.Fraud = r.status, r.fraud

	switch r.status {
	case "refund":
		p.Refunds = []fake.Refund{{Key: "theirs", Amount: amount}}
	case "partial_refund":
		p.Refunds = []fake.Refund{{Key: "theirs", Amount: 40_000}}
	case "partial_chargeback":
		p.Edit = func(body map[string]any) { body["refund_amount"] = "40000.00" }
	}
}

// TestEveryRow goes over the table of statuses, as what stands in the TopUp and in the ledger.
func TestEveryRow(t *testing.T) {
	for _, r := range rows {
		for name, credited := range map[string]bool{"Before": false, "After": true} {
			t.Run(string(r.status)+"/"+string(r.fraud)+"/"+name, func(t *testing.T) {
				w := newWorld(t, fake.Options{}, seams{})
				want := r.before

				var order string
				if credited {
					want = r.after
					order = w.paid("one", "other_qris")
				} else {
					order = w.open("one")
					_, err := w.midtrans.Choose(order, "other_qris")
					must(t, err)
				}

				must(t, w.midtrans.Change(order, r.become))
				got := w.look("one")

				if end := endOf(w, got); end != want {
					t.Errorf("%s\ngot %+v, want %+v\n%+v", r.reason, end, want, got.Status)
				}

				entries := w.entries()
				for range 3 {
					got = w.look("one")
				}

				if again := w.entries(); !slices.Equal(again, entries) || endOf(w, got) != want {
					t.Errorf("%s\nsaid again it moves money: %v, then %v, %+v", r.reason, entries, again, got.Status)
				}

				w.verify()
			})
		}
	}
}

func endOf(w *world, t *billingv1.TopUp) end {
	return end{t.Status.Phase, w.paidMoney(), conditions.IsTrue(t, billingv1.ConditionNeedsReview)}
}

// TestChargebackHolds: the account is held, by its spec, which only the platform changes.
func TestChargebackHolds(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.paid("one", "credit_card")
	must(t, w.midtrans.Chargeback(order, amount))
	w.look("one")

	var account billingv1.BillingAccount
	must(t, w.api.Get(t.Context(), w.request(billingv1.AccountName).NamespacedName, &account))

	if account.Spec.Hold == nil || account.Spec.Hold.Reason != "Chargeback" || w.head().Phase != "Hold" {
		t.Fatalf("the account is not held: %+v, phase %q", account.Spec.Hold, w.head().Phase)
	}

	// Once a person has let go, the same chargeback does not hold again.
	account.Spec.Hold = nil
	must(t, w.api.Update(t.Context(), &account))
	w.look("one")
	must(t, w.api.Get(t.Context(), w.request(billingv1.AccountName).NamespacedName, &account))

	if account.Spec.Hold != nil {
		t.Error("an old chargeback holds the account again")
	}
}

// TestPaidTwice: the second payment of an order is nobody's until a person has decided.
func TestPaidTwice(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.paid("one", "other_qris")
	_, err := w.midtrans.PayAgain(order, "bca_va")
	must(t, err)

	for range 3 {
		w.look("one")
	}

	got := w.get("one")
	review := conditions.Get(got, billingv1.ConditionNeedsReview)

	if review == nil || review.Reason != billingv1.ReasonPaidTwice || got.Status.Phase != credited {
		t.Fatalf("got %+v", got.Status)
	}

	if entries := w.entries(); !slices.Equal(entries, []string{"TopUp 100000", "Adjustment 0"}) {
		t.Errorf("got %v", entries)
	}

	// Once the platform has taken note of exactly this, it is not shown any more.
	got.Annotations = map[string]string{billingv1.AnnotationReviewed: review.Message[len(review.Message)-8:]}
	must(t, w.api.Update(t.Context(), got))

	w.passTopUp("one")
	if conditions.IsTrue(w.get("one"), billingv1.ConditionNeedsReview) || conditions.IsTrue(w.look("one"), billingv1.ConditionNeedsReview) {
		t.Error("what was taken note of is shown again")
	}

	must(t, w.midtrans.Change(order, func(p *fake.Payment) { p.Status = "teleported" }))
	if !conditions.IsTrue(w.look("one"), billingv1.ConditionNeedsReview) {
		t.Error("what was not taken note of is not shown")
	}
}

// TestOwnPaymentBehindAnother: what becomes of the payment that was credited counts, also when the payer has begun another
// one on the same page since, which is what the gateway tells of the order.
func TestOwnPaymentBehindAnother(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.paid("one", "other_qris")
	own := w.get("one").Status.TransactionID

	_, err := w.midtrans.Choose(order, "gopay")
	must(t, err)

	if got := endOf(w, w.look("one")); got != stays {
		t.Fatalf("another attempt changes it: %+v", got)
	}

	must(t, w.midtrans.Reverse(own))

	if got := endOf(w, w.look("one")); got != takenBack {
		t.Errorf("got %+v: %v", got, w.entries())
	}

	w.verify()
}
