package payment

import "time"

// TransactionStatus is the gateway's word for how a payment stands. There may be others than those listed here.
type TransactionStatus string

// The words that Midtrans documents.
const (
	StatusPending           TransactionStatus = "pending"
	StatusAuthorize         TransactionStatus = "authorize"
	StatusCapture           TransactionStatus = "capture"
	StatusSettlement        TransactionStatus = "settlement"
	StatusDeny              TransactionStatus = "deny"
	StatusCancel            TransactionStatus = "cancel"
	StatusExpire            TransactionStatus = "expire"
	StatusFailure           TransactionStatus = "failure"
	StatusRefund            TransactionStatus = "refund"
	StatusPartialRefund     TransactionStatus = "partial_refund"
	StatusChargeback        TransactionStatus = "chargeback"
	StatusPartialChargeback TransactionStatus = "partial_chargeback"
)

// FraudStatus is the gateway's word for whether it believes the payer. Some methods have none.
type FraudStatus string

// The words that Midtrans documents.
const (
	FraudAbsent    FraudStatus = ""
	FraudAccept    FraudStatus = "accept"
	FraudChallenge FraudStatus = "challenge"
	FraudDeny      FraudStatus = "deny"
)

// CodeSuccess is the only status code in an answer's body with which a payment is credited.
const CodeSuccess = "200"

// Status is how one payment of an order stands: what the gateway answered when it was asked. Its amounts are texts as
// they were received, because deciding whether they are amounts is a part of the decision.
type Status struct {
	// OrderID and TransactionID of the payment. An order can have several payments, one after the other.
	OrderID       string
	TransactionID string
	// Code is the status code in the body; "200" is success.
	Code string
	// Transaction is how the payment stands, Fraud whether the payer is believed.
	Transaction TransactionStatus
	Fraud       FraudStatus
	// Gross is what the payer paid, Currency in what.
	Gross    string
	Currency string
	// Fee is set where the payer was charged more than the order's amount.
	Fee *FeeInfo
	// MerchantID whose payment it is.
	MerchantID string
	// Type of the payment, such as qris.
	Type Method
	// Created, Settled and Expires are zero when they were not said, or not in a known form.
	Created, Settled, Expires time.Time
	// Refunds that the gateway lists, oldest first.
	Refunds []RefundEntry
	// RefundTotal is the gateway's sum of what went back to the payer; empty when it says none.
	RefundTotal string
	// Malformed names the fields whose JSON is not of the documented type, sorted. Such an answer moves no money.
	Malformed []string
}

// FeeInfo is the gateway's account of a fee that the payer bears on top of the amount.
type FeeInfo struct {
	// Original is the order's amount, Gross what was paid, Fee the difference.
	Original, Gross, Fee string
}

// RefundEntry is one refund as the gateway lists it.
type RefundEntry struct {
	// Key that it was asked for with; the gateway makes one up for refunds made in its dashboard.
	Key string
	// Amount that went back, as text.
	Amount string
	// Confirmed is when the payer's bank confirmed it; zero when it has not.
	Confirmed time.Time
}

// Refund finds the refund of a key.
func (s Status) Refund(key string) (RefundEntry, bool) {
	for _, r := range s.Refunds {
		if r.Key == key {
			return r, true
		}
	}

	return RefundEntry{}, false
}
