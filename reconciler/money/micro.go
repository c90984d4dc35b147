package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// Micro is an amount of money in micro-rupiah.
type Micro int64

// Rupiah is one rupiah.
const Rupiah Micro = 1_000_000

// ErrOverflow is what an operation returns whose result does not fit.
var ErrOverflow = errors.New("amount out of range")

// Add returns the sum of both.
func (m Micro) Add(n Micro) (Micro, error) {
	sum := m + n
	if (sum > m) != (n > 0) {
		return 0, fmt.Errorf("add %s and %s: %w", m, n, ErrOverflow)
	}

	return sum, nil
}

// Sub returns what is left of m without n.
func (m Micro) Sub(n Micro) (Micro, error) {
	rest := m - n
	if (rest < m) != (n > 0) {
		return 0, fmt.Errorf("subtract %s from %s: %w", n, m, ErrOverflow)
	}

	return rest, nil
}

// Times returns m taken n times.
func (m Micro) Times(n int64) (Micro, error) {
	high, low := bits.Mul64(m.magnitude(), Micro(n).magnitude())
	if high == 0 {
		if product, ok := signed(low, (m < 0) != (n < 0)); ok {
			return product, nil
		}
	}

	return 0, fmt.Errorf("multiply %s by %d: %w", m, n, ErrOverflow)
}

// Sum adds up any number of amounts.
func Sum(amounts ...Micro) (Micro, error) {
	var total Micro
	for _, m := range amounts {
		var err error
		if total, err = total.Add(m); err != nil {
			return 0, err
		}
	}

	return total, nil
}

// Floor returns the whole rupiah in m, rounded down: nobody is shown more than there is.
func (m Micro) Floor() int64 {
	whole := int64(m / Rupiah)
	if m%Rupiah < 0 {
		whole--
	}

	return whole
}

// magnitude is the amount without its sign; also that of the lowest, which no int64 could hold.
func (m Micro) magnitude() uint64 {
	if m < 0 {
		return -uint64(m)
	}

	return uint64(m)
}

// signed makes an amount of a magnitude, if it fits.
func signed(magnitude uint64, negative bool) (Micro, bool) {
	switch {
	case !negative:
		return Micro(magnitude), magnitude <= math.MaxInt64
	default:
		return Micro(-magnitude), magnitude <= -math.MinInt64
	}
}
