package book

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/dogker/dogker/reconciler/money"
)

// maxLines is how many lines a Record may have before it is settled: it is written anew with every window.
const maxLines = 512

// Period names what is settled by one Usage entry: the hour it began in, and which settlement of that hour it is.
type Period struct {
	Hour int64 `json:"hour"`
	Part int64 `json:"part"`
}

// String is how keys name a period. Hours have as many digits for the next fifty years, so keys sort as time does.
func (p Period) String() string { return fmt.Sprintf("%d:%d", p.Hour, p.Part) }

// Line is what one workload used of one meter, in units of one size, at one price.
type Line struct {
	Workload string      `json:"workload"`
	Meter    money.Meter `json:"meter"`
	// Quantity that each of its tasks had, in the meter's small unit.
	Quantity int64 `json:"quantity"`
	// Seconds that its tasks had it, all together.
	Seconds int64 `json:"seconds"`
	// Price of one unit of the meter.
	Price money.Micro `json:"price"`
	// Charge is what it comes to. Whoever charges leaves it to the ledger.
	Charge money.Micro `json:"charge"`
}

// Record says what a Usage entry is made of. The entry has its hash.
type Record struct {
	Tenant string `json:"tenant"`
	Period Period `json:"period"`
	// From and Through are the windows it is about.
	From    int64 `json:"from"`
	Through int64 `json:"through"`
	// PriceList is the version of the prices.
	PriceList string `json:"priceList,omitempty"`
	// Carry is what divisions had left over before the first line, by meter.
	Carry map[money.Meter]uint64 `json:"carry,omitempty"`
	// Lines in the order of workload, meter, quantity and price; there are no two with the same.
	Lines []Line `json:"lines"`
	// Waived is how much of it was not charged.
	Waived money.Micro `json:"waived,omitempty"`
	// Settled is true once a Usage entry has been written: it does not change any more.
	Settled bool `json:"settled,omitempty"`
}

// Encode writes the record as it is stored.
func (r Record) Encode() []byte {
	w := newEncoder(256 + 128*len(r.Lines))
	w.record(r)

	return w.out
}

// DecodeRecord reads a record.
func DecodeRecord(data []byte) (Record, error) {
	var r Record
	if err := decode(data, &r); err != nil {
		return Record{}, fmt.Errorf("decode record of use: %w", err)
	}
	if !bytes.Equal(r.Encode(), data) {
		return Record{}, fmt.Errorf("decode record of use: it is not written as this program writes it: %w", ErrBroken)
	}

	return r, nil
}

// Digest is what the Usage entry says of the record.
func (r Record) Digest() string { return sumOf("record", r.Encode()) }

// Metered is what its lines come to by meter.
func (r Record) Metered() map[money.Meter]money.Micro {
	var out map[money.Meter]money.Micro
	for _, l := range r.Lines {
		if l.Charge == 0 {
			continue
		}
		if out == nil {
			out = map[money.Meter]money.Micro{}
		}
		out[l.Meter] += l.Charge
	}

	return out
}

// Total is what its lines come to.
func (r Record) Total() money.Micro {
	var sum money.Micro
	for _, l := range r.Lines {
		sum += l.Charge
	}

	return sum
}

// Reprice works out anew, and without the shortcuts of charging window by window, what the lines come to and what the
// divisions leave over. It is Metered, and the Carry of the next record, or somebody has changed a number.
func (r Record) Reprice() (charges map[money.Meter]money.Micro, carry map[money.Meter]uint64, err error) {
	parts := map[money.Meter]*big.Int{}
	for m, rest := range r.Carry {
		parts[m] = new(big.Int).SetUint64(rest)
	}
	for _, l := range r.Lines {
		if parts[l.Meter] == nil {
			parts[l.Meter] = new(big.Int)
		}
		n := new(big.Int).Mul(big.NewInt(l.Quantity), big.NewInt(l.Seconds))
		parts[l.Meter].Add(parts[l.Meter], n.Mul(n, big.NewInt(int64(l.Price))))
	}

	charges, carry = map[money.Meter]money.Micro{}, map[money.Meter]uint64{}
	for m, n := range parts {
		if !m.Known() || n.Sign() < 0 {
			return nil, nil, fmt.Errorf("price %q of period %s again: %w", m, r.Period, ErrBroken)
		}
		whole, rest := n.QuoRem(n, new(big.Int).SetUint64(m.Divisor()), new(big.Int))
		if !whole.IsInt64() {
			return nil, nil, fmt.Errorf("price %q of period %s again: %w", m, r.Period, money.ErrOverflow)
		}
		carry[m] = rest.Uint64()
		if whole.Sign() > 0 {
			charges[m] = money.Micro(whole.Int64())
		}
	}

	return charges, carry, nil
}

// add puts a line with its charge where it belongs.
func (r *Record) add(l Line) error {
	at, found := slices.BinarySearchFunc(r.Lines, l, lineOrder)
	if !found {
		r.Lines = slices.Insert(r.Lines, at, l)
		return nil
	}

	seconds, err := money.Micro(r.Lines[at].Seconds).Add(money.Micro(l.Seconds))
	if err != nil {
		return fmt.Errorf("add up seconds of %q: %w", l.Workload, money.ErrOverflow)
	}
	charge, err := r.Lines[at].Charge.Add(l.Charge)
	if err != nil {
		return err
	}
	r.Lines[at].Seconds, r.Lines[at].Charge = int64(seconds), charge

	return nil
}

func lineOrder(a, b Line) int {
	return cmp.Or(
		cmp.Compare(a.Workload, b.Workload), cmp.Compare(a.Meter, b.Meter),
		cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.Price, b.Price),
	)
}

// Proves tells whether a settled record is what a Usage entry is made of: the one it has the hash of, of its tenant and its
// windows, and worth what it draws and what was waived. It returns what the divisions left over.
func (r Record) Proves(e Entry) (carry map[money.Meter]uint64, err error) {
	period, err := e.Period()
	if err != nil {
		return nil, err
	}
	charges, carry, err := r.Reprice()
	switch {
	case err != nil:
		return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
	case r.Digest() != e.Record || !r.Settled:
		return nil, fmt.Errorf("entry %d: the record of period %s is not the one it was made of: %w", e.Seq, period, ErrBroken)
	case r.Tenant != e.Tenant || r.Period != period || r.From != e.From || r.Through != e.Through:
		return nil, fmt.Errorf("entry %d: its record is about another period: %w", e.Seq, ErrBroken)
	case r.Total()-r.Waived != -e.Amount:
		return nil, fmt.Errorf("entry %d: %s charged is not %s metered without %s waived: %w", e.Seq, -e.Amount, r.Total(), r.Waived, ErrBroken)
	case !maps.Equal(charges, r.Metered()):
		return nil, fmt.Errorf("entry %d: the lines of its record come to %v and not to %v: %w", e.Seq, charges, r.Metered(), ErrBroken)
	}

	return carry, nil
}
