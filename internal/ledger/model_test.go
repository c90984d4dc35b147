package ledger

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// model is a ledger said in the plainest way: no store, no chain, no carry, no retries. What it does not say it does not
// know.
type model struct {
	now      int64
	paid     money.Micro
	lots     []book.Lot
	holds    map[string]book.Hold
	credited map[string]money.Micro
	returned map[string]money.Micro
	// asked is what every key was used for.
	asked map[string]string
	// used is the exact cost of everything so far, times the divisor, and counted what of it has accrued at any time.
	used    map[money.Meter]*big.Int
	counted map[money.Meter]money.Micro
	accrued map[money.Meter]money.Micro
	// open is the window of the last use that is not settled, 0 for none.
	open, cursor int64
	// last is the last charge that was done.
	last            string
	prices          string
	entries         int64
	charged, waived money.Micro
	// stopped is true while it does not run; freeThrough is the last window of the last time that it did not.
	stopped     bool
	freeThrough int64
}

func newModel() *model {
	return &model{
		holds: map[string]book.Hold{}, credited: map[string]money.Micro{}, returned: map[string]money.Micro{}, asked: map[string]string{},
		used: map[money.Meter]*big.Int{}, counted: map[money.Meter]money.Micro{}, accrued: map[money.Meter]money.Micro{},
	}
}

func (m *model) promo() (sum money.Micro) {
	for _, l := range m.lots {
		sum += l.Left
	}

	return sum
}

func (m *model) held() (sum money.Micro) {
	for _, h := range m.holds {
		sum += h.Amount
	}

	return sum
}

func (m *model) heldOf(order string) (sum money.Micro) {
	for _, h := range m.holds {
		if h.Order == order {
			sum += h.Amount
		}
	}

	return sum
}

func (m *model) owed() (sum money.Micro) {
	for _, a := range m.accrued {
		sum += a
	}

	return sum
}

// do says what an operation does, or why it is refused. What is asked for again does nothing, and so nothing is decided:
// what follows from the balance waits for the next thing that happens.
func (m *model) do(op book.Op) error {
	key, asked := op.Key(), book.RequestHash(op)
	switch before, ok := m.asked[key]; {
	case ok && before != asked:
		return book.ErrConflict
	case ok, m.repeats(op, asked):
		return nil
	}
	if err := m.apply(op); err != nil {
		return err
	}
	if key != "" {
		m.asked[key] = asked
		m.entries++
	}
	m.decide()

	return nil
}

// repeats tells whether it is the charge that came last. Charges have no key; earlier ones are refused by the cursor.
func (m *model) repeats(op book.Op, asked string) bool {
	c, ok := op.(book.Charge)

	return ok && m.last == asked && m.cursor == c.Through
}

func (m *model) apply(op book.Op) error {
	switch op := op.(type) {
	case book.TopUp:
		m.paid += op.Amount
		m.credited[op.Order] = op.Amount
	case book.Grant:
		return m.grant(op.Lot)
	case book.Expire:
		return m.expire(op.Lot)
	case book.Adjust:
		m.paid += op.Amount
	case book.WriteOff:
		if m.paid >= 0 {
			return book.ErrNotFound
		}
		m.paid = 0
	case book.RefundHold:
		return m.hold(op)
	case book.RefundPost:
		h, ok := m.holds[op.Refund]
		if !ok {
			return book.ErrNotFound
		}
		if m.returned[h.Order]+h.Amount > m.credited[h.Order] {
			return book.ErrInsufficient
		}
		m.returned[h.Order] += h.Amount
		delete(m.holds, op.Refund)
	case book.RefundVoid:
		h, ok := m.holds[op.Refund]
		if !ok {
			return book.ErrNotFound
		}
		m.paid += h.Amount
		delete(m.holds, op.Refund)
	case book.Reversal:
		return m.takeBack(op.Order, op.Amount)
	case book.Chargeback:
		return m.takeBack(op.Order, op.Amount)
	case book.Charge:
		return m.charge(op)
	case book.Settle:
		m.settle(op.Floor)
	case book.Skip:
		if err := m.window(op.From, op.Through); err != nil {
			return err
		}
		m.settle(op.Floor)
		m.cursor = op.Through
	}

	return nil
}

func (m *model) grant(l book.Lot) error {
	if l.Expires != 0 && l.Expires <= m.now {
		return book.ErrInvalid
	}
	if slices.ContainsFunc(m.lots, func(o book.Lot) bool { return o.ID == l.ID }) {
		return book.ErrExists
	}
	m.lots = append(m.lots, l)

	return nil
}

func (m *model) expire(id string) error {
	i := slices.IndexFunc(m.lots, func(l book.Lot) bool { return l.ID == id })
	if i < 0 {
		return book.ErrNotFound
	}
	l := m.lots[i]
	if l.Expires == 0 {
		return book.ErrInvalid
	}
	// Use is settled when a lot ends, so what is open then began after it.
	uncharged := m.cursor != 0 && (m.cursor+1)*60 < l.Expires
	if l.Expires > m.now || uncharged {
		return book.ErrTooEarly
	}
	m.lots = slices.Delete(m.lots, i, i+1)

	return nil
}

