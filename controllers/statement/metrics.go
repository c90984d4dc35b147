package statement

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	written, archived prometheus.Counter
	waiting, failing  prometheus.Gauge
	bytes             *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		written: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dogker_statements_written_total",
			Help: "Statements of months that were written.",
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_statements_waiting",
			Help: "Accounts with a month that is over and of which not everything is charged yet.",
		}),
		failing: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_statements_failing",
			Help: "Accounts of which a month cannot be closed, or a ledger not archived, because of an error.",
		}),
		archived: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dogker_ledger_archived_entries_total",
			Help: "Entries of ledgers that were written to archives and pruned.",
		}),
		bytes: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dogker_ledger_bytes",
			Help: "Bytes of the ledgers of all tenants in the store, by sort of key, measured once a day.",
		}, []string{"sort"}),
	}
	if reg != nil {
		reg.MustRegister(m.written, m.waiting, m.failing, m.archived, m.bytes)
	}

	return m
}
