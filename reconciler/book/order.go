package book

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"

	"github.com/dogker/dogker/reconciler/money"
)

// Order is what became of one payment: what was credited for it and what of it went back. Nothing may go back twice,
// whichever way it goes: as a refund, by a reversal or by a chargeback.
type Order struct {
	ID string `json:"id"`
	// Credited is what the tenant got for it.
	Credited money.Micro `json:"credited"`
	// Returned is what went back, Held what may be on its way.
	Returned money.Micro `json:"returned"`
	Held     money.Micro `json:"held"`
	// Transaction at the gateway that was credited, Seq the entry that says so, and At when it was written, in Unix time.
	Transaction string `json:"transaction,omitempty"`
	Seq         int64  `json:"seq,omitempty"`
	At          int64  `json:"at,omitempty"`
	// Reversed and ChargedBack are the parts of Returned that were taken, not given, back.
	Reversed    money.Micro `json:"reversed,omitempty"`
	ChargedBack money.Micro `json:"chargedBack,omitempty"`
	// Refunds are what was given back or is held for it, by the key that the gateway knows it by.
	Refunds map[string]money.Micro `json:"refunds,omitempty"`
}

// Encode writes the order as it is stored.
func (o Order) Encode() []byte {
	w := newEncoder(256)
	w.order(o)

	return w.out
}

// DecodeOrder reads an order.
func DecodeOrder(data []byte) (Order, error) {
	var o Order
	if err := decode(data, &o); err != nil {
		return Order{}, fmt.Errorf("decode order: %w", err)
	}
	if !bytes.Equal(o.Encode(), data) {
		return Order{}, fmt.Errorf("decode order: it is not written as this program writes it: %w", ErrBroken)
	}

	return o, nil
}

// Equal tells whether two orders say the same.
func (o Order) Equal(p Order) bool {
	same := maps.Equal(o.Refunds, p.Refunds)
	o.Refunds, p.Refunds = nil, nil

	return same && reflect.DeepEqual(o, p)
}

// Clone shares nothing with the order.
func (o Order) Clone() Order {
	o.Refunds = maps.Clone(o.Refunds)

	return o
}

// refund notes what went back, or is held, under a key.
func (o *Order) refund(key string, amount money.Micro) {
	if o.Refunds == nil {
		o.Refunds = map[string]money.Micro{}
	}
	if o.Refunds[key] += amount; o.Refunds[key] == 0 {
		delete(o.Refunds, key)
	}
}

// note is take for an entry that may be about no order.
func (o *Order) note(e Entry) error {
	if e.Order == "" || !ofPayment(e.Type) {
		return nil
	}

	return o.take(e)
}

// ofPayment tells whether entries of a type move the money of an order.
func ofPayment(t Type) bool {
	switch t {
	case TypeTopUp, TypeRefundHold, TypeRefundPost, TypeRefundVoid, TypeReversal, TypeChargeback:
		return true
	default:
		return false
	}
}

// take adds up one more entry about the order.
func (o *Order) take(e Entry) error {
	if !ofPayment(e.Type) {
		return nil
	}
	next := o.Clone()
	next.ID = e.Order
	paid := e.of(AccountPaid)
	switch e.Type {
	case TypeTopUp:
		next.Credited += paid
		next.Transaction, next.Seq, next.At = e.Transaction, e.Seq, e.Time
	case TypeRefundHold, TypeRefundVoid:
		next.Held -= paid
		next.refund(e.Hold, -paid)
	case TypeRefundPost:
		// What was held before is noted already; what was given back past us was not.
		next.Held += e.of(AccountHeld + e.Hold)
		next.Returned += e.of(AccountGateway)
		next.refund(e.Hold, -paid)
	case TypeReversal:
		next.Returned -= paid
		next.Reversed -= paid
	case TypeChargeback:
		next.Returned -= paid
		next.ChargedBack -= paid
	}
	if next.Returned < 0 || next.Held < 0 || next.Returned > next.Credited {
		return fmt.Errorf("order %q: %s of %s would be returned and %s held: %w", e.Order, next.Returned, next.Credited, next.Held, ErrInsufficient)
	}
	*o = next

	return nil
}

// of is what the entry posts to an account.
func (e Entry) of(account string) money.Micro {
	var sum money.Micro
	for _, p := range e.Postings {
		if p.Account == account {
			sum += p.Amount
		}
	}

	return sum
}

// Free is what of the payment has neither gone back nor is on its way.
func (o Order) Free() money.Micro { return o.Credited - o.Returned - o.Held }
