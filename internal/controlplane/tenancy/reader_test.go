package tenancy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestReader: before everything is in memory the store is asked, and afterwards memory says the same: of one namespace only,
// and with the annotation by which somebody has stopped something.
func TestReader(t *testing.T) {
	ofBilling := func(kind string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: billingv1.GroupVersion.String(), Kind: kind}
	}
	stopped := publishing("acme", "night")
	stopped.Annotations = map[string]string{v1alpha1.AnnotationSuspend: "at night", "example.com/other": "x"}
	d := cluster(t,
		publishing("acme", "web"), stopped, publishing("globex", "web"),
		&v1alpha1.Tenant{TypeMeta: of("Tenant"), ObjectMeta: metav1.ObjectMeta{Name: "acme"}},
		&billingv1.BillingAccount{TypeMeta: ofBilling("BillingAccount"), ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "default"}},
		&billingv1.PriceList{TypeMeta: ofBilling("PriceList"), ObjectMeta: metav1.ObjectMeta{Name: "p1"}},
		&billingv1.Coupon{TypeMeta: ofBilling("Coupon"), ObjectMeta: metav1.ObjectMeta{Name: "c1"}},
	)
	look := func(t *testing.T) {
		t.Helper()
		r, ctx := d.Reader(), t.Context()
		var containers v1alpha1.TenantContainerList
		var prices billingv1.PriceListList
		var coupons billingv1.CouponList
		for _, list := range []client.ObjectList{&containers, &prices, &coupons} {
			if err := r.List(ctx, list, client.InNamespace("acme")); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string]bool{}
		for _, c := range containers.Items {
			_, stopped := c.Annotations[v1alpha1.AnnotationSuspend]
			got[c.Namespace+"/"+c.Name] = stopped
		}
		if diff := cmp.Diff(map[string]bool{"acme/web": false, "acme/night": true}, got); diff != "" {
			t.Errorf("containers, and whether they are stopped (-want +got):\n%s", diff)
		}
		if len(prices.Items) != 1 || len(coupons.Items) != 1 {
			t.Errorf("%d price lists and %d coupons, want one of each", len(prices.Items), len(coupons.Items))
		}
		if err := r.Get(ctx, client.ObjectKey{Name: "acme"}, &v1alpha1.Tenant{}); err != nil {
			t.Error(err)
		}
		if err := r.Get(ctx, client.ObjectKey{Namespace: "acme", Name: "default"}, &billingv1.BillingAccount{}); err != nil {
			t.Error(err)
		}
		if err := r.Get(ctx, client.ObjectKey{Namespace: "globex", Name: "default"}, &billingv1.BillingAccount{}); !apierrors.IsNotFound(err) {
			t.Errorf("an account that is not there: %v", err)
		}
		if err := r.Get(ctx, client.ObjectKey{Name: "x"}, &billingv1.Refund{}); err == nil || apierrors.IsNotFound(err) {
			t.Errorf("a kind that is not followed: %v", err)
		}
	}

	t.Run("FromTheStore", look)
	go func() { _ = d.Run(t.Context()) }()
	for deadline := time.Now().Add(time.Minute); !d.containers.HasSynced() || !d.accounts.HasSynced() || !d.priceLists.HasSynced() || !d.coupons.HasSynced(); {
		if time.Now().After(deadline) {
			t.Fatal("memory was not filled")
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Run("FromMemory", look)
}
