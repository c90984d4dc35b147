package account

import (
	"fmt"
	"testing"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// TestSettlesWhatNobodyCharges: use is settled soon after the end of its settlement, though nothing runs any more by then and
// no charge does it: the month it belongs to can be closed.
func TestSettlesWhatNobodyCharges(t *testing.T) {
	o := newOffice(t, acme()...)
	change(o, &v1alpha1.Plan{ObjectMeta: meta("", "prepaid")}, func(p *v1alpha1.Plan) {
		p.Spec.Billing = &v1alpha1.BillingRules{SettlementHours: 24}
	})
	accrued := func(reason string, at time.Time, want money.Micro) {
		t.Helper()
		o.now = at
		o.settle()
		if got := o.books.state("acme").Head.AccruedTotal(); got != want {
			t.Errorf("%s: %s is not settled, want %s", reason, got, want)
		}
	}
	o.must(paid("o1", 10_000)).use(30 * time.Minute)

	// Days of the account end at 17:00 UTC.
	end := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)
	accrued("the day goes on", end.Add(-time.Minute), 50*money.Rupiah)
	accrued("metering may be late", end.Add(50*time.Minute), 50*money.Rupiah)
	accrued("it is not that late", end.Add(time.Hour), 0)
	if h := o.books.state("acme").Head; h.Paid != 9950*money.Rupiah {
		t.Errorf("%s is left", h.Paid)
	}
}

// TestNoRoomForTheGrant: who has as many gifts as there may be gets the grant when one of them is gone, and the time of gifts
// ends meanwhile as ever.
func TestNoRoomForTheGrant(t *testing.T) {
	o := newOffice(t, acme(edit(func(p *v1alpha1.Plan) { p.Spec.Billing.MonthlyGrant = "5000" }))...)
	for i := range 32 {
		id := fmt.Sprintf("gift-%d", i)
		o.must(book.Grant{ID: id, Lot: book.Lot{ID: id, Left: money.Rupiah, Expires: start.Add(time.Hour).Unix()}})
	}
	o.settle()
	if got := o.account(); got.Status.Promotional != "32" || reasons(got)["Ready"] == "Unknown LedgerUnavailable" {
		t.Errorf("without room: %+v", got.Status)
	}

	o.now = start.Add(time.Hour)
	o.settle()
	if lots := o.books.state("acme").Head.Lots; len(lots) != 1 || lots[0].ID != "free:2026-11" {
		t.Errorf("with room there are %+v", lots)
	}
}
