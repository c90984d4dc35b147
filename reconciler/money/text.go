package money

import (
	"encoding/json"
	"fmt"
	"strconv"
)

const (
	// decimals are the digits after the point.
	decimals = 6
	// maxWholeDigits are the digits before the point that an int64 of micro-rupiah can have.
	maxWholeDigits = 13
	// maxTextBytes is how long an amount can be: sign, digits, point, decimals.
	maxTextBytes = 1 + maxWholeDigits + 1 + decimals
	// maxPaymentDigits are the digits of the largest payment. Twelve always fit, whatever is added to them.
	maxPaymentDigits = 12
)

// String writes the amount in rupiah with all six decimals.
func (m Micro) String() string {
	text, _ := m.AppendText(make([]byte, 0, maxTextBytes))

	return string(text)
}

// AppendText implements encoding.TextAppender. It never fails.
func (m Micro) AppendText(b []byte) ([]byte, error) {
	if m < 0 {
		b = append(b, '-')
	}
	u := m.magnitude()
	b = strconv.AppendUint(b, u/uint64(Rupiah), 10)
	b = append(b, '.')
	// The leading one keeps the zeros, and the point is written over it.
	point := len(b) - 1
	b = strconv.AppendUint(b[:point], u%uint64(Rupiah)+uint64(Rupiah), 10)
	b[point] = '.'

	return b, nil
}

// MarshalText implements encoding.TextMarshaler, and makes JSON hold a string: a number would go through a float in most
// readers.
func (m Micro) MarshalText() ([]byte, error) { return m.AppendText(make([]byte, 0, maxTextBytes)) }

// UnmarshalText implements encoding.TextUnmarshaler; it reads what Parse reads.
func (m *Micro) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*m = parsed

	return nil
}

// UnmarshalJSON implements json.Unmarshaler. Only a string will do: neither a number nor null is an amount.
func (m *Micro) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '"' {
		return fmt.Errorf("parse amount %.40q: it must be a string, such as \"12500.50\"", data)
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("parse amount: %w", err)
	}

	return m.UnmarshalText([]byte(text))
}

// Parse reads an amount in rupiah: digits without leading zeros, a minus before what is below zero, and up to six digits
// after a point. Nothing else: no plus, no blank, no exponent, no separator, no minus before zero.
func Parse(text string) (Micro, error) {
	rest, negative := text, false
	if rest != "" && rest[0] == '-' {
		rest, negative = rest[1:], true
	}

	whole := digits(rest)
	if whole == 0 || whole > maxWholeDigits || (whole > 1 && rest[0] == '0') {
		return 0, malformed(text)
	}
	all := rest[:whole]
	if rest = rest[whole:]; rest != "" {
		fraction := digits(rest[1:])
		if rest[0] != '.' || fraction == 0 || fraction > decimals || fraction != len(rest)-1 {
			return 0, malformed(text)
		}
		all += rest[1:]
	}
	for range decimals - max(0, len(rest)-1) {
		all += "0"
	}

	// At most nineteen digits: they fit an uint64.
	u, err := strconv.ParseUint(all, 10, 64)
	if err != nil || (negative && u == 0) {
		return 0, malformed(text)
	}
	m, ok := signed(u, negative)
	if !ok {
		return 0, fmt.Errorf("parse amount %q: %w", text, ErrOverflow)
	}

	return m, nil
}

// ParseWhole reads what somebody is to pay: whole rupiah, above zero, twelve digits at most.
func ParseWhole(text string) (Micro, error) {
	if n := digits(text); n == 0 || n != len(text) || n > maxPaymentDigits || text[0] == '0' {
		return 0, fmt.Errorf("parse amount %.40q: it must be whole rupiah above zero in at most %d digits, such as \"50000\"", text, maxPaymentDigits)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("parse amount %q: %w", text, err)
	}

	return Micro(n) * Rupiah, nil
}

// digits counts those that the text begins with.
func digits(text string) int {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return i
		}
	}

	return len(text)
}

func malformed(text string) error {
	return fmt.Errorf("parse amount %.40q: it must be rupiah with at most %d decimals, such as \"12500.50\"", text, decimals)
}
