package midtrans

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/reconciler/payment"
)

// outcomes name the classes of errors as values of a label.
var outcomes = map[error]string{
	payment.ErrRefused:        "refused",
	payment.ErrNotModifiable:  "not_modifiable",
	payment.ErrNotFound:       "not_found",
	payment.ErrDuplicateOrder: "duplicate_order",
	payment.ErrMisconfigured:  "misconfigured",
	payment.ErrRateLimited:    "rate_limited",
	payment.ErrUnavailable:    "unavailable",
	payment.ErrUnknownOutcome: "unknown",
	payment.ErrInvalidRequest: "invalid_request",
}

// metrics of calls to Midtrans.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	refused  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_midtrans_requests_total",
			Help: "Calls to Midtrans, by operation, Midtrans' or HTTP's status code, and what was made of it; code none is no answer.",
		}, []string{"op", "code", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dogker_midtrans_request_duration_seconds",
			Help:    "How long calls to Midtrans took, with the wait for a free place.",
			Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20},
		}, []string{"op"}),
		refused: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_midtrans_misconfigured",
			Help: "1 since Midtrans has not accepted the server key, 0 since it has.",
		}),
	}

	if reg == nil {
		return m, nil
	}

	for _, c := range []prometheus.Collector{m.requests, m.duration, m.refused} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of Midtrans: %w", err)
		}
	}

	return m, nil
}

func (m *metrics) observe(op payment.Operation, code string, err error, took time.Duration, misconfigured bool) {
	m.requests.WithLabelValues(string(op), codeLabel(code), outcomeLabel(err)).Inc()
	m.duration.WithLabelValues(string(op)).Observe(took.Seconds())

	m.refused.Set(0)
	if misconfigured {
		m.refused.Set(1)
	}
}

func outcomeLabel(err error) string {
	if err == nil {
		return "ok"
	}

	if label, ok := outcomes[payment.ClassOf(err)]; ok {
		return label
	}

	return "other"
}

// codeLabel is a code that HTTP defines or Midtrans documents. What anybody makes up is other.
func codeLabel(text string) string {
	if text == "" {
		return "none"
	}

	code, err := strconv.Atoi(text)
	if err != nil || http.StatusText(code) == "" && (code < 400 || code > 420) && code != 505 {
		return "other"
	}

	return strconv.Itoa(code)
}
