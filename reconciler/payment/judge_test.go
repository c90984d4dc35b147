package payment

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	orderID  = "dk-abcdef-01ARZ3NDEKTSV4RRFFQ69G5FAV"
	merchant = "G123456789"
)

// open is an order over 10,000 that was not credited; credited is one that was.
func open() Order { return Order{ID: orderID, Amount: 10_000, MerchantID: merchant} }

func credited(edits ...func(*Order)) Order {
	o := open()
	o.Credited = "tx-1"

	for _, edit := range edits {
		edit(&o)
	}

	return o
}

// paid is what the gateway says of a payment that is settled.
func paid(edits ...func(*Status)) Status {
	s := Status{
		OrderID: orderID, TransactionID: "tx-1", Code: "200", Transaction: StatusSettlement, Fraud: FraudAccept,
		Gross: "10000.00", Currency: "IDR", MerchantID: merchant, Type: "qris",
	}

	for _, edit := range edits {
		edit(&s)
	}

	return s
}

func is(status TransactionStatus) func(*Status) { return func(s *Status) { s.Transaction = status } }

func refunds(entries ...RefundEntry) func(*Status) {
	return func(s *Status) {
		s.Transaction, s.Refunds = StatusPartialRefund, entries

		var sum IDR
		for _, r := range entries {
			amount, _ := ParseGross(r.Amount)
			sum += amount
		}

		s.RefundTotal = sum.Gross()
	}
}

func has(refunds map[string]IDR) func(*Order) { return func(o *Order) { o.Refunds = refunds } }

