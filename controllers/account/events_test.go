package account

import (
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

func TestEvents(t *testing.T) {
	o := newOffice(t, acme()...)
	o.must(paid("o1", 10_000)).settle()

	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"Warned", func() { o.must(book.Adjust{ID: "1", Amount: -5_000 * money.Rupiah, Actor: "a", Reason: "r"}) }, []string{"Warning BalanceLow"}},
		{"Nearer", func() { o.must(book.Adjust{ID: "2", Amount: -4_500 * money.Rupiah, Actor: "a", Reason: "r"}) }, []string{"Warning BalanceLow"}},
		{"Grace", func() { o.must(book.Adjust{ID: "3", Amount: -500 * money.Rupiah, Actor: "a", Reason: "r"}) }, []string{"Warning GracePeriod"}},
		{"Stopped", func() { o.now = o.now.Add(2 * time.Hour) }, []string{"Warning Suspended"}},
		{"Paid", func() { o.must(paid("o2", 20_000)) }, []string{"Normal Resumed"}},
	} {
		step.do()
		o.settle()

		for _, want := range step.want {
			for _, of := range []string{"*v1alpha1.BillingAccount ", "*v1alpha1.Tenant "} {
				n := 0
				for _, said := range o.said {
					if strings.HasPrefix(said, of+want+":") {
						n++
					}
				}
				if n != 1 {
					t.Errorf("%s: %d events %q of the %s:\n%s", step.name, n, want, of, strings.Join(o.said, "\n"))
				}
			}
		}
	}
}
