package midtrans

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

// expiredCode is the status code of an expired payment, in an answer that is no failure.
const expiredCode = 407

// Payment is one payment of an order, as Midtrans has it. A test may change it through Server.Change, into states that no
// sequence of calls leads to.
type Payment struct {
	// OrderID and TransactionID name it.
	OrderID, TransactionID string
	// Status and Fraud are how it stands.
	Status payment.TransactionStatus
	Fraud  payment.FraudStatus
	// Code in answers; that which goes with the status when empty.
	Code string
	// Method in answers.
	Method payment.Method
	// Amount of the order, and Fee that the payer bears.
	Amount, Fee payment.IDR
	// Created and Settled are when it was; zero when not yet.
	Created, Settled time.Time
	// Refunds in the order in which they were made.
	Refunds []Refund
	// Edit changes what answers and notifications say of it, last of all; may be nil.
	Edit func(body map[string]any)

	order *order
}

// Refund is money that went back.
type Refund struct {
	// Key it was asked for with.
	Key string
	// Amount that went back.
	Amount payment.IDR
	// Reason that was given.
	Reason string
	// At is when.
	At time.Time
}

func (p *Payment) gross() payment.IDR { return p.Amount + p.Fee }

func (p *Payment) refunded() payment.IDR {
	var sum payment.IDR
	for _, r := range p.Refunds {
		sum += r.Amount
	}

	return sum
}

// code that goes with the status.
func (p *Payment) code() string {
	switch {
	case p.Code != "":
		return p.Code
	case p.Status == payment.StatusPending, p.Status == payment.StatusCapture && p.Fraud == payment.FraudChallenge:
		return "201"
	case p.Status == payment.StatusDeny, p.Status == payment.StatusFailure:
		return "202"
	case p.Status == payment.StatusExpire:
		return itoa(expiredCode)
	default:
		return payment.CodeSuccess
	}
}

// body is what answers and notifications say of a payment.
func (s *Server) body(p *Payment) map[string]any {
	body := map[string]any{
		"status_code":        p.code(),
		"status_message":     "Success, transaction is found",
		"order_id":           p.OrderID,
		"transaction_id":     p.TransactionID,
		"transaction_status": string(p.Status),
		"transaction_time":   payment.FormatTime(p.Created),
		"expiry_time":        payment.FormatTime(p.order.payExpires),
		"gross_amount":       p.gross().Gross(),
		"currency":           "IDR",
		"merchant_id":        s.options.MerchantID,
		"payment_type":       string(p.Method),
	}

	if p.Fraud != payment.FraudAbsent {
		body["fraud_status"] = string(p.Fraud)
	}

	if !p.Settled.IsZero() {
		body["settlement_time"] = payment.FormatTime(p.Settled)
	}

	if p.Method == "credit_card" {
		body["masked_card"], body["bank"], body["card_type"] = "48111111-1114", "bni", "credit"
	}

	if p.Fee > 0 {
		body["metadata"] = map[string]any{"extra_info": map[string]any{"gross_amount_info": map[string]any{
			"original_amount": p.Amount.String(), "gross_amount": p.gross().String(), "customer_imposed_payment_fee": p.Fee.String(),
		}}}
	}

	if len(p.Refunds) > 0 {
		body["refunds"], body["refund_amount"] = refundList(p), p.refunded().Gross()
	}

	if p.Edit != nil {
		p.Edit(body)
	}

	return body
}

func refundList(p *Payment) []any {
	list := make([]any, len(p.Refunds))
	for i, r := range p.Refunds {
		list[i] = map[string]any{
			"refund_chargeback_id": i + 1,
			"refund_key":           r.Key,
			"refund_amount":        r.Amount.Gross(),
			"reason":               r.Reason,
			"refund_method":        "online",
			"created_at":           payment.FormatTime(r.At),
			"bank_confirmed_at":    payment.FormatTime(r.At),
		}
	}

	return list
}

// notify sends what has become of a payment.
func (s *Server) notify(p *Payment) {
	body := s.body(p)

	// As text, the way they are written: the signature is over what is received.
	text := func(name string) string {
		if t, ok := body[name].(string); ok {
			return t
		}

		raw, _ := json.Marshal(body[name])

		return string(raw)
	}

	body["signature_key"] = payment.Sign(text("order_id"), text("status_code"), text("gross_amount"), s.options.Key)

	raw, err := json.Marshal(body)
	if err != nil {
		s.log.Error(fmt.Sprintf("Encoding a notification failed: %v", err))
		return
	}

	s.post(Notification{OrderID: p.OrderID, Status: p.Status, Body: raw})
}