func TestJudge(t *testing.T) {
	fee := &FeeInfo{Original: "10000", Gross: "10071", Fee: "71"}
	mine, theirs := RefundEntry{Key: "mine", Amount: "3000.00"}, RefundEntry{Key: "theirs", Amount: "2000.00"}

	cases := map[string]struct {
		reason string
		order  Order
		status Status
		want   Judgement // its Reason is only compared to be there or not
	}{
		"Paid":          {"Everything adds up.", open(), paid(), Judgement{Decision: Credit, Amount: 10_000}},
		"PaidOneZero":   {"Seen in samples.", open(), paid(func(s *Status) { s.Gross = "10000.0" }), Judgement{Decision: Credit, Amount: 10_000}},
		"PaidNoZeros":   {"An integer is what was asked for.", open(), paid(func(s *Status) { s.Gross = "10000" }), Judgement{Decision: Credit, Amount: 10_000}},
		"PaidWithFee":   {"The fee is Midtrans', the amount is ours: crediting the gross would credit too much.", open(), paid(func(s *Status) { s.Gross, s.Fee = "10071.00", fee }), Judgement{Decision: Credit, Amount: 10_000, Fee: 71}},
		"NoMerchantSet": {"Who has not said which merchant they are cannot check it.", Order{ID: orderID, Amount: 10_000}, paid(), Judgement{Decision: Credit, Amount: 10_000}},
		"PaidAgain":     {"The notification came twice.", credited(), paid(), Judgement{Decision: Ignore}},

		"FeeNotSaid":       {"More was paid and nobody says why.", open(), paid(func(s *Status) { s.Gross = "10071.00" }), Judgement{Decision: Quarantine}},
		"FeeDoesNotAddUp":  {"Original and fee are not the gross.", open(), paid(func(s *Status) { s.Gross, s.Fee = "10070.00", fee }), Judgement{Decision: Quarantine}},
		"FeeOfAnother":     {"The fee is on another amount.", open(), paid(func(s *Status) { s.Gross, s.Fee = "10000.00", &FeeInfo{Original: "9929", Fee: "71"} }), Judgement{Decision: Quarantine}},
		"FeeNotANumber":    {"What cannot be parsed is not rounded.", open(), paid(func(s *Status) { s.Gross, s.Fee = "10071.00", &FeeInfo{Original: "10000", Fee: "7.1e1"} }), Judgement{Decision: Quarantine}},
		"LessPaid":         {"Not what was asked for.", open(), paid(func(s *Status) { s.Gross = "9999.00" }), Judgement{Decision: Quarantine}},
		"GrossExponent":    {"1e5 is not how Midtrans writes.", open(), paid(func(s *Status) { s.Gross = "1e4" }), Judgement{Decision: Quarantine}},
		"GrossFraction":    {"There are no half rupiah.", open(), paid(func(s *Status) { s.Gross = "10000.50" }), Judgement{Decision: Quarantine}},
		"GrossSeparator":   {"A comma may mean either.", open(), paid(func(s *Status) { s.Gross = "10,000.00" }), Judgement{Decision: Quarantine}},
		"GrossIsANumber":   {"A field of another type is not what Midtrans sends.", open(), paid(func(s *Status) { s.Gross, s.Malformed = "10000", []string{"gross_amount"} }), Judgement{Decision: Quarantine}},
		"OtherOrder":       {"The answer is about another order.", open(), paid(func(s *Status) { s.OrderID = "dk-abcdef-00000000000000000000000000" }), Judgement{Decision: Quarantine}},
		"OtherMerchant":    {"The money went elsewhere.", open(), paid(func(s *Status) { s.MerchantID = "G9" }), Judgement{Decision: Quarantine}},
		"MerchantNotSaid":  {"Where the money went is not known.", open(), paid(func(s *Status) { s.MerchantID = "" }), Judgement{Decision: Quarantine}},
		"OtherCurrency":    {"10,000 of what?", open(), paid(func(s *Status) { s.Currency = "USD" }), Judgement{Decision: Quarantine}},
		"CodeNotSuccess":   {"It says settled, and that it is no success.", open(), paid(func(s *Status) { s.Code = "201" }), Judgement{Decision: Quarantine}},
		"SettledAndDoubts": {"Not documented.", open(), paid(func(s *Status) { s.Fraud = FraudChallenge }), Judgement{Decision: Quarantine}},
		"UnknownStatus":    {"Not documented.", open(), paid(is("teleported")), Judgement{Decision: Quarantine}},

		"Pending":          {"Not paid yet; what the amounts say does not matter.", open(), paid(is(StatusPending), func(s *Status) { s.Gross = "" }), Judgement{Decision: Await}},
		"Denied":           {"The payer may try again.", open(), paid(is(StatusDeny)), Judgement{Decision: AttemptFailed}},
		"Challenged":       {"Somebody has to look at the payer.", open(), paid(is(StatusCapture), func(s *Status) { s.Fraud = FraudChallenge }), Judgement{Decision: Challenged}},
		"RefundBefore":     {"What was not credited cannot be refunded.", open(), paid(is(StatusRefund)), Judgement{Decision: Quarantine}},
		"LatePending":      {"It was sent before the payment.", credited(), paid(is(StatusPending)), Judgement{Decision: Ignore}},
		"LateDenyOfOther":  {"An earlier attempt failed: known.", credited(), paid(is(StatusDeny), func(s *Status) { s.TransactionID = "tx-0" }), Judgement{Decision: Ignore}},
		"LateExpiryOther":  {"An earlier attempt expired: known.", credited(), paid(is(StatusExpire), func(s *Status) { s.TransactionID = "tx-0" }), Judgement{Decision: Ignore}},
		"PaidTwice":        {"The payer's money is not lost, nor credited twice.", credited(), paid(func(s *Status) { s.TransactionID, s.Gross = "tx-2", "10071.00" }), Judgement{Decision: Suspense, Amount: 10_071}},
		"PaidTwiceOddly":   {"The second payment does not parse.", credited(), paid(func(s *Status) { s.TransactionID, s.Gross = "tx-2", "1e5" }), Judgement{Decision: Quarantine}},
		"OtherRefunded":    {"Money in suspense went back: a person knows why.", credited(), paid(is(StatusRefund), func(s *Status) { s.TransactionID = "tx-2" }), Judgement{Decision: Quarantine}},
		"Reversed":         {"The bank took it back within minutes.", credited(), paid(is(StatusDeny)), Judgement{Decision: Reverse, Amount: 10_000}},
		"Voided":           {"A capture was cancelled.", credited(), paid(is(StatusCancel)), Judgement{Decision: Reverse, Amount: 10_000}},
		"ReversedRest":     {"What was refunded before is not debited again.", credited(has(map[string]IDR{"mine": 3000})), paid(is(StatusDeny)), Judgement{Decision: Reverse, Amount: 7000}},
		"ReversedTwice":    {"It is known.", credited(func(o *Order) { o.Reversed = true }), paid(is(StatusDeny)), Judgement{Decision: Ignore}},
		"ReversedAndPaid":  {"Taken back, and paid again?", credited(func(o *Order) { o.Reversed = true }), paid(), Judgement{Decision: Quarantine}},
		"ExpiredAfterPaid": {"Cannot be.", credited(), paid(is(StatusExpire)), Judgement{Decision: Quarantine}},

		"RefundOfOurs":       {"Its Refund holds the money and posts it.", credited(has(map[string]IDR{"mine": 3000})), paid(refunds(mine)), Judgement{Decision: Ignore}},
		"RefundOfTheirs":     {"Made in the dashboard.", credited(), paid(refunds(theirs)), Judgement{Decision: RefundDebit, Amount: 2000, Refunds: []Debit{{"theirs", 2000}}}},
		"RefundOfBoth":       {"Only what is not known is debited.", credited(has(map[string]IDR{"mine": 3000})), paid(refunds(mine, theirs)), Judgement{Decision: RefundDebit, Amount: 2000, Refunds: []Debit{{"theirs", 2000}}}},
		"RefundOfAll":        {"What is left goes back, with a fee that was never credited.", credited(has(map[string]IDR{"mine": 3000})), paid(refunds(mine, RefundEntry{Key: "x", Amount: "7071.00"}), is(StatusRefund)), Judgement{Decision: RefundDebit, Amount: 7000, Refunds: []Debit{{"x", 7000}}}},
		"RefundWithoutList":  {"The sum is all that is said.", credited(has(map[string]IDR{"mine": 3000})), paid(is(StatusPartialRefund), func(s *Status) { s.RefundTotal = "5000.00" }), Judgement{Decision: RefundDebit, Amount: 2000, Refunds: []Debit{{"unlisted-5000", 2000}}}},
		"RefundListedLater":  {"It was debited when there was only a sum.", credited(has(map[string]IDR{"unlisted-2000": 2000})), paid(refunds(theirs)), Judgement{Decision: Ignore}},
		"RefundWithoutSum":   {"The list is enough.", credited(), paid(refunds(theirs), func(s *Status) { s.RefundTotal = "" }), Judgement{Decision: RefundDebit, Amount: 2000, Refunds: []Debit{{"theirs", 2000}}}},
		"RefundUnknown":      {"A part of it, and not which.", credited(), paid(is(StatusPartialRefund)), Judgement{Decision: Quarantine}},
		"RefundTooMuch":      {"More than was paid.", credited(), paid(refunds(RefundEntry{Key: "x", Amount: "10001.00"})), Judgement{Decision: Quarantine}},
		"RefundSumDisagrees": {"The sum is more than the list.", credited(), paid(refunds(theirs), func(s *Status) { s.RefundTotal = "2001.00" }), Judgement{Decision: Quarantine}},
		"RefundShrinks":      {"Less than the ledger knows of.", credited(has(map[string]IDR{"mine": 3000})), paid(is(StatusPartialRefund), func(s *Status) { s.RefundTotal = "1000.00" }), Judgement{Decision: Quarantine}},
		"RefundOtherAmount":  {"Our key, not our amount.", credited(has(map[string]IDR{"mine": 2999})), paid(refunds(mine)), Judgement{Decision: Quarantine}},
		"RefundListedTwice":  {"A key is one refund.", credited(), paid(refunds(theirs, theirs)), Judgement{Decision: Quarantine}},
		"RefundWithoutKey":   {"It cannot be told from others.", credited(), paid(refunds(RefundEntry{Amount: "1000.00"})), Judgement{Decision: Quarantine}},
		"RefundNotANumber":   {"What cannot be parsed is not rounded.", credited(), paid(refunds(RefundEntry{Key: "x", Amount: "1.5"})), Judgement{Decision: Quarantine}},

		"ChargedBack":        {"By its name it is all that is left.", credited(has(map[string]IDR{"mine": 3000})), paid(is(StatusChargeback)), Judgement{Decision: ChargebackDebit, Amount: 7000}},
		"ChargedBackPart":    {"The sum, less what is known.", credited(has(map[string]IDR{"mine": 3000})), paid(is(StatusPartialChargeback), func(s *Status) { s.RefundTotal = "5000.00" }), Judgement{Decision: ChargebackDebit, Amount: 2000}},
		"ChargedBackMore":    {"The sum has grown.", credited(func(o *Order) { o.ChargedBack = 2000 }), paid(is(StatusPartialChargeback), func(s *Status) { s.RefundTotal = "5000.00" }), Judgement{Decision: ChargebackDebit, Amount: 3000}},
		"ChargedBackAgain":   {"It is known.", credited(func(o *Order) { o.ChargedBack = 10_000 }), paid(is(StatusChargeback)), Judgement{Decision: Ignore}},
		"ChargedBackUnsaid":  {"A part, and not how much.", credited(), paid(is(StatusPartialChargeback)), Judgement{Decision: Quarantine}},
		"ChargedBackTooMuch": {"More than was paid.", credited(), paid(is(StatusPartialChargeback), func(s *Status) { s.RefundTotal = "10001.00" }), Judgement{Decision: Quarantine}},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Judge(tc.order, tc.status)

			if (got.Reason != "") != (got.Decision == Quarantine || got.Decision == Suspense) {
				t.Errorf("%s with the reason %q", got.Decision, got.Reason)
			}

			why := got.Reason
			got.Reason = ""

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nreason given: %s\n-want +got:\n%s", tc.reason, why, diff)
			}
		})
	}
}

