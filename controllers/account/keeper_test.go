package account

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func TestKeeper(t *testing.T) {
	var without []client.Object
	for _, o := range acme() {
		if _, is := o.(*billingv1.BillingAccount); !is {
			without = append(without, o)
		}
	}

	cases := map[string]struct {
		reason string
		change func(client.Object)
		makes  bool
	}{
		"Lacking":     {"A tenant that is billed has an account.", func(client.Object) {}, true},
		"NotBilled":   {"Others need none.", edit(func(p *v1alpha1.Plan) { p.Spec.PriceListName = "" }), false},
		"NoNamespace": {"There is no place for it yet.", edit(func(n *corev1.Namespace) { n.Name = "other" }), false},
		"NotIts":      {"The namespace is somebody else's.", edit(func(n *corev1.Namespace) { n.Labels = nil }), false},
		"NoPlan":      {"Nobody knows whether it is billed.", edit(func(t *v1alpha1.Tenant) { t.Spec.PlanName = "gone" }), false},
		"Leaving": {"It would only be closed again.", edit(func(t *v1alpha1.Tenant) {
			t.DeletionTimestamp, t.Finalizers = stamp(start), []string{"x"}
		}), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var objects []client.Object
			for _, o := range without {
				o = o.DeepCopyObject().(client.Object)
				tc.change(o)
				objects = append(objects, o)
			}
			o := newOffice(t, objects...)
			keeper := NewKeeper(o.store)

			for range 2 { // The second time there is nothing to do.
				if _, err := keeper.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Name: "acme"}}); err != nil {
					t.Fatal(err)
				}
			}

			a := o.find()
			if (a != nil) != tc.makes {
				t.Fatalf("%s\ngot %+v", tc.reason, a)
			}
			if a != nil && (len(a.Finalizers) != 1 || a.Spec.UTCOffsetHours != 7) {
				t.Errorf("%s\nit has finalizers %q and an offset of %d", tc.reason, a.Finalizers, a.Spec.UTCOffsetHours)
			}
		})
	}
}
