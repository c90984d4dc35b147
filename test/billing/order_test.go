package billing

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
)

// endings are what becomes of an order after it was paid: what is left of the payment, and what the TopUp says.
var endings = []struct {
	name  string
	after func(*fake.Server, string) error
	left  string
	phase billingv1.TopUpPhase
}{
	{"Kept", func(*fake.Server, string) error { return nil }, "100000", credited},
	{"Reversed", func(s *fake.Server, order string) error { return s.Reverse(order) }, "0", billingv1.TopUpReversed},
	{"RefundPart", func(s *fake.Server, order string) error { return s.RefundAtDashboard(order, 40_000) }, "60000", billingv1.TopUpPartiallyRefunded},
	{"RefundParts", func(s *fake.Server, order string) error {
		if err := s.RefundAtDashboard(order, 40_000); err != nil {
			return err
		}

		return s.RefundAtDashboard(order, 10_000)
	}, "50000", billingv1.TopUpPartiallyRefunded},
	{"RefundAll", func(s *fake.Server, order string) error { return s.RefundAtDashboard(order, 100_710) }, "0", billingv1.TopUpRefunded},
	{"ChargedBack", func(s *fake.Server, order string) error { return s.Chargeback(order, amount) }, "0", billingv1.TopUpChargedBack},
	{"PaidTwice", func(s *fake.Server, order string) error {
		_, err := s.PayAgain(order, "bca_va")
		return err
	}, "100000", credited},
	{"FailsLater", func(s *fake.Server, order string) error {
		if _, err := s.Choose(order, "gopay"); err != nil {
			return err
		}

		return s.Deny(order)
	}, "100000", credited},
}

// TestAnyOrder (invariant 9): notifications that are lost, doubled, late, in any order, and forged among them, and polls
// between them, end in the same TopUp and the same balance as the ordered ones. Each round is one order, and its name has its
// seed.
func TestAnyOrder(t *testing.T) {
	rounds := 80
	if long() {
		rounds = 10_000
	}

	for seed := range uint64(rounds) {
		ending := endings[seed%uint64(len(endings))]

		t.Run(fmt.Sprintf("%s/%d", ending.name, seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 9))
			w := newWorld(t, fake.Options{Fee: 710}, seams{})

			order := w.open("one")
			_, err := w.midtrans.Choose(order, "bca_va")
			must(t, err)
			must(t, w.midtrans.Deny(order))
			w.deliver(random, 3)

			_, err = w.midtrans.Pay(order, "other_qris")
			must(t, err)
			w.deliver(random, 5)
			// What becomes of it later becomes of a payment that was credited: polls come more often than that.
			w.look("one")

			must(t, ending.after(w.midtrans, order))
			w.deliver(random, 8)
			// Whatever got lost, polling finds.
			one := w.look("one")

			if got := w.paidMoney(); got != ending.left || one.Status.Phase != ending.phase {
				t.Fatalf("%s is left, phase %s, want %s and %s: %v", got, one.Status.Phase, ending.left, ending.phase, w.entries())
			}

			w.verify()
		})
	}
}

// deliver sends some of all notifications so far, in any order, some of them twice, and some forged; and restarts now and
// then.
func (w *world) deliver(random *rand.Rand, times int) {
	w.t.Helper()

	held := w.midtrans.Held()

	for range random.IntN(times + 1) {
		n, want := held[random.IntN(len(held))], http.StatusOK

		switch random.IntN(7) {
		case 0:
			n, want = n.Edited(func(body map[string]any) { body["gross_amount"] = "99999999.00" }), http.StatusUnauthorized
		case 1:
			n, want = n.Edited(func(body map[string]any) { body["order_id"] = "dk-abcdef-00000000000000000000000000" }), http.StatusUnauthorized
		case 2:
			n = n.Edited(func(body map[string]any) { body["transaction_status"], body["fraud_status"] = "settlement", "accept" })
		case 3:
			w.restart()
		}

		if got, err := w.midtrans.Deliver(w.t.Context(), n); err != nil || got != want {
			w.t.Fatalf("answered %d, %v, want %d", got, err, want)
		}
	}
}
