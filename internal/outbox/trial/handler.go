package trial

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/mail"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/internal/outbox/directory"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/logkey"
)

// Paths that are asked: a POST sends a notice, and a GET asks the mail server.
const (
	NoticePath = "/monitoring/v1/trial/notice"
	MailPath   = "/monitoring/v1/trial/mail"
)

const (
	// maxBody is how large a request may be, and maxAddress how long an address, in bytes.
	maxBody    = 4 << 10
	maxAddress = 254
	// patience is how long a request waits for what becomes of a notice, and look how often that is looked at.
	patience = 30 * time.Second
	look     = 100 * time.Millisecond
	// checkTimeout is how long the mail server may take.
	checkTimeout = 20 * time.Second
)

// Request says who is told: an address, or a Receiver.
type Request struct {
	To       string             `json:"to,omitempty"`
	Receiver *alert.ReceiverRef `json:"receiver,omitempty"`
}

// Result is what became of a notice.
type Result struct {
	// ID of the notice.
	ID string `json:"id"`
	// Fate of it, and what was said by who did not take it.
	Fate    outbox.Fate `json:"fate"`
	Message string      `json:"message,omitempty"`
}

// Mail is how the mail server stands.
type Mail struct {
	// Server that mail is sent through, host:port; empty when none is sent.
	Server string `json:"server,omitempty"`
	// Security is how the connection is encrypted, and Login whether somebody logs in.
	Security string `json:"security,omitempty"`
	Login    bool   `json:"login,omitempty"`
	// Problem is why it cannot be used; empty when it can.
	Problem string `json:"problem,omitempty"`
}

// Queue is where notices wait. *outbox.Queue is one.
type Queue interface {
	alert.Outbox
	// Fate is what has become of one, and what was said by who did not take it.
	Fate(ctx context.Context, tenant, id string) (outbox.Fate, string, error)
}

// Server sends mail.
type Server interface {
	// Check connects, logs in, and leaves.
	Check(ctx context.Context) error
}

// Options of a Handler.
type Options struct {
	// Platform is the namespace of the platform, as which an address is written to.
	Platform string
	// Mail says how mail is sent, without a problem; Server is nil when none is.
	Mail   Mail
	Server Server
	// Log gets who has tried; nowhere when nil.
	Log *slog.Logger
}

// Handler answers both paths. It is safe for concurrent use.
type Handler struct {
	o        Options
	patience time.Duration
	queue    atomic.Pointer[Queue]
}

// New makes a Handler, which sends nothing until Open is called.
func New(o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	return &Handler{o: o, patience: patience}
}

// Open lets notices be sent.
func (h *Handler) Open(q Queue) { h.queue.Store(&q) }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == MailPath && r.Method == http.MethodGet:
		h.mail(w, r)
	case r.URL.Path == NoticePath && r.Method == http.MethodPost:
		h.notice(w, r)
	case r.URL.Path == MailPath, r.URL.Path == NoticePath:
		w.Header().Set("Allow", map[string]string{MailPath: http.MethodGet, NoticePath: http.MethodPost}[r.URL.Path])
		http.Error(w, r.Method+" is not answered here", http.StatusMethodNotAllowed)
	default:
		http.NotFound(w, r)
	}
}

func (h *Handler) mail(w http.ResponseWriter, r *http.Request) {
	m := h.o.Mail
	if h.o.Server != nil {
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		if err := h.o.Server.Check(ctx); err != nil {
			m.Problem = err.Error()
		}
	}
	answer(w, m)
}

func (h *Handler) notice(w http.ResponseWriter, r *http.Request) {
	to, err := h.read(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	queue := h.queue.Load()
	if queue == nil {
		http.Error(w, "the server has only just begun; try again", http.StatusServiceUnavailable)
		return
	}
	n := notification(cmp.Or(to.Namespace, h.o.Platform), to, time.Now())
	h.o.Log.InfoContext(r.Context(), "Sending a notice to try it", logkey.Tenant, n.Tenant, logkey.Object, n.ID)
	switch err := (*queue).Put(r.Context(), n); {
	case errors.Is(err, outbox.ErrTooMany):
		http.Error(w, "too many notices at once; try again", http.StatusTooManyRequests)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}

	result, err := h.wait(r.Context(), *queue, n)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	answer(w, result)
}

// read says who is meant.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (to alert.ReceiverRef, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return to, fmt.Errorf("read the request: %w", err)
	}
	var req Request
	if err := json.Unmarshal(body, &req); err != nil {
		return to, fmt.Errorf("must be JSON with to or receiver: %w", err)
	}
	switch {
	case (req.To == "") == (req.Receiver == nil):
		return to, errors.New("to, receiver: one of them must be given, and not both")
	case req.Receiver != nil:
		if strings.ContainsAny(req.Receiver.Namespace+req.Receiver.Name, "/:\x00") || req.Receiver.Namespace == "" || req.Receiver.Name == "" {
			return to, fmt.Errorf("receiver: %q must be namespace and name of a Receiver", req.Receiver.Namespace+"/"+req.Receiver.Name)
		}
		return *req.Receiver, nil
	case h.o.Server == nil:
		return to, errors.New("to: no mail is sent: the server was started without --smtp-address")
	}
	if a, err := mail.ParseAddress(req.To); err != nil || a.Address != req.To || len(req.To) > maxAddress || strings.ContainsAny(req.To, "/\x00") {
		return to, fmt.Errorf("to: %q must be a plain address, such as someone@example.com", req.To)
	}

	return directory.Address(h.o.Platform, req.To), nil
}

// notification is a notice that says that it is a test. Each has an ID of its own: it is meant to be sent again.
func notification(tenant string, to alert.ReceiverRef, now time.Time) alert.Notification {
	id, now := "test-"+strings.ToLower(rand.Text()), now.UTC()

	return alert.Notification{
		ID: id, Tenant: tenant, Receiver: to, Topic: alert.TopicAlerts, Title: "test", GroupKey: id,
		Status: alert.StatusInformed, Severity: alert.SeverityInfo, At: now,
		Incidents: []alert.Incident{{
			Fingerprint: id, Status: alert.StatusInformed, Reason: alert.ReasonTest, Severity: alert.SeverityInfo, StartsAt: now,
		}},
	}
}

// wait waits for what becomes of a notice, until it is over or was tried in vain once.
func (h *Handler) wait(ctx context.Context, q Queue, n alert.Notification) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, h.patience)
	defer cancel()

	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for result := (Result{ID: n.ID, Fate: outbox.FateWaiting}); ; {
		select {
		case <-ctx.Done():
			return result, nil
		case <-ticks.C:
		}
		fate, says, err := q.Fate(ctx, n.Tenant, n.ID)
		switch {
		case err != nil && ctx.Err() != nil:
			return result, nil
		case err != nil:
			return result, err
		}
		if result.Fate, result.Message = fate, cmp.Or(says, result.Message); fate != outbox.FateWaiting || says != "" {
			return result, nil
		}
	}
}

func answer(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(what) // Who went away does not want to know.
}
