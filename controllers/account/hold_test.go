package account

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// TestHoldIsNobodyElses: a pass that has read the account before somebody changed it neither replaces a hold nor sets one
// again that was lifted.
func TestHoldIsNobodyElses(t *testing.T) {
	for name, hold := range map[string]*billingv1.AccountHold{"Set": {Reason: "Abuse"}, "Lifted": nil} {
		o := newOffice(t, acme()...)
		read := o.account()
		change(o, &billingv1.BillingAccount{ObjectMeta: read.ObjectMeta}, func(a *billingv1.BillingAccount) { a.Spec.Hold = hold })

		err := o.controller.hold(t.Context(), &situation{account: read, tenant: o.tenant()})

		if diff := cmp.Diff(hold, o.account().Spec.Hold); diff != "" || !apierrors.IsConflict(err) {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestChargeback: the ledger stops the account; the hold in its spec is how a person lets it run again.
func TestChargeback(t *testing.T) {
	o := newOffice(t, acme()...)
	o.must(paid("o1", 10_000), paid("o2", 10_000))
	o.settle()
	o.books.order = book.Order{ID: "o1", Credited: 10_000 * money.Rupiah}
	o.must(book.Chargeback{Order: "o1", Cumulative: 10_000 * money.Rupiah, Amount: 10_000 * money.Rupiah})
	o.settle()

	if hold := o.account().Spec.Hold; hold == nil || hold.Reason != reasonChargeback || o.seen().Stopped != "Hold" {
		t.Fatalf("the hold is %+v, the tenant stopped for %q", hold, o.seen().Stopped)
	}

	change(o, &billingv1.BillingAccount{ObjectMeta: meta("acme", "default")}, func(a *billingv1.BillingAccount) { a.Spec.Hold = nil })
	o.settle()
	if got := o.seen(); got.Stopped != "" || got.Phase != "Active" {
		t.Errorf("a person has lifted it, and it is %+v", got)
	}
}
