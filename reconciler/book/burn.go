package book

import (
	"cmp"
	"math"

	"github.com/dogker/dogker/reconciler/money"
)

// meters are all there are, in the order in which lots pay for them.
var meters = money.Meters()

// burnOrder sorts lots as they are drawn: what pays for one meter only before what pays for all, what expires earlier
// before what lasts longer, and then by ID, so that every replay draws the same. Paid money comes after all of them.
func burnOrder(a, b Lot) int {
	return cmp.Or(
		-cmp.Compare(scope(a), scope(b)),
		cmp.Compare(expiry(a), expiry(b)),
		cmp.Compare(a.ID, b.ID),
	)
}

func scope(l Lot) int {
	if l.Meter != "" {
		return 1
	}

	return 0
}

func expiry(l Lot) int64 {
	if l.Expires == 0 {
		return math.MaxInt64
	}

	return l.Expires
}

// draw is what one lot pays.
type draw struct {
	lot    string
	amount money.Micro
}

// burn pays what accrued from the lots, as far as they may and can, and returns what each paid and what is left for paid
// money to cover. A lot pays only for what was used before it expired: the use ended at end, in Unix time.
func burn(lots []Lot, accrued map[money.Meter]money.Micro, end int64) (draws []draw, left money.Micro) {
	due := map[money.Meter]money.Micro{}
	for meter, amount := range accrued {
		due[meter] = amount
	}

	for _, l := range lots {
		if l.Expires != 0 && l.Expires < end {
			continue
		}
		var paid money.Micro
		for _, meter := range meters {
			if l.Meter != "" && l.Meter != meter {
				continue
			}
			part := min(due[meter], l.Left-paid)
			due[meter] -= part
			paid += part
		}
		if paid > 0 {
			draws = append(draws, draw{lot: l.ID, amount: paid})
		}
	}
	for _, amount := range due {
		left += amount
	}

	return draws, left
}
