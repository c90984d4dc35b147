package billing

import (
	"testing"
	"time"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
)

// TestSettlement: use is settled every so many hours, beginning with the day of the account, so that a month ends with one.
func TestSettlement(t *testing.T) {
	for _, c := range []struct {
		every, offset int32
		settled       int
	}{{1, 7, 24}, {6, 7, 4}, {24, 7, 1}, {6, -5, 4}, {0, 0, 24}, {24, -12, 1}, {24, 14, 1}} {
		terms := Terms{
			Plan:    &dogkerv1.Plan{Spec: dogkerv1.PlanSpec{PriceListName: "p1", Billing: &dogkerv1.BillingRules{SettlementHours: c.every}}},
			Account: &billingv1.BillingAccount{Spec: billingv1.BillingAccountSpec{UTCOffsetHours: c.offset}},
		}
		n := 0
		midnight := time.Date(2026, 12, 1, 0, 0, 0, 0, time.FixedZone("", int(c.offset)*book.HourSeconds)).Unix() / book.HourSeconds
		for hour := midnight - 24; hour < midnight+24; hour++ {
			first, last := terms.Settlement(hour)
			if hour < first || hour > last || last-first+1 != terms.SettlementHours() || first < midnight && last >= midnight {
				t.Errorf("every %d hours at %+d: hour %d is settled with %d to %d; the month begins with %d", c.every, c.offset, hour, first, last, midnight)
			}
			if hour == last && hour < midnight {
				n++
			}
		}
		if n != c.settled {
			t.Errorf("every %d hours at %+d: settled %d times a day, want %d", c.every, c.offset, n, c.settled)
		}
	}
}
