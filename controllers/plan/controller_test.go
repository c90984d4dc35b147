package plan

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

func tenant(name, plan string) client.Object {
	return &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TenantSpec{PlanName: v1alpha1.DNSLabel(plan)}}
}

func TestReconcile(t *testing.T) {
	now := metav1.Now()

	cases := map[string]struct {
		reason string
		// cached and live are the tenants that the cache and the API server hold.
		cached, live []client.Object
		deleted      bool
		tenants      int32
		waits, gone  bool
	}{
		"Unused":  {reason: "A plan that nobody has can be had."},
		"Counted": {reason: "Only its own tenants count.", cached: []client.Object{tenant("a", "small"), tenant("b", "small"), tenant("c", "large")}, tenants: 2},
		"Deleted": {reason: "A plan that nobody has may go.", cached: []client.Object{tenant("a", "small")}, deleted: true, gone: true},
		"InUse": {
			reason: "One that somebody has been given just now stays, whatever the cache has seen.",
			live:   []client.Object{tenant("a", "small")}, deleted: true, tenants: 1, waits: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "small", Generation: 1}}
			if tc.deleted {
				p.DeletionTimestamp = &now
			}

			got, err := New(reader(t, tc.cached), reader(t, tc.live)).Reconcile(t.Context(), p)

			if _, waits := err.(*outcome.Wait); waits != tc.waits || got.Finalized != tc.gone || p.Status.Tenants != tc.tenants {
				t.Errorf("%s\ngot %+v, %v and %d tenants", tc.reason, got, err, p.Status.Tenants)
			}
			if !tc.deleted && !conditions.IsTrue(p, conditions.Ready) {
				t.Errorf("%s\nit is not ready: %+v", tc.reason, p.Status.Conditions)
			}
		})
	}
}

func reader(t *testing.T, objects []client.Object) client.Reader {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}
