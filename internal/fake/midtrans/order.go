package midtrans

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

// order is what a page was made for. It has payments, one after the other.
type order struct {
	id          string
	amount      payment.IDR
	description string
	methods     []payment.Method
	token       string
	returnURL   string
	// pageExpires is when the page no longer can be opened, payExpires when what is begun on it ends.
	pageExpires, payExpires time.Time
	payments                []*Payment
}

// latest payment, or nil while nobody has chosen a method.
func (o *order) latest() *Payment {
	if len(o.payments) == 0 {
		return nil
	}

	return o.payments[len(o.payments)-1]
}

// pageRequest is the part of a request for a page that is understood.
type pageRequest struct {
	Details struct {
		OrderID string      `json:"order_id"`
		Gross   json.Number `json:"gross_amount"`
	} `json:"transaction_details"`
	Items []struct {
		Name     string      `json:"name"`
		Price    json.Number `json:"price"`
		Quantity int64       `json:"quantity"`
	} `json:"item_details"`
	Methods    []payment.Method `json:"enabled_payments"`
	PageExpiry span             `json:"page_expiry"`
	Expiry     span             `json:"expiry"`
	Callbacks  struct {
		Finish string `json:"finish"`
	} `json:"callbacks"`
}

// span is a time as requests say it.
type span struct {
	Start    string `json:"start_time"`
	Unit     string `json:"unit"`
	Duration int64  `json:"duration"`
}

const defaultLife = 24 * time.Hour

// length of a span, or a day when it does not say.
func (s span) length() (time.Duration, error) {
	units := map[string]time.Duration{
		"minute": time.Minute, "minutes": time.Minute, "hour": time.Hour, "hours": time.Hour, "day": defaultLife, "days": defaultLife,
	}

	unit, ok := units[s.Unit]

	switch {
	case s == (span{}):
		return defaultLife, nil
	case !ok || s.Duration < 1 || s.Duration > 1<<20:
		return 0, fmt.Errorf("expiry is invalid")
	default:
		return time.Duration(s.Duration) * unit, nil
	}
}

// createPage makes a page for an order. While nobody has chosen a method on it, it can be made again: the earlier one dies.
func (s *Server) createPage(r *http.Request) reply {
	var q pageRequest

	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || json.Unmarshal(raw, &q) != nil {
		return refuse(http.StatusBadRequest, payment.OpCheckout, "request body is not valid JSON")
	}

	o, problem := q.order(time.Now())
	if problem != "" {
		return refuse(http.StatusBadRequest, payment.OpCheckout, problem)
	}

	s.mu.Lock()
	defer s.mu.Unlock()

	if known, ok := s.orders[o.id]; ok {
		s.age(known)

		if len(known.payments) > 0 && known.latest().Status != payment.StatusExpire {
			return refuse(http.StatusBadRequest, payment.OpCheckout, "transaction_details.order_id sudah digunakan")
		}

		delete(s.tokens, known.token)
		o.payments = known.payments
	}

	o.token = s.newID("page")
	s.orders[o.id], s.tokens[o.token] = o, o

	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}

	return reply{code: http.StatusCreated, snap: true, body: map[string]any{
		"token": o.token, "redirect_url": scheme + "://" + r.Host + pagePath + o.token,
	}}
}

// order is what a request asks for, or what is wrong with it.
func (q pageRequest) order(now time.Time) (o *order, problem string) {
	gross, err := strconv.ParseInt(q.Details.Gross.String(), 10, 64)
	if err != nil || gross < 1 {
		return nil, "transaction_details.gross_amount is not a number greater than 0.01"
	}

	if payment.CheckOrderID(q.Details.OrderID) != nil {
		return nil, "transaction_details.order_id is invalid"
	}

	o = &order{id: q.Details.OrderID, amount: payment.IDR(gross), methods: q.Methods, returnURL: q.Callbacks.Finish}

	if len(q.Items) > 0 {
		var sum int64

		for _, item := range q.Items {
			price, err := strconv.ParseInt(item.Price.String(), 10, 64)
			if err != nil {
				return nil, "item_details.price is not a number"
			}

			sum += price * item.Quantity
		}

		if sum != gross {
			return nil, "transaction_details.gross_amount is not equal to the sum of item_details"
		}

		o.description = q.Items[0].Name
	}

	page, err := q.PageExpiry.length()
	if err != nil || page < 5*time.Minute || page > 7*defaultLife {
		return nil, "page_expiry is invalid"
	}

	life, err := q.Expiry.length()
	if err != nil {
		return nil, "expiry is invalid"
	}

	start := now
	if q.Expiry.Start != "" {
		if start, err = payment.ParseTime(q.Expiry.Start); err != nil {
			return nil, "expiry.start_time is invalid"
		}
	}

	o.pageExpires, o.payExpires = now.Add(page), start.Add(life)

	return o, ""
}

// find is the payment that an ID in a path means: that of the transaction, or the latest of the order.
func (s *Server) find(id string) (*order, *Payment) {
	if p, ok := s.payments[id]; ok {
		s.age(p.order)
		return p.order, p
	}

	o, ok := s.orders[id]
	if !ok {
		return nil, nil
	}

	s.age(o)

	return o, o.latest()
}

// age ends the payment of an order whose time is over.
func (s *Server) age(o *order) {
	if p := o.latest(); p != nil && p.Status == payment.StatusPending && time.Now().After(o.payExpires) {
		p.Status = payment.StatusExpire
		s.notify(p)
	}
}

// newID is the next identifier of a kind: unlike for each server, and the same in each run.
func (s *Server) newID(kind string) string {
	s.made++

	return fmt.Sprintf("%s-%08d", kind, s.made)
}

func itoa(n int) string { return strconv.Itoa(n) }
