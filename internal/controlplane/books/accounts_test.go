package books

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestAccounts: what is known of an account, and since when there is its tenant, which need not have one.
func TestAccounts(t *testing.T) {
	made := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	object := func(gv schema.GroupVersion, kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		u.SetGroupVersionKind(gv.WithKind(kind))
		u.SetNamespace(namespace)
		u.SetName(name)
		u.SetCreationTimestamp(metav1.NewTime(made))

		return u
	}
	client := fake.NewSimpleDynamicClient(runtime.NewScheme(),
		object(billingv1.GroupVersion, "BillingAccount", "acme", "default", map[string]any{"utcOffsetHours": int64(-5)}),
		object(dogkerv1.GroupVersion, "Tenant", "", "acme", map[string]any{"displayName": "Acme Corp"}),
		object(billingv1.GroupVersion, "BillingAccount", "bare", "default", map[string]any{}),
		object(dogkerv1.GroupVersion, "Tenant", "", "free", map[string]any{}),
	)
	for tenant, want := range map[string]Account{
		"acme": {Name: "Acme Corp", UTCOffsetHours: -5, Since: made.Unix(), Exists: true},
		"bare": {UTCOffsetHours: 7, Exists: true},
		"free": {UTCOffsetHours: 7, Since: made.Unix()},
		"gone": {UTCOffsetHours: 7},
	} {
		got, err := NewAccounts(client).Account(t.Context(), tenant)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", tenant, err, diff)
		}
	}
}
