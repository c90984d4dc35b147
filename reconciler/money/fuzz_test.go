package money

import (
	"regexp"
	"testing"
)

// spelling is what Parse accepts, said in another way.
var spelling = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,6})?$`)

// FuzzParse: what is accepted has the one spelling, and is written as the same amount.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0", "-1.5", "9223372036854.775807", "-9223372036854.775808", "1e5", "-0", "00", "1.", ".1", "NaN", "1,0", "１"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		if !spelling.MatchString(text) {
			t.Fatalf("%q is read as %s", text, m)
		}
		if again, err := Parse(m.String()); err != nil || again != m {
			t.Fatalf("%q is written as %q and read as %s, %v", text, m, again, err)
		}
		if whole, err := ParseWhole(text); err == nil && whole != m {
			t.Fatalf("%q is %s, and %s as a payment", text, m, whole)
		}
	})
}

// FuzzAccrue: no input makes a charge that is not the exact one.
func FuzzAccrue(f *testing.F) {
	f.Add("cpu", int64(250_000_000), int64(60), int64(150_000_000), uint64(0))
	f.Add("storage", int64(1)<<62, int64(1)<<62, int64(1)<<62, uint64(1)<<63)
	f.Add("replica", int64(1), int64(1), int64(1), uint64(3599))
	f.Fuzz(func(t *testing.T, meter string, quantity, seconds, price int64, carry uint64) {
		checkAccrue(t, Meter(meter), Use{quantity, seconds, Micro(price)}, carry)
	})
}
