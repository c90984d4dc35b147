package book

import (
	"fmt"

	"github.com/dogker/dogker/reconciler/money"
)

// TopUp credits a payment, once for each order.
type TopUp struct {
	// Order at the gateway, and the transaction there that settled it.
	Order, Transaction string
	// Amount that was to be paid, and was.
	Amount money.Micro
	Actor  string
}

// Key implements Op.
func (t TopUp) Key() string { return "topup:" + t.Order }

func (t TopUp) validate() error {
	return first(
		checkKey("order", t.Order), checkKey("transaction", t.Transaction), checkAmount("amount", t.Amount),
		checkText("actor", t.Actor, maxNameBytes, false),
	)
}

func (t TopUp) apply(d *draft) error {
	return d.append(Entry{
		Type: TypeTopUp, Key: t.Key(), Order: t.Order, Transaction: t.Transaction, Actor: t.Actor,
		Postings: []Posting{{AccountPaid, t.Amount}, {AccountGateway, -t.Amount}},
	})
}

// Suspense keeps money that came and belongs to nobody yet, such as a second settled transaction of one order. The tenant
// is not credited; an Adjust from the suspense account does that when a person has looked at it.
type Suspense struct {
	Order, Transaction string
	Amount             money.Micro
	Reason             string
}

// Key implements Op.
func (s Suspense) Key() string { return "suspense:" + s.Order + ":" + s.Transaction }

func (s Suspense) validate() error {
	return first(
		checkKey("order", s.Order), checkKey("transaction", s.Transaction), checkKey("key", s.Key()),
		checkAmount("amount", s.Amount), checkText("reason", s.Reason, maxReasonBytes, true),
	)
}

func (s Suspense) apply(d *draft) error {
	return d.append(Entry{
		Type: TypeAdjustment, Key: s.Key(), Order: s.Order, Transaction: s.Transaction, Reason: s.Reason,
		Postings: []Posting{{AccountGateway, -s.Amount}, {AccountSuspense, s.Amount}},
	})
}

// Grant gives promotional money, as a lot of its own.
type Grant struct {
	// ID is the idempotency key, such as "grant:WELCOME" or "free:2026-11".
	ID string
	// Lot to make; Left is the amount.
	Lot Lot
	// Coupon that is redeemed, and how often all tenants together may redeem it. Empty for none.
	Coupon      string
	CouponLimit int64
	Actor       string
	Reason      string
}

// Key implements Op.
func (g Grant) Key() string { return g.ID }

func (g Grant) validate() error {
	err := first(
		checkKey("id", g.ID), checkKey("lot.id", g.Lot.ID), checkAmount("lot.left", g.Lot.Left),
		checkText("actor", g.Actor, maxNameBytes, false), checkText("reason", g.Reason, maxReasonBytes, false),
	)
	switch {
	case err != nil:
		return err
	case g.Lot.Expires < 0 || g.Lot.Expires%HourSeconds != 0:
		return invalid("lot.expires", fmt.Sprint(g.Lot.Expires), "must be on a whole hour")
	case g.Lot.Meter != "" && !g.Lot.Meter.Known():
		return invalid("lot.meter", string(g.Lot.Meter), fmt.Sprintf("must be one of %v", money.Meters()))
	case g.Lot.Order != "":
		err = checkKey("lot.order", g.Lot.Order)
	}
	if err == nil && g.Coupon != "" {
		err = checkKey("coupon", g.Coupon)
		if g.CouponLimit < 1 {
			err = invalid("couponLimit", fmt.Sprint(g.CouponLimit), "must be above zero")
		}
	}

	return err
}

func (g Grant) apply(d *draft) error {
	if g.Lot.Expires != 0 && g.Lot.Expires <= d.now.Unix() {
		return invalid("lot.expires", fmt.Sprint(g.Lot.Expires), "must not be in the past")
	}
	lot := g.Lot

	return d.append(Entry{
		Type: TypeGrant, Key: g.ID, Lot: &lot, Order: lot.Order, Actor: g.Actor, Reason: g.Reason,
		Postings: []Posting{{AccountPromo + lot.ID, lot.Left}, {AccountPromoExpense, -lot.Left}},
	})
}

