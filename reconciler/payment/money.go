package payment

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dogker/dogker/reconciler/money"
)

// IDR is an amount in whole rupiah. Gateways take and give nothing smaller. What tenants ask for is read by
// money.ParseWhole, what the gateway tells by ParseGross.
type IDR int64

// maxDigits of an amount: twelve fit an int64 also in millionths of a rupiah.
const maxDigits = 12

// MaxAmount is the largest amount that is read, paid or given back.
const MaxAmount IDR = 999_999_999_999

// String is the amount in digits, without a unit.
func (a IDR) String() string { return strconv.FormatInt(int64(a), 10) }

// Gross is the amount as the gateway writes it: "10000.00".
func (a IDR) Gross() string { return a.String() + ".00" }

// Micro is the amount in the unit of the ledger.
func (a IDR) Micro() money.Micro { return money.Micro(a) * money.Rupiah }

// Whole is an amount of the ledger that can be paid: whole rupiah, from one to MaxAmount.
func Whole(m money.Micro) (IDR, error) {
	if m < money.Rupiah || m%money.Rupiah != 0 || m/money.Rupiah > money.Micro(MaxAmount) {
		return 0, fmt.Errorf("convert amount %s: must be 1 to %d in whole rupiah", m, MaxAmount)
	}

	return IDR(m / money.Rupiah), nil
}

// ParseGross parses an amount that the gateway tells: up to twelve digits, and ".0" or ".00" at most. Anything else, such
// as a separator, an exponent or a fraction, is an error: it is not what the gateway documents, so nobody knows what it
// means.
func ParseGross(text string) (IDR, error) {
	whole, fraction, hasFraction := strings.Cut(text, ".")

	switch {
	case !isDigits(whole) || len(whole) > maxDigits,
		hasFraction && fraction != "0" && fraction != "00":
		return 0, fmt.Errorf("parse amount %s: must be digits with at most two zeros after a point", quoted(text))
	default:
		return digits(whole), nil
	}
}

func isDigits(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}

	return text != ""
}

// digits is the value of up to maxDigits digits.
func digits(text string) IDR {
	var n IDR
	for _, c := range []byte(text) {
		n = n*10 + IDR(c-'0')
	}

	return n
}

// quoted is text for an error: quoted, and cut short, because it may come from a stranger.
func quoted(text string) string {
	const most = 32
	if len(text) > most {
		return strconv.QuoteToASCII(text[:most]) + "…"
	}

	return strconv.QuoteToASCII(text)
}
