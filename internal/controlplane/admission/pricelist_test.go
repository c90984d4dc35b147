package admission

import (
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func TestPriceList(t *testing.T) {
	list := func(name, replaces string, from time.Time) *billingv1.PriceList {
		l := &billingv1.PriceList{TypeMeta: metav1.TypeMeta{APIVersion: billingv1.GroupVersion.String(), Kind: "PriceList"}, ObjectMeta: metav1.ObjectMeta{Name: name}}
		l.Spec.Replaces = v1alpha1.DNSLabel(replaces)
		if !from.IsZero() {
			l.Spec.EffectiveFrom = &metav1.Time{Time: from}
		}
		return l
	}
	hour := moment.Truncate(time.Hour)
	there := []runtime.Object{list("first", "", time.Time{}), list("second", "first", time.Time{})}
	cases := map[string]struct {
		reason string
		list   *billingv1.PriceList
		code   int32
		says   string
	}{
		"AtOnce":         {"Without a time it counts at once.", list("web", "", time.Time{}), 0, ""},
		"Later":          {"From an hour to come.", list("web", "second", hour.Add(time.Hour)), 0, ""},
		"Past":           {"What is charged stays charged.", list("web", "", hour), http.StatusUnprocessableEntity, `spec.effectiveFrom: Invalid value: "2026-11-22T10:00:00Z": must not be in the past`},
		"ReplacesNone":   {"There must be something to replace.", list("web", "third", time.Time{}), http.StatusUnprocessableEntity, `spec.replaces: Invalid value: "third": must be a PriceList that there is`},
		"ReplacesItself": {"And that is not the list itself.", list("web", "web", time.Time{}), http.StatusUnprocessableEntity, "must be another"},
		"Replaced":       {"A second successor would be one that nobody is charged by.", list("web", "first", time.Time{}), http.StatusUnprocessableEntity, `PriceList "second" does`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			check(t, tc.reason, newMarket(t, there...).ask("platform", "pricelists", "", "", tc.list, nil), tc.code, "", tc.says)
		})
	}
}
