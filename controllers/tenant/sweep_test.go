package tenant

import (
	"log/slog"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func TestSweep(t *testing.T) {
	space := func(label string) client.Object {
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme", Labels: map[string]string{v1alpha1.LabelTenant: label}}}
	}
	inside := metav1.ObjectMeta{Namespace: "acme", Name: "x"}

	cases := map[string]struct {
		reason  string
		objects []client.Object
		after   time.Duration
		goes    bool
	}{
		"LeftBehind": {reason: "An empty namespace of a tenant that is gone is nobody's.", objects: []client.Object{space("acme")}, after: grace, goes: true},
		"AtFirst":    {reason: "Nothing is removed at first sight: the tenant may not have been seen yet.", objects: []client.Object{space("acme")}, after: grace - time.Second},
		"HasTenant":  {reason: "What has its tenant stays.", objects: []client.Object{space("acme"), acme()}, after: grace},
		"Runs":       {reason: "What holds something is for a person to look at.", objects: []client.Object{space("acme"), &v1alpha1.TenantContainer{ObjectMeta: inside}}, after: grace},
		"HoldsData":  {reason: "Data is something.", objects: []client.Object{space("acme"), &corev1.Secret{ObjectMeta: inside}}, after: grace},
		"HasAccount": {reason: "So is money.", objects: []client.Object{space("acme"), &billingv1.BillingAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: billingv1.AccountName}}}, after: grace},
		"NotOurs":    {reason: "A label that names another tenant was not written by us.", objects: []client.Object{space("globex")}, after: grace},
		"NoLabel":    {reason: "Other namespaces are other people's.", objects: []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme"}}}, after: grace},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			scheme := runtime.NewScheme()
			for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, billingv1.AddToScheme} {
				if err := add(scheme); err != nil {
					t.Fatal(err)
				}
			}

			store := fake.NewClientBuilder().WithScheme(scheme).WithObjects(tc.objects...).Build()
			s := NewSweeper(&Controller{cached: store, live: store}, slog.New(slog.DiscardHandler))

			for _, now := range []time.Time{epoch, epoch.Add(tc.after)} {
				if err := s.sweep(t.Context(), now); err != nil {
					t.Fatal(err)
				}
			}

			err := store.Get(t.Context(), client.ObjectKey{Name: "acme"}, &corev1.Namespace{})
			if (client.IgnoreNotFound(err) == nil && err != nil) != tc.goes {
				t.Errorf("%s\nreading the namespace: %v", tc.reason, err)
			}
		})
	}
}
