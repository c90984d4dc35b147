package streams

import "github.com/prometheus/client_golang/prometheus"

// kind of a stream, as metrics and logs call it.
type kind string

const (
	kindLog     kind = "log"
	kindExec    kind = "exec"
	kindAttach  kind = "attach"
	kindForward kind = "portforward"
	kindProxy   kind = "proxy"
)

var kinds = []kind{kindLog, kindExec, kindAttach, kindForward, kindProxy}

// metrics say how many streams are open and were opened, and how many found no place.
type metrics struct {
	open    *prometheus.GaugeVec
	opened  *prometheus.CounterVec
	refused *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) metrics {
	labels := []string{"kind"}
	m := metrics{
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dogker_streams_open",
			Help: "Streams to and from containers that are open now: logs, exec, attach, port-forward, proxy.",
		}, labels),
		opened: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_streams_opened_total",
			Help: "Streams to and from containers that were opened.",
		}, labels),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_streams_refused_total",
			Help: "Streams that were refused because their namespace had as many as it may have.",
		}, labels),
	}
	for _, k := range kinds {
		m.open.WithLabelValues(string(k))
		m.opened.WithLabelValues(string(k))
		m.refused.WithLabelValues(string(k))
	}
	r.MustRegister(m.open, m.opened, m.refused)

	return m
}
