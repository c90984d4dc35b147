package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/internal/throttle"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/payment"
)

// ErrUnknownOrder is what an Inbox answers when no TopUp has the order.
var ErrUnknownOrder = errors.New("no top-up has this order")

// Inbox keeps notifications for the controller of their order.
type Inbox interface {
	// Put keeps a notification whose signature is right. It blocks until it is kept, and is idempotent by OrderID and
	// Digest. It fails with ErrUnknownOrder when there is no such order, and then has kept nothing; with any other error
	// it could not keep it now, and Midtrans will send it again. It bounds how many different ones it keeps for an order.
	Put(ctx context.Context, n payment.Notification) error
}

// Options of a Handler.
type Options struct {
	// Keys that sign notifications: that in use, and the one before or after it while keys are changed.
	Keys []payment.ServerKey
	// Inbox that keeps them.
	Inbox Inbox
	// Hint tells that an order should be looked at. It must not block.
	Hint func(orderID string)
	// TrustedProxies may say for whom they speak, by X-Forwarded-For.
	TrustedProxies throttle.Proxies
	// Log gets what an operator should know; nowhere when nil.
	Log *slog.Logger
}

// Handler receives notifications. It is safe for concurrent use.
type Handler struct {
	Options

	addresses, orders *throttle.Limiter
	places            chan struct{}
	answers           *prometheus.CounterVec
}

// New makes a Handler. The metrics are registered with reg unless it is nil.
func New(o Options, reg prometheus.Registerer) (*Handler, error) {
	if o.Inbox == nil || o.Hint == nil {
		return nil, errors.New("set up the webhook: it needs an inbox and somebody to tell")
	}

	for _, key := range o.Keys {
		if key.IsZero() {
			return nil, errors.New("set up the webhook: a server key is empty")
		}
	}

	if len(o.Keys) == 0 {
		return nil, errors.New("set up the webhook: it needs a server key to check signatures with")
	}

	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	h := &Handler{
		Options:   o,
		addresses: throttle.New(addressBurst, addressInterval),
		orders:    throttle.New(orderBurst, orderInterval),
		places:    make(chan struct{}, atOnce),
		answers:   newAnswers(),
	}

	if reg != nil {
		if err := reg.Register(h.answers); err != nil {
			return nil, fmt.Errorf("register metrics of the webhook: %w", err)
		}
	}

	return h, nil
}

// ServeHTTP receives one notification.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := h.receive(w, r)
	h.answers.WithLabelValues(string(v)).Inc()

	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", "0")

	switch v {
	case wrongMethod:
		header.Set("Allow", http.MethodPost)
	case tooMany, busy:
		header.Set("Retry-After", "10")
	}

	w.WriteHeader(v.status())
}

// receive decides what becomes of a request, from what costs least to what costs most.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) verdict {
	if r.Method != http.MethodPost {
		return wrongMethod
	}

	sender := throttle.AddressKey(h.TrustedProxies.Sender(r))
	if h.addresses.Take(sender, time.Now()) > 0 {
		return tooMany
	}

	body, v := read(w, r)
	if v != "" {
		return v
	}

	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		return busy
	}

	n, err := payment.ParseNotification(body)
	if err != nil {
		return malformed
	}

	if n.SignedBy(h.Keys...) < 0 {
		return wrongSignature
	}

	h.addresses.GiveBack(sender)

	if h.orders.Take(n.OrderID, time.Now()) > 0 {
		return tooMany
	}

	return h.keep(r.Context(), n)
}

// read reads a body to its bound.
func read(w http.ResponseWriter, r *http.Request) ([]byte, verdict) {
	if r.ContentLength > payment.MaxNotification {
		return nil, tooLarge
	}

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, payment.MaxNotification))

	var large *http.MaxBytesError

	switch {
	case errors.As(err, &large):
		return nil, tooLarge
	case err != nil:
		return nil, malformed
	default:
		return body, ""
	}
}

// keep hands a signed notification on.
func (h *Handler) keep(ctx context.Context, n payment.Notification) verdict {
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()

	switch err := h.Inbox.Put(ctx, n); {
	case errors.Is(err, ErrUnknownOrder):
		// The merchant may be shared with other systems. If it is not, somebody pays for what nobody has ordered.
		h.Log.WarnContext(ctx, "Midtrans notifies of an order that no TopUp has", logkey.Order, n.OrderID)

		return unknownOrder
	case err != nil:
		h.Log.ErrorContext(ctx, "Keeping a notification failed; Midtrans will send it again", logkey.Order, n.OrderID, logkey.Err, err)

		return unavailable
	}

	h.Hint(n.OrderID)

	return accepted
}
