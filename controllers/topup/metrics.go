package topup

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/payment"
)

// newJudged counts what the gateway's answers were taken for. All values of its label are there from the start, so that the
// first of a kind can be seen to have come.
func newJudged(reg prometheus.Registerer) (*prometheus.CounterVec, error) {
	judged := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dogker_billing_payment_decisions_total",
		Help: "Answers of the payment gateway about orders, by what was decided.",
	}, []string{"decision"})

	for _, d := range payment.Decisions {
		judged.WithLabelValues(string(d))
	}

	if reg == nil {
		return judged, nil
	}

	if err := reg.Register(judged); err != nil {
		return nil, fmt.Errorf("register metrics of top-ups: %w", err)
	}

	return judged, nil
}

// Metrics counts the TopUps in the cache whenever somebody asks. Nothing in it names a tenant.
type Metrics struct {
	cached client.Reader
}

// NewMetrics returns a collector over the TopUps that the cache holds.
func NewMetrics(cached client.Reader) *Metrics { return &Metrics{cached} }

var (
	topUpsDesc = prometheus.NewDesc("dogker_billing_topups",
		"TopUps, by their phase.", []string{"phase"}, nil)
	reviewDesc = prometheus.NewDesc("dogker_billing_topups_needing_review",
		"TopUps of which the gateway says what a person has to look at, by reason.", []string{"reason"}, nil)
)

// phases are all that there are.
var phases = []billingv1.TopUpPhase{
	billingv1.TopUpPending, billingv1.TopUpAwaitingPayment, billingv1.TopUpChallenged, billingv1.TopUpCredited,
	billingv1.TopUpPartiallyRefunded, billingv1.TopUpRefunded, billingv1.TopUpReversed, billingv1.TopUpChargedBack,
	billingv1.TopUpFailed, billingv1.TopUpExpired,
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- topUpsDesc
	ch <- reviewDesc
}

// Collect implements prometheus.Collector. A cache that cannot be read leaves a gap.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()

	var list billingv1.TopUpList
	if err := m.cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return
	}

	byPhase, byReason := map[billingv1.TopUpPhase]int{}, map[string]int{}

	for i := range list.Items {
		t := &list.Items[i]
		byPhase[t.Status.Phase]++

		if c := conditions.Get(t, billingv1.ConditionNeedsReview); c != nil {
			byReason[c.Reason]++
		}
	}

	byPhase[billingv1.TopUpPending] += byPhase[""]

	for _, phase := range phases {
		ch <- prometheus.MustNewConstMetric(topUpsDesc, prometheus.GaugeValue, float64(byPhase[phase]), string(phase))
	}

	for _, reason := range []string{billingv1.ReasonUnexpectedStatus, billingv1.ReasonPaidTwice} {
		ch <- prometheus.MustNewConstMetric(reviewDesc, prometheus.GaugeValue, float64(byReason[reason]), reason)
	}
}