// Expire takes what is left of a lot whose time is over, once all use before that has been charged.
type Expire struct {
	Lot string
}

// Key implements Op.
func (x Expire) Key() string { return "expire:" + x.Lot }

func (Expire) fenced() bool { return true }

func (x Expire) validate() error { return first(checkKey("lot", x.Lot), checkKey("key", x.Key())) }

func (x Expire) apply(d *draft) error {
	h := d.State.Head
	lot, ok := h.Lot(x.Lot)
	charged := h.ChargedThrough == 0 || WindowEnd(h.ChargedThrough) >= lot.Expires
	settled := !d.open() || WindowStart(d.State.Record.From) >= lot.Expires
	switch {
	case !ok:
		return fmt.Errorf("expire lot %q: %w", x.Lot, ErrNotFound)
	case lot.Expires == 0:
		return invalid("lot", x.Lot, "must be one that expires")
	case lot.Expires > d.now.Unix() || !charged || !settled:
		return fmt.Errorf("expire lot %q: %w", x.Lot, ErrTooEarly)
	}

	// It belongs to the last moment at which the lot could be used, and so to the month that a monthly grant was for.
	last := lot.Expires/WindowSeconds - 1

	return d.append(Entry{
		Type: TypeGrantExpiry, Key: x.Key(), From: last, Through: last, Order: lot.Order,
		Postings: []Posting{{AccountPromo + lot.ID, -lot.Left}, {AccountPromoExpense, lot.Left}},
	})
}

// Adjust corrects a balance by hand.
type Adjust struct {
	// ID is the key, which the person who adjusts must choose: the same adjustment sent twice is one.
	ID string
	// Amount to give, or to take if below zero.
	Amount money.Micro
	// FromSuspense takes it from what is kept for nobody, not from the platform's adjustments.
	FromSuspense bool
	// Reverses is the Seq of the entry that is put right, if it is about one.
	Reverses int64
	Actor    string
	Reason   string
}

// Key implements Op.
func (a Adjust) Key() string { return "adj:" + a.ID }

func (a Adjust) validate() error {
	if a.Amount == 0 {
		return invalid("amount", a.Amount.String(), "must not be zero")
	}
	if a.Reverses < 0 {
		return invalid("reverses", fmt.Sprint(a.Reverses), "must be the number of an entry")
	}

	return first(
		checkKey("id", a.ID), checkKey("key", a.Key()),
		checkText("actor", a.Actor, maxNameBytes, true), checkText("reason", a.Reason, maxReasonBytes, true),
	)
}

func (a Adjust) apply(d *draft) error {
	against := AccountAdjustments
	if a.FromSuspense {
		against = AccountSuspense
	}
	if a.Reverses > d.State.Head.Seq {
		return invalid("reverses", fmt.Sprint(a.Reverses), fmt.Sprintf("must be at most %d, the last entry", d.State.Head.Seq))
	}
	back, err := money.Micro(0).Sub(a.Amount)
	if err != nil {
		return err
	}

	return d.append(Entry{
		Type: TypeAdjustment, Key: a.Key(), Reverses: a.Reverses, Actor: a.Actor, Reason: a.Reason,
		Postings: []Posting{{AccountPaid, a.Amount}, {against, back}},
	})
}

// WriteOff gives a debt up, all of it.
type WriteOff struct {
	// ID is the key.
	ID     string
	Actor  string
	Reason string
}

// Key implements Op.
func (w WriteOff) Key() string { return "writeoff:" + w.ID }

func (w WriteOff) validate() error {
	return first(
		checkKey("id", w.ID), checkKey("key", w.Key()),
		checkText("actor", w.Actor, maxNameBytes, true), checkText("reason", w.Reason, maxReasonBytes, true),
	)
}

func (w WriteOff) apply(d *draft) error {
	debt, err := money.Micro(0).Sub(d.State.Head.Paid)
	if err != nil {
		return err
	}
	if debt <= 0 {
		return fmt.Errorf("write off a debt: there is none: %w", ErrNotFound)
	}

	return d.append(Entry{
		Type: TypeWriteOff, Key: w.Key(), Actor: w.Actor, Reason: w.Reason,
		Postings: []Posting{{AccountPaid, debt}, {AccountBadDebt, -debt}},
	})
}