func (m *model) hold(op book.RefundHold) error {
	if _, ok := m.holds[op.Refund]; ok {
		return book.ErrExists
	}
	if m.credited[op.Order] == 0 {
		return book.ErrNotFound
	}
	_, due := m.draws()
	if op.Amount > m.credited[op.Order]-m.returned[op.Order]-m.heldOf(op.Order) || op.Amount > m.paid-due {
		return book.ErrInsufficient
	}
	m.paid -= op.Amount
	m.holds[op.Refund] = book.Hold{ID: op.Refund, Amount: op.Amount, Order: op.Order}

	return nil
}

func (m *model) takeBack(order string, amount money.Micro) error {
	if m.returned[order]+amount > m.credited[order] {
		return book.ErrInsufficient
	}
	m.returned[order] += amount
	m.paid -= amount

	return nil
}

func (m *model) window(from, through int64) error {
	switch {
	case m.cursor == 0 || from == m.cursor+1:
		return nil
	case from > m.cursor:
		return book.ErrGap
	default:
		return book.ErrCharged
	}
}

func (m *model) charge(op book.Charge) error {
	if err := m.window(op.From, op.Through); err != nil {
		return err
	}
	idle := (op.Through + 1) * 60
	if len(op.Lines) > 0 {
		idle = max(op.Since, op.From) * 60
	}
	over := slices.ContainsFunc(m.lots, func(l book.Lot) bool { return l.Expires >= (m.open+1)*60 && l.Expires <= idle })
	if m.open != 0 && (m.prices != op.PriceList || m.open < op.Begin || over) {
		m.settle(op.Floor)
	}
	for _, l := range op.Lines {
		if l.Quantity*l.Seconds == 0 {
			continue
		}
		n := new(big.Int).Mul(big.NewInt(l.Quantity*l.Seconds), big.NewInt(int64(l.Price)))
		if m.used[l.Meter] == nil {
			m.used[l.Meter] = new(big.Int)
		}
		m.used[l.Meter].Add(m.used[l.Meter], n)
		total := money.Micro(new(big.Int).Quo(m.used[l.Meter], new(big.Int).SetUint64(l.Meter.Divisor())).Int64())
		m.accrued[l.Meter] += total - m.counted[l.Meter]
		m.counted[l.Meter] = total
		m.open, m.prices = op.Through, op.PriceList
	}
	if m.open != 0 {
		m.open = op.Through
	}
	m.cursor, m.last = op.Through, book.RequestHash(op)
	ends := slices.ContainsFunc(m.lots, func(l book.Lot) bool { return l.Expires == (op.Through+1)*60 })
	if op.Settle || ends {
		m.settle(op.Floor)
	}

	return nil
}

// Bounds of stopping: who owes more than the first is stopped and settled down to the second.
const (
	stopBelow = -5 * money.Rupiah
	stopFloor = -7 * money.Rupiah
)

// stopping decides as the model does.
func stopping(_ book.Head, after book.Outcome) book.Decision {
	h := after.State.Head
	stopped := h.Available() < stopBelow || h.Stopped && h.Available() <= 0

	return book.Decision{Stopped: stopped, Floor: stopFloor}
}

// decide stops the account, or lets it run again.
func (m *model) decide() {
	available := m.paid + m.promo() - m.owed()
	switch {
	case available < stopBelow && !m.stopped:
		m.stopped = true
		m.settle(stopFloor)
	case available > 0 && m.stopped:
		m.stopped, m.freeThrough = false, max(m.freeThrough, m.now/60)
	}
}

// free is the last of some windows in which compute is free.
func (m *model) free(from, through int64) int64 {
	last := int64(0)
	for w := from; w <= through; w++ {
		if m.stopped || w <= m.freeThrough {
			last = w
		}
	}

	return last
}

// draws works out what the lots would pay now, and what is left to pay.
func (m *model) draws() (map[string]money.Micro, money.Micro) {
	order := slices.Clone(m.lots)
	slices.SortFunc(order, func(a, b book.Lot) int {
		when := func(l book.Lot) int64 { return cmp.Or(l.Expires, 1<<62) }
		switch {
		case (a.Meter == "") != (b.Meter == ""):
			if a.Meter != "" {
				return -1
			}
			return 1
		case when(a) != when(b):
			return cmp.Compare(when(a), when(b))
		default:
			return cmp.Compare(a.ID, b.ID)
		}
	})
	due, out := map[money.Meter]money.Micro{}, map[string]money.Micro{}
	for meter, a := range m.accrued {
		due[meter] = a
	}
	for _, l := range order {
		for _, meter := range money.Meters() {
			if (l.Meter == "" || l.Meter == meter) && (l.Expires == 0 || l.Expires >= (m.open+1)*60) {
				part := min(due[meter], l.Left-out[l.ID])
				out[l.ID] += part
				due[meter] -= part
			}
		}
	}
	var left money.Micro
	for _, d := range due {
		left += d
	}

	return out, left
}

func (m *model) settle(floor money.Micro) {
	if m.open == 0 {
		return
	}
	draws, left := m.draws()
	for i := range m.lots {
		m.lots[i].Left -= draws[m.lots[i].ID]
		m.charged += draws[m.lots[i].ID]
	}
	m.lots = slices.DeleteFunc(m.lots, func(l book.Lot) bool { return l.Left == 0 })
	pays := max(0, min(left, m.paid-floor))
	m.paid -= pays
	m.charged += pays
	m.waived += left - pays
	m.entries++
	if left > pays {
		m.entries++
	}
	m.open = 0
	clear(m.accrued)
}
