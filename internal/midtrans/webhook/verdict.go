package webhook

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// verdict is what becomes of a request; a closed set, because it is a label.
type verdict string

const (
	accepted       verdict = "accepted"
	unknownOrder   verdict = "unknown_order"
	wrongMethod    verdict = "wrong_method"
	tooMany        verdict = "too_many"
	tooLarge       verdict = "too_large"
	malformed      verdict = "malformed"
	wrongSignature verdict = "wrong_signature"
	busy           verdict = "busy"
	unavailable    verdict = "unavailable"
)

// statuses are what Midtrans is told. It repeats what is not 2xx, so an order that nobody knows is 200: it will not be
// known later either.
var statuses = map[verdict]int{
	accepted:       http.StatusOK,
	unknownOrder:   http.StatusOK,
	wrongMethod:    http.StatusMethodNotAllowed,
	tooMany:        http.StatusTooManyRequests,
	tooLarge:       http.StatusRequestEntityTooLarge,
	malformed:      http.StatusBadRequest,
	wrongSignature: http.StatusUnauthorized,
	busy:           http.StatusServiceUnavailable,
	unavailable:    http.StatusServiceUnavailable,
}

func (v verdict) status() int { return statuses[v] }

func newAnswers() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dogker_midtrans_notifications_total",
		Help: "Requests to the webhook for Midtrans' notifications, by what became of them.",
	}, []string{"answer"})
}
