package tenant

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
)

// TestAccountGoesBeforeNamespace: a namespace with money in it must not go, because what settles it is made there.
func TestAccountGoesBeforeNamespace(t *testing.T) {
	account := func(reason, message string, finalizers ...string) *billingv1.BillingAccount {
		a := &billingv1.BillingAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: billingv1.AccountName, UID: "a-1", Finalizers: finalizers}}
		a.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: metav1.ConditionFalse, Reason: reason, Message: message}}

		return a
	}

	cases := map[string]struct {
		reason  string
		account *billingv1.BillingAccount
		// passes it takes until the namespace is asked to go; 0 when it must stay.
		passes int
		says   string
	}{
		"None":      {"Nothing stands in the way.", nil, 1, v1alpha1.ReasonDeleting},
		"Settled":   {"It is asked to go, and when it has gone the namespace is.", account("Active", "All is well."), 2, v1alpha1.ReasonDeleting},
		"Unsettled": {"What is left is said at the tenant.", account(billingv1.ReasonBalanceNotSettled, "100 rupiah are left.", "x"), 0, billingv1.ReasonBalanceNotSettled},
		"Closing":   {"It needs a moment.", account("Stopping", "Waiting.", "x"), 0, v1alpha1.ReasonDeleting},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			scheme := runtime.NewScheme()
			if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), billingv1.AddToScheme(scheme)); err != nil {
				t.Fatal(err)
			}

			tn := acme()
			ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme", Labels: namespaceLabels(tn), Finalizers: []string{"x"}}}
			objects := []client.Object{ns}
			if tc.account != nil {
				objects = append(objects, tc.account)
			}
			store := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
			c := &Controller{cached: store, live: store}

			for pass := 1; pass <= 3; pass++ {
				_, err := c.finalize(t.Context(), tn)

				wait, waits := errors.AsType[*outcome.Wait](err)
				if !waits {
					t.Fatalf("%s\npass %d: %v", tc.reason, pass, err)
				}
				if err := store.Get(t.Context(), client.ObjectKeyFromObject(ns), ns); err != nil {
					t.Fatal(err)
				}
				if gone, want := !ns.DeletionTimestamp.IsZero(), tc.passes != 0 && pass >= tc.passes; gone != want {
					t.Errorf("%s\npass %d: the namespace goes: %t", tc.reason, pass, gone)
				}
				if pass == 3 && wait.Reason != tc.says {
					t.Errorf("%s\nit waits for %s: %s", tc.reason, wait.Reason, wait.Message)
				}
			}
		})
	}
}

// TestIgnoreBalance: what the loop of accounts writes every few minutes starts no pass, and everything else does.
func TestIgnoreBalance(t *testing.T) {
	was := acme()
	was.ResourceVersion, was.Status.Billing = "1", &v1alpha1.TenantBilling{Balance: "100"}

	cases := map[string]struct {
		change func(*v1alpha1.Tenant)
		passes bool
	}{
		"Balance":    {func(t *v1alpha1.Tenant) { t.Status.Billing.Balance = "99" }, false},
		"First":      {func(t *v1alpha1.Tenant) { t.Status.Billing = nil }, false},
		"Both":       {func(t *v1alpha1.Tenant) { t.Status.Billing.Balance = "99"; t.Status.Containers = "1/2" }, true},
		"Annotation": {func(t *v1alpha1.Tenant) { t.Annotations = map[string]string{v1alpha1.AnnotationBillingSuspend: "x"} }, true},
		"Spec":       {func(t *v1alpha1.Tenant) { t.Spec.PlanName = "large" }, true},
		"Resync":     {func(*v1alpha1.Tenant) {}, true},
	}
	for name, tc := range cases {
		is := was.DeepCopy()
		is.ResourceVersion = "2"
		tc.change(is)

		if got := IgnoreBalance().Update(event.UpdateEvent{ObjectOld: was, ObjectNew: is}); got != tc.passes {
			t.Errorf("%s: it passes: %t", name, got)
		}
	}
}
