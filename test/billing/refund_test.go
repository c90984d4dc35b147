package billing

import (
	"context"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/payment"
)

// refund declares one and runs its first pass.
func (w *world) refund(name, topUp, amount string, edits ...func(*billingv1.Refund)) *billingv1.Refund {
	w.t.Helper()

	r := &billingv1.Refund{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: name, UID: types.UID("refund-" + name)},
		Spec: billingv1.RefundSpec{
			TopUpName: dogkerv1.ObjectName(topUp), Amount: billingv1.WholeAmount(amount), Reason: "asked\nfor", Method: billingv1.RefundByGateway,
		},
	}
	for _, edit := range edits {
		edit(r)
	}
	w.declare(r)
	w.passRefund(name)

	return w.getRefund(name)
}

func byHand(r *billingv1.Refund) {
	r.Spec.Method, r.Spec.Evidence = billingv1.RefundByHand, "Transfer 20261203-0042"
}

func TestRefunds(t *testing.T) {
	const held, posted, pending, voided = billingv1.RefundHeld, billingv1.RefundPosted, billingv1.RefundPending, billingv1.RefundVoided

	whole := []string{"TopUp 100000", "RefundHold 0", "RefundPost -100000"}

	cases := map[string]struct {
		reason string
		method payment.Method
		amount string
		edits  []func(*billingv1.Refund)
		before func(*world, string)
		phase  billingv1.RefundPhase
		word   string
		want   []string
	}{
		"Part":   {"A part goes back.", "other_qris", "40000", nil, nil, posted, "Posted", []string{"TopUp 100000", "RefundHold 0", "RefundPost -40000"}},
		"All":    {"Without an amount all that can does.", "gopay", "", nil, nil, posted, "Posted", whole},
		"Online": {"Some methods take a day; the gateway's list is enough.", "dana", "", nil, nil, posted, "Posted", whole},
		"Cancel": {"What is not settled is voided.", "credit_card", "", nil, nil, posted, "Posted", whole},
		"PartOfUnsettled": {
			"A part of it has to wait, and holds nothing.", "credit_card", "40000", nil, nil, pending, "Settling", []string{"TopUp 100000"},
		},
		"NoWay":  {"Virtual accounts have no way back; nothing is held.", "bca_va", "40000", nil, nil, pending, "ManualOnly", []string{"TopUp 100000"}},
		"Manual": {"So it is paid back by hand, with evidence.", "bca_va", "40000", []func(*billingv1.Refund){byHand}, nil, posted, "Posted", []string{"TopUp 100000", "RefundHold 0", "RefundPost -40000"}},
		"TooMuch": {
			"No more than was paid.", "other_qris", "100001", nil, nil, pending, "Insufficient", []string{"TopUp 100000"},
		},
		"Used": {
			"What was used is not there to go back.", "other_qris", "100000", nil,
			func(w *world, _ string) { w.use(30_000) },
			pending, "Insufficient", []string{"TopUp 100000", "Adjustment -30000"},
		},
		"AllButUsed": {
			"Without an amount, what was not used.", "other_qris", "", nil,
			func(w *world, _ string) { w.use(30_000) },
			posted, "Posted", []string{"TopUp 100000", "Adjustment -30000", "RefundHold 0", "RefundPost -70000"},
		},
		"Refused": {
			"The gateway refuses: the account has it again.", "other_qris", "40000", nil,
			func(w *world, _ string) { w.midtrans.Script(payment.OpRefund, fake.Code(400, "no")) },
			voided, "Voided", []string{"TopUp 100000", "RefundHold 0", "RefundVoid 0"},
		},
		"AnswerLost": {
			"It was done and nobody said so: the hold stays.", "other_qris", "40000", nil,
			func(w *world, _ string) { w.midtrans.Script(payment.OpRefund, fake.Lost(fake.Drop())) },
			billingv1.RefundSent, "GatewayUnavailable", []string{"TopUp 100000", "RefundHold 0"},
		},
		"NotListed": {
			"Accepted is not listed.", "other_qris", "40000", nil,
			func(w *world, order string) {
				must(w.t, w.midtrans.Change(order, func(p *fake.Payment) {
					p.Edit = func(body map[string]any) { delete(body, "refunds") }
				}))
			},
			billingv1.RefundSent, "Sent", []string{"TopUp 100000", "RefundHold 0"},
		},
		"OtherAmount": {
			"What is listed with another amount is for a person.", "other_qris", "40000", nil,
			func(w *world, order string) {
				must(w.t, w.midtrans.Change(order, func(p *fake.Payment) {
					p.Edit = func(body map[string]any) {
						if list, ok := body["refunds"].([]any); ok {
							list[0].(map[string]any)["refund_amount"] = "39999.00"
						}
					}
				}))
			},
			billingv1.RefundSent, "UnexpectedStatus", []string{"TopUp 100000", "RefundHold 0"},
		},
		"Reversed": {
			"What was taken back cannot go back.", "other_qris", "40000", nil,
			func(w *world, order string) {
				must(w.t, w.midtrans.Reverse(order))
				w.look("one")
			},
			pending, "UnexpectedStatus", []string{"TopUp 100000", "Reversal -100000"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fake.Options{}, seams{})
			order := w.paid("one", tc.method)
			if tc.before != nil {
				tc.before(w, order)
			}

			r := w.refund("r", "one", tc.amount, tc.edits...)

			ready := conditions.Get(r, conditions.Ready)
			if r.Status.Phase != tc.phase || ready.Reason != tc.word {
				t.Errorf("%s\ngot phase %q, %+v", tc.reason, r.Status.Phase, ready)
			}
			if got := w.entries(); !slices.Equal(got, tc.want) {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
			if _, isHeld := w.head().Hold("refund-r"); isHeld != (tc.phase == held || tc.phase == billingv1.RefundSent) {
				t.Errorf("%s\nheld: %v", tc.reason, w.head().Holds)
			}

			w.verify()
		})
	}
}

