package billing

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/payment"
)

// The tests of this file are faults that platforms of this kind had, each by its own name.

// TestFaultWebhookBelieved: a webhook that checked no signature and no amount credited whatever it was told.
func TestFaultWebhookBelieved(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.open("one")
	_, err := w.midtrans.Choose(order, "bca_va")
	must(t, err)

	pending := w.midtrans.Held()[0]
	forged := map[string]func(map[string]any){
		"unsigned": func(body map[string]any) {
			body["transaction_status"], body["status_code"], body["signature_key"] = "settlement", "200", ""
		},
		"other amount": func(body map[string]any) {
			body["transaction_status"], body["gross_amount"] = "settlement", "9999999.00"
		},
		// The signature does not cover the status: this one is taken as a hint, and a hint is all it is.
		"replayed with another status": func(body map[string]any) { body["transaction_status"], body["fraud_status"] = "settlement", "accept" },
	}

	for name, edit := range forged {
		status, err := w.midtrans.Deliver(t.Context(), pending.Edited(edit))
		must(t, err)

		if signed := name == "replayed with another status"; (status == http.StatusOK) != signed {
			t.Errorf("%s: answered %d", name, status)
		}
		if one := w.get("one"); one.Status.Phase != awaiting || len(w.entries()) != 0 {
			t.Errorf("%s: got %+v, %v", name, one.Status, w.entries())
		}
	}
}

// TestFaultCreditedTwice: a repeated notification credited again, and so did a settlement after a capture.
func TestFaultCreditedTwice(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.open("one")
	_, err := w.midtrans.Pay(order, "credit_card")
	must(t, err)

	for range 3 {
		for _, n := range w.midtrans.Held() {
			_, err := w.midtrans.Deliver(t.Context(), n)
			must(t, err)
		}
		must(t, w.midtrans.Settle(order))
		w.restart()
	}

	if got := w.entries(); !slices.Equal(got, []string{"TopUp 100000"}) {
		t.Errorf("got %v", got)
	}
}

// TestFaultPendingForEver: deny, expire and cancel were answered before anything was written, so payments stayed pending.
func TestFaultPendingForEver(t *testing.T) {
	for status, want := range map[payment.TransactionStatus]billingv1.TopUpPhase{
		payment.StatusExpire: billingv1.TopUpExpired, payment.StatusCancel: billingv1.TopUpFailed,
	} {
		w := newWorld(t, fake.Options{}, seams{})
		order := w.open("one")
		_, err := w.midtrans.Choose(order, "bca_va")
		must(t, err)
		must(t, w.midtrans.Change(order, func(p *fake.Payment) { p.Status = status }))

		held := w.midtrans.Held()
		answer, err := w.midtrans.Deliver(t.Context(), held[len(held)-1])
		must(t, err)

		if one := w.get("one"); answer != http.StatusOK || one.Status.Phase != want || !conditions.IsTrue(one, conditions.Stalled) {
			t.Errorf("%s: answered %d, %+v", status, answer, one.Status)
		}
	}
}

// TestFaultPageErrorIgnored: an error of the gateway while a page was opened was passed over, and there was no page.
func TestFaultPageErrorIgnored(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.midtrans.Script(payment.OpCheckout, fake.Code(500, "no"))
	w.open("one")

	one := w.get("one")
	if ready := conditions.Get(one, conditions.Ready); one.Status.Phase != billingv1.TopUpPending || ready.Reason != payment.ReasonGatewayUnavailable {
		t.Fatalf("got %+v", one.Status)
	}

	w.restart()
	w.passTopUp("one")

	if one := w.get("one"); one.Status.RedirectURL == "" {
		t.Errorf("got %+v", one.Status)
	}
}

// TestFaultReadThenWrite: a balance that was read and then written without a transaction lost money when two wrote at once.
// Here two leaders, who both believe that they lead, credit four payments of one tenant at the same time.
func TestFaultReadThenWrite(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	w.raisePending()

	names := []string{"a", "b", "c", "d"}
	for _, name := range names {
		order := w.open(name)
		_, err := w.midtrans.Pay(order, "other_qris")
		must(t, err)
	}

	first, second := w.newLoops(), w.newLoops()

	var both sync.WaitGroup
	for _, l := range []*loops{first, second} {
		for _, name := range names {
			order := w.orderID(name)
			both.Go(func() {
				for range 4 {
					l.orders.Hint(t.Context(), order)
					_, _ = l.topUps.Reconcile(t.Context(), w.request(name))
				}
			})
		}
	}
	both.Wait()

	w.restart()
	for _, name := range names {
		if one := w.look(name); one.Status.Phase != credited {
			t.Errorf("%s: got %+v", name, one.Status)
		}
	}

	if got := w.entries(); w.paidMoney() != "400000" || len(got) != 4 {
		t.Errorf("%s: %v", w.paidMoney(), got)
	}

	w.verify()
}

// raisePending lets the tenant have more payments open.
func (w *world) raisePending() {
	w.t.Helper()

	plan := planOf(w)
	plan.Spec.Billing.TopUps.MaxPending = 100
	must(w.t, w.api.Update(w.t.Context(), plan))
}

// TestFaultForeignOrder: there was no check of whose a payment is. The tenant is that of the TopUp's namespace, and nothing
// that anybody sends says otherwise.
func TestFaultForeignOrder(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	order := w.open("one")
	_, err := w.midtrans.Pay(order, "other_qris")
	must(t, err)

	held := w.midtrans.Held()
	_, err = w.midtrans.Deliver(t.Context(), held[len(held)-1].Edited(func(body map[string]any) {
		body["user_id"], body["tenant"], body["metadata"] = "somebody", "somebody", map[string]any{"tenant": "somebody"}
	}))
	must(t, err)

	head, err := w.ledger.Head(t.Context(), "somebody")
	must(t, err)

	if head.Seq != 0 || w.paidMoney() != "100000" {
		t.Errorf("somebody has %d entries, the payer %s", head.Seq, w.paidMoney())
	}

	var list billingv1.TopUpList
	must(t, w.api.List(t.Context(), &list, client.InNamespace("somebody")))

	if len(list.Items) != 0 {
		t.Error("somebody has a TopUp")
	}
}
