package book

import (
	"errors"
	"testing"

	"github.com/dogker/dogker/reconciler/money"
)

// TestGatewayRefund: what was given back past us is debited once, whatever is left of the balance, and is told apart from what
// was held for a refund of ours.
func TestGatewayRefund(t *testing.T) {
	s := newShelf()
	for _, op := range []Op{
		TopUp{Order: "o1", Transaction: "tx", Amount: 100 * money.Rupiah},
		Grant{ID: "grant:plus", Lot: Lot{ID: "plus", Left: 10 * money.Rupiah, Order: "o1"}},
		RefundHold{Refund: "ours", Order: "o1", Amount: 20 * money.Rupiah},
		GatewayRefund{Order: "o1", Refund: "theirs", Amount: 30 * money.Rupiah, TakeBack: "plus"},
		RefundPost{Refund: "ours"},
		Chargeback{Order: "o1", Cumulative: 5 * money.Rupiah, Amount: 5 * money.Rupiah},
	} {
		if _, err := s.do(op); err != nil {
			t.Fatalf("%T: %v", op, err)
		}
		checkShelf(t, s)
	}

	want := Order{
		ID: "o1", Credited: 100 * money.Rupiah, Returned: 55 * money.Rupiah, Transaction: "tx", Seq: 1, At: start.Unix(),
		ChargedBack: 5 * money.Rupiah, Refunds: map[string]money.Micro{"ours": 20 * money.Rupiah, "theirs": 30 * money.Rupiah},
	}
	if got := s.orders["o1"]; !got.Equal(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if h := s.state.Head; h.Paid != 45*money.Rupiah || len(h.Lots) != 0 {
		t.Errorf("%s is paid, lots %v", h.Paid, h.Lots)
	}

	cases := map[string]struct {
		reason string
		op     GatewayRefund
		want   error
	}{
		"Ours":    {"What was held for it is posted, not debited.", GatewayRefund{Order: "o1", Refund: "ours", Amount: money.Rupiah}, ErrExists},
		"Again":   {"What is debited is.", GatewayRefund{Order: "o1", Refund: "theirs", Amount: money.Rupiah}, ErrExists},
		"TooMuch": {"No more goes back than came.", GatewayRefund{Order: "o1", Refund: "more", Amount: 46 * money.Rupiah}, ErrInsufficient},
		"Nothing": {"Nothing is no refund.", GatewayRefund{Order: "o1", Refund: "more"}, ErrInvalid},
		"BadKey":  {"A key must be one.", GatewayRefund{Order: "o1", Refund: "a/b", Amount: money.Rupiah}, ErrInvalid},
		"NotPaid": {"Of what was not paid nothing goes back.", GatewayRefund{Order: "o2", Refund: "x", Amount: money.Rupiah}, ErrInsufficient},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := s.do(tc.op); !errors.Is(err, tc.want) {
				t.Errorf("%s\ngot %v, want %v", tc.reason, err, tc.want)
			}
		})
	}
}

// TestVoidedRefundIsForgotten: what did not go back may be asked for under another key, all of it.
func TestVoidedRefundIsForgotten(t *testing.T) {
	s := newShelf()
	for _, op := range []Op{
		TopUp{Order: "o1", Transaction: "tx", Amount: 100 * money.Rupiah},
		RefundHold{Refund: "r1", Order: "o1", Amount: 100 * money.Rupiah},
		RefundVoid{Refund: "r1"},
	} {
		if _, err := s.do(op); err != nil {
			t.Fatalf("%T: %v", op, err)
		}
	}

	if o := s.orders["o1"]; o.Free() != 100*money.Rupiah || len(o.Refunds) != 0 {
		t.Errorf("got %+v", o)
	}
}
