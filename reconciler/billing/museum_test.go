package billing

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// TestFaultMailPerCharge: platforms of this kind sent one mail for each container with each charge, eighty an hour. Here ten
// containers are charged every minute for four hours, with little money left.
func TestFaultMailPerCharge(t *testing.T) {
	s := newShelf(termsOf())
	got := told(s.do(t, paid("o1", 300)))
	for minute := range int64(250) {
		c := book.Charge{From: firstWindow + minute, Through: firstWindow + minute, PriceList: "p1"}
		c.Settle = book.LastOfHour(c.Through)
		for i := range 10 {
			c.Lines = append(c.Lines, book.Line{
				Workload: fmt.Sprintf("web-%d", i), Meter: money.CPU, Quantity: 100_000_000, Seconds: 60, Price: rupiah(60),
			})
		}
		s.now = time.Unix(book.WindowEnd(c.Through), 0).Add(s.late)
		got = append(got, told(s.do(t, c))...)
	}
	if diff := cmp.Diff([]string{"PaymentReceived:1", "LowBalance:6h:1", "LowBalance:1h:1"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
