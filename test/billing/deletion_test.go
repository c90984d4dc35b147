package billing

import (
	"testing"
	"time"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/payment"
)

// deletion is what happens to a TopUp that is deleted.
type deletion struct {
	reason string
	// before happens to the order before the TopUp is deleted, and then passes with hours between run.
	before func(*world, string)
	passes []time.Duration
	gone   bool
	paid   string
}

// review asks what there is to look at, and says that somebody has.
func (w *world) review(name string) {
	w.t.Helper()

	one := w.look(name)
	found := conditions.Get(one, billingv1.ConditionNeedsReview)
	if found == nil {
		w.t.Fatalf("there is nothing to review: %+v", one.Status)
	}

	one.Annotations = map[string]string{billingv1.AnnotationReviewed: found.Message[len(found.Message)-8:]}
	must(w.t, w.api.Update(w.t.Context(), one))
}

func TestDeletion(t *testing.T) {
	cases := map[string]deletion{
		"PageOpen":   {"A page that somebody may know has to die first.", nil, []time.Duration{0}, false, "0"},
		"PageClosed": {"Then it goes.", nil, []time.Duration{0, 7 * time.Minute}, true, "0"},
		"Pending": {
			"A payment that was begun is ended first, and its page.",
			func(w *world, order string) { _, err := w.midtrans.Choose(order, "bca_va"); must(w.t, err) },
			[]time.Duration{0, time.Minute, 7 * time.Minute}, true, "0",
		},
		"PaidMeanwhile": {
			"What was paid before it could be ended is credited.",
			func(w *world, order string) { _, err := w.midtrans.Pay(order, "bca_va"); must(w.t, err) },
			[]time.Duration{0}, false, "100000",
		},
		"Settled": {
			"And goes when it is certain to stay.",
			func(w *world, order string) { _, err := w.midtrans.Pay(order, "bca_va"); must(w.t, err) },
			[]time.Duration{0, 11 * time.Minute}, true, "100000",
		},
		"NotSettled": {
			"A card's payment is not settled at once.",
			func(w *world, order string) { _, err := w.midtrans.Pay(order, "credit_card"); must(w.t, err) },
			[]time.Duration{0, 11 * time.Minute, time.Hour}, false, "100000",
		},
		"Challenged": {
			"What the gateway doubts is voided.",
			func(w *world, order string) {
				_, err := w.midtrans.Choose(order, "credit_card")
				must(w.t, err)
				must(w.t, w.midtrans.Challenge(order))
			},
			[]time.Duration{0, time.Minute, 25 * time.Hour}, true, "0",
		},
		"Denied": {
			"After a payment that failed there is no other page; the first one has to expire.",
			func(w *world, order string) {
				_, err := w.midtrans.Choose(order, "gopay")
				must(w.t, err)
				must(w.t, w.midtrans.Deny(order))
			},
			[]time.Duration{0, time.Hour}, false, "0",
		},
		"DeniedAndOver": {
			"Then it goes.",
			func(w *world, order string) {
				_, err := w.midtrans.Choose(order, "gopay")
				must(w.t, err)
				must(w.t, w.midtrans.Deny(order))
			},
			[]time.Duration{0, 25 * time.Hour}, true, "0",
		},
		"Unexpected": {
			"What nobody understands is held for a person.",
			func(w *world, order string) {
				_, err := w.midtrans.Choose(order, "gopay")
				must(w.t, err)
				must(w.t, w.midtrans.Change(order, func(p *fake.Payment) { p.Status = "teleported" }))
			},
			[]time.Duration{0, 25 * time.Hour}, false, "0",
		},
	}
	cases["Reviewed"] = deletion{
		reason: "And goes when one has looked, and it can be paid no more.",
		before: func(w *world, order string) {
			cases["Unexpected"].before(w, order)
			w.review("one")
		},
		passes: []time.Duration{0, 25 * time.Hour}, gone: true, paid: "0",
	}
	paidAndUnexpected := func(w *world, order string) {
		_, err := w.midtrans.Pay(order, "bca_va")
		must(w.t, err)
		w.look("one")
		must(w.t, w.midtrans.Change(order, func(p *fake.Payment) { p.Status = "teleported" }))
	}
	cases["PaidAndUnexpected"] = deletion{
		reason: "Also of what was paid, and also in passes that have no reason to ask.",
		before: paidAndUnexpected, passes: []time.Duration{0, 11 * time.Minute, time.Minute}, paid: "100000",
	}
	cases["PaidAndReviewed"] = deletion{
		reason: "Until one has looked at that.",
		before: func(w *world, order string) {
			paidAndUnexpected(w, order)
			w.review("one")
		},
		passes: []time.Duration{0, 11 * time.Minute}, gone: true, paid: "100000",
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fake.Options{}, seams{})
			order := w.open("one")
			if tc.before != nil {
				tc.before(w, order)
			}
			must(t, w.api.Delete(t.Context(), w.get("one")))

			for _, d := range tc.passes {
				w.wait(d)
				w.passTopUp("one")
			}

			if one := w.get("one"); (one == nil) != tc.gone || w.paidMoney() != tc.paid {
				t.Errorf("%s\ngone: %v, paid %s\n%+v", tc.reason, one == nil, w.paidMoney(), one)
			}
		})
	}
}

// TestDeletedBeforeItWasOpen: nobody can pay what nobody knows, so it goes at once.
func TestDeletedBeforeItWasOpen(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.midtrans.Script(payment.OpCheckout, fake.Code(401, "no"))
	w.open("one")
	must(t, w.api.Delete(t.Context(), w.get("one")))
	w.restart()
	w.passTopUp("one")

	if one := w.get("one"); one != nil {
		t.Errorf("it is there: %+v", one.Status)
	}
}
