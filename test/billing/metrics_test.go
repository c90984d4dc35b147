package billing

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/dogker/dogker/controllers/topup"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/payment"
)

// TestMetrics reads what an operator is woken by, and makes sure that none of it names a tenant, an order or a key.
func TestMetrics(t *testing.T) {
	w := newWorld(t, fake.Options{}, seams{})
	reg := prometheus.NewRegistry()

	_, err := topup.New(w.api, billing.NewDesk(w.api), w.ledger, nil, topup.Options{Cluster: cluster, Registerer: reg})
	must(t, err)
	must(t, reg.Register(topup.NewMetrics(w.api)))

	order := w.paid("one", "other_qris")
	w.open("two")
	_, err = w.midtrans.PayAgain(order, "bca_va")
	must(t, err)
	w.look("one")

	families, err := reg.Gather()
	must(t, err)

	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[seriesOf(f.GetName(), m)] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}

	for series, want := range map[string]float64{
		"dogker_billing_topups phase=Credited":                         1,
		"dogker_billing_topups phase=AwaitingPayment":                  1,
		"dogker_billing_topups phase=Expired":                          0,
		"dogker_billing_topups_needing_review reason=PaidTwice":        1,
		"dogker_billing_topups_needing_review reason=UnexpectedStatus": 0,
	} {
		if value, ok := got[series]; !ok || value != want {
			t.Errorf("%s is %v (%v), want %v", series, value, ok, want)
		}
	}

	for _, d := range payment.Decisions {
		if _, ok := got["dogker_billing_payment_decisions_total decision="+string(d)]; !ok {
			t.Errorf("the decision %s is not counted", d)
		}
	}

	for series := range got {
		if strings.Contains(series, w.tenant) || strings.Contains(series, order) || strings.Contains(series, "TOPsecret") {
			t.Errorf("%s says too much", series)
		}
	}
}

func seriesOf(name string, m *dto.Metric) string {
	for _, l := range m.GetLabel() {
		name += " " + l.GetName() + "=" + l.GetValue()
	}

	return name
}
