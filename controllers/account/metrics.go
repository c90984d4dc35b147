package account

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/solvency"
)

// Metrics counts what the controller does, and shows how the accounts in the cache stand whenever somebody asks.
//
// Two gauges name tenants, which others of Dogker's metrics never do: how much each has and for how long it lasts is what
// they are for. Tenants are made by the platform and not by strangers, and there are at most some thousand.
type Metrics struct {
	cached client.Reader

	suspensions *prometheus.CounterVec
	resumptions prometheus.Counter
	delay       prometheus.Histogram
}

// NewMetrics makes the metrics over the accounts that the cache holds; none are shown when it is nil.
func NewMetrics(cached client.Reader) *Metrics {
	m := &Metrics{
		cached: cached,
		suspensions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_billing_suspensions_total",
			Help: "Tenants that were stopped, by why.",
		}, []string{"reason"}),
		resumptions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dogker_billing_resumptions_total",
			Help: "Tenants that were let run again.",
		}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "dogker_billing_resumption_delay_seconds",
			Help:    "How long it took from the decision that an account runs again, such as by a payment, until its tenant was told.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900},
		}),
	}
	for reason := range sentences {
		m.suspensions.WithLabelValues(reason)
	}

	return m
}

func (m *Metrics) suspended(reason string) { m.suspensions.WithLabelValues(reason).Inc() }

// resumed counts a resumption; the phase that allowed it began at since, which has whole seconds.
func (m *Metrics) resumed(delay time.Duration, since time.Time) {
	m.resumptions.Inc()

	if !since.IsZero() {
		m.delay.Observe(max(0, delay.Seconds()))
	}
}

var (
	accountsDesc = prometheus.NewDesc("dogker_billing_accounts",
		"Accounts, by phase.", []string{"phase"}, nil)
	availableDesc = prometheus.NewDesc("dogker_billing_available_rupiah",
		"What a tenant can still use.", []string{"tenant"}, nil)
	runwayDesc = prometheus.NewDesc("dogker_billing_runway_seconds",
		"For how long that lasts at the present rate; left out for who spends nothing.", []string{"tenant"}, nil)
	stillRunningDesc = prometheus.NewDesc("dogker_billing_still_running",
		"Tenants that are stopped, and of which something runs all the same for longer than it may take to stop.", nil, nil)
	notMeteredDesc = prometheus.NewDesc("dogker_billing_not_metered",
		"Tenants of which something runs and was not charged for some minutes.", nil, nil)
	brokenDesc = prometheus.NewDesc("dogker_billing_ledger_broken",
		"Accounts whose ledger contradicts itself.", nil, nil)
)

// phases are all there are; the empty one is of accounts whose tenants are not billed.
var phases = map[solvency.Phase]string{
	"": "NotBilled", solvency.Active: "Active", solvency.Low: "Low", solvency.Grace: "Grace", solvency.Suspended: "Suspended",
	solvency.BudgetCapped: "BudgetCapped", solvency.Held: "Hold", solvency.Closed: "Closed",
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{accountsDesc, availableDesc, runwayDesc, stillRunningDesc, notMeteredDesc, brokenDesc} {
		ch <- d
	}

	m.suspensions.Describe(ch)
	m.resumptions.Describe(ch)
	m.delay.Describe(ch)
}

// Collect implements prometheus.Collector. A cache that cannot be read leaves a gap.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.suspensions.Collect(ch)
	m.resumptions.Collect(ch)
	m.delay.Collect(ch)

	if m.cached == nil {
		return
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()

	var list billingv1.BillingAccountList
	if err := m.cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return
	}

	m.collect(ch, list.Items)
}

func (m *Metrics) collect(ch chan<- prometheus.Metric, accounts []billingv1.BillingAccount) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}

	byPhase := map[string]int{}
	for _, name := range phases {
		byPhase[name] = 0
	}
	troubles := map[*prometheus.Desc]int{stillRunningDesc: 0, notMeteredDesc: 0, brokenDesc: 0}

	for i := range accounts {
		a := &accounts[i]
		if name, known := phases[solvency.Phase(a.Status.Phase)]; known {
			byPhase[name]++
		}
		if conditions.IsTrue(a, billingv1.ConditionStillRunning) {
			troubles[stillRunningDesc]++
		}
		if conditions.IsTrue(a, billingv1.ConditionNotMetered) {
			troubles[notMeteredDesc]++
		}
		if ready := conditions.Get(a, conditions.Ready); ready != nil && ready.Reason == billingv1.ReasonLedgerBroken {
			troubles[brokenDesc]++
		}

		if available, err := strconv.ParseInt(a.Status.Available, 10, 64); err == nil {
			gauge(availableDesc, float64(available), a.Namespace)
		}
		if runway, err := time.ParseDuration(a.Status.Runway); err == nil {
			gauge(runwayDesc, runway.Seconds(), a.Namespace)
		}
	}

	for name, n := range byPhase {
		gauge(accountsDesc, float64(n), name)
	}
	for desc, n := range troubles {
		gauge(desc, float64(n))
	}
}
