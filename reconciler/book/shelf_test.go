package book

import (
	"maps"
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/money"
)

// start is a whole hour, and firstWindow the window that begins there.
var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

var firstWindow = WindowAt(start)

// shelf keeps the books of one tenant in memory.
type shelf struct {
	state   State
	entries []Entry
	records map[Period]Record
	orders  map[string]Order
	now     time.Time
}

func newShelf() *shelf {
	return &shelf{state: State{Head: NewHead("acme")}, records: map[Period]Record{}, orders: map[string]Order{}, now: start}
}

// do applies an operation and keeps what comes of it.
func (s *shelf) do(op Op) (Outcome, error) { return s.doAnd(op, nil) }

// doAnd does so with a decision.
func (s *shelf) doAnd(op Op, decide Decide) (Outcome, error) {
	s.state.Order = s.orders[OrderOf(op, s.state.Head)]
	out, err := Apply(s.state, op, decide, s.now)
	if err != nil {
		return out, err
	}
	s.state = out.State
	s.entries = append(s.entries, out.Entries...)
	for _, r := range out.Settled {
		s.records[r.Period] = r
	}
	if out.State.Order.ID != "" {
		s.orders[out.State.Order.ID] = out.State.Order
	}

	return out, nil
}

// must applies what cannot fail.
func (s *shelf) must(t testing.TB, ops ...Op) *shelf {
	t.Helper()
	for _, op := range ops {
		if _, err := s.do(op); err != nil {
			t.Fatalf("%#v: %v", op, err)
		}
	}

	return s
}

// stored are the entries as a store has them.
func (s *shelf) stored() [][]byte {
	var out [][]byte
	for _, e := range s.entries {
		out = append(out, e.Encode())
	}

	return out
}

// replayAll replays stored entries from the beginning.
func replayAll(stored [][]byte) (*Replay, error) {
	r := NewReplay(NewHead("acme"))
	for _, data := range stored {
		if _, err := r.Next(data); err != nil {
			return r, err
		}
	}

	return r, nil
}

// paid is a payment of whole rupiah.
func paid(order string, rupiah int64) TopUp {
	return TopUp{Order: order, Transaction: "tx-" + order, Amount: money.Micro(rupiah) * money.Rupiah}
}

// gift is a lot of whole rupiah.
func gift(id string, rupiah, expires int64, meter money.Meter) Grant {
	return Grant{ID: "grant:" + id, Lot: Lot{ID: id, Left: money.Micro(rupiah) * money.Rupiah, Expires: expires, Meter: meter}}
}

// hours is a use of one task for whole hours at a price of whole rupiah, so that it costs hours times price.
func hours(workload string, meter money.Meter, n, price int64) Line {
	quantity := map[money.Meter]int64{money.CPU: 1_000_000_000, money.Memory: 1 << 30, money.Storage: 1 << 30, money.Replica: 1, money.Egress: 1 << 30}[meter]
	if meter == money.Egress {
		return Line{Workload: workload, Meter: meter, Quantity: n * quantity, Seconds: 1, Price: money.Micro(price) * money.Rupiah}
	}

	return Line{Workload: workload, Meter: meter, Quantity: quantity, Seconds: n * HourSeconds, Price: money.Micro(price) * money.Rupiah}
}

// charge is a charge of n windows from the offset in minutes.
func charge(offset, n int64, lines ...Line) Charge {
	return Charge{From: firstWindow + offset, Through: firstWindow + offset + n - 1, Lines: lines, PriceList: "p1"}
}

func settled(c Charge, floor money.Micro) Charge {
	c.Settle, c.Floor = true, floor

	return c
}

// balances are what people look at.
type balances struct {
	Paid, Promo, Held, Accrued, Available money.Micro
}

func balancesOf(h Head) balances {
	return balances{h.Paid, h.Promo(), h.Held(), h.AccruedTotal(), h.Available()}
}

func rupiah(n int64) money.Micro { return money.Micro(n) * money.Rupiah }

// checkShelf demands what holds at any time.
func checkShelf(t interface {
	Helper()
	Fatalf(string, ...any)
}, s *shelf) {
	t.Helper()
	var sum money.Micro
	for _, e := range s.entries {
		var zero money.Micro
		for _, p := range e.Postings {
			zero += p.Amount
		}
		if zero != 0 {
			t.Fatalf("the postings of entry %d add up to %s", e.Seq, zero)
		}
		sum += e.Amount
		if e.Type != TypeUsage {
			continue
		}
		period, err := e.Period()
		if err != nil {
			t.Fatalf("%v", err)
		}
		if _, err := s.records[period].Proves(e); err != nil {
			t.Fatalf("%v", err)
		}
		if r := s.records[period]; r.Waived < 0 || r.Waived > r.Total() {
			t.Fatalf("%s of %s are waived", r.Waived, r.Total())
		}
	}
	if sum != s.state.Head.Balance() {
		t.Fatalf("amounts add up to %s, the balance is %s", sum, s.state.Head.Balance())
	}
	r, err := replayAll(s.stored())
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	if err := r.Matches(s.state.Head); err != nil {
		t.Fatalf("replay: %v", err)
	}
	if !maps.EqualFunc(r.Orders(), s.orders, Order.Equal) {
		t.Fatalf("orders are %v, the entries say %v", s.orders, r.Orders())
	}
	if err := s.state.Check(); err != nil {
		t.Fatalf("%v", err)
	}
}
