package payment

import (
	"errors"
	"slices"
	"strings"
)

// Answer is the body of an answer of the gateway, of whatever kind.
type Answer struct {
	o object
}

// ParseAnswer reads a body. HTML, null and anything but one JSON object is an error, whose text repeats nothing of it.
func ParseAnswer(raw []byte) (Answer, error) {
	o, err := parseObject(raw)

	return Answer{o: o}, err
}

// Code is the gateway's own status code, which is not always that of HTTP; empty when the body has none.
func (a Answer) Code() string { return a.o.loose("status_code") }

// Message is what the gateway says to people about it. It may repeat what it was sent and belongs in no error.
func (a Answer) Message() string {
	if text := a.o.text("status_message"); text != "" {
		return text
	}

	return strings.Join(a.o.texts("error_messages"), "; ")
}

// Duplicate is true when the page of an order is refused because a method has been chosen on an earlier one. The gateway
// says so in words only, in one language or the other.
func (a Answer) Duplicate() bool {
	said := strings.ToLower(a.Message())

	return strings.Contains(said, "order_id") &&
		(strings.Contains(said, "sudah digunakan") || strings.Contains(said, "has already been taken") || strings.Contains(said, "already been used"))
}

// Status reads the answer as the status of a payment. An answer that does not say of which order, or how it stands, is
// none.
func (a Answer) Status() (Status, error) {
	o := a.o
	s := Status{
		OrderID:       o.text("order_id"),
		TransactionID: o.text("transaction_id"),
		Code:          o.text("status_code"),
		Transaction:   TransactionStatus(o.text("transaction_status")),
		Fraud:         FraudStatus(o.text("fraud_status")),
		Gross:         o.text("gross_amount"),
		Currency:      o.text("currency"),
		MerchantID:    o.text("merchant_id"),
		Type:          Method(o.text("payment_type")),
		RefundTotal:   o.text("refund_amount"),
		Fee:           feeInfo(o),
	}

	s.Created, _ = ParseTime(o.text("transaction_time"))
	s.Settled, _ = ParseTime(o.text("settlement_time"))
	s.Expires, _ = ParseTime(o.text("expiry_time"))

	for _, r := range o.list("refunds") {
		entry := RefundEntry{Key: RefundKey(r.text("refund_key")), Amount: r.text("refund_amount")}
		entry.Confirmed, _ = ParseTime(r.text("bank_confirmed_at"))
		s.Refunds = append(s.Refunds, entry)
	}

	if s.OrderID == "" || s.TransactionID == "" || s.Transaction == "" {
		return Status{}, errors.New("read status: it lacks the order, the transaction or its status")
	}

	s.Malformed = slices.Sorted(slices.Values(*o.malformed))

	return s, nil
}

// feeInfo is where the gateway says that the payer bore a fee. It is documented inside the metadata, which otherwise is
// the merchant's, and has been seen beside it.
func feeInfo(o object) *FeeInfo {
	holder := o
	if o.isObject("metadata") && o.within("metadata").isObject("extra_info") {
		holder = o.within("metadata")
	}

	if !holder.isObject("extra_info") || !holder.within("extra_info").isObject("gross_amount_info") {
		return nil
	}

	info := holder.within("extra_info").within("gross_amount_info")

	return &FeeInfo{
		Original: info.loose("original_amount"),
		Gross:    info.loose("gross_amount"),
		Fee:      info.loose("customer_imposed_payment_fee"),
	}
}

// Checkout reads the answer as a page. Whether its URL is one to send people to is not decided here.
func (a Answer) Checkout() (Checkout, error) {
	c := Checkout{RedirectURL: a.o.text("redirect_url"), Token: a.o.text("token")}
	if c.RedirectURL == "" || c.Token == "" || len(*a.o.malformed) > 0 {
		return Checkout{}, errors.New("read checkout: it lacks the token or the URL")
	}

	return c, nil
}

// Receipt reads the answer as that to a refund.
func (a Answer) Receipt() (RefundReceipt, error) {
	amount, err := ParseGross(a.o.loose("refund_amount"))
	if err != nil {
		return RefundReceipt{}, err
	}

	r := RefundReceipt{
		Key:    a.o.text("refund_key"),
		Amount: amount,
		Status: TransactionStatus(a.o.text("transaction_status")),
	}
	if r.Key == "" || r.Status == "" || len(*a.o.malformed) > 0 {
		return RefundReceipt{}, errors.New("read refund: it lacks the key or the status")
	}

	return r, nil
}

// OrderID that the answer is about; empty when it does not say.
func (a Answer) OrderID() string { return a.o.text("order_id") }

// TransactionID that the answer is about; empty when it does not say.
func (a Answer) TransactionID() string { return a.o.text("transaction_id") }

// TransactionStatus that the answer tells; empty when it does not say.
func (a Answer) TransactionStatus() TransactionStatus {
	return TransactionStatus(a.o.text("transaction_status"))
}
