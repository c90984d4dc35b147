package midtrans

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/payment"
)

// notifyTimeout is how long Midtrans waits for an answer.
const notifyTimeout = 15 * time.Second

// midtransPauses are after how long Midtrans repeats a notification, each counted from the first.
var midtransPauses = []time.Duration{2 * time.Minute, 10 * time.Minute, 30 * time.Minute, 90 * time.Minute, 210 * time.Minute}

// Notification is one notification, as it is sent.
type Notification struct {
	// OrderID and Status that it tells of.
	OrderID string
	Status  payment.TransactionStatus
	// Body of the request.
	Body []byte
}

// Edited is the notification with another body and the same signature: what a stranger can make who has seen it.
func (n Notification) Edited(edit func(body map[string]any)) Notification {
	var body map[string]any
	if err := json.Unmarshal(n.Body, &body); err != nil {
		return n
	}

	edit(body)

	raw, err := json.Marshal(body)
	if err != nil {
		return n
	}

	n.Body = raw

	return n
}

// Hold keeps notifications back from now on, for a test to send with Deliver: twice, in another order, or not at all.
func (s *Server) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.holding = true
}

// Held are the notifications that were kept back, oldest first. They stay there.
func (s *Server) Held() []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()

	return append([]Notification(nil), s.held...)
}

// Deliver sends a notification once and returns the status of HTTP that answered it.
func (s *Server) Deliver(ctx context.Context, n Notification) (int, error) {
	if s.options.NotifyURL == "" {
		return 0, errors.New("deliver notification: there is nobody to notify")
	}

	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.NotifyURL, bytes.NewReader(n.Body))
	if err != nil {
		return 0, fmt.Errorf("deliver notification: %w", err)
	}

	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Veritrans")

	response, err := s.options.Client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("deliver notification: %w", err)
	}

	return response.StatusCode, response.Body.Close()
}

// post sends a notification on its way, or keeps it back.
func (s *Server) post(n Notification) {
	if s.holding {
		s.held = append(s.held, n)
		return
	}

	if s.options.NotifyURL == "" || s.ctx.Err() != nil {
		return
	}

	s.onTheirWay.Go(func() { s.insist(n) })
}

// insist sends a notification, and again as often as the answer says, unless it is answered well or the server closes.
func (s *Server) insist(n Notification) {
	begun := time.Now()

	for tries := 0; ; tries++ {
		status, err := s.Deliver(s.ctx, n)
		if status >= 200 && status < 300 || tries >= min(repetitions(status), len(s.options.Pauses)) || s.ctx.Err() != nil {
			s.report(n, status, err)
			return
		}

		select {
		case <-time.After(time.Until(begun.Add(s.options.Pauses[tries]))):
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *Server) report(n Notification, status int, err error) {
	attrs := []slog.Attr{slog.String(logkey.Order, n.OrderID), slog.String(logkey.Code, itoa(status))}
	if err != nil {
		attrs = append(attrs, slog.String(logkey.Err, err.Error()))
	}

	s.log.LogAttrs(s.ctx, slog.LevelInfo, "Sent a notification: "+string(n.Status), attrs...)
}

// repetitions are how often Midtrans repeats what was answered like that.
func repetitions(status int) int {
	switch status {
	case http.StatusInternalServerError:
		return 1
	case http.StatusServiceUnavailable:
		return 4
	case http.StatusBadRequest, http.StatusNotFound:
		return 2
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		return 0
	default:
		return 5
	}
}
