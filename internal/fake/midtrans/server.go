package midtrans

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

// Options of a Server.
type Options struct {
	// Key that calls must carry and notifications are signed with.
	Key payment.ServerKey
	// MerchantID in answers; "G000000000" when empty.
	MerchantID string
	// NotifyURL gets notifications; none are sent when empty.
	NotifyURL string
	// Client sends them; one with Midtrans' timeout when nil.
	Client *http.Client
	// Pauses before the repetitions of a notification; Midtrans' own when nil.
	Pauses []time.Duration
	// Fee is borne by payers on top of the amount.
	Fee payment.IDR
	// AlwaysOK makes HTTP's status 200 whatever the body says, as Midtrans did for years.
	AlwaysOK bool
	// SnapIgnoresIdempotency makes pages be made anew for a repeated key. Whether the real one does is not documented.
	SnapIgnoresIdempotency bool
	// Log gets what happens; nowhere when nil.
	Log *slog.Logger
}

// Server is the fake. It is an http.Handler, and safe for concurrent use.
type Server struct {
	options Options
	mux     *http.ServeMux
	log     *slog.Logger

	ctx        context.Context //nolint:containedctx // the life of the server, for notifications on their way
	stop       context.CancelFunc
	onTheirWay sync.WaitGroup

	mu       sync.Mutex
	orders   map[string]*order
	tokens   map[string]*order
	payments map[string]*Payment
	made     int
	faults   map[payment.Operation][]Fault
	calls    []Call
	replays  map[string]*replay
	holding  bool
	held     []Notification
}

// New makes a Server. Close it.
func New(o Options) *Server {
	if o.MerchantID == "" {
		o.MerchantID = "G000000000"
	}

	if o.Client == nil {
		o.Client = &http.Client{Timeout: notifyTimeout}
	}

	if o.Pauses == nil {
		o.Pauses = midtransPauses
	}

	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	s := &Server{
		options: o, log: o.Log, mux: http.NewServeMux(),
		orders: map[string]*order{}, tokens: map[string]*order{}, payments: map[string]*Payment{},
		faults: map[payment.Operation][]Fault{}, replays: map[string]*replay{},
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.routes()

	return s
}

func (s *Server) routes() {
	s.mux.HandleFunc("POST /snap/v1/transactions", s.call(payment.OpCheckout, s.createPage))
	s.mux.HandleFunc("GET /v2/{id}/status", s.call(payment.OpStatus, s.status))
	s.mux.HandleFunc("POST /v2/{id}/cancel", s.call(payment.OpCancel, s.cancel))
	s.mux.HandleFunc("POST /v2/{id}/expire", s.call(payment.OpExpire, s.expire))
	s.mux.HandleFunc("POST /v2/{id}/approve", s.call(opReview, s.approve))
	s.mux.HandleFunc("POST /v2/{id}/deny", s.call(opReview, s.denyChallenged))
	s.mux.HandleFunc("POST /v2/{id}/refund", s.call(payment.OpRefund, s.refund(false)))
	s.mux.HandleFunc("POST /v2/{id}/refund/online/direct", s.call(payment.OpRefund, s.refund(true)))
	s.mux.HandleFunc("GET "+pagePath+"{token}", s.showPage)
	s.mux.HandleFunc("POST "+pagePath+"{token}", s.pressPage)
	s.mux.HandleFunc("GET /{$}", s.showOrders)
}

// opReview is what administrators do with challenged payments; Dogker leaves that to Midtrans' dashboard.
const opReview payment.Operation = "review"

// Close ends what is on its way. Nothing is sent afterwards.
func (s *Server) Close() {
	s.stop()
	s.onTheirWay.Wait()
}

// ServeHTTP answers a call or shows a page.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Call is a call that was received.
type Call struct {
	// Op that was asked for.
	Op payment.Operation
	// ID in the path; empty for pages.
	ID string
	// IdempotencyKey that came with it.
	IdempotencyKey string
}

// Calls are those that were received so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()

	return append([]Call(nil), s.calls...)
}

// reply is the answer to a call.
type reply struct {
	// code of Midtrans, which is in the body where the body does not say another.
	code int
	// status of HTTP; that which goes with the code when zero.
	status int
	body   map[string]any
	// snap is true for answers of pages' host, which have no code.
	snap bool
}

// call makes a handler of an operation: it notes the call, lets a scripted failure have its way, checks the key, and
// replays what was answered to the same idempotency key.
func (s *Server) call(op payment.Operation, do func(*http.Request) reply) http.HandlerFunc {
	answer := func(w http.ResponseWriter, r *http.Request) {
		if !s.admits(r) {
			s.write(w, refuse(http.StatusUnauthorized, op, "Access denied due to unauthorized transaction, please check client or server key"))
			return
		}

		s.write(w, s.once(op, r, do))
	}

	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls = append(s.calls, Call{Op: op, ID: r.PathValue("id"), IdempotencyKey: r.Header.Get("Idempotency-Key")})

		var fault Fault
		if waiting := s.faults[op]; len(waiting) > 0 {
			fault, s.faults[op] = waiting[0], waiting[1:]
		}
		s.mu.Unlock()

		if fault == nil {
			answer(w, r)
			return
		}

		fault(w, r, answer)
	}
}

func (s *Server) admits(r *http.Request) bool {
	user, password, ok := r.BasicAuth()

	return ok && password == "" && subtle.ConstantTimeCompare([]byte(user), []byte(s.options.Key.Reveal())) == 1
}

// refuse is an answer that says no, in the form of the host that is asked.
func refuse(code int, op payment.Operation, text string) reply {
	if op == payment.OpCheckout {
		return reply{code: code, snap: true, body: map[string]any{"error_messages": []string{text}}}
	}

	return reply{code: code, body: map[string]any{"status_message": text}}
}

func (s *Server) write(w http.ResponseWriter, r reply) {
	if _, said := r.body["status_code"]; !said && !r.snap {
		r.body["status_code"] = itoa(r.code)
	}

	status := r.status

	switch {
	case s.options.AlwaysOK && !r.snap:
		status = http.StatusOK
	case status == 0:
		status = r.code
	}

	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(r.body)
}
