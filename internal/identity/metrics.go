package identity

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Metrics count what people try. Nobody's name is in them.
type Metrics struct {
	attempts *prometheus.CounterVec
	reuse    prometheus.Counter
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_identity_requests_total",
			Help: "Log-ins, refreshes, registrations and the like, by action and outcome.",
		}, []string{"action", "outcome"}),
		reuse: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dogker_identity_reused_refresh_tokens_total",
			Help: "Refresh tokens that came a second time, whose sessions were ended: each is a stolen token or a broken client.",
		}),
	}
	r.MustRegister(m.attempts, m.reuse)

	return m
}

func (m *Metrics) reused() { m.reuse.Inc() }

func (m *Metrics) attempt(action string, err error) {
	m.attempts.WithLabelValues(action, outcomeOf(err)).Inc()
}

// outcomeOf is a closed set.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case apierrors.IsTooManyRequests(err):
		return "throttled"
	case statusOf(err).Code < http.StatusInternalServerError:
		return "refused"
	default:
		return "error"
	}
}