// use takes money that was used.
func (w *world) use(amount int64) {
	w.t.Helper()

	_, err := w.ledger.Do(context.Background(), book.Request{Tenant: w.tenant, Op: book.Adjust{
		ID: "use", Amount: -money.Micro(amount) * money.Rupiah, Actor: "test", Reason: "use",
	}})
	must(w.t, err)
}

// TestRefundIsFoundOut: whatever was lost, the hold ends as the gateway's list says, once, and the TopUp shows it.
func TestRefundIsFoundOut(t *testing.T) {
	for name, tc := range map[string]struct {
		fault fake.Fault
		want  string
	}{
		"DoneAndLost": {fake.Lost(fake.Drop()), "RefundPost -40000"},
		"NotDone":     {fake.Drop(), "RefundPost -40000"},
		"DoneAndHTML": {fake.Lost(fake.HTML(502)), "RefundPost -40000"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fake.Options{}, seams{})
			w.paid("one", "other_qris")
			w.midtrans.Script(payment.OpRefund, tc.fault)
			w.refund("r", "one", "40000")

			for range 3 {
				w.restart()
				w.passRefund("r")
				w.look("one")
			}

			if got := w.entries(); !slices.Equal(got, []string{"TopUp 100000", "RefundHold 0", tc.want}) {
				t.Errorf("got %v", got)
			}
			if one := w.get("one"); one.Status.Phase != billingv1.TopUpPartiallyRefunded || one.Status.Refunded != "40000" {
				t.Errorf("got %+v", one.Status)
			}
		})
	}
}

// TestDoubtKeepsTheHold: a refusal that follows a call without an answer is believed ten minutes later.
func TestDoubtKeepsTheHold(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.paid("one", "other_qris")
	w.midtrans.Script(payment.OpRefund, fake.Drop(), fake.Code(400, "no"), fake.Code(400, "no"))
	w.refund("r", "one", "40000")
	w.restart()
	w.passRefund("r")

	if r := w.getRefund("r"); r.Status.Phase != billingv1.RefundSent || len(w.head().Holds) != 1 {
		t.Fatalf("got %+v", r.Status)
	}

	w.wait(11 * time.Minute)
	w.restart()
	w.passRefund("r")

	if r := w.getRefund("r"); r.Status.Phase != billingv1.RefundVoided || w.paidMoney() != "100000" {
		t.Errorf("got %+v", r.Status)
	}
}

