package billing

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// refusedRightly tells whether an operation was refused for a reason that there may be.
func refusedRightly(err error) bool {
	for _, reason := range []error{book.ErrInsufficient, book.ErrTooMany, book.ErrTooEarly, book.ErrNotFound, book.ErrExists} {
		if errors.Is(err, reason) {
			return true
		}
	}

	return false
}

// chance is true so many times in ten thousand.
func (c *customer) chance(n int) bool { return c.random.IntN(10_000) < n }

// rupiah is an amount up to a bound.
func (c *customer) rupiah(most int64) money.Micro { return rupiah(1 + c.random.Int64N(most)) }

// happen is what can happen to money in an hour.
func (c *customer) happen(hour int) {
	low := c.state.Head.Available() < 24*c.shelf.terms.Rate
	if (hour == 0 || low) && c.chance(100*c.late+5) {
		c.pay()
	}
	if c.chance(8) {
		c.grant(c.state.Head.Tenant+"-coupon", "")
	}
	if c.chance(3) {
		amount := c.rupiah(20_000) - rupiah(10_000)
		if amount != 0 {
			c.try("adjust", book.TypeAdjustment, amount, book.Adjust{ID: strconv.Itoa(hour), Amount: amount, Actor: "ada", Reason: "x"})
		}
	}
	if len(c.orders) > 0 {
		c.goBack(c.orders[c.random.IntN(len(c.orders))], hour)
	}
	if debt := -c.state.Head.Paid; debt > 0 && c.chance(20) {
		c.try("writeoff", book.TypeWriteOff, debt, book.WriteOff{ID: strconv.Itoa(hour), Actor: "ada", Reason: "x"})
	}
}

// pay pays for some days, sometimes with a coupon that adds to it.
func (c *customer) pay() {
	order := fmt.Sprintf("%s-%d", c.state.Head.Tenant, len(c.orders))
	amount := c.rupiah(int64(200*c.shelf.terms.Rate/money.Rupiah) + 1)
	if c.try("topup", book.TypeTopUp, amount, book.TopUp{Order: order, Transaction: "t", Amount: amount}) {
		c.orders = append(c.orders, order)
	}
	if c.chance(2000) {
		c.grant(order+"-bonus", order)
	}
}

// grant gives a lot, for ever or for some hours, for all meters or for one.
func (c *customer) grant(name, order string) {
	c.lots++
	lot := book.Lot{ID: fmt.Sprintf("%s-%d", name, c.lots), Left: c.rupiah(30_000), Order: order}
	if c.chance(7000) {
		lot.Expires = (c.now.Unix()/book.HourSeconds + 1 + c.random.Int64N(900)) * book.HourSeconds
	}
	if c.chance(3000) {
		meters := money.Meters()
		lot.Meter = meters[c.random.IntN(len(meters))]
	}
	c.try("grant", book.TypeGrant, lot.Left, book.Grant{ID: "grant:" + lot.ID, Lot: lot})
}

// goBack is what can become of a payment.
func (c *customer) goBack(order string, hour int) {
	o := c.shelf.orders[order]
	bonus := ""
	if i := slices.IndexFunc(c.state.Head.Lots, func(l book.Lot) bool { return l.Order == order }); i >= 0 {
		bonus = c.state.Head.Lots[i].ID
	}
	left := func() money.Micro {
		lot, _ := c.state.Head.Lot(bonus)
		return lot.Left
	}
	if c.chance(20) {
		refund := fmt.Sprintf("r%d", hour)
		amount := min(c.rupiah(50_000), max(o.Free(), 1))
		if c.try("hold", book.TypeRefundHold, amount, book.RefundHold{Refund: refund, Order: order, Amount: amount}) {
			c.holds = append(c.holds, refund)
		}
	}
	if len(c.holds) > 0 && c.chance(500) {
		c.resolve(c.holds[0])
		c.holds = c.holds[1:]
	}
	if c.chance(4) && o.Free() > 0 {
		gone := left()
		if c.try("reversal", book.TypeReversal, o.Free(), book.Reversal{Order: order, Transaction: fmt.Sprint("x", hour), Amount: o.Free(), TakeBack: bonus}) {
			c.asked[book.TypeGrantExpiry] += gone
		}
	}
	if o = c.shelf.orders[order]; c.chance(4) && o.Free() > 0 {
		part := (o.Free() + 1) / 2
		if c.try("chargeback", book.TypeChargeback, part, book.Chargeback{Order: order, Cumulative: o.ChargedBack + part, Amount: part}) {
			c.heldUntil = hour + 1 + c.random.IntN(100)
		}
	}
}

// resolve posts or voids what is held.
func (c *customer) resolve(refund string) {
	hold, _ := c.state.Head.Hold(refund)
	if c.chance(6000) {
		c.try("post", book.TypeRefundPost, hold.Amount, book.RefundPost{Refund: refund})
		return
	}
	c.try("void", book.TypeRefundVoid, hold.Amount, book.RefundVoid{Refund: refund})
}

// expire takes lots whose time is over.
func (c *customer) expire() {
	for _, lot := range c.state.Head.Clone().Lots {
		if lot.Expires != 0 && lot.Expires <= c.now.Unix() {
			c.try("expire", book.TypeGrantExpiry, lot.Left, book.Expire{Lot: lot.ID})
		}
	}
}

// charge charges the hour that begins with a window, as catching up does: of compute what is not free, of which most tasks
// run all the time, and some begin or end; and a volume.
func (c *customer) charge(from int64) {
	h, terms := c.state.Head, c.shelf.terms
	op := book.Charge{From: from, Through: from + 59, PriceList: terms.PriceList.Name, Floor: terms.Floor(h)}
	op.Free = h.Free(op.From, op.Through)
	op.Settle = (book.HourOf(from)+1+int64(OffsetHours(nil)))%terms.SettlementHours() == 0
	line := func(workload string, meter money.Meter, quantity, seconds int64) {
		if price := terms.Prices[meter]; price > 0 && seconds > 0 && quantity > 0 {
			op.Lines = append(op.Lines, book.Line{Workload: workload, Meter: meter, Quantity: quantity, Seconds: seconds, Price: price})
		}
	}
	runs := 60 * (op.Through - max(op.Free, from-1))
	for i, task := range c.tasks {
		seconds := runs
		if c.chance(1500) {
			seconds = min(runs, c.random.Int64N(3600))
		}
		name := "task-" + strconv.Itoa(i)
		line(name, money.CPU, task.NanoCPUs, seconds)
		line(name, money.Memory, task.MemoryBytes, seconds)
		line(name, money.Replica, 1, seconds)
	}
	line("data", money.Storage, 10<<30, 3600)
	if !c.try("charge", book.TypeUsage, 0, op) {
		return
	}
	for _, l := range op.Lines {
		c.exact[l.Meter] = c.exact[l.Meter].plus(l)
	}
}

// wide is a sum of quantities times seconds times prices in 128 bits.
type wide struct{ high, low uint64 }

func (w wide) plus(l book.Line) wide {
	high, low := bits.Mul64(uint64(l.Quantity)*uint64(l.Seconds), uint64(l.Price))
	low, carry := bits.Add64(w.low, low, 0)
	high, _ = bits.Add64(w.high, high, carry)

	return wide{high, low}
}

// over is the sum divided by how much makes a unit, rounded down.
func (w wide) over(divisor uint64) money.Micro {
	quotient, _ := bits.Div64(w.high, w.low, divisor)

	return money.Micro(quotient)
}
