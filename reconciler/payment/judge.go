package payment

import "fmt"

// Order is what is known of an order before the gateway is asked: from the TopUp and the ledger.
type Order struct {
	// ID of the order, Amount that was asked for.
	ID     string
	Amount IDR
	// MerchantID that payments must be made to; not checked when empty.
	MerchantID string
	// Credited is the transaction that was credited; empty before.
	Credited string
	// Reversed is true when the credit was taken back because the gateway took back the payment.
	Reversed bool
	// Refunds are the amounts by refund key that the ledger already has, held or posted.
	Refunds map[string]IDR
	// ChargedBack is what was debited for chargebacks so far.
	ChargedBack IDR
}

// refunded is what the ledger already has as refunds.
func (o Order) refunded() IDR {
	var sum IDR
	for _, amount := range o.Refunds {
		sum += amount
	}

	return sum
}

// left is what is left of the credit.
func (o Order) left() IDR { return o.Amount - o.refunded() - o.ChargedBack }

// Judgement is a decision with what it takes to carry it out.
type Judgement struct {
	// Decision to carry out.
	Decision Decision
	// Amount to credit or to debit; zero where no money moves.
	Amount IDR
	// Fee that the payer bore on top of a credited amount; not ours to credit.
	Fee IDR
	// Refunds are the entries that the Amount of a RefundDebit consists of: refunds that the ledger does not know.
	Refunds []Debit
	// Reason says for people why, where it does not go without saying: always with Quarantine.
	Reason string
}

// Judge decides what a status means for an order. It is total and pure. When it moves money, everything that the gateway
// said has been checked: whose payment it is, for which order, in which currency, and that the amounts add up.
func Judge(o Order, s Status) Judgement {
	if reason := mismatch(o, s); reason != "" {
		return quarantine(reason)
	}

	if o.Credited != "" && s.TransactionID != o.Credited {
		return judgeOther(s)
	}

	decision := Decide(s.Transaction, s.Fraud, o.Credited != "")

	switch decision {
	case Credit:
		return judgeCredit(o, s)
	case Reverse:
		return debit(o, Reverse, o.left())
	case RefundDebit:
		return judgeRefund(o, s)
	case ChargebackDebit:
		return judgeChargeback(o, s)
	case Quarantine:
		return quarantine(fmt.Sprintf("status %s with fraud status %s is not one that is expected here", quoted(string(s.Transaction)), quoted(string(s.Fraud))))
	case Ignore:
		if o.Reversed && s.Transaction != StatusPending {
			return quarantine("the payment was taken back and is said to be paid again")
		}
	}

	return Judgement{Decision: decision}
}

// JudgeMissing decides what it means that the gateway knows no payment of the order: nobody has chosen a method yet, until
// the page has expired. Of a paid order it is not believed.
func JudgeMissing(o Order, pageExpired bool) Judgement {
	switch {
	case o.Credited != "":
		return quarantine("the gateway does not know a payment that was credited")
	case pageExpired:
		return Judgement{Decision: Expired}
	default:
		return Judgement{Decision: Await}
	}
}

func quarantine(reason string) Judgement { return Judgement{Decision: Quarantine, Reason: reason} }

// mismatch says why a status is not about this order, or not to be relied on; empty when it is.
func mismatch(o Order, s Status) string {
	switch {
	case s.OrderID != o.ID:
		return "the answer is about another order"
	case len(s.Malformed) > 0:
		return fmt.Sprintf("fields are not of the documented type: %s", quoted(s.Malformed[0]))
	case o.MerchantID != "" && s.MerchantID != "" && s.MerchantID != o.MerchantID:
		return "the payment was made to another merchant"
	default:
		return ""
	}
}

// judgeOther decides about a payment of an order that was credited for another one. That it failed says nothing; that it
// was paid as well is money that must not be lost.
func judgeOther(s Status) Judgement {
	switch Decide(s.Transaction, s.Fraud, false) {
	case Await, AttemptFailed, Failed, Expired:
		return Judgement{Decision: Ignore}
	case Credit:
		gross, err := ParseGross(s.Gross)
		if reason := unpayable(s); reason != "" || err != nil || gross == 0 {
			return quarantine("the order was paid twice, and the second payment does not add up")
		}

		return Judgement{Decision: Suspense, Amount: gross, Reason: "the order was paid twice"}
	default:
		return quarantine(fmt.Sprintf("another payment of the credited order has the status %s", quoted(string(s.Transaction))))
	}
}

// judgeCredit credits the order's amount if that is what was paid.
func judgeCredit(o Order, s Status) Judgement {
	if reason := unpayable(s); reason != "" {
		return quarantine(reason)
	}

	// A merchant that is not said is accepted where nothing moves, and not here.
	if o.MerchantID != "" && s.MerchantID == "" {
		return quarantine("the answer does not say to which merchant it was paid")
	}

	fee, err := CheckGross(o.Amount, s)
	if err != nil {
		return quarantine(err.Error())
	}

	return Judgement{Decision: Credit, Amount: o.Amount, Fee: fee}
}

// unpayable says why a status that means paid is not taken for it.
func unpayable(s Status) string {
	switch {
	case s.Code != CodeSuccess:
		return fmt.Sprintf("the payment is said to be made, with the status code %s", quoted(s.Code))
	case s.Currency != "IDR":
		return fmt.Sprintf("the payment was made in %s, must be IDR", quoted(s.Currency))
	default:
		return ""
	}
}

// CheckGross checks that what was paid is the order's amount, or that amount and a fee that the gateway says the payer
// bore. It returns the fee.
func CheckGross(amount IDR, s Status) (fee IDR, err error) {
	gross, err := ParseGross(s.Gross)
	if err != nil {
		return 0, fmt.Errorf("check gross amount: %w", err)
	}

	if s.Fee == nil {
		if gross != amount {
			return 0, fmt.Errorf("check gross amount: %s was paid, %s was asked for", gross, amount)
		}

		return 0, nil
	}

	original, err := ParseGross(s.Fee.Original)
	if err != nil {
		return 0, fmt.Errorf("check original amount: %w", err)
	}

	fee, err = ParseGross(s.Fee.Fee)
	if err != nil {
		return 0, fmt.Errorf("check fee: %w", err)
	}

	if original != amount || gross != original+fee {
		return 0, fmt.Errorf("check gross amount: %s was paid for %s with a fee of %s, %s was asked for", gross, original, fee, amount)
	}

	return fee, nil
}
