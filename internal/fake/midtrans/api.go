package midtrans

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

const (
	noSuchText = "Transaction doesn't exist."
	cannotText = "Transaction status cannot be updated."
)

// status answers how a payment stands; 404 while nobody has chosen a method.
func (s *Server) status(r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()

	_, p := s.find(r.PathValue("id"))
	if p == nil {
		return refuse(http.StatusNotFound, payment.OpStatus, noSuchText)
	}

	return s.told(p)
}

// told is a reply that says how a payment stands.
func (s *Server) told(p *Payment) reply {
	body := s.body(p)

	code := http.StatusOK
	if text, ok := body["status_code"].(string); ok {
		if n, err := json.Number(text).Int64(); err == nil {
			code = int(n)
		}
	}

	return reply{code: code, status: http.StatusOK, body: body}
}

// move takes a payment from one of the statuses to another, or answers that it is too late.
func (s *Server) move(r *http.Request, may func(*Payment) bool, change func(*Payment)) reply {
	s.mu.Lock()
	defer s.mu.Unlock()

	_, p := s.find(r.PathValue("id"))

	switch {
	case p == nil:
		return refuse(http.StatusNotFound, opReview, noSuchText)
	case !may(p):
		return refuse(http.StatusPreconditionFailed, opReview, cannotText)
	}

	change(p)
	s.notify(p)

	return s.told(p)
}

func (s *Server) cancel(r *http.Request) reply {
	return s.move(r,
		func(p *Payment) bool {
			return p.Status == payment.StatusPending || p.Status == payment.StatusCapture || p.Status == payment.StatusAuthorize
		},
		func(p *Payment) { p.Status = payment.StatusCancel })
}

func (s *Server) expire(r *http.Request) reply {
	return s.move(r,
		func(p *Payment) bool { return p.Status == payment.StatusPending },
		func(p *Payment) { p.Status = payment.StatusExpire })
}

func challenged(p *Payment) bool {
	return p.Status == payment.StatusCapture && p.Fraud == payment.FraudChallenge
}

func (s *Server) approve(r *http.Request) reply {
	return s.move(r, challenged, func(p *Payment) { p.Fraud = payment.FraudAccept })
}

func (s *Server) denyChallenged(r *http.Request) reply {
	return s.move(r, challenged, func(p *Payment) { p.Status, p.Fraud = payment.StatusDeny, payment.FraudDeny })
}

// refundRequest is what a refund asks for.
type refundRequest struct {
	Key    string      `json:"refund_key"`
	Amount payment.IDR `json:"amount"`
	Reason string      `json:"reason"`
}

// directly are the methods whose refunds are made at once, by their names in a Status; the others of refundable take a day
// or two.
var (
	directly   = []payment.Method{"gopay", "qris", "shopeepay", "credit_card", "akulaku", "kredivo"}
	refundable = append([]payment.Method{"dana", "ovo"}, directly...)
)

// refund gives back a part of a settled payment. The same key is the same refund.
func (s *Server) refund(direct bool) func(*http.Request) reply {
	return func(r *http.Request) reply {
		var q refundRequest

		raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil || json.Unmarshal(raw, &q) != nil {
			return refuse(http.StatusBadRequest, payment.OpRefund, "request body is not valid JSON")
		}

		s.mu.Lock()
		defer s.mu.Unlock()

		_, p := s.find(r.PathValue("id"))
		if p == nil {
			return refuse(http.StatusNotFound, payment.OpRefund, noSuchText)
		}

		for _, made := range p.Refunds {
			if made.Key == q.Key {
				return s.receipt(p, made)
			}
		}

		if refusal, ok := refundProblem(p, q, direct); ok {
			return refusal
		}

		made := Refund{Key: q.Key, Amount: q.Amount, Reason: q.Reason, At: time.Now()}
		p.giveBack(made)
		s.notify(p)

		return s.receipt(p, made)
	}
}

// refundProblem is why a payment cannot be given back like that.
func refundProblem(p *Payment, q refundRequest, direct bool) (reply, bool) {
	no := func(code int, text string) (reply, bool) { return refuse(code, payment.OpRefund, text), true }

	switch {
	case p.Status != payment.StatusSettlement && p.Status != payment.StatusPartialRefund:
		return no(http.StatusPreconditionFailed, cannotText)
	case direct && !slices.Contains(directly, p.Method), !slices.Contains(refundable, p.Method):
		return no(http.StatusPreconditionFailed, "Refund is not supported for this payment method")
	case q.Amount < 1 || q.Amount > p.gross()-p.refunded():
		return no(http.StatusRequestURITooLong, "Refund request is rejected due to invalid amount")
	case q.Key == "":
		return no(http.StatusBadRequest, "refund_key is required")
	default:
		return reply{}, false
	}
}

// receipt is the answer to a refund: how the payment stands, and this one refund.
func (s *Server) receipt(p *Payment, r Refund) reply {
	answer := s.told(p)
	delete(answer.body, "refunds")

	answer.body["status_message"] = "Success, refund request is approved"
	answer.body["refund_key"], answer.body["refund_amount"] = r.Key, r.Amount.Gross()

	return answer
}
