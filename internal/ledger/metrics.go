package ledger

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/reconciler/book"
)

// done is an operation that is over.
type done struct {
	req    book.Request
	result book.Result
	err    error
	took   time.Duration
	// wrote is true when it has changed what is stored, now.
	wrote bool
}

// outcomes name what an operation came to as values of a label, in the order in which they are looked for.
var outcomes = []struct {
	err  error
	name string
}{
	{book.ErrFenced, "fenced"},
	{book.ErrConflict, "conflict"},
	{book.ErrBusy, "busy"},
	{book.ErrUnknown, "unknown"},
	{book.ErrNewer, "newer"},
	{book.ErrBroken, "broken"},
	{book.ErrInsufficient, "insufficient"},
	{book.ErrUsedUp, "used_up"},
	{book.ErrCharged, "charged"},
	{book.ErrGap, "gap"},
}

// metrics of what is written.
type metrics struct {
	operations *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	entries    *prometheus.CounterVec
	term       prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_ledger_operations_total",
			Help: "Operations on ledgers, by kind and by what they came to: written, idle, repeated, or why not.",
		}, []string{"operation", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dogker_ledger_operation_duration_seconds",
			Help:    "How long operations on ledgers took, with everything that was tried again.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 11),
		}, []string{"operation"}),
		entries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_ledger_entries_total",
			Help: "Entries written to ledgers, by type.",
		}, []string{"type"}),
		term: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_ledger_term",
			Help: "The term in which this server writes ledgers, which grows with each election; 0 while it does not.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.operations, m.duration, m.entries, m.term} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of the ledger: %w", err)
		}
	}

	return m, nil
}

func (m *metrics) count(d done) {
	operation := operationOf(d.req.Op)
	m.operations.WithLabelValues(operation, outcomeOf(d)).Inc()
	m.duration.WithLabelValues(operation).Observe(d.took.Seconds())
	if !d.wrote {
		return
	}
	for _, e := range d.result.Entries {
		m.entries.WithLabelValues(string(e.Type)).Inc()
	}
}

// operationOf is the name of the type, of which there are as many as package book has.
func operationOf(op book.Op) string {
	if op == nil {
		return "none"
	}

	return reflect.TypeOf(op).Name()
}

func outcomeOf(d done) string {
	switch {
	case d.err == nil && d.result.Replayed:
		return "repeated"
	case d.err == nil && !d.wrote:
		return "idle"
	case d.err == nil:
		return "written"
	}
	for _, o := range outcomes {
		if errors.Is(d.err, o.err) {
			return o.name
		}
	}

	return "refused"
}
