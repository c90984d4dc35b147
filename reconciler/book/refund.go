package book

import (
	"fmt"

	"github.com/dogker/dogker/reconciler/money"
)

// RefundHold sets an amount aside before the gateway is asked to pay it back. Promotional money is never paid back, and
// what was used already is not there to be.
type RefundHold struct {
	// Refund is the key that the gateway knows the refund by.
	Refund string
	// Order that is refunded, as far as it was not refunded before.
	Order  string
	Amount money.Micro
	Actor  string
	Reason string
}

// Key implements Op.
func (r RefundHold) Key() string { return "refund:" + r.Refund + ":hold" }

func (r RefundHold) orderIn(Head) string { return r.Order }

func (r RefundHold) validate() error {
	return first(
		checkKey("refund", r.Refund), checkKey("key", r.Key()), checkKey("order", r.Order), checkAmount("amount", r.Amount),
		checkText("actor", r.Actor, maxNameBytes, false), checkText("reason", r.Reason, maxReasonBytes, false),
	)
}

func (r RefundHold) apply(d *draft) error {
	h, o := d.State.Head, d.State.Order
	if _, held := h.Hold(r.Refund); held {
		return fmt.Errorf("hold for refund %q: %w", r.Refund, ErrExists)
	}
	if o.Credited == 0 {
		return fmt.Errorf("hold for refund %q of order %q: %w", r.Refund, r.Order, ErrNotFound)
	}
	if r.Amount > o.Free() {
		return fmt.Errorf("hold %s for refund %q: %s of order %q can go back: %w", r.Amount, r.Refund, o.Free(), r.Order, ErrInsufficient)
	}
	if own := h.Refundable(WindowEnd(d.State.Record.Through)); r.Amount > own {
		return fmt.Errorf("hold %s for refund %q: %s of the balance is paid and not used: %w", r.Amount, r.Refund, max(own, 0), ErrInsufficient)
	}

	return d.append(Entry{
		Type: TypeRefundHold, Key: r.Key(), Order: r.Order, Hold: r.Refund, Actor: r.Actor, Reason: r.Reason,
		Postings: []Posting{{AccountPaid, -r.Amount}, {AccountHeld + r.Refund, r.Amount}},
	})
}

// Refundable is the paid money that would be left if what accrued until end were settled now.
func (h Head) Refundable(end int64) money.Micro {
	_, due := burn(h.Lots, h.Accrued, end)

	return h.Paid - due
}

// RefundPost says that a held amount has gone back.
type RefundPost struct {
	Refund string
	// Transaction is what the gateway calls it, if it says.
	Transaction string
	// TakeBack is the lot that came with the payment; what is left of it goes, too. Empty for none.
	TakeBack string
	Actor    string
	// Reason holds the evidence where it was paid back by hand.
	Reason string
}

// Key implements Op.
func (r RefundPost) Key() string { return "refund:" + r.Refund + ":post" }

func (r RefundPost) orderIn(h Head) string { return orderOfHold(h, r.Refund) }

func (r RefundPost) validate() error {
	return first(
		checkKey("refund", r.Refund), checkKey("key", r.Key()), checkText("transaction", r.Transaction, maxNameBytes, false),
		checkText("actor", r.Actor, maxNameBytes, false), checkText("reason", r.Reason, maxReasonBytes, false),
	)
}

func (r RefundPost) apply(d *draft) error {
	hold, ok := d.State.Head.Hold(r.Refund)
	if !ok {
		return fmt.Errorf("post refund %q: there is no hold: %w", r.Refund, ErrNotFound)
	}

	return d.giveBack(Entry{
		Type: TypeRefundPost, Key: r.Key(), Order: hold.Order, Transaction: r.Transaction, Hold: r.Refund, Actor: r.Actor, Reason: r.Reason,
		Postings: []Posting{{AccountHeld + r.Refund, -hold.Amount}, {AccountGateway, hold.Amount}},
	}, r.TakeBack)
}

// RefundVoid says that a held amount will not go back after all.
type RefundVoid struct {
	Refund string
	Actor  string
	Reason string
}