// TestVoidedStaysVoided: with or without its status, a refund that did not come to be is not tried again; and one that the
// gateway lists after all is debited as what it is.
func TestVoidedStaysVoided(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.paid("one", "other_qris")
	w.midtrans.Script(payment.OpRefund, fake.Code(400, "no"))
	r := w.refund("r", "one", "")

	r.Status = billingv1.RefundStatus{}
	must(t, w.api.Status().Update(t.Context(), r))
	w.restart()
	w.passRefund("r")

	if r := w.getRefund("r"); r.Status.Phase != billingv1.RefundVoided || len(w.head().Holds) != 0 {
		t.Fatalf("got %+v", r.Status)
	}

	must(t, w.midtrans.Change(order, func(p *fake.Payment) {
		p.Status, p.Refunds = payment.StatusRefund, []fake.Refund{{Key: "refund-r", Amount: amount}}
	}))
	w.look("one")
	w.look("one")

	if got := w.entries(); !slices.Equal(got, []string{"TopUp 100000", "RefundHold 0", "RefundVoid 0", "RefundPost -100000"}) {
		t.Errorf("got %v", got)
	}

	w.verify()
}

// TestRefundsAtTheDashboard: two payments of a tenant, each with a refund that somebody made at the gateway. It numbers them
// for each payment anew.
func TestRefundsAtTheDashboard(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	for _, name := range []string{"one", "two"} {
		order := w.paid(name, "gopay")
		must(t, w.midtrans.RefundAtDashboard(order, 10_000))
		w.look(name)
		must(t, w.midtrans.RefundAtDashboard(order, 5_000))
		w.look(name)
	}

	if got := w.paidMoney(); got != "170000" {
		t.Errorf("%s is left of %v", got, w.entries())
	}

	w.verify()
}

// TestPersonResolves: where the gateway does not say what became of it, the platform does.
func TestPersonResolves(t *testing.T) {
	for word, want := range map[string]string{billingv1.ResolvePosted: "RefundPost -40000", billingv1.ResolveVoided: "RefundVoid 0"} {
		t.Run(word, func(t *testing.T) {
			w := newWorld(t, fake.Options{}, seams{})
			w.paid("one", "other_qris")
			w.midtrans.Script(payment.OpRefund, fake.Code(404, "no such payment"))

			r := w.refund("r", "one", "40000")
			if !conditions.IsTrue(r, billingv1.ConditionNeedsReview) {
				t.Fatalf("got %+v", r.Status)
			}

			r.Annotations = map[string]string{billingv1.AnnotationResolve: word}
			must(t, w.api.Update(t.Context(), r))
			w.passRefund("r")

			if got := w.entries(); got[len(got)-1] != want || conditions.IsTrue(w.getRefund("r"), billingv1.ConditionNeedsReview) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestDeletedRefund: it goes when it holds nothing, and not before.
func TestDeletedRefund(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.paid("one", "other_qris")
	w.midtrans.Script(payment.OpRefund, fake.Drop())
	r := w.refund("r", "one", "40000")
	must(t, w.api.Delete(t.Context(), r))

	w.restart()
	w.midtrans.Script(payment.OpStatus, fake.Drop())
	w.passRefund("r")
	if w.getRefund("r") == nil {
		t.Fatal("it has gone with its hold")
	}

	w.restart()
	w.passRefund("r")
	if w.getRefund("r") != nil || len(w.head().Holds) != 0 {
		t.Errorf("it is there, or its hold: %v", w.head().Holds)
	}
}

// TestChargebackDuringRefund: what is set aside goes with the rest, and nothing goes twice.
func TestChargebackDuringRefund(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.paid("one", "credit_card")
	must(t, w.midtrans.Settle(order))
	w.midtrans.Script(payment.OpRefund, fake.Drop())
	w.refund("r", "one", "40000")
	must(t, w.midtrans.Chargeback(order, amount))
	w.look("one")
	w.restart()
	w.passRefund("r")
	w.look("one")

	if h := w.head(); h.Paid != 0 || len(h.Holds) != 0 {
		t.Errorf("got %s and %v of %v", w.paidMoney(), h.Holds, w.entries())
	}

	w.verify()
}
