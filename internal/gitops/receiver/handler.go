package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/throttle"
	"github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/source"
)

// Sync is a GitSync that is told of pushes.
type Sync struct {
	types.NamespacedName

	// Type of the sender, and the Token that it knows.
	Type  gitopsv1.WebhookType
	Token source.Secret
	// Suspended is true for one that rests.
	Suspended bool
}

// Directory knows which GitSync is told of pushes where.
type Directory interface {
	// Find is the GitSync whose path it is. Where there is none it answers, after the same work, with one that has a type and
	// a token as well, but no name. It does not block but for caches that are not filled yet, and fails only when it cannot know.
	Find(ctx context.Context, path string) (Sync, error)
}

// Options of a Handler.
type Options struct {
	// TrustedProxies may say for whom they speak, by X-Forwarded-For.
	TrustedProxies throttle.Proxies
	// Log gets what an operator should know; nowhere when nil.
	Log *slog.Logger
}

// Handler receives what Git servers send. It is safe for concurrent use.
type Handler struct {
	Options

	behind    atomic.Pointer[behind]
	addresses *throttle.Limiter
	places    chan struct{}
	requests  *prometheus.CounterVec
}

// behind is what a Handler works through.
type behind struct {
	directory Directory
	tell      func(types.NamespacedName) bool
}

// New makes a Handler, which answers 503 until Open is called. The metrics are registered with reg unless it is nil.
func New(o Options, reg prometheus.Registerer) (*Handler, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	h := &Handler{
		Options:   o,
		addresses: throttle.New(addressBurst, addressInterval),
		places:    make(chan struct{}, atOnce),
		requests:  newRequests(),
	}

	if reg != nil {
		if err := reg.Register(h.requests); err != nil {
			return nil, fmt.Errorf("register metrics of webhooks: %w", err)
		}
	}

	return h, nil
}

// Open lets requests in. tell is told which GitSync should be looked at, and says whether it will see to that; it must not block.
func (h *Handler) Open(d Directory, tell func(types.NamespacedName) bool) {
	h.behind.Store(&behind{d, tell})
}

// ServeHTTP receives one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A writer that cannot do that has limits of its own.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))

	kind, v := h.limit(w, r)
	h.requests.WithLabelValues(kind, string(v)).Inc()

	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", "0")

	switch v {
	case wrongMethod:
		header.Set("Allow", http.MethodPost)
	case tooMany, busy, unavailable:
		header.Set("Retry-After", "10")
	case tooSlow, tooLarge:
		// What is still to come is not waited for.
		header.Set("Connection", "close")
	}

	w.WriteHeader(statuses[v])
}

// limit has an address wait that has sent too much of what is no good. What is good is not counted: a Git server may have
// many repositories, and tell of all of them at once.
func (h *Handler) limit(w http.ResponseWriter, r *http.Request) (kind string, v verdict) {
	sender := throttle.AddressKey(h.TrustedProxies.Sender(r))
	if h.addresses.Wait(sender, time.Now()) > 0 {
		return noType, tooMany
	}

	kind, v = h.receive(w, r)
	if strange[v] {
		h.addresses.Take(sender, time.Now())
	}

	return kind, v
}

// receive decides what becomes of a request, from what costs least to what costs most.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) (kind string, v verdict) {
	switch {
	case r.Method != http.MethodPost:
		return noType, wrongMethod
	case !wellFormed(r.URL.Path):
		return noType, unknown
	case r.ContentLength > maxBody:
		return noType, tooLarge
	}

	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		return noType, busy
	}

	b := h.behind.Load()
	if b == nil {
		return noType, unavailable
	}

	s, v := h.check(w, r, b.directory)
	if s.Name == "" {
		return noType, v
	}

	if v == "" {
		v = act(s, r.Header, b.tell)
	}

	return string(s.Type), v
}

// check finds out for which GitSync a request is, and whether its sender knows the token. It does the same work for those
// that are for none. The verdict is empty for one that is good.
func (h *Handler) check(w http.ResponseWriter, r *http.Request, d Directory) (Sync, verdict) {
	ctx, cancel := context.WithTimeout(r.Context(), findTimeout)
	defer cancel()

	s, err := d.Find(ctx, r.URL.Path)
	if err != nil {
		h.Log.ErrorContext(ctx, "Finding the GitSync of a webhook failed", logkey.Err, err)

		return Sync{}, unavailable
	}

	p := newProof(s.Type, s.Token, r.Header)
	if v := read(w, r, p); v != "" {
		return s, v
	}

	switch good := p.good(); {
	case s.Name == "":
		return s, unknown
	case !good:
		h.Log.InfoContext(ctx, "A webhook came with a wrong signature or none", logkey.Object, s.String())

		return s, forged
	}

	return s, ""
}

// read has the body pass by.
func read(w http.ResponseWriter, r *http.Request, p *proof) verdict {
	_, err := io.Copy(p, http.MaxBytesReader(w, r.Body, maxBody))

	var large *http.MaxBytesError

	switch {
	case errors.As(err, &large):
		return tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return tooSlow
	case err != nil:
		return broken
	}

	return ""
}

// act does what a good request asks for.
func act(s Sync, header http.Header, tell func(types.NamespacedName) bool) verdict {
	switch {
	case s.Suspended:
		return suspended
	case !hints(s.Type, header):
		return ignored
	case !tell(s.NamespacedName):
		return unavailable
	}

	return accepted
}

// wellFormed is whether a path can be that of a GitSync. All that are not have nothing to hide.
func wellFormed(path string) bool {
	digits, ok := strings.CutPrefix(path, gitsync.WebhookPathPrefix)

	return ok && len(digits) == pathDigits && strings.Trim(digits, "0123456789abcdef") == ""
}

// pathDigits is how many digits follow the prefix.
const pathDigits = 64
