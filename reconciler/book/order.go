package book

import (
	"fmt"

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
	next := *o
	next.ID = e.Order
	paid := e.of(AccountPaid)
	switch e.Type {
	case TypeTopUp:
		next.Credited += paid
	case TypeRefundHold:
		next.Held -= paid
	case TypeRefundVoid:
		next.Held -= paid
	case TypeRefundPost:
		next.Held += e.of(AccountHeld + e.Hold)
		next.Returned -= e.of(AccountHeld + e.Hold)
	case TypeReversal, TypeChargeback:
		next.Returned -= paid
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
