package payment

import (
	"fmt"
	"strings"
)

// Debit is a part of what a RefundDebit takes from the balance: one entry of the ledger.
type Debit struct {
	// Key of the refund at the gateway; one that begins with UnlistedRefund where the gateway says a sum and no list.
	// Order.Refunds must have it from now on.
	Key string
	// Amount to debit.
	Amount IDR
}

// UnlistedRefund begins the keys of debits for refunds that the gateway did not list.
const UnlistedRefund = "unlisted-"

// judgeRefund debits what the gateway lists as refunded and the ledger does not have. Refunds are told apart by their
// keys: those that we have asked for are held or posted by their Refunds, the others were made at the gateway.
func judgeRefund(o Order, s Status) Judgement {
	// All of it is back with the payer, also a fee that was never credited: what is left is what there is to debit, and
	// no refund's amount needs to agree with ours.
	if s.Transaction == StatusRefund {
		l, err := compareRefunds(o, s.Refunds, false)
		if err != nil {
			return quarantine(err.Error())
		}

		return debitRefunds(o, o.left(), l.fresh)
	}

	l, err := compareRefunds(o, s.Refunds, true)
	if err != nil {
		return quarantine(err.Error())
	}

	due, reason := dueOfPart(o, s, l)
	if reason != "" {
		return quarantine(reason)
	}

	return debitRefunds(o, due, l.fresh)
}

// dueOfPart is what to debit for refunds of a part of the payment, or why that cannot be said.
func dueOfPart(o Order, s Status, l listing) (due IDR, reason string) {
	said := l.sum

	if s.RefundTotal != "" {
		var err error
		if said, err = ParseGross(s.RefundTotal); err != nil {
			return 0, fmt.Sprintf("check refunded amount: %v", err)
		}
	}

	switch {
	case len(s.Refunds) == 0 && s.RefundTotal == "":
		return 0, "a part is said to be refunded, and not which"
	case len(s.Refunds) == 0:
		due = said - o.refunded()
	case said > l.sum:
		return 0, fmt.Sprintf("%s is said to be refunded, %s is listed", said, l.sum)
	default:
		due = l.freshSum - o.unlisted()
	}

	if due < 0 || due > o.left() {
		return 0, fmt.Sprintf("%s is refunded in all, of %s of which %s is left", said, o.Amount, o.left())
	}

	return due, ""
}

// unlisted is what was debited without a list. When the list comes it is in there.
func (o Order) unlisted() IDR {
	var sum IDR

	for key, amount := range o.Refunds {
		if strings.HasPrefix(key, UnlistedRefund) {
			sum += amount
		}
	}

	return sum
}

// listing is what the gateway lists: fresh are those that the ledger does not have, sum is that of all.
type listing struct {
	fresh         []Debit
	freshSum, sum IDR
}

// compareRefunds compares the gateway's list with the ledger's. When it is strict, refunds of both must agree in amount.
func compareRefunds(o Order, entries []RefundEntry, strict bool) (listing, error) {
	var l listing

	seen := make(map[string]bool, len(entries))

	for _, r := range entries {
		amount, err := ParseGross(r.Amount)
		if err != nil {
			return listing{}, fmt.Errorf("check refund: %w", err)
		}

		if r.Key == "" || seen[r.Key] || strings.HasPrefix(r.Key, UnlistedRefund) {
			return listing{}, fmt.Errorf("check refund: key %s is empty, reserved or listed twice", quoted(r.Key))
		}

		seen[r.Key] = true
		l.sum += amount

		switch known, ok := o.Refunds[r.Key]; {
		case !ok:
			l.fresh = append(l.fresh, Debit{Key: r.Key, Amount: amount})
			l.freshSum += amount
		case strict && known != amount:
			return listing{}, fmt.Errorf("check refund: %s was given back with key %s, %s was asked for", amount, quoted(r.Key), known)
		}
	}

	return l, nil
}

// debitRefunds splits an amount among the refunds that it is due for, as far as they go; the rest has no key of the
// gateway's, and gets one by which it is known again.
func debitRefunds(o Order, due IDR, fresh []Debit) Judgement {
	rest := max(0, due)

	var parts []Debit

	for _, d := range fresh {
		d.Amount = min(d.Amount, rest)
		rest -= d.Amount

		if d.Amount > 0 {
			parts = append(parts, d)
		}
	}

	if rest > 0 {
		parts = append(parts, Debit{Key: UnlistedRefund + (o.refunded() + due).String(), Amount: rest})
	}

	j := debit(o, RefundDebit, due)
	if j.Decision == RefundDebit {
		j.Refunds = parts
	}

	return j
}

// judgeChargeback debits what the payer's bank took back. The gateway does not document the fields of chargebacks, so the
// full one is taken by its name, and the partial one by the sum that refunds have.
func judgeChargeback(o Order, s Status) Judgement {
	if s.Transaction == StatusChargeback {
		return debit(o, ChargebackDebit, o.left())
	}

	total, err := ParseGross(s.RefundTotal)
	if err != nil {
		return quarantine("a part was charged back, and it is not said how much")
	}

	due := total - o.refunded() - o.ChargedBack
	if due < 0 || due > o.left() {
		return quarantine(fmt.Sprintf("%s went back in all, of %s of which %s is left", total, o.Amount, o.left()))
	}

	return debit(o, ChargebackDebit, due)
}

// debit is a judgement to debit an amount, or to do nothing when the ledger has it all. What was reversed has nothing
// left to debit.
func debit(o Order, d Decision, amount IDR) Judgement {
	switch {
	case o.Reversed || amount == 0:
		return Judgement{Decision: Ignore}
	case amount < 0:
		return quarantine(fmt.Sprintf("more went back than the %s that were paid", o.Amount))
	default:
		return Judgement{Decision: d, Amount: amount}
	}
}
