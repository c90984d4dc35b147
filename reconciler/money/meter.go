package money

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// Meter is a thing that is metered.
type Meter string

// What is metered. The names are in ledgers that were written long ago: they never change.
const (
	// CPU is what is reserved of processors, in nano-CPUs for some seconds; priced per vCPU-hour.
	CPU Meter = "cpu"
	// Memory is what is reserved of memory, in bytes for some seconds; priced per GiB-hour.
	Memory Meter = "memory"
	// Storage is the declared size of volumes, in bytes for some seconds; priced per GiB-hour.
	Storage Meter = "storage"
	// Egress is what left for the internet, in bytes; priced per GiB. Time does not matter: it counts as one second.
	Egress Meter = "egress"
	// Replica is the number of running tasks for some seconds; priced per hour of each.
	Replica Meter = "replica"
)

const (
	hour = 3600
	gib  = 1 << 30
)

// definitions has what one priced unit of a meter consists of. A divisor does not depend on any price, and must never
// change: the carries of all tenants are remainders of it.
var definitions = map[Meter]struct {
	divisor uint64
	unit    string
}{
	CPU:     {1_000_000_000 * hour, "vCPU-hour"},
	Memory:  {gib * hour, "GiB-hour"},
	Storage: {gib * hour, "GiB-hour"},
	Egress:  {gib, "GiB"},
	Replica: {hour, "replica-hour"},
}

var sorted = slices.Sorted(maps.Keys(definitions))

// Meters are all of them, in the order of their names.
func Meters() []Meter { return slices.Clone(sorted) }

// Known tells whether there is such a meter.
func (m Meter) Known() bool {
	_, ok := definitions[m]

	return ok
}

// Unit is what a price is for, such as "vCPU-hour".
func (m Meter) Unit() string { return definitions[m].unit }

// Divisor is how much of the small unit, times seconds, makes one Unit; 0 for what is no meter.
func (m Meter) Divisor() uint64 { return definitions[m].divisor }

// Use is a quantity that was had for some seconds at a price.
type Use struct {
	// Quantity is in the small unit of the meter: nano-CPUs, bytes or tasks.
	Quantity int64
	// Seconds for which it was had.
	Seconds int64
	// Price of one Unit.
	Price Micro
}

// Accrue returns what the use costs, and what is left over for the next time: less than one micro-rupiah, in the
// meter's fractions of it. The carry is what the last call for the same meter left over.
func (m Meter) Accrue(use Use, carry uint64) (charge Micro, rest uint64, err error) {
	d, ok := definitions[m]
	switch {
	case !ok:
		return 0, 0, fmt.Errorf("price a use of %q: there is no such meter", m)
	case use.Quantity < 0 || use.Seconds < 0 || use.Price < 0:
		return 0, 0, fmt.Errorf("price a use of %q: quantity %d, seconds %d and price %s must not be negative", m, use.Quantity, use.Seconds, use.Price)
	case carry >= d.divisor:
		return 0, 0, fmt.Errorf("price a use of %q: a carry of %d is no remainder of %d", m, carry, d.divisor)
	}

	high, low, fits := product(uint64(use.Quantity), uint64(use.Seconds), uint64(use.Price))
	low, over := bits.Add64(low, carry, 0)
	high, over = bits.Add64(high, 0, over)
	if !fits || over != 0 || high >= d.divisor {
		return 0, 0, fmt.Errorf("price %d of %q for %d s at %s: %w", use.Quantity, m, use.Seconds, use.Price, ErrOverflow)
	}
	quotient, rest := bits.Div64(high, low, d.divisor)
	if quotient > math.MaxInt64 {
		return 0, 0, fmt.Errorf("price %d of %q for %d s at %s: %w", use.Quantity, m, use.Seconds, use.Price, ErrOverflow)
	}

	return Micro(quotient), rest, nil
}

// product multiplies three numbers, if 128 bits hold the result.
func product(a, b, c uint64) (high, low uint64, fits bool) {
	abHigh, abLow := bits.Mul64(a, b)
	high, low = bits.Mul64(abLow, c)
	over, more := bits.Mul64(abHigh, c)
	high, carry := bits.Add64(high, more, 0)

	return high, low, over == 0 && carry == 0
}

// unitDecimals are the digits after the point of a quantity that is written in priced units.
const unitDecimals = 9

// Units writes a quantity that was had for some seconds in priced units, cut off after nine decimals: 500 million
// nano-CPUs for 1800 s are "0.250000000" vCPU-hours. What no int64 holds is written as it is, as a product.
func (m Meter) Units(quantity, seconds int64) string {
	d, ok := definitions[m]
	high, low := bits.Mul64(uint64(quantity), uint64(seconds))
	if !ok || quantity < 0 || seconds < 0 || high >= d.divisor {
		return fmt.Sprintf("%d*%d", quantity, seconds)
	}
	whole, rest := bits.Div64(high, low, d.divisor)
	high, low = bits.Mul64(rest, 1_000_000_000)
	fraction, _ := bits.Div64(high, low, d.divisor)
	digits := strconv.FormatUint(1_000_000_000+fraction, 10)

	return strconv.FormatUint(whole, 10) + "." + digits[len(digits)-unitDecimals:]
}
