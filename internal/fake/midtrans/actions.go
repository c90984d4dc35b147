package midtrans

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

// ErrNoSuchOrder is what actions answer about orders that have no page, or none that is open.
var ErrNoSuchOrder = errors.New("there is no such order, or its page is closed")

// types are what a Status calls the methods of a page, where it has another name for them.
var types = map[payment.Method]payment.Method{
	"bca_va": "bank_transfer", "bni_va": "bank_transfer", "bri_va": "bank_transfer", "cimb_va": "bank_transfer",
	"permata_va": "bank_transfer", "other_va": "bank_transfer", "other_qris": "qris", "indomaret": "cstore", "alfamart": "cstore",
}

// Choose is the payer choosing a method on the page: a payment begins, and is pending. An earlier one of the order that is
// pending is given up.
func (s *Server) Choose(orderID string, method payment.Method) (transactionID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	o, ok := s.orders[orderID]
	if !ok || time.Now().After(o.pageExpires) {
		return "", fmt.Errorf("choose method for %q: %w", orderID, ErrNoSuchOrder)
	}

	if len(o.methods) > 0 && !slices.Contains(o.methods, method) {
		return "", fmt.Errorf("choose method for %q: the page does not offer %q", orderID, method)
	}

	s.age(o)

	if p := o.latest(); p != nil && p.Status == payment.StatusPending {
		p.Status = payment.StatusCancel
	}

	return s.begin(o, method).TransactionID, nil
}

// begin makes a pending payment and says so.
func (s *Server) begin(o *order, method payment.Method) *Payment {
	kind, ok := types[method]
	if !ok {
		kind = method
	}

	p := &Payment{
		OrderID: o.id, TransactionID: s.newID("tx"), Status: payment.StatusPending, Method: kind,
		Amount: o.amount, Fee: s.options.Fee, Created: time.Now(), order: o,
	}
	if kind != "bank_transfer" && kind != "cstore" {
		p.Fraud = payment.FraudAccept
	}

	o.payments = append(o.payments, p)
	s.payments[p.TransactionID] = p
	s.notify(p)

	return p
}

// Change changes the latest payment of an order, or the one of a transaction, and sends a notification of what became of
// it.
func (s *Server) Change(id string, change func(*Payment)) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	_, p := s.find(id)
	if p == nil {
		return fmt.Errorf("change payment of %q: %w", id, ErrNoSuchOrder)
	}

	change(p)
	s.notify(p)

	return nil
}

// Settle is the money arriving.
func (s *Server) Settle(id string) error {
	return s.Change(id, func(p *Payment) { p.Status, p.Settled = payment.StatusSettlement, time.Now() })
}

// Capture is a card's bank saying yes. It settles later.
func (s *Server) Capture(id string) error {
	return s.Change(id, func(p *Payment) { p.Status, p.Fraud = payment.StatusCapture, payment.FraudAccept })
}

// Challenge is a card's bank saying yes, and Midtrans doubting whose card it is.
func (s *Server) Challenge(id string) error {
	return s.Change(id, func(p *Payment) { p.Status, p.Fraud = payment.StatusCapture, payment.FraudChallenge })
}

// Deny is a payment that fails. The payer may choose again.
func (s *Server) Deny(id string) error {
	return s.Change(id, func(p *Payment) { p.Status = payment.StatusDeny })
}

// Reverse is a bank taking back what it had settled, minutes later.
func (s *Server) Reverse(id string) error { return s.Deny(id) }

// ExpirePayment is the time of a payment running out.
func (s *Server) ExpirePayment(id string) error {
	return s.Change(id, func(p *Payment) { p.Status = payment.StatusExpire })
}

// Chargeback is the payer's bank taking money back after months; all of it when amount is what was paid.
func (s *Server) Chargeback(id string, amount payment.IDR) error {
	return s.Change(id, func(p *Payment) {
		p.Status = payment.StatusPartialChargeback
		if amount >= p.Amount {
			p.Status = payment.StatusChargeback
		}

		total := (p.refunded() + amount).Gross()
		p.Edit = func(body map[string]any) { body["refund_amount"] = total }
	})
}

// RefundAtDashboard is somebody giving money back past Dogker.
func (s *Server) RefundAtDashboard(id string, amount payment.IDR) error {
	return s.Change(id, func(p *Payment) {
		p.giveBack(Refund{Key: fmt.Sprintf("dashboard-%d", len(p.Refunds)+1), Amount: amount})
	})
}

// giveBack notes a refund.
func (p *Payment) giveBack(r Refund) {
	r.At = time.Now()
	p.Refunds = append(p.Refunds, r)

	p.Status = payment.StatusPartialRefund
	if p.refunded() >= p.gross() {
		p.Status = payment.StatusRefund
	}
}

// Pay is the payer choosing a method and paying at once.
func (s *Server) Pay(orderID string, method payment.Method) (transactionID string, err error) {
	id, err := s.Choose(orderID, method)
	if err != nil {
		return "", err
	}

	if method == "credit_card" {
		return id, s.Capture(id)
	}

	return id, s.Settle(id)
}

// PayAgain is a second payment of an order that settles, which Midtrans does not exclude: of two virtual accounts, say.
func (s *Server) PayAgain(orderID string, method payment.Method) (transactionID string, err error) {
	s.mu.Lock()

	o, ok := s.orders[orderID]
	if !ok {
		s.mu.Unlock()
		return "", fmt.Errorf("pay %q again: %w", orderID, ErrNoSuchOrder)
	}

	id := s.begin(o, method).TransactionID
	s.mu.Unlock()

	return id, s.Settle(id)
}
