package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/logkey"
)

// Path that is posted to.
const Path = "/monitoring/v1/alertmanager"

const (
	// maxBody is how large a request may be, in bytes.
	maxBody = 4 << 20
	// putTimeout is how long a request may take.
	putTimeout = 20 * time.Second
)

// Audience is who there is to tell in a namespace.
type Audience struct {
	Receivers []monitoringv1.Receiver
	// Tenant is whether the namespace belongs to one, and Contacts whether that one is written to without a Receiver.
	Tenant, Contacts bool
}

// Directory knows who there is to tell.
type Directory interface {
	// Audience of a namespace, which may not exist.
	Audience(ctx context.Context, namespace string) (Audience, error)
}

// Options of a Handler.
type Options struct {
	// Platform is the namespace whose Receivers are told of what belongs to no tenant.
	Platform string
	// Now is the time; that of the machine when nil.
	Now func() time.Time
	// Log gets what an operator should know; nowhere when nil.
	Log *slog.Logger
	// Registerer of the metrics; they are not exposed when nil.
	Registerer prometheus.Registerer
}

// Handler receives requests of those who may send them. It is safe for concurrent use.
type Handler struct {
	o        Options
	behind   atomic.Pointer[behind]
	requests *prometheus.CounterVec
}

// behind is what a Handler works through.
type behind struct {
	directory Directory
	outbox    alert.Outbox
}

// What becomes of a request.
const (
	outcomeAccepted    = "accepted"
	outcomeInvalid     = "invalid"
	outcomeUnavailable = "unavailable"
)

// New makes a Handler, which answers 503 until Open is called.
func New(o Options) (*Handler, error) {
	if o.Now == nil {
		o.Now = time.Now
	}

	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	h := &Handler{o: o, requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dogker_alertmanager_requests_total",
		Help: "Webhooks that Alertmanager has sent, by what became of them.",
	}, []string{"outcome"})}
	for _, outcome := range []string{outcomeAccepted, outcomeInvalid, outcomeUnavailable} {
		h.requests.WithLabelValues(outcome)
	}

	if o.Registerer != nil {
		if err := o.Registerer.Register(h.requests); err != nil {
			return nil, fmt.Errorf("register metrics of alertmanager's webhooks: %w", err)
		}
	}

	return h, nil
}

// Open lets requests in.
func (h *Handler) Open(d Directory, o alert.Outbox) { h.behind.Store(&behind{d, o}) }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST is answered here", http.StatusMethodNotAllowed)

		return
	}

	p, err := read(w, r)
	if err != nil {
		h.requests.WithLabelValues(outcomeInvalid).Inc()

		code := http.StatusBadRequest
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			code = http.StatusRequestEntityTooLarge
		}

		http.Error(w, err.Error(), code)

		return
	}

	ctx, cancel := context.WithTimeout(r.Context(), putTimeout)
	defer cancel()

	if err := h.tell(ctx, p); err != nil {
		h.requests.WithLabelValues(outcomeUnavailable).Inc()
		h.o.Log.WarnContext(ctx, "Alerts of Alertmanager could not be taken; it tries again", logkey.Err, err)
		http.Error(w, "the alerts could not be taken; try again", http.StatusServiceUnavailable)

		return
	}

	h.requests.WithLabelValues(outcomeAccepted).Inc()
	w.WriteHeader(http.StatusOK)
}

func read(w http.ResponseWriter, r *http.Request) (*Payload, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}

	var p Payload
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, fmt.Errorf("must be the JSON of Alertmanager's webhooks: %w", err)
	}

	return &p, p.check()
}

// tell puts everything into the outbox. Some of it may be there when it fails: it is not put twice.
func (h *Handler) tell(ctx context.Context, p *Payload) error {
	b := h.behind.Load()
	if b == nil {
		return errors.New("the server has only just begun")
	}

	audiences, byTenant := map[string]Audience{}, map[string][]*Alert{}

	for i := range p.Alerts {
		a := &p.Alerts[i]
		tenant := a.Labels[alert.LabelNamespace]

		if _, known := audiences[tenant]; !known && tenant != "" {
			audience, err := b.directory.Audience(ctx, tenant)
			if err != nil {
				return fmt.Errorf("find who to tell in %q: %w", tenant, err)
			}

			audiences[tenant] = audience
		}

		if !audiences[tenant].Tenant {
			tenant = h.o.Platform
		}

		byTenant[tenant] = append(byTenant[tenant], a)
	}

	if _, known := audiences[h.o.Platform]; !known {
		audience, err := b.directory.Audience(ctx, h.o.Platform)
		if err != nil {
			return fmt.Errorf("find who to tell in %q: %w", h.o.Platform, err)
		}

		audiences[h.o.Platform] = audience
	}

	for tenant, alerts := range byTenant {
		if err := h.put(ctx, b.outbox, p.notification(tenant, alerts, h.o.Now()), audiences[tenant], parts(alerts)); err != nil {
			return err
		}
	}

	return nil
}

// put puts a notice for each receiver into the outbox.
func (h *Handler) put(ctx context.Context, outbox alert.Outbox, n alert.Notification, to Audience, parts []string) error {
	names, _ := alert.Route(to.Receivers, alert.Question{Topic: n.Topic, Severity: n.Severity, Contacts: to.Contacts})
	slices.Sort(names)

	for _, name := range names {
		n.Receiver = alert.ReceiverRef{Namespace: n.Tenant, Name: name}
		n.ID = alert.NoticeID(n.Receiver, parts...)

		if err := outbox.Put(ctx, n); err != nil {
			return fmt.Errorf("tell receiver %q of %q: %w", name, n.Tenant, err)
		}
	}

	return nil
}
