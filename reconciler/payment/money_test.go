package payment

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/money"
)

func TestWhole(t *testing.T) {
	for text, want := range map[string]IDR{"1": 1, "10000": 10_000, "999999999999": MaxAmount} {
		m, err := money.ParseWhole(text)
		if err != nil {
			t.Fatal(err)
		}

		if got, err := Whole(m); err != nil || got != want || got.Micro() != m {
			t.Errorf("%s is %d, %v, want %d", text, got, err, want)
		}
	}

	for _, m := range []money.Micro{0, 1, -money.Rupiah, money.Rupiah - 1, money.Rupiah + 1, MaxAmount.Micro() + money.Rupiah} {
		if got, err := Whole(m); err == nil {
			t.Errorf("%s is %d, want an error", m, got)
		}
	}
}

func TestParseGross(t *testing.T) {
	for text, want := range map[string]IDR{"0": 0, "0.00": 0, "10000": 10_000, "10000.0": 10_000, "10000.00": 10_000, "999999999999.00": MaxAmount} {
		if got, err := ParseGross(text); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}

	for _, text := range []string{
		"", ".", ".00", "10000.", "10000.000", "10000.50", "10000.01", "1e5", "1E5", "10,000.00", "10.000,00", "-1", "-0", "+1",
		" 1", "1 ", "1.0.0", "1000000000000", "NaN", "null", "true", "0x1", "１０",
	} {
		if got, err := ParseGross(text); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}

// TestGrossIsReadAsItIsWritten: what we write as Midtrans writes it is read as the same amount.
func TestGrossIsReadAsItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := IDR(rapid.Int64Range(0, int64(MaxAmount)).Draw(t, "amount"))
		if got, err := ParseGross(want.Gross()); err != nil || got != want {
			t.Fatalf("%s is read as %d, %v", want.Gross(), got, err)
		}
	})
}

// FuzzParseGross: only the documented grammar is taken, whatever comes.
func FuzzParseGross(f *testing.F) {
	for _, seed := range []string{"10000.00", "1e5", "10,000.00", "0", "", "9999999999999999999"} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseGross(text)
		if err != nil {
			return
		}

		whole, _, _ := strings.Cut(text, ".")
		if strings.TrimLeft(got.String(), "0") != strings.TrimLeft(whole, "0") || got < 0 || got > MaxAmount {
			t.Errorf("%q is read as %d", text, got)
		}
	})
}
