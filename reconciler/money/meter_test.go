package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestAccrue(t *testing.T) {
	cases := map[string]struct {
		reason string
		meter  Meter
		use    Use
		carry  uint64
		charge Micro
		rest   uint64
		err    bool
	}{
		"QuarterOfACPU":  {"The example of the specification: 0.25 vCPU at Rp 150 for a minute.", CPU, Use{250_000_000, 60, 150 * Rupiah}, 0, 625_000, 0, false},
		"GibibyteHour":   {"One unit costs the price.", Memory, Use{1 << 30, 3600, 37 * Rupiah}, 0, 37 * Rupiah, 0, false},
		"LessThanMicro":  {"What is too little to charge is carried on.", Replica, Use{1, 1, 1}, 0, 0, 1, false},
		"CarryCompletes": {"Until it is enough.", Replica, Use{1, 1, 1}, 3599, 1, 0, false},
		"Nothing":        {"No time, no charge, and the carry stays.", CPU, Use{1 << 40, 0, Rupiah}, 7, 0, 7, false},
		"Free":           {"A price of zero is a price.", Egress, Use{1 << 40, 1, 0}, 0, 0, 0, false},
		"EgressOfAByte":  {"Egress is priced by the byte, once.", Egress, Use{1 << 29, 1, 500 * Rupiah}, 0, 250 * Rupiah, 0, false},
		"Petabytes":      {"A pebibyte for a year is more than 64 bits of byte-seconds.", Storage, Use{1 << 50, 365 * 86400, Rupiah / 10}, 0, 1 << 20 * 8760 * Rupiah / 10, 0, false},
		"TooMuch":        {"More than there is money is an error, not a small number.", Storage, Use{math.MaxInt64, math.MaxInt64, math.MaxInt64}, 0, 0, 0, true},
		"Negative":       {"Nobody is paid for using something.", CPU, Use{-1, 1, 1}, 0, 0, 0, true},
		"NegativePrice":  {"Nor by a price.", CPU, Use{1, 1, -1}, 0, 0, 0, true},
		"UnknownMeter":   {"Nothing is charged by a meter nobody knows.", "gpu", Use{1, 1, 1}, 0, 0, 0, true},
		"CarryTooLarge":  {"A carry of another meter would be a charge.", Replica, Use{1, 1, 1}, 3600, 0, 0, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			charge, rest, err := c.meter.Accrue(c.use, c.carry)
			if charge != c.charge || rest != c.rest || (err != nil) != c.err {
				t.Errorf("%s\ngot %d and %d left over, %v; want %d and %d", c.reason, charge, rest, err, c.charge, c.rest)
			}
		})
	}
}

// TestCarryLosesNothing (invariant 6): however an interval is split, and whatever the prices of its parts, the total is the
// exact rational, rounded down once.
func TestCarryLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		meter := rapid.SampledFrom(Meters()).Draw(t, "meter")
		exact := new(big.Int)
		var total Micro
		var carry uint64
		for range rapid.IntRange(1, 60).Draw(t, "parts") {
			u := Use{
				Quantity: rapid.Int64Range(0, int64(meter.Divisor())).Draw(t, "quantity"),
				Seconds:  rapid.Int64Range(0, 7200).Draw(t, "seconds"),
				Price:    Micro(rapid.Int64Range(0, 10_000_000).Draw(t, "price")),
			}
			// Split once more, where the parts are at one price.
			cut := rapid.Int64Range(0, u.Seconds).Draw(t, "cut")
			for _, seconds := range []int64{cut, u.Seconds - cut} {
				charge, rest, err := meter.Accrue(Use{u.Quantity, seconds, u.Price}, carry)
				if err != nil {
					t.Fatal(err)
				}
				if total, err = total.Add(charge); err != nil {
					return // more than there is money
				}
				carry = rest
			}
			n := new(big.Int).Mul(big.NewInt(u.Quantity), big.NewInt(u.Seconds))
			exact.Add(exact, n.Mul(n, big.NewInt(int64(u.Price))))
		}
		want, rest := exact.QuoRem(exact, new(big.Int).SetUint64(meter.Divisor()), new(big.Int))
		if want.Cmp(big.NewInt(int64(total))) != 0 || rest.Uint64() != carry {
			t.Fatalf("charged %s with %d left over, exact is %s with %s", total, carry, want, rest)
		}
	})
}

// TestAccrueNeverWraps: whatever comes in, what comes out is right or an error.
func TestAccrueNeverWraps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		meter := rapid.SampledFrom(Meters()).Draw(t, "meter")
		u := Use{int64(anyMicro(t, "quantity")), int64(anyMicro(t, "seconds")), anyMicro(t, "price")}
		checkAccrue(t, meter, u, rapid.Uint64().Draw(t, "carry"))
	})
}

// checkAccrue holds one accrual against numbers that have no limits.
func checkAccrue(t interface {
	Helper()
	Fatalf(string, ...any)
}, meter Meter, u Use, carry uint64) {
	t.Helper()
	charge, rest, err := meter.Accrue(u, carry)
	n := new(big.Int).Mul(big.NewInt(u.Quantity), big.NewInt(u.Seconds))
	n.Mul(n, big.NewInt(int64(u.Price))).Add(n, new(big.Int).SetUint64(carry))
	d := new(big.Int).SetUint64(max(meter.Divisor(), 1))
	want, wantRest := new(big.Int).QuoRem(n, d, new(big.Int))

	valid := u.Quantity >= 0 && u.Seconds >= 0 && u.Price >= 0 && carry < meter.Divisor()
	switch {
	case err == nil && (!valid || want.Cmp(big.NewInt(int64(charge))) != 0 || wantRest.Uint64() != rest):
		t.Fatalf("%+v of %q with %d gives %d and %d; want %s and %s", u, meter, carry, charge, rest, want, wantRest)
	case err != nil && valid && want.IsInt64():
		t.Fatalf("%+v of %q with %d gives %v; want %s", u, meter, carry, err, want)
	case err != nil && valid && !errors.Is(err, ErrOverflow):
		t.Fatalf("%+v of %q with %d gives %v; want an overflow", u, meter, carry, err)
	}
}

func TestUnits(t *testing.T) {
	for want, c := range map[string]struct {
		meter             Meter
		quantity, seconds int64
	}{
		"0.250000000":       {CPU, 500_000_000, 1800},
		"0.000000000":       {CPU, 1, 1},
		"3.000000000":       {Replica, 3, 3600},
		"0.333333333":       {Replica, 1, 1200},
		"1048576.000000000": {Storage, 1 << 50, 3600},
		"-1*60":             {Memory, -1, 60},
	} {
		if got := c.meter.Units(c.quantity, c.seconds); got != want {
			t.Errorf("%d of %q for %d s are %s, want %s", c.quantity, c.meter, c.seconds, got, want)
		}
	}
	if got := Replica.Units(math.MaxInt64, math.MaxInt64); got != "9223372036854775807*9223372036854775807" {
		t.Errorf("what is too much for a number is %s", got)
	}
}
