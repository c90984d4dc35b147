package money

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	cases := map[string]struct {
		reason string
		text   string
		want   Micro
		ok     bool
	}{
		"Whole":            {"What a tenant types.", "50000", 50_000 * Rupiah, true},
		"Fraction":         {"What a ledger shows.", "12500.312500", 12_500_312_500, true},
		"ShortFraction":    {"Zeros at the end may be left out.", "0.5", 500_000, true},
		"Smallest":         {"One micro-rupiah.", "0.000001", 1, true},
		"Negative":         {"A debt.", "-1.25", -1_250_000, true},
		"Highest":          {"All that an int64 holds.", "9223372036854.775807", math.MaxInt64, true},
		"Lowest":           {"It has no positive twin.", "-9223372036854.775808", math.MinInt64, true},
		"Zero":             {"Nothing is an amount.", "0", 0, true},
		"TooHigh":          {"It would wrap around.", "9223372036854.775808", 0, false},
		"TooLow":           {"It would wrap around.", "-9223372036854.775809", 0, false},
		"Empty":            {"Nothing was said.", "", 0, false},
		"Minus":            {"Nothing was said.", "-", 0, false},
		"MinusZero":        {"Zero is written one way.", "-0.00", 0, false},
		"Plus":             {"A second spelling.", "+1", 0, false},
		"LeadingZero":      {"A second spelling.", "01", 0, false},
		"NoWhole":          {"A second spelling.", ".5", 0, false},
		"NoFraction":       {"A second spelling.", "5.", 0, false},
		"SevenDecimals":    {"Nobody would pay the seventh.", "0.0000001", 0, false},
		"Exponent":         {"A number, not an amount.", "1e5", 0, false},
		"Separators":       {"A comma means something else elsewhere.", "10,000.00", 0, false},
		"Blank":            {"Readers differ on blanks.", " 1", 0, false},
		"NaN":              {"A float's word.", "NaN", 0, false},
		"OtherDigits":      {"Digits of another script.", "١٢", 0, false},
		"FourteenDigits":   {"More than there is.", "10000000000000", 0, false},
		"TwoPoints":        {"No number.", "1.2.3", 0, false},
		"FractionNegative": {"No number.", "1.-2", 0, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(c.text)
			if (err == nil) != c.ok || got != c.want {
				t.Errorf("%s\nParse(%q) = %d, %v; want %d, ok %v", c.reason, c.text, got, err, c.want, c.ok)
			}
		})
	}
}

func TestParseWhole(t *testing.T) {
	for text, want := range map[string]Micro{
		"1": Rupiah, "50000": 50_000 * Rupiah, "999999999999": 999_999_999_999 * Rupiah,
		"0": 0, "-1": 0, "+1": 0, "1.0": 0, "01": 0, "1e5": 0, " 1": 0, "1 ": 0, "": 0, "NaN": 0, "1000000000000": 0, "9007199254740993": 0,
	} {
		got, err := ParseWhole(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("ParseWhole(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

// TestJSON: amounts are strings, and nothing else is an amount.
func TestJSON(t *testing.T) {
	type bill struct {
		Total Micro `json:"total"`
	}
	data, err := json.Marshal(bill{Total: -1_500_000})
	if err != nil || string(data) != `{"total":"-1.500000"}` {
		t.Errorf("written as %s, %v", data, err)
	}
	var b bill
	if err := json.Unmarshal(data, &b); err != nil || b.Total != -1_500_000 {
		t.Errorf("read as %d, %v", b.Total, err)
	}
	for _, bad := range []string{`{"total":1}`, `{"total":null}`, `{"total":"1e3"}`, `{"total":""}`, `{"total":{}}`, `{"total":9007199254740993}`} {
		if err := json.Unmarshal([]byte(bad), &b); err == nil {
			t.Errorf("%s is read as %s", bad, b.Total)
		}
	}
}

func TestFloor(t *testing.T) {
	for m, want := range map[Micro]int64{0: 0, 1: 0, 999_999: 0, Rupiah: 1, -1: -1, -Rupiah: -1, -Rupiah - 1: -2, math.MinInt64: -9223372036855} {
		if got := m.Floor(); got != want {
			t.Errorf("%s is shown as %d, want %d", m, got, want)
		}
	}
}

func anyMicro(t *rapid.T, label string) Micro {
	return Micro(rapid.OneOf(
		rapid.Int64(), rapid.Int64Range(-1000, 1000), rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}),
	).Draw(t, label))
}

// TestArithmetic holds every operation against numbers that have no limits.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyMicro(t, "a"), anyMicro(t, "b")
		x, y := big.NewInt(int64(a)), big.NewInt(int64(b))
		for name, op := range map[string]struct {
			got  func() (Micro, error)
			want *big.Int
		}{
			"add":  {func() (Micro, error) { return a.Add(b) }, new(big.Int).Add(x, y)},
			"sub":  {func() (Micro, error) { return a.Sub(b) }, new(big.Int).Sub(x, y)},
			"mul":  {func() (Micro, error) { return a.Times(int64(b)) }, new(big.Int).Mul(x, y)},
			"sum3": {func() (Micro, error) { return Sum(a, 0, b) }, new(big.Int).Add(x, y)},
		} {
			got, err := op.got()
			if op.want.IsInt64() != (err == nil) || (err == nil && int64(got) != op.want.Int64()) {
				t.Fatalf("%s of %d and %d is %d, %v; want %s", name, a, b, got, err, op.want)
			}
			if err != nil && !errors.Is(err, ErrOverflow) {
				t.Fatalf("%s of %d and %d: %v is no overflow", name, a, b, err)
			}
		}
	})
}

// TestTextRoundTrip: every amount is read back as what it was.
func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMicro(t, "amount")
		got, err := Parse(m.String())
		if err != nil || got != m {
			t.Fatalf("%d is written as %q and read as %d, %v", m, m, got, err)
		}
	})
}