func TestJudgeMissing(t *testing.T) {
	for name, tc := range map[string]struct {
		order   Order
		expired bool
		want    Decision
	}{
		"PageOpen":    {open(), false, Await},
		"PageExpired": {open(), true, Expired},
		"Credited":    {credited(), true, Quarantine},
	} {
		if got := JudgeMissing(tc.order, tc.expired); got.Decision != tc.want {
			t.Errorf("%s: %s, want %s", name, got.Decision, tc.want)
		}
	}
}

// TestMoneyIsConserved: whatever a gateway says, in whatever order and however often, what is net credited of an order is
// between nothing and its amount.
func TestMoneyIsConserved(t *testing.T) {
	statuses := words(specifiedStatuses())
	amounts := []string{"", "0.00", "1.00", "3000.00", "7000.00", "10000.00", "10071.00", "99999.00", "-5", "1e3"}

	rapid.Check(t, func(t *rapid.T) {
		o := open()
		net := IDR(0)

		for range rapid.IntRange(1, 12).Draw(t, "answers") {
			s := paid(is(TransactionStatus(rapid.SampledFrom(statuses).Draw(t, "status"))))
			s.TransactionID = rapid.SampledFrom([]string{"tx-1", "tx-2"}).Draw(t, "transaction")
			s.Gross = rapid.SampledFrom([]string{"10000.00", "10000.00", "9999.00"}).Draw(t, "gross")
			s.RefundTotal = rapid.SampledFrom(amounts).Draw(t, "sum")

			for _, key := range []string{"a", "b"}[:rapid.IntRange(0, 2).Draw(t, "refunds")] {
				s.Refunds = append(s.Refunds, RefundEntry{Key: key, Amount: rapid.SampledFrom(amounts).Draw(t, "refund")})
			}

			j := Judge(o, s)
			if parts := sumOf(j.Refunds); j.Decision == RefundDebit && parts != j.Amount {
				t.Fatalf("the refunds of %d are debited with %d", j.Amount, parts)
			}

			if !slices.Contains(Decisions, j.Decision) || (j.Amount != 0) != j.Decision.MovesMoney() || j.Amount < 0 {
				t.Fatalf("%s moves %d", j.Decision, j.Amount)
			}

			net += carryOut(&o, s, j)
			if net < 0 || net > o.Amount {
				t.Fatalf("after %s of %d the order has %d of %d", j.Decision, j.Amount, net, o.Amount)
			}

			if again := Judge(o, s); j.Decision.MovesMoney() && j.Decision != Suspense && again.Decision.MovesMoney() {
				t.Fatalf("%s, and for the same answer again %s of %d", j.Decision, again.Decision, again.Amount)
			}
		}
	})
}

// carryOut does to an order what a controller and the ledger do, and returns what it does to the balance.
func carryOut(o *Order, s Status, j Judgement) IDR {
	if o.Refunds == nil {
		o.Refunds = map[string]IDR{}
	}

	switch j.Decision {
	case Credit:
		o.Credited = s.TransactionID
		return j.Amount
	case Reverse:
		o.Reversed = true
		return -j.Amount
	case RefundDebit:
		for _, d := range j.Refunds {
			o.Refunds[d.Key] += d.Amount
		}

		return -j.Amount
	case ChargebackDebit:
		o.ChargedBack += j.Amount
		return -j.Amount
	default:
		return 0
	}
}

func sumOf(parts []Debit) IDR {
	var sum IDR
	for _, d := range parts {
		sum += d.Amount
	}

	return sum
}
