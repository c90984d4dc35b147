package admission

import (
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestRecords: Statements are written by Dogker, and by nobody else, an administrator not excepted.
func TestRecords(t *testing.T) {
	m, s := newMarket(t), &billingv1.Statement{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "2026-10"}}
	for _, who := range []string{"owner", "platform"} {
		check(t, "Nobody makes one.", m.ask(who, "statements", "shop", "", s, nil), http.StatusForbidden, metav1.StatusReasonForbidden)
		check(t, "Nobody takes one away.", m.ask(who, "statements", "shop", "", nil, s), http.StatusForbidden, metav1.StatusReasonForbidden)
	}
	if err := m.ask(Loopback, "statements", "shop", "", s, nil); err != nil {
		t.Error(err)
	}
}

// TestPlanWithoutPrices: a plan may come before its prices, and whoever applies it is told.
func TestPlanWithoutPrices(t *testing.T) {
	m := newMarket(t)
	for name, warns := range map[string]bool{"prices": false, "later": true} {
		p := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: v1alpha1.PlanSpec{PriceListName: v1alpha1.ObjectName(name)}}
		if err := m.ask("platform", "plans", "", "", p, nil); err != nil || len(m.warnings) > 0 != warns {
			t.Errorf("%s: %v, %q", name, err, m.warnings)
		}
	}
}
