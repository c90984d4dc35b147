package receiver

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// verdict is what becomes of a request; a closed set, because it is a label.
type verdict string

const (
	accepted    verdict = "accepted"
	ignored     verdict = "ignored"
	suspended   verdict = "suspended"
	unknown     verdict = "unknown"
	forged      verdict = "wrong_signature"
	wrongMethod verdict = "wrong_method"
	tooMany     verdict = "too_many"
	tooLarge    verdict = "too_large"
	tooSlow     verdict = "too_slow"
	broken      verdict = "broken"
	busy        verdict = "busy"
	unavailable verdict = "unavailable"
)

// statuses are what senders are told. Whoever does not know the token is told the same wherever they ask.
var statuses = map[verdict]int{
	accepted:    http.StatusOK,
	ignored:     http.StatusOK,
	suspended:   http.StatusOK,
	unknown:     http.StatusNotFound,
	forged:      http.StatusNotFound,
	wrongMethod: http.StatusMethodNotAllowed,
	tooMany:     http.StatusTooManyRequests,
	tooLarge:    http.StatusRequestEntityTooLarge,
	tooSlow:     http.StatusRequestTimeout,
	broken:      http.StatusBadRequest,
	busy:        http.StatusServiceUnavailable,
	unavailable: http.StatusServiceUnavailable,
}

// strange are those that nobody gets who knows what to send, and where.
var strange = map[verdict]bool{unknown: true, forged: true, wrongMethod: true, tooLarge: true, tooSlow: true, broken: true}

// noType is the label of requests that were not found to be for a GitSync.
const noType = "none"

func newRequests() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dogker_git_webhook_requests_total",
		Help: "Requests to webhooks of GitSyncs, by the type of the sender and by what became of them.",
	}, []string{"type", "result"})
}
