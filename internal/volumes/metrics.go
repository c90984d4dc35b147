package volumes

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// metrics count what nodes are asked.
type metrics struct {
	requests *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, known func() float64) metrics {
	m := metrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dogker_volumes_requests_total",
		Help: "Questions and orders about volumes to engines of nodes, by operation and outcome.",
	}, []string{"op", "outcome"})}
	if reg != nil {
		reg.MustRegister(m.requests, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "dogker_volumes_known",
			Help: "Volumes that Dogker has made and nodes have told of, those that belong to nobody included.",
		}, known))
	}

	return m
}

// asked counts a question by how it was answered, in a closed set of words.
func (m metrics) asked(op string, err error) {
	outcome := "ok"
	switch {
	case err == nil:
	case errors.Is(err, swarmobj.ErrUnavailable):
		outcome = "unavailable"
	case errors.Is(err, swarmobj.ErrRefused):
		outcome = "refused"
	default:
		outcome = "error"
	}
	m.requests.WithLabelValues(op, outcome).Inc()
}