// Key implements Op.
func (r RefundVoid) Key() string { return "refund:" + r.Refund + ":void" }

func (r RefundVoid) orderIn(h Head) string { return orderOfHold(h, r.Refund) }

func (r RefundVoid) validate() error {
	return first(
		checkKey("refund", r.Refund), checkKey("key", r.Key()),
		checkText("actor", r.Actor, maxNameBytes, false), checkText("reason", r.Reason, maxReasonBytes, false),
	)
}

func (r RefundVoid) apply(d *draft) error {
	hold, ok := d.State.Head.Hold(r.Refund)
	if !ok {
		return fmt.Errorf("void refund %q: there is no hold: %w", r.Refund, ErrNotFound)
	}

	return d.append(Entry{
		Type: TypeRefundVoid, Key: r.Key(), Order: hold.Order, Hold: r.Refund, Actor: r.Actor, Reason: r.Reason,
		Postings: []Posting{{AccountHeld + r.Refund, -hold.Amount}, {AccountPaid, hold.Amount}},
	})
}

func orderOfHold(h Head, refund string) string {
	hold, _ := h.Hold(refund)

	return hold.Order
}

// giveBack appends an entry that takes money of an order back, together with the lot that came with the payment. What was
// drawn of the lot stays drawn.
func (d *draft) giveBack(e Entry, takeBack string) error {
	if lot, ok := d.State.Head.Lot(takeBack); ok {
		if lot.Order != e.Order {
			return invalid("takeBack", takeBack, fmt.Sprintf("must be a lot that came with order %q", e.Order))
		}
		e.Postings = append(e.Postings, Posting{AccountPromo + lot.ID, -lot.Left}, Posting{AccountPromoExpense, lot.Left})
	}

	return d.append(e)
}

// Reversal takes a credit back that the bank has denied after all. The balance may go below any floor: the money never
// came.
type Reversal struct {
	Order, Transaction string
	Amount             money.Micro
	// TakeBack is the lot that came with the payment. Empty for none.
	TakeBack string
	Reason   string
}

// Key implements Op.
func (r Reversal) Key() string { return "reversal:" + r.Order + ":" + r.Transaction }

func (r Reversal) orderIn(Head) string { return r.Order }

func (r Reversal) validate() error {
	return first(
		checkKey("order", r.Order), checkKey("transaction", r.Transaction), checkKey("key", r.Key()),
		checkAmount("amount", r.Amount), checkText("reason", r.Reason, maxReasonBytes, false),
	)
}

func (r Reversal) apply(d *draft) error {
	return d.giveBack(Entry{
		Type: TypeReversal, Key: r.Key(), Order: r.Order, Transaction: r.Transaction, Reason: r.Reason,
		Postings: []Posting{{AccountPaid, -r.Amount}, {AccountGateway, r.Amount}},
	}, r.TakeBack)
}

// Chargeback takes back what the payer's bank has taken from us, up to a total that the gateway names. The balance may go
// below any floor.
type Chargeback struct {
	Order string
	// Cumulative is all that has been charged back of the order so far, and Amount what is new of it.
	Cumulative, Amount money.Micro
	TakeBack           string
	Reason             string
}

// Key implements Op.
func (c Chargeback) Key() string { return fmt.Sprintf("cb:%s:%d", c.Order, int64(c.Cumulative)) }

func (c Chargeback) orderIn(Head) string { return c.Order }

func (c Chargeback) validate() error {
	if c.Amount > c.Cumulative {
		return invalid("amount", c.Amount.String(), fmt.Sprintf("must be at most %s, the cumulative amount", c.Cumulative))
	}

	return first(
		checkKey("order", c.Order), checkKey("key", c.Key()),
		checkAmount("amount", c.Amount), checkText("reason", c.Reason, maxReasonBytes, false),
	)
}

func (c Chargeback) apply(d *draft) error {
	return d.giveBack(Entry{
		Type: TypeChargeback, Key: c.Key(), Order: c.Order, Reason: c.Reason,
		Postings: []Posting{{AccountPaid, -c.Amount}, {AccountGateway, c.Amount}},
	}, c.TakeBack)
}
