package ledger

import (
	"testing"

	"github.com/dogker/dogker/reconciler/book"
)

func TestRedeemed(t *testing.T) {
	l, term := open(t, openStore(t))
	coupon := newTenant()

	for want := range int64(3) {
		if got, err := l.Redeemed(t.Context(), coupon); err != nil || got != want {
			t.Fatalf("got %d, %v, want %d", got, err, want)
		}
		must(t, l, term, newTenant(), book.Grant{ID: "grant:" + coupon, Lot: book.Lot{ID: "plus", Left: rupiah(1)}, Coupon: coupon, CouponLimit: 3})
	}
}
