package ledger

import (
	"maps"
	"math/bits"
	"strings"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// share is how the charge of one line of use was covered. The three add up to it.
type share struct {
	// Paid by paid money, by promotional money, and by nobody.
	paid, promo, waived money.Micro
}

// shares divides what a Usage entry has drawn among its lines. Each lot has paid for meters in the order in which the ledger
// draws it; within a meter, and for what was waived, lines share by what they cost.
func (d *dataset) shares(item book.Item) []share {
	lines := item.Record.Lines
	due := map[money.Meter]money.Micro{}
	maps.Copy(due, item.Record.Metered())
	promo := map[money.Meter]money.Micro{}
	for _, p := range item.Entry.Postings {
		if lot, ok := strings.CutPrefix(p.Account, book.AccountPromo); ok {
			draw(due, promo, d.scope[lot], -p.Amount)
		}
	}

	out := make([]share, len(lines))
	for _, meter := range money.Meters() {
		divide(promo[meter], lines, out,
			func(i int) bool { return lines[i].Meter == meter },
			func(s *share, part money.Micro) { s.promo += part })
	}
	divide(item.Record.Waived, lines, out,
		func(int) bool { return true },
		func(s *share, part money.Micro) { s.waived += part })
	for i, l := range lines {
		out[i].paid = l.Charge - out[i].promo - out[i].waived
	}

	return out
}

// draw takes an amount from what is due by the meters that a lot may pay for.
func draw(due, promo map[money.Meter]money.Micro, scope money.Meter, amount money.Micro) {
	for _, meter := range money.Meters() {
		if scope != "" && scope != meter {
			continue
		}
		part := min(due[meter], amount)
		due[meter] -= part
		promo[meter] += part
		amount -= part
	}
	if amount > 0 && scope != "" {
		// Nothing that the ledger has written comes to this. The sums hold all the same.
		draw(due, promo, "", amount)
	}
}

// divide gives each line its part of an amount, by what of its charge nobody has covered. Parts are rounded so that they
// add up and none is more than is left of its line.
func divide(amount money.Micro, lines []book.Line, shares []share, which func(int) bool, give func(*share, money.Micro)) {
	var total money.Micro
	for i := range lines {
		if which(i) {
			total += lines[i].Charge - shares[i].promo - shares[i].waived
		}
	}
	if amount <= 0 || total <= 0 {
		return
	}
	var seen, given money.Micro
	for i := range lines {
		if !which(i) {
			continue
		}
		seen += lines[i].Charge - shares[i].promo - shares[i].waived
		until := fraction(amount, seen, total)
		give(&shares[i], until-given)
		given = until
	}
}

// fraction is amount × part ÷ whole, rounded down; part is at most whole, and neither is below zero.
func fraction(amount, part, whole money.Micro) money.Micro {
	high, low := bits.Mul64(uint64(amount), uint64(part))
	quotient, _ := bits.Div64(high, low, uint64(whole))

	return money.Micro(quotient)
}
