package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// paper is a ledger on paper, whose entries package book makes.
type paper struct {
	state  book.State
	items  []book.Item
	orders map[string]book.Order
	now    time.Time
}

// do does what can be done, and leaves out what cannot.
func (p *paper) do(op book.Op) {
	p.state.Order = p.orders[book.OrderOf(op, p.state.Head)]
	out, err := book.Apply(p.state, op, nil, p.now)
	if err != nil {
		return
	}
	p.state = out.State
	if out.State.Order.ID != "" {
		p.orders[out.State.Order.ID] = out.State.Order
	}
	for _, e := range out.Entries {
		item := book.Item{Entry: e}
		if i := slices.IndexFunc(out.Settled, func(r book.Record) bool { return r.Digest() == e.Record }); i >= 0 {
			item.Record = &out.Settled[i]
		}
		p.items = append(p.items, item)
	}
}

// anything is an operation of any kind.
func (p *paper) anything(t *rapid.T, key string) book.Op {
	amount := rupiah(rapid.Int64Range(1, 400).Draw(t, "amount"))
	var orders []string
	for id := range p.orders {
		orders = append(orders, id)
	}
	slices.Sort(orders)
	order := rapid.SampledFrom(append(orders, "none")).Draw(t, "order")
	switch rapid.IntRange(0, 8).Draw(t, "kind") {
	case 0:
		return book.TopUp{Order: key, Transaction: "tx", Amount: amount}
	case 1:
		scope := money.Meter(rapid.SampledFrom([]string{"", "cpu", "memory", "egress"}).Draw(t, "scope"))
		return book.Grant{ID: "grant:" + key, Lot: book.Lot{ID: key, Left: amount, Meter: scope, Order: order}}
	case 2:
		return book.Adjust{ID: key, Amount: -amount, Reverses: max(0, p.state.Head.Seq-3), Actor: "ada", Reason: "=so"}
	case 3:
		return book.Reversal{Order: order, Transaction: key, Amount: p.orders[order].Free()}
	case 4:
		p.do(book.RefundHold{Refund: key, Order: order, Amount: amount})
		return book.RefundPost{Refund: key}
	case 5:
		p.do(book.Suspense{Order: key, Transaction: "tx", Amount: amount, Reason: "whose?"})
		return book.Adjust{ID: key, Amount: amount, FromSuspense: true, Actor: "ada", Reason: "theirs"}
	case 6:
		return book.WriteOff{ID: key, Actor: "ada", Reason: "gone"}
	default:
		return p.use(t)
	}
}

// use is an hour of some containers, settled down to a floor that may cut it.
func (p *paper) use(t *rapid.T) book.Op {
	through := book.WindowAt(p.now.Truncate(time.Hour)) - 1
	c := book.Charge{From: p.state.Head.ChargedThrough + 1, Since: through - 59, Through: through, Settle: true, PriceList: "p1", Floor: -rupiah(50)}
	if p.state.Head.ChargedThrough == 0 {
		c.From, c.Since = through-59, 0
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "lines") {
		meter := rapid.SampledFrom(money.Meters()).Draw(t, "meter")
		c.Lines = append(c.Lines, book.Line{
			Workload: fmt.Sprintf("TenantContainer/c%d/u", i), Meter: meter, Quantity: rapid.Int64Range(1, 4_000_000_000).Draw(t, "quantity"),
			Seconds: rapid.Int64Range(1, 3600).Draw(t, "seconds"), Price: money.Micro(rapid.Int64Range(0, 200_000_000).Draw(t, "price")),
		})
		if meter == money.Replica {
			c.Lines[i].Quantity = 1
		}
	}

	return c
}

// TestFOCUSHolds: whatever happens to a tenant's money, its dataset keeps the rules of the specification, accounts for the
// balance, and is the same in one piece or in two.
func TestFOCUSHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &paper{state: book.State{Head: book.NewHead("acme")}, orders: map[string]book.Order{}, now: start}
		for i := range rapid.IntRange(1, 40).Draw(t, "operations") {
			p.now = p.now.Add(time.Duration(rapid.Int64Range(1, 100).Draw(t, "hours")) * time.Hour)
			p.do(p.anything(t, fmt.Sprintf("k%d", i)))
		}

		info := FOCUSInfo{Tenant: "acme", Provider: "x", UTCOffsetHours: int32(rapid.IntRange(-12, 14).Draw(t, "offset"))}
		_, header, rows := focusOf(t, info, 0, listed(p.items), 0, 1<<40)
		for _, v := range violations(header, rows) {
			t.Error(v)
		}
		if got := sumOf(t, rows, "x_BalanceChange", anyRow); got != p.state.Head.Balance() {
			t.Fatalf("changes add up to %s, the balance is %s", got, p.state.Head.Balance())
		}
		usage := ofCategory("Usage")
		if got := sumOf(t, rows, "EffectiveCost", usage) + sumOf(t, rows, "x_PromoApplied", usage); got != p.state.Head.Used {
			t.Fatalf("use was covered with %s, charged was %s", got, p.state.Head.Used)
		}
		for _, r := range rows {
			if usage(r) && (r.decimal("EffectiveCost").Sign() < 0 || r.decimal("x_PromoApplied").Sign() < 0 || r.decimal("x_Waived").Sign() < 0) {
				t.Fatalf("a part of a charge is below zero: %v", r)
			}
		}
		cut := start.Unix() + rapid.Int64Range(0, 4000*3600).Draw(t, "cut")
		_, _, first := focusOf(t, info, 0, listed(p.items), 0, cut)
		_, _, second := focusOf(t, info, 0, listed(p.items), cut, 1<<40)
		if len(first)+len(second) != len(rows) {
			t.Fatalf("%d rows before, %d after, %d in all", len(first), len(second), len(rows))
		}
	})
}
